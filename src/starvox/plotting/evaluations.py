"""The numbers of a run's verdicts against its iterations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from starvox.plotting.curves import COLOURS


def draw_evaluations(evaluations: Sequence[Mapping[str, Any]]) -> Figure:
    """Draws copy error and response above, what the judge and the words say below.

    Args:
        evaluations: ``evaluation_iter_N.json`` of one run, at least one; a number that one lacks
            leaves a gap.

    Returns:
        Figure: of two Axes over the iterations; a dotted line is the threshold of
        the line of its colour.
    """
    found = sorted(evaluations, key=lambda e: e["iteration"])
    iterations = [e["iteration"] for e in found]
    judged = [e["judged_by"] for e in found]
    limits = judged[-1]["thresholds"]
    figure = Figure(figsize=(8.1, 6.4), dpi=120, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.set_title("What the evaluations say", loc="left", fontweight="bold")
    above.set_ylabel("distance\n(1: of two unrelated clips)")
    below.set(ylabel="share, or correlation", ylim=(-0.05, 1.05), xlabel="iteration")

    def draw(ax: Axes, number: int, label: str, value: Callable, limit: float | None) -> None:
        values = [np.nan if (v := value(row)) is None else v for row in judged]
        ax.plot(iterations, values, "o-", color=COLOURS[number], markersize=4, label=label)
        if limit is not None:
            ax.axhline(limit, color=COLOURS[number], linestyle=":", linewidth=1)

    draw(above, 0, "output from its input", lambda row: row["copy"], limits["max_copy_error"])
    draw(above, 1, "labels change the output", lambda row: row["response"], limits["min_response"])
    draw(below, 0, "judged as the target", lambda row: row["target"], limits["min_target_share"])
    for number, (name, label) in enumerate({"stoi": "words: STOI", "energy": "words: energy"}.items(), 1):
        limit = judged[-1][name]["needed"] if name in judged[-1] else None
        draw(below, number, label, lambda row, name=name: row.get(name, {}).get("value"), limit)
    for ax in (above, below):
        ax.grid(color="0.9")
        ax.set_axisbelow(True)
        ax.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1) if ax is below else None)
    above.set_ylim(bottom=0)
    above.legend(frameon=False, loc="best")
    below.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    return figure
