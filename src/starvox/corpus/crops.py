"""Where in a clip the record's crops can start."""

import math

import numpy as np

from starvox.config import Audio


def usable_starts(wave: np.ndarray, audio: Audio) -> np.ndarray:
    """Finds the crops that keep the record's rule of silence (see `is_silent`).

    Starts are looked at every gcd(n_fft, hop_length) samples (256 in the
    record). There the answer is exact but for rounding: the extremes, the sum and the sum of
    squares of a crop give the RMS it has after normalising.

    Args:
        wave (ndarray of shape (n,), float32): samples of a clip.
        audio: the ``[audio]`` table of an experiment.

    Returns:
        ndarray of int64: starts in samples, ascending; empty if the clip is
        shorter than a crop or silent.
    """
    grid = math.gcd(audio.n_fft, audio.hop_length)
    width = audio.crop_samples // grid  # a crop is a whole number of blocks, as n_fft and hop_length are
    n_blocks = len(wave) // grid
    if n_blocks < width:
        return np.zeros(0, np.int64)
    blocks = wave[: n_blocks * grid].reshape(n_blocks, grid)
    squared = np.einsum("ij,ij->i", blocks, blocks, dtype=np.float64)
    of_blocks = np.stack([blocks.min(1), blocks.max(1), blocks.sum(1, dtype=np.float64), squared])
    # each crop by itself, so that a loud part costs a quiet one no digits
    of_crops = np.lib.stride_tricks.sliding_window_view(of_blocks, width, axis=1)
    low, high = of_crops[0].min(-1), of_crops[1].max(-1)
    total, squares = of_crops[2:].sum(-1)
    if audio.normalization == "min-max":
        centre, half = (high + low) / 2, (high - low) / 2
    else:
        centre, half = 0.0, np.maximum(high, -low)
    # Of y = (x - centre) / half: n half^2 rms^2 = sum x^2 - 2 centre sum x + n centre^2.
    energy = squares - 2 * centre * total + audio.crop_samples * centre**2
    loud = energy > audio.silence_rms**2 * audio.crop_samples * half**2
    return np.flatnonzero(~loud & (low < high)) * grid
