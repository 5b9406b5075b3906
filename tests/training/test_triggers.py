"""When things happen, and how a training is asked to end."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from starvox.training.triggers import IterationTrigger, SecondsTrigger, StopTrigger


def at(iteration):
    return SimpleNamespace(updater=SimpleNamespace(iteration=iteration))


def stop_after(iterations, **options):
    stop = StopTrigger(**options)
    stop.iterations = iterations
    return stop


def begun():
    """A trigger as after the start of the training loop."""
    stop = stop_after(1000)
    assert not stop(at(0))
    return stop


def fired(trigger, last=13):
    return [i for i in range(1, last + 1) if trigger(at(i))]


def test_stop_after_the_iterations():
    assert fired(stop_after(3), 5) == [3, 4, 5]


def test_it_fires_at_the_interval_and_at_the_end():
    assert fired(IterationTrigger(4, stop_after(10)), 10) == [4, 8, 10]


@pytest.mark.parametrize(("interval", "expected"), [(4, [1, 4, 8, 12, 13]), (12, [1, 10, 12, 13])])
def test_it_fires_early_before_the_first_interval(interval, expected):
    assert fired(IterationTrigger(interval, stop_after(13), early=(1, 10, 50))) == expected


def test_seconds_fire_first_and_last_with_one_answer_an_iteration():
    assert fired(SecondsTrigger(1000, stop_after(10)), 10) == [1, 10]
    trigger = SecondsTrigger(1000, stop_after(10))
    assert [trigger(at(i)) for i in (1, 1, 2, 2)] == [True, True, False, False]


def test_seconds_count_anew_when_the_other_trigger_fires(monkeypatch):
    stop = stop_after(1000)
    seconds = SecondsTrigger(30, stop, also=IterationTrigger(4, stop))
    fired = []
    for i in range(1, 14):  # ten seconds an iteration
        monkeypatch.setattr(time, "monotonic", lambda i=i: 500 + 10 * i)
        if seconds(at(i)):
            fired.append(i)
    assert fired == [1, 4, 7, 8, 11, 12]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_for_the_end_and_a_second_one_for_it_at_once(number, capfd):
    before = signal.getsignal(number)
    with begun() as stop:
        os.kill(os.getpid(), number)
        assert stop(at(1))
        assert stop.requested == number
        assert SecondsTrigger(400, stop)(at(1))
        assert not IterationTrigger(400, stop)(at(1))  # not the end: the training can be resumed
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    assert capfd.readouterr().err.count("finishing this iteration") == 1
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(("handler", "requested"), [(signal.SIG_DFL, signal.SIGHUP), (signal.SIG_IGN, None)])
def test_a_terminal_that_closes_asks_for_the_end_however_often_it_says_so_but_under_nohup(handler, requested):
    before = signal.signal(signal.SIGHUP, handler)
    try:
        with begun() as stop:
            for _ in range(3):
                os.kill(os.getpid(), signal.SIGHUP)
            assert stop(at(1)) == (requested is not None)
            assert stop.requested == requested
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_with_nobody_left_to_read_about_it():
    """A terminal that was closed: the last iteration is saved all the same."""
    code = (
        "import os, signal; from types import SimpleNamespace as S\n"
        "from starvox.training.triggers import StopTrigger\n"
        "reader, writer = os.pipe(); os.close(reader); os.dup2(writer, 2)\n"
        "with StopTrigger() as stop:\n"
        "    stop.iterations = 9\n"
        "    stop(S(updater=S(iteration=0)))\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    print(stop(S(updater=S(iteration=1))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "True\n")


def test_a_signal_between_the_extensions_ends_the_next_iteration():
    """What was not saved in this iteration is saved in the next, and only then is the end."""
    with begun() as stop:
        assert not stop(at(1))
        os.kill(os.getpid(), signal.SIGTERM)
        assert not stop(at(1))
        assert stop(at(2))


def test_processes_agree_once_an_iteration():
    asked = []
    stop = stop_after(9, agree=lambda number: asked.append(number) or (15 if len(asked) == 3 else 0))
    assert [stop(at(i)) for i in (0, 1, 1, 2)] == [False, False, False, True]
    assert asked == [0, 0, 0]
    assert stop.requested == 15


def test_before_the_first_iteration_there_is_nothing_to_finish():
    with stop_after(1000) as stop:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested == signal.SIGTERM
