"""The learning rate is a function of the epoch."""

from types import SimpleNamespace

import chainer
import pytest

from starvox import load_experiment
from starvox.training.extensions import LearningRate


@pytest.mark.parametrize(("optimizer", "name"), [("rmsprop", "lr"), ("adam", "alpha")])
def test_it_falls_once_in_so_many_epochs(optimizer, name):
    changes = {
        "optimizer": optimizer,
        "learning_rate": 0.8,
        "learning_rate_factor": 0.5,
        "learning_rate_epochs": 3,
    }
    table = load_experiment("smoke", {f"training.{key}": value for key, value in changes.items()}).training
    both = {key: {"lr": chainer.optimizers.RMSprop, "alpha": chainer.optimizers.Adam}[name]() for key in "gd"}
    trainer = SimpleNamespace(updater=SimpleNamespace(get_all_optimizers=lambda: both))
    extension = LearningRate(table)
    for epoch, rate in [(7, 0.2), (0, 0.8), (2, 0.8), (3, 0.4), (5, 0.4), (6, 0.2)]:  # whatever came before
        trainer.updater.epoch = epoch
        extension.initialize(trainer)
        assert [getattr(each, name) for each in both.values()] == [rate, rate]


def test_the_record_has_one_rate():
    assert load_experiment("47c97768").training.learning_rate_factor == 1
