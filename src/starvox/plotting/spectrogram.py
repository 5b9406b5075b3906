"""Spectrograms side by side: clips down, what was made of them across."""

import textwrap
from collections.abc import Collection, Sequence
from math import log10
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from starvox.plotting.files import save_figure


def plot_spectrograms(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    audio,
    path: str | Path,
    labels: Sequence[str] | None = None,
    differences: Collection[int] = (),
) -> Path:
    """Draws spectrograms as `draw_spectrograms` does and writes them to ``path``.

    Returns:
        Path: ``path``, made or replaced whole; its ending gives the format.

    Raises:
        UserError: if the file cannot be written.
    """
    return save_figure(draw_spectrograms(rows, titles, audio, labels, differences), path)


def draw_spectrograms(
    rows: Sequence[Sequence[np.ndarray]],
    titles: Sequence[str],
    audio,
    labels: Sequence[str] | None = None,
    differences: Collection[int] = (),
) -> Figure:
    """Draws a grid of spectrograms on common scales of time, frequency and colour.

    Args:
        rows: for each clip, one spectrogram a column (ndarray of shape
            (bins, frames), float, log magnitude in [0, 1]). Rows may differ in
            frames.
        titles: of the columns.
        audio: the ``audio`` table of an experiment: sample_rate, n_fft,
            hop_length, first_bin, floor and spectrum are read.
        labels: of the rows.
        differences: the columns, counted from 0, that hold the difference of
            two spectrograms, in [-1, 1]. They share a second colour scale,
            symmetric about 0, that leaves out the largest 0.5 %.

    Returns:
        Figure: bin k of a spectrogram is centred at
        (first_bin + k) * sample_rate / n_fft Hz; frame t begins at
        t * hop_length / sample_rate seconds.
    """
    seconds = max(s.shape[1] for row in rows for s in row) * audio.hop_length / audio.sample_rate
    panel = min(max(2.3, 0.55 * seconds), 6)  # inches; a long clip needs more than one of 4 s
    ylabels = [f"{_wrap(label)}\nfrequency (Hz)".strip() for label in labels or [""] * len(rows)]
    lines = max(ylabel.count("\n") for ylabel in ylabels)
    figure, axes, places = _lay_out(len(rows), len(titles), panel, 1 + bool(differences), 0.8 + 0.2 * lines)
    images = _show(axes, rows, audio, differences)
    axes[0, 0].set_xlim(0, seconds)
    axes[0, 0].set_ylim(bottom=0)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(_wrap(title), fontsize=10, parse_math=False)
    for ax, ylabel in zip(axes[:, 0], ylabels, strict=True):
        ax.set_ylabel(ylabel, parse_math=False)
    for ax in axes[-1]:
        ax.set_xlabel("time (s)")
    scales = zip(images, _scales(audio), ("neither", "both"), strict=True)
    for place, (image, name, extend) in zip(places, (scale for scale in scales if scale[0]), strict=False):
        bar = figure.colorbar(image, cax=figure.add_axes(place), extend=extend)
        bar.set_label(name, fontsize=9)
    return figure


def _lay_out(n_rows: int, n_columns: int, panel: float, n_bars: int, left: float):
    """Returns a figure, its axes and where its colour bars go.

    Measured out in inches: finding the margins (matplotlib's constrained
    layout) takes longer than drawing, and training draws while it waits.
    """
    bottom, top, bar = 0.6, 0.6, 1.1
    width = left + panel * n_columns + bar * n_bars
    height = bottom + 2.0 * n_rows + top
    figure = Figure(figsize=(width, height), dpi=100)
    right = 1 - bar * n_bars / width
    edges = {"left": left / width, "right": right, "bottom": bottom / height, "top": 1 - top / height}
    axes = figure.subplots(
        n_rows,
        n_columns,
        sharex=True,
        sharey=True,
        squeeze=False,
        gridspec_kw={**edges, "wspace": 0.1, "hspace": 0.12},
    )
    extent = edges["top"] - edges["bottom"]
    places = [
        (right + (0.15 + bar * number) / width, edges["bottom"], 0.15 / width, extent)
        for number in range(n_bars)
    ]
    return figure, axes, places


def _wrap(words: str) -> str:
    return "\n".join(textwrap.fill(line, 28) for line in words.splitlines())


def _show(axes, rows, audio, differences: Collection[int]) -> list:
    """Returns an image on the common scale and one on that of the differences, or None."""
    signed = [np.nan_to_num(np.abs(row[column])).ravel() for row in rows for column in differences]
    limit = (float(np.quantile(np.concatenate(signed), 0.995)) if signed else 0) or 1.0
    images = [None, None]
    for row, row_axes in zip(rows, axes, strict=True):
        for column, (values, ax) in enumerate(zip(row, row_axes, strict=True)):
            kind = int(column in differences)
            look = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit} if kind else _LOOK
            images[kind] = ax.imshow(values, extent=_extent(values, audio), **_PLACE, **look)
    return images


_LOOK = {"cmap": "magma", "vmin": 0, "vmax": 1}
_PLACE = {"origin": "lower", "aspect": "auto"}


def _extent(values: np.ndarray, audio) -> tuple[float, float, float, float]:
    """Left, right (s), bottom, top (Hz): edges of the outer frames and bins."""
    bins, frames = values.shape
    hertz = audio.sample_rate / audio.n_fft
    low = audio.first_bin - 0.5
    return 0, frames * audio.hop_length / audio.sample_rate, low * hertz, (low + bins) * hertz


def _scales(audio) -> tuple[str, str]:
    floor = (10 if audio.spectrum == "power" else 20) * log10(audio.floor)
    return (
        f"log magnitude\n(0 = {floor:.4g} dB, 1 = 0 dB)",
        f"difference of log magnitude\n(1 = {-floor:.4g} dB)",
    )
