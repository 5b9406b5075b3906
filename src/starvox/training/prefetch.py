"""Work done ahead of time, in a thread of its own."""

import atexit
import queue
import threading
import time
from collections import deque

from starvox.errors import UserError

_FAREWELL = 10.0  # s that `close` waits for a value


class Prefetch:
    """Calls a function of position, position + step, ... before its values are asked for.

    What it returns is a function of the position alone, so that nothing of this
    has to be saved. The thread is a daemon: if the disk it reads from hangs, the
    process can still end. At any other end of the process it is waited for: a thread that is
    at work in compiled code when the interpreter goes would abort it.

    Args:
        function (callable): int -> value; an exception is raised again in `take`.
        step (int): between the positions.
        ahead (int): how many values are kept ready.
        patience (float): seconds after which `take` gives up.

    Attributes:
        waited (float): seconds that `take` has waited in all.
    """

    def __init__(self, function, step, ahead=4, patience=300.0):
        self._function = function
        self._step = step
        self._ahead = ahead
        self._patience = patience
        self._thread = None
        self._asked = deque()  # positions, in the order of the answers
        self.waited = 0.0

    def take(self, position):
        """Returns ``function(position)``.

        Raises:
            UserError: if it does not return in time.
        """
        if not self._asked or self._asked[0] != position:
            self._start(position)
        started = time.monotonic()
        try:
            value, error = self._ready.get(timeout=self._patience)
        except queue.Empty:
            raise UserError(
                f"no clip could be read for {self._patience:.0f} s; is the disk with the decoded clips "
                "still there? Resume when it is"
            ) from None
        self.waited += time.monotonic() - started
        self._asked.popleft()
        self._ask(position + self._ahead * self._step)
        if error is not None:
            raise error
        return value

    def close(self):
        """Lets the thread end what it is at, and waits for that, but not for ever."""
        if self._thread is None:
            return
        atexit.unregister(self.close)
        self._closing.set()
        self._wanted.put(None)
        self._thread.join(_FAREWELL)
        self._thread = None
        self._asked.clear()

    def _start(self, position):
        self.close()
        self._wanted, self._ready, self._closing = queue.SimpleQueue(), queue.SimpleQueue(), threading.Event()
        arguments = (self._function, self._wanted, self._ready, self._closing)
        self._thread = threading.Thread(target=_work, args=arguments, daemon=True, name="prefetch")
        self._thread.start()
        atexit.register(self.close)
        for number in range(self._ahead):
            self._ask(position + number * self._step)

    def _ask(self, position):
        self._asked.append(position)
        self._wanted.put(position)


def _work(function, wanted, ready, closing):
    while (position := wanted.get()) is not None and not closing.is_set():
        try:
            ready.put((function(position), None))
        except BaseException as error:
            ready.put((None, error))
