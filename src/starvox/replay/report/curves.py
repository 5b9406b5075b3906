"""The record's five figures, drawn again for the page."""

import io
from pathlib import Path

import matplotlib
import numpy as np

from starvox.errors import UserError
from starvox.plotting import CURVES, LOG_KEYS, draw_curve, read_log
from starvox.plotting.curves import Curve, Log
from starvox.replay.report.html import Html, join, table, tag
from starvox.replay.report.media import Media

_COUNTS = ("epoch", "iteration", "elapsed_time")


def try_log(run: Path) -> Log | None:
    """Returns the log of a run, or None if there is no entry yet.

    Raises:
        UserError: if the file is no log.
    """
    if not (run / "log").is_file():
        return None
    try:
        return read_log(run)
    except UserError as error:
        if "no complete entry" in str(error):
            return None
        raise


def progress(log: Log | None, epochs) -> str:
    """Returns how far a run has come, in a sentence."""
    if log is None:
        return "No entry in the log yet: the training has just begun, or stopped before its first report."
    iteration, epoch, seconds = (log[key][-1] for key in ("iteration", "epoch", "elapsed_time"))
    state = "finished" if isinstance(epochs, int) and epoch >= epochs else "still running, or stopped early"
    done = f"{epoch:.0f} of {epochs} epochs in {_duration(seconds)} of training"
    return f"Iteration {iteration:.0f}; {done}: {state}."


def show_curves(log: Log, media: Media) -> Html:
    """Returns the figures, and the last values as a table."""
    images = (media.image(Path(f"{curve.name}.svg"), _alt(curve, log), _svg(curve, log)) for curve in CURVES)
    figures = [tag("figure", image, class_="curve") for image in images if image]
    losses = [key for key in LOG_KEYS if key not in _COUNTS]
    rows = [(key, *(f"{value:.4g}" for value in _ends(log[key]))) for key in losses]
    numbers = table(("loss, before its weight", "first logged", "last logged"), rows)
    return join(
        tag("div", *figures, class_="figures"),
        tag("details", tag("summary", "The losses in numbers"), numbers),
    )


def _svg(curve: Curve, log: Log) -> bytes:
    """Returns the same bytes for the same log: without the date, and with ids that are no random numbers."""
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": curve.name}):
        draw_curve(curve, [log]).savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _alt(curve: Curve, log: Log) -> str:
    ends = (f"{word}: {first:.4g} at first, {last:.4g} at last" for word, (first, last) in _lines(curve, log))
    return f"{curve.title} over the iterations. {'; '.join(ends)}."


def _lines(curve: Curve, log: Log):
    return ((word, _ends(log[key])) for key, word in curve.keys.items())


def _ends(values: np.ndarray) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    return (finite[0], finite[-1]) if finite.size else (np.nan, np.nan)


def _duration(seconds: float) -> str:
    if not np.isfinite(seconds):
        return "an unknown time"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
