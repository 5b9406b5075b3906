"""On a GPU no loss is read between two entries of the log: reading waits for the device."""

import io
from types import SimpleNamespace

import chainer
import numpy as np
import pytest
from chainer import links as L

from starvox import UserError
from starvox.training.extensions import Log, Progress, StopOnNonFinite


class OnDevice(np.lib.mixins.NDArrayOperatorsMixin):
    """A number that is computed with, but may be read only while ``readable``."""

    readable = False
    ndim = 0

    def __init__(self, value):
        self._value = value

    def __array_ufunc__(self, ufunc, method, *inputs, out=None):
        return OnDevice(ufunc(*(getattr(each, "_value", each) for each in inputs)))

    def sum(self):
        return self

    def _read(self):
        assert self.readable, "read between two entries of the log"
        return self._value

    def __float__(self):
        return float(self._read())

    def __bool__(self):
        return bool(self._read())

    item = get = __array__ = __int__ = __str__ = __format__ = _read


class Trainer:
    is_before_training = False
    elapsed_time = 1.0

    def __init__(self, out):
        optimizer = chainer.optimizers.SGD().setup(L.Linear(1, 1))
        self.out = out
        self.updater = SimpleNamespace(epoch=0, iteration=0, get_all_optimizers=lambda: {"gen": optimizer})


def every_fourth(trainer):
    return trainer.updater.iteration % 4 == 0


def run(trainer, extensions, losses, monkeypatch):
    for loss in losses:
        trainer.updater.iteration += 1
        trainer.observation = {"dis/wasserstein": OnDevice(loss)}
        monkeypatch.setattr(OnDevice, "readable", every_fourth(trainer))
        for extension in extensions:
            extension(trainer)


def test_no_value_is_read_but_at_the_logs_interval(tmp_path, monkeypatch):
    trainer, stream = Trainer(tmp_path), io.StringIO()
    log = Log(["dis/wasserstein"], every_fourth)
    progress = Progress(9, every_fourth, stream=stream, seconds=0)
    progress.initialize(trainer)
    run(trainer, [StopOnNonFinite(every_fourth), log, progress], range(1, 10), monkeypatch)
    assert [entry["dis/wasserstein"] for entry in log.log] == [2.5, 6.5]
    text = stream.getvalue()
    assert [number for number in range(1, 10) if f"wasserstein {number}" in text] == [4, 8]
    with pytest.raises(AssertionError, match="read between"):
        float(OnDevice(1.0))


def test_the_first_bad_iteration_is_named_when_it_is_seen_and_no_more_are_kept(tmp_path, monkeypatch):
    trainer = Trainer(tmp_path)
    guard = StopOnNonFinite(every_fourth)
    run(trainer, [guard], np.ones(7), monkeypatch)
    assert [iteration for iteration, _ in guard._kept] == [5, 6, 7]
    run(trainer, [guard], [1.0, float("nan"), 1.0], monkeypatch)
    with pytest.raises(UserError, match=r"iteration 9: dis/wasserstein is not finite"):
        run(trainer, [guard], [1.0, float("inf")], monkeypatch)
