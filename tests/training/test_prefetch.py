"""Values computed ahead: the right ones, early, and no hang when they do not come."""

import os
import subprocess
import sys
import threading
import time

import pytest

from starvox.errors import UserError
from starvox.training.prefetch import Prefetch


def test_the_values_are_those_of_the_positions():
    prefetch = Prefetch(lambda position: position**2, 3)
    assert [prefetch.take(position) for position in (6, 9, 12, 15, 18, 21)] == [36, 81, 144, 225, 324, 441]
    assert [prefetch.take(position) for position in (0, 3, 30)] == [0, 9, 900]


def test_they_are_computed_before_they_are_asked_for():
    computed = threading.Semaphore(0)

    def function(position):
        computed.release()
        return position

    prefetch = Prefetch(function, 1, ahead=3)
    prefetch.take(0)
    for _ in range(4):  # 0, and the three after it
        assert computed.acquire(timeout=20)
    assert not computed.acquire(timeout=0.05)  # no more than that


def test_a_ready_value_is_not_waited_for():
    done = threading.Semaphore(0)

    def function(position):
        time.sleep(1)
        done.release()
        return position

    prefetch = Prefetch(function, 1, ahead=1)
    prefetch.take(0)
    assert prefetch.waited > 0.9
    for _ in range(2):
        assert done.acquire(timeout=60)
    time.sleep(0.2)
    before = prefetch.waited
    prefetch.take(1)
    assert prefetch.waited - before < 0.9


def test_an_exception_is_raised_where_its_value_is_asked_for():
    def function(position):
        if position == 2:
            raise UserError("clip.wav: gone")
        return position

    prefetch = Prefetch(function, 1)
    assert [prefetch.take(0), prefetch.take(1)] == [0, 1]
    with pytest.raises(UserError, match="gone"):
        prefetch.take(2)
    assert prefetch.take(3) == 3


def test_a_hang_is_told():
    release = threading.Event()
    prefetch = Prefetch(lambda _: release.wait(60), 1, patience=0.1)
    with pytest.raises(UserError, match="no clip could be read for 0 s"):
        prefetch.take(0)
    release.set()


def test_its_thread_ends_when_it_is_closed():
    names = {thread.ident for thread in threading.enumerate()}
    prefetch = Prefetch(lambda position: position, 1)
    prefetch.take(0)
    (mine,) = [thread for thread in threading.enumerate() if thread.ident not in names]
    assert mine.daemon
    prefetch.close()
    assert not mine.is_alive()
    assert prefetch.take(5) == 5
    prefetch.close()


def test_a_busy_thread_does_not_abort_the_process():
    """Python kills a daemon thread at its end, in the midst of compiled code."""
    code = """
import sys, numpy, soxr
from starvox.training.prefetch import Prefetch
wave = numpy.zeros(3_000_000, numpy.float32)
prefetch = Prefetch(lambda position: soxr.resample(wave, 44100, 16000), 1)
prefetch.take(0)
sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (7, "")


def test_a_thread_that_hangs_does_not_keep_the_process(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    code = """
import sys
from starvox.training import prefetch
prefetch._FAREWELL = 0.1
try: prefetch.Prefetch(lambda position: open(sys.argv[1]).read(), 1, patience=0.2).take(0)
except Exception as error: sys.exit(str(error))
"""
    command = [sys.executable, "-c", code, tmp_path / "pipe"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "no clip could be read for 0 s" in done.stderr
