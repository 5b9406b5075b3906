"""Trainings of several processes, started by a real mpiexec: equal networks, one log, one end."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from starvox import UserError, build_models, launch, load_experiment
from starvox.plotting import read_log
from starvox.run.run import Run
from starvox.training.run import Options, train

pytest.importorskip("mpi4py", reason="mpi4py is not installed: pip install -e .[mpi]")
MPIEXEC = launch._find_starter()
if MPIEXEC is None:
    pytest.skip("mpiexec is not installed: pip install -e .[mpi]", allow_module_level=True)

SECONDS = 300  # a run that takes longer hangs

# Instance normalisation and losses that are means over the clips, so that a minibatch can be
# dealt out exactly. The large eps keeps RMSprop from blowing rounding errors up.
EXACT = """extends = "{parent}"
title = "A minibatch that can be dealt out"
[generator]
normalization = "instance"
[loss]
classification_reduction = "sum"
[training]
batchsize = {batchsize}
learning_rate = 0.003
rmsprop_eps = 1.0
"""


def environment():
    """One thread each: the machine that runs the tests may have one core for all of them."""
    return launch._environment(os.cpu_count() or 1, os.environ)


def arguments(experiment, data, out, *more):
    return [
        *map(str, (experiment, "--data", data, "--out", out, "--held-out", data.with_name("one.csv"))),
        *("--store", str(data.parent / "store"), "--log-every", "1", "--snapshot-every", "100"),
        *("--sample-every", "100", "--device", "cpu", *map(str, more)),
    ]


def run(*command):
    options = {"capture_output": True, "text": True, "timeout": SECONDS, "check": False}
    return subprocess.run(command, env=environment(), **options)


def starvox(command, *more):
    """Runs a command of starvox, to its end."""
    return run(sys.executable, "-m", "starvox", command, *more)


def in_processes(n, code):
    """Runs Python code in n processes."""
    return run(MPIEXEC, "-n", str(n), sys.executable, "-c", textwrap.dedent(code))


def failing_at(iteration, what, command):
    """Returns code that trains, and in which process 1 does ``what`` in an iteration."""
    return f"""
import os, signal, sys
from starvox.cli import main
from starvox.training.updater import StarGANUpdater

update_core = StarGANUpdater.update_core

def update(self):
    if self.iteration == {iteration} and self._processes.rank == 1:
        {what}
    update_core(self)

