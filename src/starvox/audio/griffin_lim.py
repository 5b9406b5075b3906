"""Spectrogram -> waveform, for listening.

``audio`` is the ``[audio]`` table of an experiment (`starvox.config.Audio`).
"""

import librosa
import numpy as np

from starvox.audio.spectrogram import normalize, window


def magnitude(s: np.ndarray, audio) -> np.ndarray:
    """Undoes the log scale and the choice of bins (steps 4 to 6).

    Args:
        s (ndarray of shape (..., bins, frames), float32): log magnitude in [0, 1].
            What the floor raised stays raised.
        audio: the ``[audio]`` table.

    Returns:
        ndarray of shape (..., n_fft // 2 + 1, frames), float32: abs(rfft(frame *
        window)) of the normalised waveform; zeros in the bins that are not used.
    """
    x = np.float32(audio.floor) ** (1 - s) * np.float32(audio.n_fft)
    if audio.spectrum == "power":
        x = np.sqrt(x)
    full = np.zeros((*s.shape[:-2], audio.n_fft // 2 + 1, s.shape[-1]), np.float32)
    full[..., audio.first_bin : audio.first_bin + audio.bins, :] = x
    return full


def griffin_lim(s: np.ndarray, audio, iterations: int = 60) -> np.ndarray:
    """Finds a waveform with the given spectrogram (Griffin and Lim, 1984).

    This is the fast variant (Perraudin, Balazs and Sondergaard, 2013) of
    librosa, from a fixed random phase: the same ``s`` gives the same sound.

    Args:
        s (ndarray of shape (..., bins, frames), float32): log magnitude in
            [0, 1], of any number of frames.
        audio: the ``[audio]`` table.
        iterations (int): how often the phase is improved.

    Returns:
        ndarray of shape (..., n_fft + (frames - 1) * hop_length), float32: about
        in [-1, 1], the scale of the normalised waveform; its offset is lost.
    """
    return librosa.griffinlim(magnitude(s, audio), n_iter=iterations, random_state=0, **_stft(audio))


def resynthesize(s: np.ndarray, source_wave: np.ndarray, audio) -> np.ndarray:
    """Gives a spectrogram the phase of the waveform it was made from.

    Args:
        s (ndarray of shape (..., bins, frames), float32): log magnitude in [0, 1].
        source_wave (ndarray of shape (..., n_fft + (frames - 1) * hop_length),
            float32): samples of any scale; normalised as `spectrogram` does.
        audio: the ``[audio]`` table.

    Returns:
        ndarray of the shape of ``source_wave``, float32: about in [-1, 1], the
        scale of the normalised waveform.

    Raises:
        ValueError: if ``source_wave`` has another number of frames than ``s``.
    """
    samples = audio.n_fft + (s.shape[-1] - 1) * audio.hop_length
    if source_wave.shape[-1] != samples:
        raise ValueError(f"{s.shape[-1]} frames take {samples} samples, got {source_wave.shape[-1]}")
    phase = np.angle(librosa.stft(normalize(source_wave, audio), **_stft(audio)))
    return librosa.istft(magnitude(s, audio) * np.exp(1j * phase), **_stft(audio))


def _stft(audio) -> dict:
    return {
        "n_fft": audio.n_fft,
        "hop_length": audio.hop_length,
        "window": window(audio),
        "center": False,
    }
