"""The end of a training of several processes."""

from starvox.training.triggers import _SIGHUP, Stop


class CommonStop(Stop):
    """A `Stop` that all processes come to at the same iteration.

    A signal reaches them one after the other. So each only notes it, and they
    agree when this trigger is asked for the first time in an iteration: the
    trainer asks in every process, after each update.

    Args:
        processes (Processes): those that train together.
    """

    def __init__(self, processes):
        super().__init__()
        self._processes = processes
        self._noted = None
        self._agreed_at = None  # the iteration that was last agreed on

    def __call__(self, trainer):
        iteration = trainer.updater.iteration
        if self._handlers and iteration != self._agreed_at:  # without handlers nobody can have noted one
            self._agreed_at = iteration
            self.requested = self._processes.largest(self._noted or 0) or None
        return super().__call__(trainer)

    def _on_signal(self, number, frame):
        if self._noted == number == _SIGHUP:
            return
        if self._noted is not None or not self.has_begun:
            self.requested = number
            raise KeyboardInterrupt
        self._noted = number
        if self._processes.is_first:
            self._say()
