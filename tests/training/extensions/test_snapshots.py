"""Which snapshots are written, and which stay."""

from types import SimpleNamespace

import pytest
from chainer import links as L

from starvox.run import snapshots
from starvox.run.run import Run
from starvox.training.extensions import Snapshots


class Trainer:
    """What the extension uses of a trainer; saved, it is its generator."""

    def __init__(self, out, iteration=0):
        self.out = out
        gen = L.Linear(1, 1)
        self.updater = SimpleNamespace(gen=gen, iteration=iteration)
        self.serialize = gen.serialize


def run(extension, trainer, *iterations):
    extension.initialize(trainer)
    for iteration in iterations:
        trainer.updater.iteration = iteration
        extension(trainer)


def numbers(out):
    return list(Run(out).snapshots())


def test_the_last_two_stay_and_every_planned_generator(tmp_path):
    run(Snapshots(lambda trainer: trainer.updater.iteration % 4 == 0), Trainer(tmp_path), 1, 4, 7, 8, 11, 12)
    assert numbers(tmp_path) == [11, 12]
    assert list(Run(tmp_path).generators()) == [4, 8, 12]
    assert len(list(tmp_path.iterdir())) == 5


def test_a_damaged_one_that_was_skipped_is_not_kept_instead_of_a_whole_one(tmp_path):
    for iteration in (3, 6, 7):  # 7 was damaged, the run goes on from 6
        (tmp_path / f"snapshot_iter_{iteration}.npz").touch()
    extension, trainer = Snapshots(lambda trainer: False), Trainer(tmp_path, iteration=6)
    run(extension, trainer, 7)
    assert numbers(tmp_path) == [6, 7]
    assert (tmp_path / "snapshot_iter_7.npz").stat().st_size > 0
    (tmp_path / "snapshot_iter_8.npz").touch()
    trainer = Trainer(tmp_path, iteration=7)
    run(Snapshots(lambda trainer: False), trainer, 9)
    assert numbers(tmp_path) == [7, 9]


def test_no_old_one_goes_before_the_new_one_is_there(tmp_path, monkeypatch):
    extension, trainer = Snapshots(lambda trainer: False), Trainer(tmp_path)
    run(extension, trainer, 1, 2)

    def fail(path, target, seed):
        raise OSError("full")

    monkeypatch.setattr(snapshots, "save", fail)
    trainer.updater.iteration = 3
    with pytest.raises(OSError, match="full"):
        extension(trainer)
    assert numbers(tmp_path) == [1, 2]
