"""What a run is resumed from, and the generators it leaves."""

from collections.abc import Callable

from chainer.training import Extension, Trainer

from starvox.run import snapshots
from starvox.run.run import Run

MAX_RETAINED = 2  # snapshots of the trainer


class Snapshots(Extension):
    """Writes ``snapshot_iter_N.npz``, and at the planned iterations ``gen_iter_N.npz``.

    Chainer's snapshot can keep the last two as well, but not know which of them are whole. Here two that
    are known to be whole stay; an older one goes when the new one is safely on the disk. All of the
    generator's stay. The generator's is written first: after a kill between the two, the resumed run
    passes this iteration again and writes the same bytes.

    Args:
        planned: trigger of the generator's snapshot; asked only when the extension runs.
        seed: of the run.
        check: raises if the results folder is no longer this training's.
    """

    priority = -100  # last, so that it holds the state of every other extension

    def __init__(
        self, planned: Callable[[Trainer], bool], seed: int = 0, check: Callable[[], None] = lambda: None
    ):
        self._planned = planned
        self._seed = seed
        self._check = check
        self._whole: list[int] = []  # iterations

    def initialize(self, trainer: Trainer) -> None:
        if trainer.updater.iteration:  # resumed from it
            self._whole = [trainer.updater.iteration]

    def __call__(self, trainer: Trainer) -> None:
        run, iteration = Run(trainer.out), trainer.updater.iteration
        self._check()
        if self._planned(trainer):
            snapshots.save(run.generator(iteration), trainer.updater.gen)
        snapshots.save(run.snapshot(iteration), trainer, self._seed)
        self._whole = [*self._whole, iteration][-MAX_RETAINED:]
        for number, path in run.snapshots().items():
            if number < iteration and number not in self._whole:
                path.unlink(missing_ok=True)
