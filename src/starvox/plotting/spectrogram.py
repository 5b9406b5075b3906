"""Spectrograms side by side: clips down, what was made of them across."""

import textwrap
from collections.abc import Sequence
from math import ceil, log10
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

Grid = Sequence[Sequence[np.ndarray]]

_DPI = 100  # a long clip gets a px a frame, until the figure is _MAX_WIDTH inches wide
_MAX_WIDTH = 60


def draw_spectrograms(
    rows: Grid,
    titles: Sequence[str],
    audio: Any,
    labels: Sequence[str] | None = None,
    difference: bool = False,
) -> Figure:
    """Draws a grid of spectrograms on common scales of time, frequency and colour.

    The colours go from the floor to what all but 0.1 % of a spectrogram of the first column, an
    input's, stays below, so that the figures of one clip can be compared.

    Args:
        rows: for each clip, one spectrogram a column (ndarray of shape
            (bins, frames), float, log magnitude in [0, 1]). Rows may differ in
            frames.
        titles: of the columns.
        audio: the ``audio`` table of an experiment: sample_rate, n_fft,
            hop_length, first_bin, floor and spectrum are read.
        labels: of the rows.
        difference: the last row holds differences of two spectrograms, in [-1, 1]. It
            has a colour scale of its own, symmetric about 0, that leaves out the
            largest 0.5 %.

    Returns:
        Figure: in dB; bin k of a spectrogram is centred at
        (first_bin + k) * sample_rate / n_fft Hz; frame t begins at
        t * hop_length / sample_rate seconds. It is as wide as its longest clip needs.
    """
    floor = (10 if audio.spectrum == "power" else 20) * log10(audio.floor)  # dB
    levels = [[floor * (1 - s) for s in row] for row in (rows[:-1] if difference else rows)]
    top = min(0, 5 * ceil(max(np.nanquantile(row[0], 0.999) for row in levels) / 5))
    frames = max(s.shape[1] for row in rows for s in row)
    panel = max(2.3, 8 / len(titles), min(frames / _DPI, _MAX_WIDTH / len(titles)))
    width, height = panel * len(titles) + 2, 2.0 * len(rows) + 1.2
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    axes = figure.subplots(len(rows), len(titles), sharex=True, sharey=True, squeeze=False)

    def show(values: Sequence[np.ndarray], row: np.ndarray, **look: Any) -> AxesImage:
        for s, ax in zip(values, row, strict=True):
            image = ax.imshow(s, extent=_extent(s, audio), origin="lower", aspect="auto", **look)
        return image

    def add_bar(image: AxesImage, beside: np.ndarray, label: str, extend: str) -> None:
        size = {"fraction": 0.2 / width, "pad": 0.15 / width, "aspect": 13 * len(beside)}
        figure.colorbar(image, ax=beside, label=label, extend=extend, **size)

    for values, row in zip(levels, axes, strict=False):
        image = show(values, row, cmap="magma", vmin=floor, vmax=top)
    add_bar(image, axes[: len(levels)], "magnitude (dB)", "max")
    if difference:
        changes = [-floor * s for s in rows[-1]]
        limit = float(np.nanquantile(np.abs(changes), 0.995)) or -floor
        image = show(changes, axes[-1], cmap="RdBu_r", vmin=-limit, vmax=limit)
        add_bar(image, axes[-1:], "difference (dB)", "both")
    axes[0, 0].set_xlim(0, frames * audio.hop_length / audio.sample_rate)
    axes[0, 0].set_ylim(bottom=0)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(_wrap(title, panel), fontsize=10, loc="left", parse_math=False)
    for ax, label in zip(axes[:, 0], labels or [""] * len(rows), strict=True):
        ax.set_ylabel(f"{_wrap(label, 2.3)}\nfrequency (Hz)".strip(), parse_math=False)
    for ax in axes[-1]:
        ax.set_xlabel("time (s)")
    return figure


def _wrap(words: str, inches: float) -> str:
    return "\n".join(textwrap.fill(line, int(12 * inches)) for line in words.splitlines())


def _extent(values: np.ndarray, audio: Any) -> tuple[float, float, float, float]:
    """Returns left, right (s), bottom, top (Hz): edges of the outer frames and bins."""
    bins, frames = values.shape
    hertz = audio.sample_rate / audio.n_fft
    low = audio.first_bin - 0.5
    return 0, frames * audio.hop_length / audio.sample_rate, low * hertz, (low + bins) * hertz
