"""When extensions run, and when the training ends.

Chainer's triggers keep a state in the snapshots; these are functions of iteration, time and signals.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection
from types import FrameType
from typing import Any

from chainer.training import Trainer


class StopTrigger:
    """The trainer's stop trigger: after a number of iterations, or on Ctrl-C, which Chainer's do not know.

    Used as a context, it turns the first SIGINT, SIGTERM or SIGHUP into a request to
    finish the iteration and save; a second one, or one before the training loop has
    begun, raises KeyboardInterrupt. A terminal that closes can send several SIGHUP, which
    count as one; under nohup there is none.

    There is one answer an iteration: what runs after an update and the training
    loop agree whether it was the last one, even if a signal comes between them. Several
    processes agree at the first question of an iteration, which all of them ask after its update.

    Args:
        agree: from this process's signal, or 0, to that of all processes; called once an iteration.
        tell: whether to say that the iteration is being finished.

    Attributes:
        iterations (int): of the whole training.
        has_begun (bool): whether the training loop has asked, so that there is an iteration to finish.
        requested (int or None): the number of the signal that asked for the end.
    """

    def __init__(self, agree: Callable[[int], int] = lambda number: number, tell: bool = True):
        self.iterations = 0
        self.requested: int | None = None
        self._agree = agree
        self._tell = tell
        self._noted = 0  # this process's signal
        self._handlers: dict[int, Any] = {}
        self._iteration: int | None = None  # the last one asked about, and the answer
        self._answer = False

    def __call__(self, trainer: Trainer) -> bool:
        iteration = trainer.updater.iteration
        if iteration != self._iteration:
            self._iteration = iteration
            self.requested = self._agree(self._noted) or None
            self._answer = self.requested is not None or self.is_end(iteration)
        return self._answer

    def is_end(self, iteration: int) -> bool:
        """Returns whether all iterations are done."""
        return iteration >= self.iterations

    @property
    def has_begun(self) -> bool:
        return self._iteration is not None

    def __enter__(self) -> "StopTrigger":
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *exc_info: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP and self._noted:
            return
        if self._noted or not self.has_begun:
            self.requested = number
            raise KeyboardInterrupt
        self._noted = number
        if self._tell:
            # Not by print: the signal can come in the middle of one, and nobody may be left to read it.
            with contextlib.suppress(OSError):
                os.write(2, b"\nfinishing this iteration and saving; once more stops at once\n")


class IterationTrigger:
    """Fires every so many iterations, and at the last one of a training.

    A training that is stopped by a signal is not at its end: it does not fire
    then, so that the log of a resumed run has the entries of one never stopped.

    Args:
        interval: iterations.
        stop: the trainer's.
        early: iterations before the first interval at which it fires too.
    """

    def __init__(self, interval: int, stop: StopTrigger, early: Collection[int] = ()):
        self._interval = interval
        self._stop = stop
        self._early = early

    def __call__(self, trainer: Trainer) -> bool:
        iteration = trainer.updater.iteration
        early = iteration in self._early and iteration < self._interval
        return early or iteration % self._interval == 0 or self._stop.is_end(iteration)


class SecondsTrigger:
    """Fires at the first iteration, when so many seconds have passed since, and when the training stops.

    There is one answer an iteration, however often it is asked.

    Args:
        seconds: between two firings.
        stop: the trainer's.
        also: a trigger at which it fires too, and counts the seconds anew.
    """

    def __init__(self, seconds: float, stop: StopTrigger, also: Callable[[Trainer], bool] = lambda _: False):
        self._seconds = seconds
        self._stop = stop
        self._also = also
        self._next = 0.0
        self._iteration: int | None = None
        self._answer = False

    def __call__(self, trainer: Trainer) -> bool:
        iteration = trainer.updater.iteration
        if iteration != self._iteration:
            now = time.monotonic()
            self._iteration = iteration
            self._answer = now >= self._next or self._also(trainer) or self._stop(trainer)
            if self._answer:
                self._next = now + self._seconds
        return self._answer
