"""A few threads that share one operation's work, and the memory they work in."""

import functools
import importlib
import itertools
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np
import threadpoolctl

from starvox.cores import count_cores


class _Own(threading.local):
    """What belongs to one thread: its scratch memory, and whether it is at work for another."""

    def __init__(self):
        self.scratch = {}
        self.busy = False


# ns of work for which another thread is woken; that alone takes about a tenth of it.
_WORTH = 400_000

_own = _Own()
_pool = None


@functools.cache
def count() -> int:
    """Returns how many threads work: one a core, or fewer if the environment says so at the first call."""
    wanted = (os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"))
    return min([count_cores(), *(max(1, int(number)) for number in wanted if number.isdecimal())])


def share(function: Callable, tasks: Iterable[tuple], work: float = float("inf")) -> None:
    """Calls ``function(*task)`` for every task, in several threads, and waits for all.

    NumPy lets go of the interpreter in its loops and matrix products. BLAS is
    held to one thread from the first call on: its own threads would stand in
    the way of these.

    Args:
        function: must write to places of its own for each task.
        tasks: the arguments.
        work: about how long one thread would need for all, in ns. Little work is not worth
            waking another thread.

    Raises:
        Exception: the first that a task raised; the others are finished.
    """
    _hold_blas()
    tasks = list(tasks)
    threads = min(count(), len(tasks), work / _WORTH)
    if threads < 2 or _own.busy:
        for task in tasks:
            function(*task)
        return
    left = iter(tasks)
    lock = threading.Lock()

    def take():
        _own.busy = True
        try:
            while True:
                with lock:
                    task = next(left, None)
                if task is None:
                    return
                function(*task)
        finally:
            _own.busy = False

    helpers = [_get_pool().submit(take) for _ in range(int(threads) - 1)]
    try:
        take()
    finally:
        for helper in helpers:
            helper.result()


def split(n: int, parts: int) -> list[tuple[int, int]]:
    """Returns at most ``parts`` ranges (from, to) of nearly equal length that cover ``range(n)``."""
    parts = max(1, parts)
    edges = sorted({n * part // parts for part in range(parts + 1)})
    return list(itertools.pairwise(edges))


def scratch(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Returns float32 memory of this thread, with anything in it, until the name is asked for again.

    Fresh memory costs more than the work done in it: the system clears every page.
    """
    size = prod(shape)
    buffer = _own.scratch.get(name)
    if buffer is None or buffer.size < size:
        buffer = _own.scratch[name] = np.empty(size, np.float32)
    return buffer[:size].reshape(shape)


@functools.cache
def _hold_blas() -> None:
    importlib.import_module("scipy.linalg.cython_blas")  # Numba's products; only what is loaded is held
    threadpoolctl.threadpool_limits(1, "blas")


def _get_pool() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(max(1, count() - 1), thread_name_prefix="starvox")
    return _pool


def _forget_pool() -> None:
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):  # a forked child has none of its parent's threads
    os.register_at_fork(after_in_child=_forget_pool)
