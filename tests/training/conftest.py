"""A corpus of real speech and an experiment small enough to train within a test."""

import subprocess
import sys
from pathlib import Path

import chainer
import numpy as np
import pytest

from starvox import load_experiment
from starvox.models import Discriminator, Generator
from starvox.training.run import Options
from starvox.training.updater import StarGANUpdater

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


class Minibatches(chainer.dataset.Iterator):
    """Hands out minibatches of random spectrograms and labels, and keeps them."""

    epoch = 0

    def __init__(self, seed, side):
        self._rng = np.random.default_rng(seed)
        self._side = side
        self.drawn = []

    def __next__(self):
        x = self._rng.random((2, 1, self._side, self._side), dtype=np.float32)
        c = (self._rng.random((2, 4)) < 0.5).astype(np.float32)
        t = self._rng.integers(-1, 2, (2, 3)).astype(np.int32)
        self.drawn.append((x, c, t))
        return self.drawn[-1]


@pytest.fixture(scope="session")
def small_updater():
    """Returns a function that builds an updater of small networks, for 2^(layers + 2) bins and frames."""

    def make(filters, layers, loss=None, learning_rate=0.0, n_dis=5, device="@numpy", **readings):
        initializer = chainer.initializers.LeCunNormal(rng=np.random.RandomState(0))
        gen = Generator(
            **{"n_labels": 4, "labels": "merge", "filters": filters[0], "depth": 1, "blocks": 1},
            **{"block_convolutions": 2, "merge_kernel": (3, 3), "block_kernel": (3, 3)},
            **{"normalization": "batch", "bn_decay": 0.9, "bn_eps": 2e-5, "initializer": initializer},
        )
        dis = Discriminator(
            **{"n_classes": 3, "filters": filters[1], "layers": layers, "time_layers": layers},
            **{"slope": 0.01, "class_kernel": 4, "class_pad": 0, "initializer": initializer},
        )
        return StarGANUpdater(
            {name: Minibatches(number, 2 ** (layers + 2)) for number, name in ((1, "main"), (2, "orig"))},
            {
                name: chainer.optimizers.RMSprop(learning_rate, alpha=0.99, eps=1e-8).setup(network)
                for name, network in (("gen", gen), ("dis", dis))
            },
            loss=loss or load_experiment("47c97768").loss,
            n_dis=n_dis,
            converter=lambda batch, device: tuple(device.send(array) for array in batch),
            device=chainer.get_device(device),
            **readings,
        )

    return make
