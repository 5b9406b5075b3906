"""A few threads that share one operation's work, and the memory they work in."""

import functools
import importlib
import itertools
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import prod
from typing import Any

import numpy as np
import threadpoolctl
from numpy.typing import NDArray

from starvox.cores import count_cores

# ns of work for which another thread is woken; that alone takes about a tenth of it.
MIN_WORK = 400_000

_own = threading.local()  # of each thread: its scratch memory by name


@functools.cache
def count() -> int:
    """Returns how many threads work: one a core, or fewer if the environment says so at the first call."""
    wanted = (os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"))
    return min([count_cores(), *(max(1, int(number)) for number in wanted if number.isdecimal())])


def share(function: Callable[..., Any], tasks: Iterable[tuple], work: float = float("inf")) -> None:
    """Calls ``function(*task)`` for every task, in several threads, and waits for all.

    BLAS is held to one thread from the first call on: its own threads would stand in the way of these.

    Args:
        function: must write to places of its own for each task, and share nothing itself.
        tasks: the arguments.
        work: about how long one thread would need for all, in ns. Little work is not worth
            waking another thread.

    Raises:
        Exception: the first that a task raised.
    """
    _hold_blas()
    tasks = list(tasks)
    left = iter(tasks)  # a list's iterator gives each task to one thread

    def take() -> None:
        for task in left:
            function(*task)

    threads = int(min(count(), len(tasks), work / MIN_WORK))
    helpers = [_pool().submit(take) for _ in range(threads - 1)]
    take()
    for helper in helpers:
        helper.result()


def split(n: int, parts: int) -> list[tuple[int, int]]:
    """Returns at most ``parts`` ranges (from, to) of nearly equal length that cover ``range(n)``."""
    edges = sorted({n * part // parts for part in range(parts + 1)})
    return list(itertools.pairwise(edges))


def scratch(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Returns float32 memory of this thread, with anything in it, until the name is asked for again.

    Fresh memory costs more than the work done in it: the system clears every page.
    """
    size = prod(shape)
    buffer = vars(_own).get(name)
    if buffer is None or buffer.size < size:
        buffer = vars(_own)[name] = np.empty(size, np.float32)
    return buffer[:size].reshape(shape)


@functools.cache
def _hold_blas() -> None:
    importlib.import_module("scipy.linalg.cython_blas")  # Numba's products; only what is loaded is held
    threadpoolctl.threadpool_limits(1, "blas")


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, count() - 1), thread_name_prefix="starvox")


if hasattr(os, "register_at_fork"):  # a forked child has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
