"""The record's five figures of a run, drawn from its log."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from starvox.plotting.axes import add_epochs, set_log_scale
from starvox.plotting.files import save_figure

Log = Mapping[str, np.ndarray]


class Curve(NamedTuple):
    """One figure: its file name, title, the name of its y axis, and log key -> legend."""

    name: str
    title: str
    ylabel: str
    keys: dict[str, str]


CURVES = (
    Curve(
        "wasserstein",
        "Wasserstein distance (D minimises it)",
        "mean D(x_fake) − mean D(x_real)",
        {"dis/wasserstein": "D"},
    ),
    Curve(
        "classification",
        "Domain classification loss",
        "sigmoid cross entropy",
        {"dis/classification": "D", "gen/classification": "G"},
    ),
    Curve(
        "gradient_penalty",
        "Gradient penalty",
        "(norm of D's gradient − 1)²\nbefore its weight",
        {"dis/gradient_penalty": "D"},
    ),
    Curve(
        "identity_reconstruction",
        "Identity mapping and reconstruction loss",
        "mean squared error of the spectrogram\nbefore its weight",
        {"gen/identity": "identity mapping", "gen/reconstruction": "reconstruction"},
    ),
    Curve(
        "feature_matching",
        "Feature matching loss",
        "mean squared error of D's features\nbefore its weight",
        {"gen/feature_matching": "G"},
    ),
)

# Okabe and Ito's colours, which the colour-blind tell apart, less the yellow
# that is too pale for a line on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_STYLES = ("-", "--", ":", "-.")
_FEW = 30  # with no more points than this each has a marker
_SMOOTHED = 100  # with no fewer points than this there is a moving mean
_LETTERS_PER_INCH = 11.2  # of a legend


def plot_curves(
    logs: Sequence[Log],
    folder: str | Path,
    names: Sequence[str] | None = None,
    loglog: bool = False,
    formats: Sequence[str] = ("png", "svg"),
) -> list[Path]:
    """Draws the record's five figures, in its order, several runs in each.

    Args:
        logs: of each run, what `read_log` returns.
        folder: where the figures go; made if missing. Each file is replaced whole.
        names: of the runs, for the legend. If None, they are numbered.
        loglog: whether both axes are logarithmic; see `draw_curve`.
        formats: endings of the files, any that matplotlib writes.

    Returns:
        list of Path: the files, figure by figure.

    Raises:
        UserError: if a file cannot be written.
        ValueError: if there is no log, or not one name for each.
    """
    paths = []
    for curve in CURVES:
        figure = draw_curve(curve, logs, names, loglog)
        paths += [save_figure(figure, Path(folder) / f"{curve.name}.{ending}") for ending in formats]
    return paths


def draw_curve(
    curve: Curve,
    logs: Sequence[Log],
    names: Sequence[str] | None = None,
    loglog: bool = False,
    size: tuple[float, float] = (8.1, 3.4),
) -> Figure:
    """Draws one figure.

    The values as logged are pale, with a centred moving mean of 1/50 of the
    points over them; a log of fewer than 100 entries has no mean. A value that
    is not finite leaves a gap.

    Args:
        curve: one of `CURVES`.
        logs, names: as in `plot_curves`.
        loglog: whether both axes are logarithmic. An axis with values of 0 and
            less is linear around 0, and its name says where.
        size: the width of the figure and about the height of its axes, in inches.

    Returns:
        Figure: of one Axes. For every run and key in turn a line with the values as
        logged, and one with the mean if there is one.
    """
    if not logs or (names is not None and len(names) != len(logs)):
        raise ValueError(f"one log or more and as many names, got {len(logs)} logs and names {names}")
    if names is None:  # one run alone needs no name
        names = [f"run {i + 1}" for i in range(len(logs))] if len(logs) > 1 else [""]
    figure = Figure(dpi=120, layout="constrained")
    ax = figure.add_subplot(xlabel="iteration", ylabel=curve.ylabel)
    ax.set_title(curve.title, loc="left", fontweight="bold")
    ax.grid(color="0.9")
    ax.set_axisbelow(True)
    ax.margins(x=0.01)
    for run, log in enumerate(logs):
        for number, (key, word) in enumerate(curve.keys.items()):
            words = ", ".join(filter(None, [names[run], word if len(curve.keys) > 1 else ""]))
            # The space keeps matplotlib from hiding a name that begins with an underscore.
            label, look = f" {words}" if words else "_", _look(run, number, len(logs))
            _add_line(ax, log["iteration"], np.where(np.isfinite(log[key]), log[key], np.nan), label, look)
    if not any(np.isfinite(log[key]).any() for log in logs for key in curve.keys):
        ax.text(0.5, 0.5, "nothing logged", transform=ax.transAxes, ha="center", color="0.4")
    if max(len(log["iteration"]) for log in logs) >= _SMOOTHED:
        ax.plot([], [], color="0.7", linewidth=0.8, label="as logged")
        ax.plot([], [], color="0.3", linewidth=1.8, label="centred moving mean (1/50 of points)")
    if loglog:
        set_log_scale(ax, "x")
        set_log_scale(ax, "y")
    else:
        ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        add_epochs(ax, logs)
    _add_legend(figure, *size)
    return figure


def smooth(values: np.ndarray) -> np.ndarray:
    """Returns the centred moving mean of 1/50 of the points, fewer at the ends.

    Args:
        values (ndarray of shape (n,), float): what is not finite is left out of
            every mean and stays NaN.

    Returns:
        ndarray of shape (n,), float64: equal to finite ``values`` if n < 100.
    """
    finite = np.isfinite(values)
    window = np.ones(2 * (len(values) // 100) + 1)
    total = np.convolve(np.where(finite, values, 0.0), window, "same")
    count = np.convolve(finite.astype(float), window, "same")
    return np.where(finite, total / np.maximum(count, 1), np.nan)


def _look(run: int, key: int, runs: int) -> dict[str, Any]:
    """One run: a colour for each key. Several: a colour for each run, a style for each key."""
    if runs == 1:
        return {"color": COLOURS[key], "linestyle": "-"}
    style = key + 2 * (run // len(COLOURS))
    return {"color": COLOURS[run % len(COLOURS)], "linestyle": _STYLES[style % len(_STYLES)]}


def _add_line(ax: Axes, x: np.ndarray, values: np.ndarray, label: str, look: dict[str, Any]) -> None:
    finite = np.pad(np.isfinite(values), 1)
    marked = finite[1:-1]
    if len(values) > _FEW:  # where a value has no neighbour, no line would show it
        marked = marked & ~finite[:-2] & ~finite[2:]
    marker: dict[str, Any] = {"marker": "o", "markersize": 4, "markevery": marked} if marked.any() else {}
    if len(values) >= _SMOOTHED:
        ax.plot(x, values, linewidth=0.8, alpha=0.3, color=look["color"], **marker)
        values = smooth(values)
    ax.plot(x, values, label=label, linewidth=1.8, zorder=3, **look, **marker)


def _add_legend(figure: Figure, width: float, axes_height: float) -> None:
    """Puts the legend below the axes, where it hides no line, and makes room for it."""
    lines, words = figure.axes[0].get_legend_handles_labels()
    columns = max(1, int(width * _LETTERS_PER_INCH / (max(map(len, words), default=0) + 6)))
    figure.set_size_inches(width, axes_height + 1.2 + 0.21 * -(-len(words) // columns))
    if words:
        legend = figure.legend(lines, words, loc="outside lower left", ncols=columns, frameon=False)
        for text in legend.get_texts():
            text.set_parse_math(False)  # a run's name may hold dollar signs
