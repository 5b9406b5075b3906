"""The scales of a curve's axes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator


def set_log_scale(ax: Axes, axis: str) -> None:
    """Makes the axis ``"x"`` or ``"y"`` logarithmic, and linear around 0 if its lines go there."""
    values = np.concatenate([getattr(line, f"get_{axis}data")() for line in ax.get_lines()])
    values = values[np.isfinite(values)]
    if not values.size:
        return
    scale = "log"
    linear: dict[str, Any] = {}
    if (values <= 0).any():
        scale, linear = "symlog", {"linthresh": _linear_within(np.abs(values))}
        name = getattr(ax, f"get_{axis}label")()
        ax.set(**{f"{axis}label": f"{name}\n(linear within ±{linear['linthresh']:g})"})
    elif values.max() < 10 * values.min():
        # matplotlib would zoom in, on ticks such as 7.1 x 10^-2.
        low, high = np.log10([values.min(), values.max()])
        ax.set(**{f"{axis}lim": (10 ** np.floor(low - 0.05), 10 ** np.ceil(high + 0.05))})
    getattr(ax, f"set_{axis}scale")(scale, subs=[2, 5], **linear)
    side = getattr(ax, f"{axis}axis")
    # of more than four decades the powers of ten alone
    side.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(4, 4), **linear))
    side.set_tick_params(which="minor", labelsize=7)


def _linear_within(sizes: np.ndarray) -> float:
    """The power of ten below the smallest value; at most three below the largest."""
    sizes = sizes[sizes > 0]
    if not sizes.size:
        return 1.0
    return float(10.0 ** np.floor(np.log10(max(sizes.min(), sizes.max() / 1000))))


def add_epochs(ax: Axes, logs: Sequence[Mapping[str, np.ndarray]]) -> None:
    """Adds a second scale on top, if all runs have epochs of the same length."""
    each = np.array([_iterations_per_epoch(log) for log in logs])
    if not np.ptp(each) <= 0.02 * each.min():  # also False where one is NaN
        return
    length = each.mean()
    top = ax.secondary_xaxis("top", functions=(lambda x: x / length, lambda x: x * length))
    top.xaxis.set_major_locator(MaxNLocator(integer=True))
    top.set_xlabel("epoch")


def _iterations_per_epoch(log: Mapping[str, np.ndarray]) -> float:
    """NaN before the first epoch ends. The log counts epochs that are complete."""
    last = np.max(log["epoch"], initial=0, where=np.isfinite(log["epoch"]))
    return log["iteration"][np.argmax(log["epoch"] == last)] / last if last else np.nan
