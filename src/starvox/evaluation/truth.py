"""Towards the truth: how far speech is from the same sentence in the target's own voice."""

from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import scipy.fft
import soxr
from numpy.typing import NDArray

from starvox.config import Audio
from starvox.corpus import Clip
from starvox.corpus.demo import is_synthetic, say_in_voice
from starvox.errors import UserError

Array = NDArray[np.float32]

# A clip and the name of a speaker -> the clip's sentence in that speaker's voice: samples
# (n,) float32 at the rate of the experiment, or None where there is none.
Truth = Callable[[Clip, str], Array | None]

_MELS, _CEPSTRA = 26, 13
_F0_RANGE = (60.0, 500.0)  # Hz
_VOICED = 0.5  # of a frame's energy, what must come back a period later


def synthetic_truth(manifest: str | Path, sample_rate: int) -> Truth | None:
    """Returns what says the sentences of a synthetic corpus in its other voices; None for another corpus."""
    if not is_synthetic(manifest):
        return None

    def truth(clip: Clip, speaker: str) -> Array | None:
        try:
            wave, rate = say_in_voice(manifest, clip.path, speaker)
        except UserError:  # a speaker of the run's corpus who is none of this one
            return None
        return soxr.resample(wave, rate, sample_rate)

    return truth


def align(a: Array, b: Array, audio: Audio) -> tuple[Array, float]:
    """Aligns two spectrograms in time by their mel cepstra (dynamic time warping).

    The mel cepstral distortion is that of Kubichek (1993): the root mean square over the mel
    bands of the difference in dB, smoothed to 13 cepstral coefficients; the level is left out.

    Args:
        a, b (ndarray of shape (bins, frames), float32): log magnitude in [0, 1].
        audio: the ``[audio]`` table.

    Returns:
        (ndarray of shape (n, 2), float): pairs of frames of ``a`` and ``b`` in order, and the mean
        mel cepstral distortion over them in dB.
    """
    x, y = (_cepstra(s, audio) for s in (a, b))
    cost, path = librosa.sequence.dtw(x, y)
    return path[::-1], float(cost[-1, -1] / len(path))


def measure_distance(
    s: Array, wave: Array, true_s: Array, true_wave: Array, audio: Audio
) -> tuple[float, float | None]:
    """Measures how far speech is from the truth, after alignment.

    Args:
        s, true_s (ndarray of shape (bins, frames), float32): log magnitude in [0, 1].
        wave, true_wave (ndarray of shape (n,), float32): their sounds; frame i begins at
            sample i * hop_length.
        audio: the ``[audio]`` table.

    Returns:
        (float, float or None): mel cepstral distortion in dB, and the difference of F0 in semitones where
        both are voiced (None: nowhere).
    """
    path, mcd = align(s, true_s, audio)
    pitches = find_f0(wave, audio), find_f0(true_wave, audio)
    path = path[(path < [len(pitch) for pitch in pitches]).all(1)]
    ours, theirs = (pitch[path[:, i]] for i, pitch in enumerate(pitches))
    apart = 12 * abs(np.log2(ours / theirs))
    voiced = np.isfinite(apart)
    return mcd, float(apart[voiced].mean()) if voiced.any() else None


def find_f0(wave: Array, audio: Audio) -> NDArray[np.float64]:
    """Finds the pitch of every frame, by the peak of its normalised autocorrelation.

    librosa has better trackers, but its compiled ones ended the process here when
    their code came from a cache.

    Args:
        wave (ndarray of shape (n,), float32): at ``audio.sample_rate``.
        audio: the ``[audio]`` table; frames are 64 ms long, ``hop_length`` apart.

    Returns:
        ndarray of shape (frames,), float64: Hz; NaN where a frame is not voiced.
    """
    rate, size = audio.sample_rate, int(0.064 * audio.sample_rate)
    if len(wave) < size:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(wave, size)[:: audio.hop_length].astype(np.float64)
    frames = frames - frames.mean(1, keepdims=True)
    power = abs(scipy.fft.rfft(frames, 2 * size, axis=1)) ** 2
    correlation = scipy.fft.irfft(power, axis=1)[:, :size] / np.arange(size, 0, -1)  # unbiased
    lags = np.arange(int(rate / _F0_RANGE[1]), int(rate / _F0_RANGE[0]) + 1)
    energy = correlation[:, :1]
    at = correlation[:, lags] / np.maximum(energy, 1e-12)
    # The first lag near the best: its multiples come back as well as the period itself.
    best = at.max(1, keepdims=True)
    peaks = (at >= 0.9 * best) & (at >= correlation[:, lags - 1] / np.maximum(energy, 1e-12))
    peaks &= at >= correlation[:, lags + 1] / np.maximum(energy, 1e-12)
    f0 = rate / lags[peaks.argmax(1)].astype(np.float64)
    voiced = peaks.any(1) & (best[:, 0] >= _VOICED) & (energy[:, 0] > 1e-3 * energy.max())
    return np.where(voiced, f0, np.nan)


def _cepstra(s: Array, audio: Audio) -> NDArray[np.float64]:
    """Returns (_CEPSTRA, frames): Euclidean distances of its columns are mel cepstral distortions in dB."""
    last = audio.first_bin + audio.bins
    mel = librosa.filters.mel(
        sr=audio.sample_rate,
        n_fft=audio.n_fft,
        n_mels=_MELS,
        fmin=audio.first_bin * audio.sample_rate / audio.n_fft,
        fmax=(last - 1) * audio.sample_rate / audio.n_fft,
    )[:, audio.first_bin : last]
    power = np.float64(audio.floor) ** ((1 - s) * (2 if audio.spectrum == "magnitude" else 1))
    decibels = 10 * np.log10(np.maximum(mel @ power, 1e-30))
    return scipy.fft.dct(decibels, axis=0, norm="ortho")[1 : 1 + _CEPSTRA] / np.sqrt(_MELS)
