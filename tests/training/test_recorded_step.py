"""A replay is believed only as long as it does what the step does."""

import chainer
import numpy as np
import pytest
from chainer import functions as F
from chainer import links as L

from starvox.training import recorded_step
from starvox.training.recorded_step import RecordedStep

FITS = []  # that a test has made


class Fit:
    """Fits a line to points by RMSprop, with a normalisation whose statistics move along."""

    def __init__(self):
        FITS.append(self)
        self.link = chainer.Sequential(L.Linear(2, 3, initialW=0.5), L.BatchNormalization(3))
        self.optimizer = chainer.optimizers.RMSprop(0.01).setup(self.link)

    def __call__(self, x):
        self.link.cleargrads()
        loss = F.sum(self.link(x) ** 3) + F.sum(self.link[0].W ** 2)
        loss.backward()
        self.optimizer.update()
        return {"loss": loss.array}

    def state(self):
        rules = [(param.array.copy(), param.update_rule.t) for param in self.link.params()]
        norm = self.link[1]
        return [self.optimizer.t, *rules, norm.avg_mean.copy(), norm.avg_var.copy()]


class Recorder:
    """Records by calling; its replay is what ``change`` makes of the function."""

    def __init__(self, change):
        self._change = change

    def record(self, function):
        function()
        return self._change(function)


def same(function):
    """As a CUDA graph does: always to the same arrays, and the host's numbers are left alone."""
    result, fit = function(), FITS[-1]

    def replay():
        counters = [fit.optimizer, *(param.update_rule for param in fit.link.params())]
        before = [counter.t for counter in counters]
        for key, value in function().items():
            result[key][...] = value
        for counter, t in zip(counters, before, strict=True):
            counter.t = t
        return result

    return replay


def nothing(function):
    result = function()
    return lambda: result


def with_a_wrong_loss(function):
    return lambda: {"loss": function()["loss"] + 1}


def broken(function):
    raise RuntimeError("no such device")


def breaking(function):
    def replay():
        function()
        raise RuntimeError("launch failed")

    return replay


def train(change, calls=6, fit=None):
    fit = fit or Fit()
    step = fit if change is None else RecordedStep(fit, {"line": fit.optimizer}, "line", Recorder(change))
    rng = np.random.default_rng(0)
    losses = [step(rng.random((4, 2), np.float32))["loss"] for _ in range(calls)]
    return [float(loss) for loss in losses], fit.state(), step


def assert_trained_alike(found, expected):
    assert found[0] == expected[0]
    np.testing.assert_equal(found[1], expected[1])


def test_a_right_replay_goes_on(capsys):
    found = train(same)
    assert_trained_alike(found, train(None))
    assert found[2]._replay is not None
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (nothing, "differs in"),
        (with_a_wrong_loss, "differs in loss;"),
        (broken, "failed (RuntimeError('no such device'))"),
        (breaking, "failed (RuntimeError('launch failed'))"),
    ],
)
def test_a_wrong_one_is_given_up_and_leaves_no_trace(change, why, capsys):
    found = train(change)
    assert_trained_alike(found, train(None))
    assert found[2]._replay is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"the replayed step of line {why}")
    assert line.endswith("it is not replayed any more")


@pytest.mark.parametrize("place", ["line/0/W", "line/0/W:ms", "line/1/avg_var"])
def test_what_differs_is_named(place, capsys):
    fit = Fit()

    def change(function):
        def replay():
            result = function()
            arrays = {
                "line/0/W": fit.link[0].W.array,
                "line/0/W:ms": fit.link[0].W.update_rule.state["ms"],
                "line/1/avg_var": fit.link[1].avg_var,
            }
            arrays[place] *= 1.5
            return result

        return replay

    assert_trained_alike(train(change, fit=fit), train(None))
    assert f"differs in {place};" in capsys.readouterr().err


def test_a_recording_of_the_first_arrays_is_noticed(capsys):
    fit = Fit()
    first = np.ones((4, 2), np.float32)
    train(lambda function: lambda: fit(first), fit=fit)
    assert "differs in loss;" in capsys.readouterr().err


def test_it_is_checked_again_later(monkeypatch, capsys):
    monkeypatch.setattr(recorded_step, "CHECK_EVERY", 9)
    replays = []

    def change(function):
        def replay():
            replays.append(1)
            return {"loss": function()["loss"] + (len(replays) >= 6)}

        return replay

    losses, _, step = train(change, calls=12)
    expected, *_ = train(None, calls=12)
    wrong = np.flatnonzero(np.array(losses) != np.array(expected)) + 1
    assert wrong.tolist() == [7, 8]  # the ninth call is checked
    assert step._replay is None
