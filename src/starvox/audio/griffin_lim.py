"""Spectrogram -> waveform, for listening.

``audio`` is the ``[audio]`` table of an experiment (`starvox.config.Audio`).
"""

from typing import Any

import librosa
import numpy as np

from starvox.audio.spectrogram import window
from starvox.config import Audio


def magnitude(s: np.ndarray, audio: Audio) -> np.ndarray:
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


def griffin_lim(s: np.ndarray, audio: Audio, iterations: int = 60) -> np.ndarray:
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
    return librosa.griffinlim(_above_floor(s, audio), n_iter=iterations, random_state=0, **_stft(audio))


def take_phase(s: np.ndarray, normalized: np.ndarray, audio: Audio) -> np.ndarray:
    """Gives a spectrogram the phase of the waveform it was made from.

    Args:
        s (ndarray of shape (..., bins, frames), float32): log magnitude in [0, 1].
        normalized (ndarray of shape (..., n_fft + (frames - 1) * hop_length),
            float32): from `normalize`.
        audio: the ``[audio]`` table.

    Returns:
        ndarray of the shape of ``normalized``, float32: about in [-1, 1].
    """
    phase = np.angle(librosa.stft(normalized, **_stft(audio)))
    return librosa.istft(_above_floor(s, audio) * np.exp(1j * phase), **_stft(audio))


def unused_band(normalized: np.ndarray, audio: Audio) -> np.ndarray:
    """Returns the sound of the bins that a spectrogram leaves out.

    For the record these are the DC bin and those above 4 kHz.

    Args:
        normalized (ndarray of shape (..., n_fft + (frames - 1) * hop_length), float32).
        audio: the ``[audio]`` table.

    Returns:
        ndarray of the shape of ``normalized``, float32: what to add to the sound
        of a spectrogram so that its other bins are those of ``normalized``.
    """
    transformed = librosa.stft(normalized, **_stft(audio))
    transformed[..., audio.first_bin : audio.first_bin + audio.bins, :] = 0
    return librosa.istft(transformed, **_stft(audio))


def _above_floor(s: np.ndarray, audio: Audio) -> np.ndarray:
    """Returns `magnitude` less the floor, in power, so that silence is silent.

    The record's floor is 29 dB below full scale. Left in, it is a hiss, and with
    the phase of digital silence a buzz, 18 dB above what the pauses of speech
    have; what stands well above it hardly changes (0.04 dB at ten times the floor).
    """
    floor = magnitude(np.zeros_like(s[..., :1]), audio)
    return np.sqrt(np.maximum(magnitude(s, audio) ** 2 - floor**2, 0))


def _stft(audio: Audio) -> dict[str, Any]:
    return {
        "n_fft": audio.n_fft,
        "hop_length": audio.hop_length,
        "window": window(audio),
        "center": False,
    }
