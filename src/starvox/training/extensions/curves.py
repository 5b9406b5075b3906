"""The record's five figures, kept up to date while training."""

from pathlib import Path

from chainer.training import Extension

from starvox.plotting import plot_curves, read_log


class Curves(Extension):
    """Redraws ``curves/*.png`` from the log.

    Args:
        name (str): of the run, for the legend.
    """

    priority = -90  # after LogReport has written the log, before the snapshot

    def __init__(self, run_name):
        self._run_name = run_name

    def __call__(self, trainer):
        log = Path(trainer.out) / "log"
        if log.exists():
            plot_curves(
                [read_log(log)], Path(trainer.out) / "curves", names=[self._run_name], formats=("png",)
            )
