"""A corpus of real speech and an experiment small enough to train within a test."""

import subprocess
import sys
from pathlib import Path

import pytest

from starvox.training.run import Options

TINY = """extends = "smoke"
title = "The smoke experiment with still fewer channels"
[generator]
filters = 2
[discriminator]
filters = 2
[training]
epochs = 4
"""
ROWS = ["a,scotland,F", "a,,F", "b,wales,M", "b,wales,", ",scotland,", "c,,M"]


@pytest.fixture(scope="session")
def tiny(make_experiment):
    return make_experiment("tiny", TINY)


@pytest.fixture(scope="session")
def manifest(make_manifest):
    """Six clips of two seconds, some labels missing, and the same as held-out clips."""
    return make_manifest(ROWS, "train.csv", "held_out.csv")


@pytest.fixture(scope="session")
def options(manifest):
    """Returns options of a training of the six clips into a folder."""

    def options(out, **changes):
        values = {
            "data": manifest,
            "held_out": manifest.with_name("held_out.csv"),
            "out": out,
            "store": manifest.parent / "store",
            "device": "cpu",
            "iterations": 4,
            "log_every": 1,
            "snapshot_every": 2,
            "sample_every": 4,
            "resume_command": "make resume EXP=tiny",
        }
        return Options(**values | changes)

    return options


class Command:
    """Starts starvox in processes of its own, on one results folder.

    Args:
        experiment (Path): its config.toml.
        out (Path): the results folder.
        options (list of str): of `train`; `resume` knows them from the run.
        iterations (int): of both.
    """

    def __init__(self, experiment, out, options, iterations):
        self.out = out
        self._experiment = experiment
        self._options = options
        self._common = ["--out", str(out), "--device", "cpu", "--iterations", str(iterations)]

    def start(self, command, *, moment=None):
        """Returns a process of ``starvox train`` or ``resume``, at a moment of driver.py."""
        program = ["-m", "starvox"] if moment is None else [Path(__file__).with_name("driver.py"), moment]
        options = self._options if command == "train" else []
        return subprocess.Popen(
            [sys.executable, *program, command, self._experiment, *self._common, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, command):
        """Returns what a whole process printed; its exit code must be 0."""
        process = self.start(command)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
        return out

    @staticmethod
    def wait_for(process, text):
        """Reads what it prints up to a line that starts with ``text``."""
        for line in process.stdout:
            if line.startswith(text):
                return
        pytest.fail(f"it ended before {text!r}: {process.stderr.read()}")


@pytest.fixture(scope="session")
def command(manifest, tmp_path_factory):
    """Returns a `Command` of an experiment of one D step an iteration, on six clips."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "tiniest").mkdir()
    (folder / "tiniest" / "config.toml").write_text(TINY + "n_dis = 1\nbatchsize = 1\n", encoding="utf-8")
    options = ["--data", str(manifest), "--store", str(manifest.parent / "store")]
    options += ["--log-every", "2", "--snapshot-every", "3", "--sample-every", "15"]

    def command(out, iterations):
        return Command(folder / "tiniest" / "config.toml", folder / out, options, iterations)

    return command
