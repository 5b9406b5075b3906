"""When things happen, and how a training is asked to end."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from starvox.training.triggers import Every, EverySeconds, Stop


def at(iteration):
    return SimpleNamespace(updater=SimpleNamespace(iteration=iteration))


def test_stop_after_the_iterations():
    stop = Stop(3)
    assert [stop(at(i)) for i in range(5)] == [False, False, False, True, True]


def test_every_fires_at_the_interval_and_at_the_end():
    every = Every(4, Stop(10))
    assert [i for i in range(1, 11) if every(at(i))] == [4, 8, 10]


def test_every_seconds_fires_first_and_last():
    every = EverySeconds(1000, Stop(10))
    assert [i for i in range(1, 11) if every(at(i))] == [1, 10]


def test_every_seconds_counts_anew_when_the_other_trigger_fires(monkeypatch):
    seconds = EverySeconds(30, Stop(1000), also=Every(4, Stop(1000)))
    fired = []
    for i in range(1, 14):  # ten seconds an iteration
        monkeypatch.setattr(time, "monotonic", lambda i=i: 500 + 10 * i)
        if seconds(at(i)):
            fired.append(i)
    assert fired == [1, 4, 7, 8, 11, 12]


def test_every_seconds_gives_one_answer_an_iteration():
    every = EverySeconds(1000, Stop(10))
    assert [every(at(i)) for i in (1, 1, 2, 2)] == [True, True, False, False]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_the_end(number, capfd):
    with Stop(1000) as stop:
        stop.begin()
        os.kill(os.getpid(), number)
        assert stop.requested == number
        assert stop(at(1))
        assert EverySeconds(400, stop)(at(1))
        assert not Every(400, stop)(at(1))  # not the end: the training can be resumed
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert "finishing this iteration" in capfd.readouterr().err


def test_a_terminal_that_closes_asks_for_the_end_however_often_it_says_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with Stop(1000) as stop:
            stop.begin()
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGHUP)
            assert stop.requested == signal.SIGHUP
            assert stop(at(1))
    finally:
        signal.signal(signal.SIGHUP, before)


def test_under_nohup_a_terminal_may_close():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Stop(1000) as stop:
            stop.begin()
            os.kill(os.getpid(), signal.SIGHUP)
            assert stop.requested is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_with_nobody_left_to_read_about_it():
    """A terminal that was closed: the last iteration is saved all the same."""
    code = (
        "import os, signal; from starvox.training.triggers import Stop\n"
        "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 2)\n"
        "with Stop(9) as stop:\n"
        "    stop.begin()\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print(int(stop.requested))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "15\n")


def test_a_signal_between_the_extensions_ends_the_next_iteration():
    """What was not saved in this iteration is saved in the next, and only then is the end."""
    with Stop(1000) as stop:
        stop.begin()
        assert not stop(at(1))
        os.kill(os.getpid(), signal.SIGTERM)
        assert not stop(at(1))
        assert stop(at(2))


def test_before_the_first_iteration_there_is_nothing_to_finish():
    with Stop(1000) as stop:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested == signal.SIGTERM


def test_the_signals_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with Stop(1):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
