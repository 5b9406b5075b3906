"""Work in threads that cannot hold up the program: one that hangs is named and left behind."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from typing import Any

from tqdm import tqdm

from starvox.errors import UserError

_FAREWELL = 5  # s given to threads that are at work when the program stops, to remove their temporary files


def for_each(
    items: Iterable,
    function: Callable[[Any], Any],
    record: Callable[[Any, Any], None],
    jobs: int | None,
    label: str | None,
    patience: Callable[[Any], float],
) -> None:
    """Calls ``record(item, function(item))``, the function in threads, ``record`` in this one.

    The threads are daemons: Python waits at its end for all others, and for ever
    for one that never returns.

    Args:
        items: work to do; their text is what a message calls them.
        function: called in the threads.
        record: called with each result, in no certain order.
        jobs: threads; None is one a core.
        label: such as ``decoding``, for the progress on stderr; None reports nothing.
        patience: item -> seconds that the function may take for it.

    Raises:
        UserError: if the function raises anything but that, or takes too long.
    """
    items, started = list(items), time.monotonic()
    workers = _Workers(items, function, patience, min(jobs or os.cpu_count(), len(items)))
    hidden = None if label else True  # None: shown on a terminal
    try:
        for item, result in tqdm(workers.results(), label, len(items), unit=" clips", disable=hidden):
            record(item, result)
    finally:
        workers.stop()
    if label and not sys.stderr.isatty():
        print(f"{label}: {len(items)} clips, {time.monotonic() - started:.1f} s", file=sys.stderr)


class _Workers:
    def __init__(self, items: list, function: Callable, patience: Callable[[Any], float], count: int):
        self._function, self._patience, self._expected = function, patience, len(items)
        self._todo, self._done = iter(items), SimpleQueue()
        self._lock, self._running = threading.Lock(), True
        self._deadlines: dict[Any, float] = {}  # of the items in work
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        while (item := self._next()) is not None:
            try:
                found = self._function(item), None
            except BaseException as error:  # also a KeyboardInterrupt has to reach the main thread
                found = None, error
            with self._lock:
                del self._deadlines[item]
            self._done.put((item, *found))

    def _next(self):
        with self._lock:
            item = next(self._todo, None) if self._running else None
            if item is not None:
                self._deadlines[item] = time.monotonic() + self._patience(item)
            return item

    def results(self) -> Iterator[tuple[Any, Any]]:
        for _ in range(self._expected):
            item, result, error = self._wait()
            if isinstance(error, MemoryError):
                raise UserError(f"{item}: not enough memory; give fewer --jobs, or leave it out") from error
            if isinstance(error, Exception) and not isinstance(error, UserError):
                reason = f"{type(error).__name__}: {error}"
                raise UserError(f"{item}: reading it failed ({reason}); leave it out") from error
            if error is not None:
                raise error
            yield item, result

    def _wait(self):
        while True:
            try:
                return self._done.get(timeout=0.2)
            except Empty:
                self._check_deadlines()

    def _check_deadlines(self) -> None:
        with self._lock:
            late = [item for item, deadline in self._deadlines.items() if time.monotonic() > deadline]
        if late:
            more = f" (and {len(late) - 1} more)" if late[1:] else ""
            raise UserError(
                f"{late[0]}{more}: no end of reading it; leave it out, or look whether its disk answers"
            )

    def stop(self) -> None:
        """Lets the threads end their item, but waits for no more than `_FAREWELL` seconds."""
        with self._lock:
            self._running = False
        until = time.monotonic() + _FAREWELL
        for thread in self._threads:
            thread.join(max(0, until - time.monotonic()))
