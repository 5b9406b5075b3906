"""The record's five figures, kept up to date while training."""

from chainer.training import Extension, Trainer

from starvox.plotting import plot_curves
from starvox.run.log import read_log
from starvox.run.run import Run


class Curves(Extension):
    """Redraws ``curves/*.png`` from the log: the record's figures, where Chainer's PlotReport draws one.

    Args:
        run_name: for the legend.
    """

    priority = -90  # after LogReport has written the log, before the snapshot

    def __init__(self, run_name: str):
        self._run_name = run_name

    def __call__(self, trainer: Trainer) -> None:
        run = Run(trainer.out)
        if run.log.exists():
            plot_curves([read_log(run.log)], run.inside(run.curves), names=[self._run_name], formats=("png",))
