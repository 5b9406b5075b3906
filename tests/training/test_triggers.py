"""When things happen, and how a training is asked to end."""

import os
import signal
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_the_end(number, capsys):
    with Stop(1000) as stop:
        os.kill(os.getpid(), number)
        assert stop.requested == number
        assert stop(at(1))
        assert Every(400, stop)(at(1))
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert "finishing this iteration" in capsys.readouterr().err


def test_the_signals_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    with Stop(1):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
