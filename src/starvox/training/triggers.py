"""When extensions run, and when the training ends."""

import signal
import sys
import time


class Stop:
    """The trainer's stop trigger: after a number of iterations, or on Ctrl-C.

    Used as a context, it turns the first SIGINT or SIGTERM into a request to
    finish the iteration and save; a second one stops at once.

    Args:
        iterations (int): of the whole training.

    Attributes:
        requested (int or None): the number of the signal that asked for the end.
    """

    def __init__(self, iterations):
        self.iterations = iterations
        self.requested = None
        self._handlers = {}

    def __call__(self, trainer):
        return self.requested is not None or trainer.updater.iteration >= self.iterations

    def __enter__(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *exc_info):
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, number, frame):
        if self.requested is not None:
            raise KeyboardInterrupt
        self.requested = number
        print("\nfinishing this iteration and saving; once more stops at once", file=sys.stderr)


class Every:
    """Fires every so many iterations, and at the last one.

    Args:
        interval (int): iterations.
        stop (Stop): the trainer's.
    """

    def __init__(self, interval, stop):
        self._interval = interval
        self._stop = stop

    def __call__(self, trainer):
        return trainer.updater.iteration % self._interval == 0 or self._stop(trainer)


class EverySeconds:
    """Fires at the first iteration, then at most every so many seconds, and at the last one.

    Args:
        seconds (float): between two firings.
        stop (Stop): the trainer's.
    """

    def __init__(self, seconds, stop):
        self._seconds = seconds
        self._stop = stop
        self._next = 0.0

    def __call__(self, trainer):
        now = time.monotonic()
        if now < self._next and not self._stop(trainer):
            return False
        self._next = now + self._seconds
        return True
