"""Steps 2 to 6 of the record: crop -> spectrogram, on the CPU or the GPU.

``audio`` is the ``[audio]`` table of an experiment (`starvox.config.Audio`).
Arrays are NumPy's or CuPy's, and a result is of the same kind as its argument.
"""

import functools
import importlib
import math
from types import ModuleType
from typing import Any

import numpy as np
import scipy.fft

from starvox.config import Audio

Array = Any  # NumPy's or CuPy's, which has no types


def normalize(wave: Array, audio: Audio) -> Array:
    """Brings each waveform into [-1, 1] by itself (step 2).

    "min-max" is 2 (x - min) / (max - min) - 1; "peak" is x / max|x|.

    Args:
        wave (ndarray of shape (..., n), float): samples.
        audio: its ``normalization`` is read.

    Returns:
        ndarray of shape (..., n), float32, in [-1, 1]; zeros where the waveform
        is constant.
    """
    wave = wave.astype(np.float32, copy=False)
    low, high = wave.min(-1, keepdims=True), wave.max(-1, keepdims=True)
    constant = low == high
    if audio.normalization == "min-max":
        scaled = 2 * ((wave - low) / (high - low + constant)) - 1
    else:
        scaled = wave / (_xp(wave).maximum(-low, high) + constant)
    return scaled * ~constant


def denormalize(sound: Array, wave: Array, audio: Audio) -> Array:
    """Brings a sound to the scale and the offset of a waveform: undoes `normalize`.

    Args:
        sound (ndarray of shape (..., n), float32): what was made of the
            normalised waveform.
        wave (ndarray of shape (..., m), float): the waveform before `normalize`.
        audio: its ``normalization`` is read.

    Returns:
        ndarray of the shape of ``sound``, float32. With "min-max" it is constant
        where ``wave`` is.
    """
    wave = wave.astype(np.float32, copy=False)
    low, high = wave.min(-1, keepdims=True), wave.max(-1, keepdims=True)
    if audio.normalization == "min-max":
        return (sound + 1) * ((high - low) / 2) + low
    return sound * _xp(wave).maximum(-low, high)


def is_silent(normalized: Array, audio: Audio) -> Array:
    """Says which waveforms break the record's rule of silence (step 2).

    The rule is RMS > ``silence_rms`` after normalising: a quiet clip with one
    click is then near -1 or 1 almost everywhere. A constant waveform is silent
    too, as the neighbouring record c9335bce has it.

    Args:
        normalized (ndarray of shape (..., n), float32): from `normalize`.
        audio: its ``silence_rms`` is read.

    Returns:
        bool, or ndarray of shape (...), bool.
    """
    rms = (normalized**2).mean(-1) ** 0.5
    return (rms > audio.silence_rms) | (rms == 0)


def spectrogram(wave: Array, audio: Audio) -> Array:
    """Computes the log spectrogram of raw crops (steps 2 to 6).

    Args:
        wave (ndarray of shape (..., crop_samples), float): samples of any scale
            and offset, normalised here.
        audio: the ``[audio]`` table.

    Returns:
        ndarray of shape (..., bins, frames), float32, in [0, 1] (with the
        spectrum "power" it can exceed 1).

    Raises:
        ValueError: if the waveform has not ``crop_samples`` samples.
    """
    if wave.shape[-1] != audio.crop_samples:
        raise ValueError(f"expected {audio.crop_samples} samples, got {wave.shape[-1]}")
    return log_spectrogram(normalize(wave, audio), audio)


def log_spectrogram(normalized: Array, audio: Audio) -> Array:
    """Computes the log spectrogram of waveforms of any length (steps 3 to 6).

    With x = abs(rfft(frame * window)) / n_fft it is
    (log max(x, floor) - log floor) / -log floor, a row a bin from ``first_bin``
    on and a column a frame.

    Args:
        normalized (ndarray of shape (..., n), float32): from `normalize`; n is at
            least ``n_fft``, and what is left beyond the last full frame is not seen.
        audio: the ``[audio]`` table.

    Returns:
        ndarray of shape (..., bins, 1 + (n - n_fft) // hop_length), float32, in
        [0, 1] (with the spectrum "power" it can exceed 1).
    """
    xp = _xp(normalized)
    fft = scipy.fft if xp is np else xp.fft  # NumPy's takes four times as long
    transformed = fft.rfft(_frames(normalized, audio) * window(audio, xp))
    x = xp.abs(transformed[..., audio.first_bin : audio.first_bin + audio.bins])
    if audio.spectrum == "power":
        x = x**2
    # Divided by the floor first, so that the floor is exactly 0 in float32.
    log = xp.log(xp.maximum(x / (audio.n_fft * audio.floor), 1)) / -math.log(audio.floor)
    return xp.ascontiguousarray(log.swapaxes(-1, -2))


def _frames(wave: Array, audio: Audio) -> Array:
    """Returns (..., frames, n_fft), a view in which the frames overlap."""
    step = wave.strides[-1]
    frames = 1 + (wave.shape[-1] - audio.n_fft) // audio.hop_length
    return _xp(wave).lib.stride_tricks.as_strided(
        wave,
        (*wave.shape[:-1], frames, audio.n_fft),
        (*wave.strides[:-1], audio.hop_length * step, step),
    )


def window(audio: Audio, xp: ModuleType = np) -> Array:
    """Returns the window, of shape (n_fft,), float32, symmetric or DFT-even."""
    device = None if xp is np else xp.cuda.runtime.getDevice()
    return _hamming(audio.n_fft, audio.window_periodic, xp, device)


@functools.lru_cache(maxsize=8)
def _hamming(n_fft: int, periodic: bool, xp: ModuleType, device: int | None) -> Array:
    """``device`` only keeps the copies of several GPUs apart."""
    return xp.asarray(np.hamming(n_fft + periodic)[:n_fft], dtype=np.float32)


def _xp(array: Array) -> ModuleType:
    """Returns the module of ``array``, without importing CuPy for NumPy's."""
    return np if isinstance(array, np.ndarray) else importlib.import_module("cupy")
