"""The log is what the snapshot knows, at once, and whole at any moment."""

import json
import shutil
from types import SimpleNamespace

import pytest

from starvox.training.extensions import Log


class Trainer:
    is_before_training = False
    elapsed_time = 1.5

    def __init__(self, out):
        self.out = out
        self.updater = SimpleNamespace(epoch=0, iteration=0)

    def step(self, log, **losses):
        self.updater.iteration += 1
        self.observation = losses
        log(self)


def every_second(trainer):
    return trainer.updater.iteration % 2 == 0


def read(out):
    return json.loads((out / "log").read_text())


def test_an_entry_is_the_mean_since_the_last(tmp_path, monkeypatch):
    log, trainer = Log(["a"], every_second), Trainer(tmp_path)
    monkeypatch.setattr(shutil, "move", pytest.fail)  # Chainer's own way to write it
    for value in (1.0, 2.0, 3.0, 5.0, 7.0):
        trainer.step(log, a=value, b=0.0)
    expected = [(2, 1.5), (4, 4.0)]
    assert read(tmp_path) == [
        {"a": mean, "epoch": 0, "iteration": iteration, "elapsed_time": 1.5} for iteration, mean in expected
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_entries_later_than_the_snapshot_go_when_the_run_goes_on(tmp_path):
    log, trainer = Log(["a"], every_second), Trainer(tmp_path)
    trainer.step(log, a=1.0)
    log.initialize(trainer)  # resumed from iteration 1, before the first entry
    assert not (tmp_path / "log").exists()
    trainer.step(log, a=1.0)
    (tmp_path / "log").write_text(json.dumps([*log.log, {"iteration": 4}]))
    log.initialize(trainer)
    assert read(tmp_path) == log.log
