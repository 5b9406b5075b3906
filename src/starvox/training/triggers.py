"""When extensions run, and when the training ends."""

import contextlib
import os
import signal
import time

_SIGHUP = getattr(signal, "SIGHUP", None)  # not on Windows


class Stop:
    """The trainer's stop trigger: after a number of iterations, or on Ctrl-C.

    Used as a context, it turns the first SIGINT, SIGTERM or SIGHUP into a request to
    finish the iteration and save; a second one, or one before `begin`, raises
    KeyboardInterrupt. A terminal that closes can send several SIGHUP, which count as one;
    under nohup there is none.

    There is one answer an iteration: what runs after an update and the training
    loop agree whether it was the last one, even if a signal comes between them.

    Args:
        iterations (int): of the whole training.

    Attributes:
        iterations (int): as above.
        has_begun (bool): whether `begin` was called.
        requested (int or None): the number of the signal that asked for the end.
    """

    def __init__(self, iterations=None):
        self.iterations = iterations
        self.requested = None
        self.has_begun = False
        self._handlers = {}
        self._iteration = None  # the last one asked about, and the answer
        self._answer = False

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        if iteration != self._iteration:
            self._iteration = iteration
            self._answer = self.requested is not None or self.is_end(iteration)
        return self._answer

    def is_end(self, iteration):
        """Says whether all iterations are done."""
        return iteration >= self.iterations

    def begin(self):
        """From now on there is an iteration to finish."""
        self.has_begun = True

    def __enter__(self):
        for number in (signal.SIGINT, signal.SIGTERM, _SIGHUP):
            if number is None or (number == _SIGHUP and signal.getsignal(number) == signal.SIG_IGN):
                continue
            self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *exc_info):
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, number, frame):
        if number == _SIGHUP and self.requested is not None:
            return
        at_once = self.requested is not None or not self.has_begun
        self.requested = number
        if at_once:
            raise KeyboardInterrupt
        self._say()

    @staticmethod
    def _say():
        # Not by print: the signal can come in the middle of one, and nobody may be left to read it.
        with contextlib.suppress(OSError):
            os.write(2, b"\nfinishing this iteration and saving; once more stops at once\n")


class Every:
    """Fires every so many iterations, and at the last one of a training.

    A training that is stopped by a signal is not at its end: it does not fire
    then, so that the log of a resumed run has the entries of one never stopped.

    Args:
        interval (int): iterations.
        stop (Stop): the trainer's.
    """

    def __init__(self, interval, stop):
        self._interval = interval
        self._stop = stop

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        return iteration % self._interval == 0 or self._stop.is_end(iteration)


class EverySeconds:
    """Fires at the first iteration, when so many seconds have passed since, and when the training stops.

    There is one answer an iteration, however often it is asked.

    Args:
        seconds (float): between two firings.
        stop (Stop): the trainer's.
        also (callable): a trigger at which it fires too, and counts the seconds anew.
    """

    def __init__(self, seconds, stop, also=lambda trainer: False):
        self._seconds = seconds
        self._stop = stop
        self._also = also
        self._next = 0.0
        self._iteration = None
        self._answer = False

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        if iteration != self._iteration:
            now = time.monotonic()
            self._iteration = iteration
            self._answer = now >= self._next or self._also(trainer) or self._stop(trainer)
            if self._answer:
                self._next = now + self._seconds
        return self._answer
