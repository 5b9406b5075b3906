"""Threads that decode: one that dies or hangs ends the program with a message."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from starvox.corpus import workers
from starvox.corpus.workers import for_each
from starvox.errors import UserError


def collect(items, function, jobs=2, patience=60.0):
    found = {}
    for_each(items, function, found.__setitem__, jobs, None, lambda item: patience)
    return found


@pytest.mark.parametrize("jobs", [1, 3, 50, None])
def test_every_item_once(jobs):
    calls, lock = [], threading.Lock()

    def square(n):
        with lock:
            calls.append(n)
        return n * n

    assert collect(range(20), square, jobs) == {n: n * n for n in range(20)}
    assert sorted(calls) == list(range(20))


def test_results_are_recorded_in_the_callers_thread():
    seen = set()
    for_each("abc", str.upper, lambda *_: seen.add(threading.get_ident()), 3, None, lambda item: 60)
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("error", [TypeError("bad"), MemoryError(), RuntimeError("of a library")])
def test_any_failure_names_its_item(error):
    def fail(item):
        if item == "b.wav":
            raise error
        return item

    with pytest.raises(UserError, match=r"^b\.wav: (reading it failed \(|not enough memory)") as caught:
        collect(["a.wav", "b.wav", "c.wav"], fail)
    assert caught.value.__cause__ is error  # for --debug


def test_want_of_memory_is_real():
    with pytest.raises(UserError, match="b: not enough memory"):
        collect("ab", lambda item: bytearray(2**60) if item == "b" else 0)


def test_a_users_mistake_stays_what_it_is():
    def fail(item):
        raise UserError("make room")

    with pytest.raises(UserError, match=r"^make room$"):
        collect("abc", fail)


def test_what_hangs_is_named_and_what_is_done_is_kept(tmp_path, monkeypatch):
    """A read of a pipe into which nobody writes hangs as a disk does that is gone."""
    monkeypatch.setattr(workers, "_FAREWELL", 0.2)
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    found, started = {}, time.monotonic()
    try:
        with pytest.raises(UserError, match=r"pipe\.wav: no end of reading it; leave it out"):
            for_each(
                ["a", "b", pipe, "c"],
                lambda item: Path(item).read_bytes() if item == pipe else item,
                found.__setitem__,
                2,
                None,
                lambda item: 2,
            )
    finally:
        os.close(writer)  # ends the thread
    assert time.monotonic() - started < 30
    assert {"a", "b"} <= found.keys()


def test_a_thread_that_hangs_does_not_keep_the_program(tmp_path):
    """Python joins the threads of a ThreadPoolExecutor at its end; these are left behind."""
    os.mkfifo(tmp_path / "pipe")
    code = (
        "import os, sys; from starvox.corpus import workers; workers._FAREWELL = 0.1\n"
        "def read(path): return open(path).read()\n"
        "try: workers.for_each([sys.argv[1]], read, print, 1, None, lambda path: 0.2)\n"
        "except Exception as error: sys.exit(str(error))"
    )
    command = [sys.executable, "-c", code, tmp_path / "pipe"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "no end of reading it" in done.stderr


def test_no_new_item_is_begun_after_a_failure():
    begun = []

    def fail(item):
        begun.append(item)
        if item == 3:
            raise ValueError
        return item

    with pytest.raises(UserError):
        collect(range(100_000), fail, jobs=1)
    assert len(begun) < 100_000
