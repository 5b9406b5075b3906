"""What a run needs to go on from, and the generators it leaves."""

from chainer.training import Extension

from starvox.run import snapshots
from starvox.run.run import Run

_RETAINED = 2  # snapshots of the trainer


class Snapshots(Extension):
    """Writes ``snapshot_iter_N.npz``, and at the planned iterations ``gen_iter_N.npz``.

    Of the trainer's snapshots the last two that are known to be whole stay; an
    older one goes when the new one is safely on the disk. All of the generator's
    stay. The generator's is written first: after a kill between the two, the
    resumed run passes this iteration again and writes the same bytes.

    Args:
        planned (callable): trigger of the generator's snapshot; asked only when the extension runs.
        seed (int): of the run.
        check (callable): raises if the results folder is no longer this training's.
    """

    priority = -100  # last, so that it holds the state of every other extension

    def __init__(self, planned, seed=0, check=lambda: None):
        self._planned = planned
        self._seed = seed
        self._check = check
        self._whole = []  # iterations

    def initialize(self, trainer):
        if trainer.updater.iteration:  # resumed from it
            self._whole = [trainer.updater.iteration]

    def __call__(self, trainer):
        run, iteration = Run(trainer.out), trainer.updater.iteration
        self._check()
        if self._planned(trainer):
            snapshots.save(run.generator(iteration), trainer.updater.gen)
        snapshots.save(run.snapshot(iteration), trainer, self._seed)
        self._whole = [*self._whole, iteration][-_RETAINED:]
        for number, path in run.snapshots().items():
            if number < iteration and number not in self._whole:
                path.unlink(missing_ok=True)
