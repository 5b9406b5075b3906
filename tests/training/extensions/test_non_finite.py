"""A run that diverges says where, and leaves no bad snapshot."""

import chainer
import numpy as np
import pytest
from chainer import links as L

from starvox import UserError
from starvox.training.extensions import StopOnNonFinite


class Trainer:
    out = "no folder"

    def __init__(self, network, **observation):
        optimizer = chainer.optimizers.SGD().setup(network)
        self.observation = observation
        self.updater = self
        self.iteration = 7
        self.get_all_optimizers = lambda: {"gen": optimizer}


def network():
    return chainer.Sequential(L.Linear(2, 2), L.BatchNormalization(2))


def check(trainer, closer=True):
    StopOnNonFinite(lambda trainer: closer)(trainer)


@pytest.mark.parametrize("value", [1.0, np.float32(-3), np.array(0, np.float32)])
def test_finite_values_pass(value):
    check(Trainer(network(), loss=value))


@pytest.mark.parametrize("value", [float("nan"), np.float32("inf"), np.array(-np.inf, np.float32)])
def test_a_loss_is_named(value):
    with pytest.raises(UserError, match=r"iteration 7: gen/loss is not finite"):
        check(Trainer(network(), **{"gen/identity": 1.0, "gen/loss": value}), closer=False)


def test_a_parameter_or_running_statistic_is_named_but_looked_at_only_now_and_then():
    for spoil, name in (
        (lambda link: link[0].W.array.fill(np.nan), "gen/0/W"),
        (lambda link: link[1].avg_var.fill(np.inf), "gen/1/avg_var"),
    ):
        bad = network()
        spoil(bad)
        check(Trainer(bad), closer=False)
        with pytest.raises(UserError, match=rf"{name} is not finite"):
            check(Trainer(bad))


def test_the_state_of_an_optimizer_is_named():
    trainer = Trainer(network())
    target = trainer.get_all_optimizers()["gen"].target
    optimizer = chainer.optimizers.RMSprop().setup(target)
    for parameter in target.params():
        parameter.grad = np.ones_like(parameter.array)
        parameter.update()
    trainer.get_all_optimizers = lambda: {"gen": optimizer}
    check(trainer)
    target[0].W.update_rule.state["ms"][1, 1] = np.inf
    with pytest.raises(UserError, match=r"gen/0/W:ms is not finite"):
        check(trainer)


def test_the_last_good_snapshot_is_named(tmp_path):
    trainer = Trainer(network(), loss=float("nan"))
    with pytest.raises(UserError, match=r"No snapshot was written yet"):
        check(trainer)
    for name in ("snapshot_iter_5.npz", "snapshot_iter_6.npz", "gen_iter_6.npz"):
        (tmp_path / name).touch()
    trainer.out = tmp_path
    with pytest.raises(UserError, match=rf"iteration 7: loss is .* {tmp_path}/snapshot_iter_6\.npz, is from"):
        check(trainer)
