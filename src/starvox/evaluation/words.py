"""Are the words still there? Conversions of whole clips against the clips themselves."""

import warnings

import numpy as np

# Copied speech scores 1 in either measure. Half-way down to an unrelated clip is where the
# output has as much of the input's words as it has not.
KEPT = 0.5

NO_STOI = 'STOI needs the package pystoi: pip install -e ".[eval]"'


def energy_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Returns how alike the energies of two spectrograms go over time.

    Args:
        a, b (ndarray of shape (bins, frames), float32): log magnitude in [0, 1]; the
            longer one is cut at the end.

    Returns:
        float: Pearson's correlation of the means over the bins, frame by frame, in [-1, 1];
        0 if one of them does not change at all.
    """
    frames = min(a.shape[1], b.shape[1])
    x, y = (s[:, :frames].mean(0, dtype=np.float64) for s in (a, b))
    x, y = x - x.mean(), y - y.mean()
    size = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / size) if size > 1e-12 else 0.0


def stoi(reference: np.ndarray, sound: np.ndarray, sample_rate: int) -> float | None:
    """Returns the short-time objective intelligibility of a sound (Taal et al., 2011).

    Args:
        reference, sound (ndarray of shape (n,), float32): the longer one is cut at the end.
        sample_rate (int): Hz of both.

    Returns:
        float or None: at most 1; None without pystoi, or if less than 0.4 s of the
        reference are speech.
    """
    try:
        import pystoi
    except ImportError:
        return None
    samples = min(len(reference), len(sound))
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # what pystoi says of too little speech
        try:
            return float(pystoi.stoi(reference[:samples], sound[:samples], sample_rate))
        except RuntimeWarning:
            return None


def needed(row: dict) -> float:
    """Returns from which value on a measure's words are kept: half-way from ``unrelated`` to ``copy``."""
    low, high = row["unrelated"]["mean"], row["copy"]["mean"]
    return low + KEPT * (high - low)