StarGANUpdater.update_core = update
sys.exit(main({command!r}))
"""


def weights(out, iteration):
    with np.load(out / f"snapshot_iter_{iteration}.npz", allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files if key.startswith("updater/")}


@pytest.fixture(scope="module")
def folder(tiny, manifest):
    """Of the tiny experiment. Beside the manifest comes one with a single clip: samples take their time."""
    first_two_lines = manifest.read_text(encoding="utf-8").splitlines()[:2]
    manifest.with_name("one.csv").write_text("\n".join(first_two_lines), encoding="utf-8")
    return Path(tiny.sources["generator.filters"]).parent


@pytest.fixture(scope="module")
def finished(folder, manifest, tmp_path_factory):
    """A run of twelve iterations, in two processes, and what it printed."""
    out = tmp_path_factory.mktemp("results") / "finished"
    done = starvox("train", *arguments(folder, manifest, out, "--np", 2, "--iterations", 12))
    assert done.returncode == 0, done.stderr
    return out, done


def test_the_files_log_and_lines_are_those_of_one_process(finished):
    out, done = finished
    names = {path.name for path in out.iterdir()}
    assert names == {
        *(
            "config.json",
            "labels.json",
            "environment.json",
            "rejected.csv",
            "clips.csv",
            "log",
            "curves",
            "samples",
        ),
        *("snapshot_iter_1.npz", "snapshot_iter_12.npz", "gen_iter_12.npz"),
    }
    log = json.loads((out / "log").read_text(encoding="utf-8"))
    assert [entry["iteration"] for entry in log] == list(range(1, 13))
    assert [entry["epoch"] for entry in log] == [4 * i for i in range(1, 13)]  # 24 clips of 6 an iteration
    assert json.loads((out / "environment.json").read_text(encoding="utf-8"))["processes"] == 2
    assert done.stdout.count("corpus: ") == done.stdout.count("done: ") == 1
    assert done.stderr.count("iteration 1/12") == 1
    assert "in each of 2 processes: 1 iterations; stopping at 12" in done.stdout


def test_two_processes_are_one_with_twice_the_minibatch(folder, manifest, tmp_path):
    for batchsize in (1, 2):
        (tmp_path / f"{batchsize}").mkdir()
        text = EXACT.format(parent=folder, batchsize=batchsize)
        (tmp_path / f"{batchsize}" / "config.toml").write_text(text, encoding="utf-8")
    two, one = tmp_path / "two", tmp_path / "one"
    done = starvox("train", *arguments(tmp_path / "1", manifest, two, "--np", 2, "--iterations", 4))
    assert done.returncode == 0, done.stderr
    options = {"iterations": 4, "log_every": 1, "snapshot_every": 100, "sample_every": 100, "device": "cpu"}
    store = manifest.parent / "store"
    exp = load_experiment(tmp_path / "2")
    train(exp, Options(one, manifest, manifest.with_name("one.csv"), store, **options))

    expected, got = weights(one, 4), weights(two, 4)
    assert expected.keys() == got.keys()
    start = {
        f"updater/model:{name}{path}": param.array
        for name, network in zip(("gen", "dis"), build_models(exp), strict=True)
        for path, param in network.namedparams()
    }
    for key, value in expected.items():
        # rounding is at most a hundredth of a percent of how far training has moved the array
        moved = abs(value - start[key]).max() if key in start else abs(value).max()
        np.testing.assert_allclose(
            got[key], value, rtol=0, atol=1e-4 * moved + 2.4e-7 * abs(value).max(), err_msg=key
        )
    logs = [read_log(out) for out in (one, two)]
    for key in logs[0].keys() - {"elapsed_time"}:
        np.testing.assert_allclose(logs[1][key], logs[0][key], rtol=1e-4, atol=1e-7, err_msg=key)


def test_networks_are_equal_in_all_processes_bit_by_bit():
    done = in_processes(
        3,
        """
        import starvox, chainer, numpy as np
        from starvox import load_experiment
        from starvox.training.assemble import build_updater
        from starvox.training.processes import Processes

        class Noise:
            def __len__(self):
                return 7

            def draw(self, index, rng):
                crop = rng.uniform(-1, 1, exp.audio.crop_samples).astype(np.float32)
                t = np.zeros(sum(exp.labels.sizes.values()), np.int32)
                return crop, np.zeros(len(t) + 3, np.float32), t

        def state():
            found = chainer.serializers.DictionarySerializer()
            updater.serialize(found)
            return {key: np.asarray(value).tobytes() for key, value in found.target.items()}

        exp = load_experiment("smoke")
        with Processes.join(3) as processes:
            updater = build_updater(exp, Noise(), processes.find_device("cpu"), processes.rank, processes)
            gather = processes._comm.mpi_comm.allgather
            before = gather(state())
            processes.broadcast_weights(updater.gen, updater.dis)
            shared = gather(state())
            with chainer.Reporter().scope({}):
                updater.update()
            after = gather(state())
            if processes.is_first:
                moved = [key for key in before[0] if "model:" in key and after[0][key] != before[0][key]]
                print(before[0] != before[1], shared[0] == shared[1] == shared[2] == before[0])
                print(after[0] == after[1] == after[2])
                print(sorted({key.rpartition("/")[2] for key in moved}))
        """,
    )
    assert done.stdout.splitlines() == [
        "True True",  # other seeds, so other weights, until they are shared
        "True",
        "['W', 'avg_mean', 'avg_var', 'b', 'beta', 'gamma']",  # and the first update is one
    ], done.stderr


def test_gradients_and_losses_are_means_however_they_lie_in_memory():
    done = in_processes(
        2,
        """
        import starvox, chainer, numpy as np
        from starvox.training.processes import Processes

        with Processes.join(2) as processes:
            link = chainer.Link()
            with link.init_scope():
                link.p = chainer.Parameter(np.zeros((2, 3), np.float32))
                link.q = chainer.Parameter(np.zeros(2, np.float32))
            link.add_persistent("avg", np.full(2, processes.rank, np.float32))
            link.p.grad = np.arange(6, dtype=np.float32).reshape(3, 2).T * (1 + processes.rank)
            processes.average_gradients(link)
            processes.average_statistics(link)
            means = processes.average({"a": np.float32(processes.rank), "b": np.float32(3)})
            found = [link.p.grad.tolist(), link.q.grad, link.avg.tolist(), *map(float, means.values())]
            found.append(processes.local_slice(np.arange(4)).tolist())
            for line in processes._comm.mpi_comm.allgather(found):
                print(line)
        """,
    )
    # arange times 1 and times 2: their mean is times 1.5
    means = "[[0.0, 3.0, 6.0], [1.5, 4.5, 7.5]], None, [0.5, 0.5], 0.5, 3.0"
    assert done.stdout.splitlines() == [f"[{means}, [0, 1]]", f"[{means}, [2, 3]]"], done.stderr


def test_a_run_that_ctrl_c_stopped_goes_on_as_if_it_had_not(finished, folder, manifest, tmp_path):
    expected, _ = finished
    out = tmp_path / "stopped"
    options = arguments(folder, manifest, out, "--np", 2, "--iterations", 12)
    command = [sys.executable, "-m", "starvox", "train", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment(), **pipes) as process:
        try:
            while "iteration 1/12" not in process.stderr.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            printed, errors = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert process.returncode == 128 + signal.SIGINT, errors
    (iteration,) = Run(out).snapshots()
    assert iteration < 12
    assert printed.count("stopped at") == printed.count(f"stopped at iteration {iteration}, saved") == 1
    assert printed.endswith(f"OUT={out} DEVICE=cpu NP=2 ITERATIONS=12\n")

    done = starvox("resume", str(folder), "--out", str(out), "--iterations", "12")  # the run knows the rest
    assert done.returncode == 0, done.stderr
    before, after = weights(expected, 12), weights(out, 12)
    assert before.keys() == after.keys()
    for key, value in before.items():
        np.testing.assert_array_equal(after[key], value, err_msg=key)
    logs = [read_log(folder) for folder in (expected, out)]
    for key in logs[0].keys() - {"elapsed_time"}:
        np.testing.assert_array_equal(logs[1][key], logs[0][key], err_msg=key)


def test_a_signal_to_one_process_stops_all_at_one_iteration(folder, manifest, tmp_path):
    command = ["train", *arguments(folder, manifest, tmp_path / "out", "--np", 2, "--iterations", 9)]
    done = in_processes(2, failing_at(2, "signal.raise_signal(signal.SIGTERM)", command))
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert list(Run(tmp_path / "out").snapshots()) == [1, 3]
    assert "stopped at iteration 3, saved" in done.stdout


def test_a_killed_process_ends_all_with_a_message(folder, manifest, tmp_path):
    more = ("--np", 2, "--iterations", 9, "--snapshot-every", 2)
    command = ["train", *arguments(folder, manifest, tmp_path / "out", *more)]
    done = in_processes(2, failing_at(3, "os.kill(os.getpid(), signal.SIGKILL)", command))
    assert done.returncode not in (0, None)
    assert "signal 9" in done.stdout + done.stderr
    assert list(Run(tmp_path / "out").snapshots()) == [1, 2]


def test_an_error_in_one_process_ends_all_with_its_message(folder, manifest, tmp_path):
    command = ["train", *arguments(folder, manifest, tmp_path / "out", "--np", 2, "--iterations", 9)]
    done = in_processes(2, failing_at(3, "raise MemoryError('no room')", command))
    assert done.returncode == 1
    assert "MemoryError: no room" in done.stderr
    assert "starvox: process 1 of 2 failed; ending all" in done.stderr


def test_another_number_of_processes_is_refused(finished, folder, tiny, manifest):
    out, _ = finished
    options = Options(out, manifest, store=manifest.parent / "store", iterations=13)
    with pytest.raises(UserError, match=r"trained by 2 processes, not 1"):
        train(tiny, options, resume=True)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--np", 3), "3 processes are asked for, but MPI has started 2"),
        (("--np", 2, "--device", "cuda:1"), "cuda:1 is one GPU for 2 processes; leave the device out"),
        (("--np", 2, "--data", "none.csv"), "none.csv"),
    ],
)
def test_a_users_mistake_is_one_line(folder, manifest, tmp_path, more, message):
    command = ["train", *arguments(folder, manifest, tmp_path / "out", *more)]
    done = in_processes(2, f"import sys; from starvox.cli import main; sys.exit(main({command!r}))")
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if line.startswith("starvox: ")]
    assert message in lines[0]
    assert "Traceback" not in done.stderr


def test_one_process_does_without_mpi(folder, tmp_path):
    command = ["train", *arguments(folder, tmp_path / "none.csv", tmp_path / "out", "--np", 1)]
    code = f"import sys; from starvox.cli import main; main({command!r}); "
    done = run(
        sys.executable,
        "-c",
        code + "print({'starvox.training.run', 'mpi4py', 'chainermn'} & set(sys.modules))",
    )
    assert done.stdout.splitlines() == ["{'starvox.training.run'}"], done.stderr
