"""A real training in a process of its own, killed and signalled: nothing is lost but what was not saved."""

import json
import random
import shutil
import signal
import time

import numpy as np
import pytest

from starvox.run.run import Run

ITERATIONS = 16


@pytest.fixture(scope="module")
def whole(command):
    """The results folder of a training never stopped."""
    run = command("whole", ITERATIONS)
    run.run("train")
    return run.out


def kill(process):
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def kill_at_random(command, dice):
    """Goes on with a run and kills it anywhere between its start and a few iterations.

    At most four slow ones: three times that leaves the run short of its end, however fast the machine is.
    """
    process = command.start("resume", moment="slow")
    if dice.random() < 0.75:
        command.wait_for(process, "device:")
        time.sleep(dice.uniform(0, 1.2))
    else:
        time.sleep(dice.uniform(0, 2))  # of which the imports take one
    kill(process)


def kill_while(moment, command):
    """Kills it for certain inside the writing of a snapshot; what it left is not taken for one."""
    before = Run(command.out).snapshots()
    process = command.start("resume", moment=moment)
    if moment == "naming":
        command.wait_for(process, "now")
        kill(process)
    else:
        process.communicate()
        assert process.returncode == -signal.SIGXFSZ
    assert list(command.out.glob(".snapshot_iter_*.tmp"))
    assert Run(command.out).snapshots() == before


def read(path):
    with np.load(path, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def check_same_run(one, other):
    """Holds two finished runs against each other, bit by bit; only their times may differ."""
    expected, got = (read(out / f"snapshot_iter_{ITERATIONS}.npz") for out in (one, other))
    assert expected.keys() == got.keys()
    for key, value in expected.items():
        if not key.endswith(("LogReport/_log", "elapsed_time")):
            np.testing.assert_array_equal(got[key], value, err_msg=key)
    logs = [json.loads((out / "log").read_text()) for out in (one, other)]
    for entry in logs[0] + logs[1]:
        del entry["elapsed_time"]
    assert logs[0] == logs[1]
    generators = [Run(out).generators() for out in (one, other)]
    assert generators[0].keys() == generators[1].keys()
    for number, path in generators[0].items():
        assert generators[1][number].read_bytes() == path.read_bytes()
    names = [
        sorted(str(path.relative_to(out)) for path in out.rglob("*") if "snapshot_iter" not in path.name)
        for out in (one, other)
    ]
    assert names[0] == names[1]  # the samples and figures too, and no leftovers


def test_killed_at_random_moments_a_run_ends_as_one_never_stopped(command, whole):
    seed = time.time_ns()
    print(f"random moments of seed {seed}")
    dice = random.Random(seed)
    killed = command("killed", ITERATIONS)
    process = killed.start("train", moment="slow")
    while not Run(killed.out).snapshots():
        assert process.poll() is None, process.communicate()
    kill(process)
    kill_while("writing", killed)
    kill_at_random(killed, dice)
    kill_while("naming", killed)
    kill_at_random(killed, dice)
    kill_at_random(killed, dice)
    killed.run("resume")
    check_same_run(whole, killed.out)


def test_sigterm_saves_and_the_run_goes_on_as_one_never_stopped(command, whole):
    parts = command("parts", ITERATIONS)
    process = parts.start("train")
    parts.wait_for(process, "device:")
    time.sleep(0.1)
    process.terminate()
    out, err = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert "finishing this iteration" in err
    assert "Traceback" not in err
    last = max(Run(parts.out).snapshots())
    assert f"stopped at iteration {last}, saved; go on with: make resume EXP=" in out
    assert f"OUT={parts.out} DEVICE=cpu ITERATIONS={ITERATIONS}\n" in out
    parts.run("resume")
    if not (whole / f"gen_iter_{last}.npz").exists():
        (parts.out / f"gen_iter_{last}.npz").unlink()  # what there is more: where it was stopped
    if not (whole / f"samples/iter_{last}").exists():
        shutil.rmtree(parts.out / f"samples/iter_{last}")
    check_same_run(whole, parts.out)


def test_a_second_signal_stops_at_once(command):
    run = command("interrupted", 8)
    process = run.start("train", moment="naming")  # which would not end by itself
    run.wait_for(process, "now")
    process.send_signal(signal.SIGINT)
    while "finishing this iteration" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert "stopped before the first snapshot: nothing is saved" in out
    assert "Traceback" not in err
    assert not list(run.out.glob(".*"))


def test_sigterm_before_the_training_leaves_nothing(command):
    run = command("terminated", 8)
    process = run.start("train", moment="opening")
    run.wait_for(process, "now")
    process.terminate()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "stopped before the training began" in out
    assert err == ""
    assert not run.out.exists()
