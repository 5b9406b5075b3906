"""Checks this machine's GPU: the tests for one, an iteration against the CPU's, speed and memory.

Usage: make check-gpu CUDA=12 [EXP=...] [OUT=...]

Writes OUT/gpu.md (docs/gpu.md). Ends with 1 if a test fails or none runs, if the losses are not the
CPU's, or if CUDA graphs are given up; with 2 if there is no GPU.
"""

import argparse
import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from starvox import UserError, load_experiment
from starvox.config import Experiment
from starvox.corpus.dataset import CropDataset, Example
from starvox.device import describe, find_device
from starvox.training.assemble import build_updater
from starvox.training.cuda_graph import use_cuda_graphs

TOLERANCE = 1e-2  # of a loss, after the five updates of D that an iteration makes
WARM_UP = 6  # iterations: kernels are compiled, and replayed steps are still compared with the steps


class Noise(CropDataset):
    """In the place of a corpus: crops of noise, each with the label of its number."""

    def __init__(self, exp: Experiment):
        self._n_samples, self._n_classes = exp.audio.crop_samples, sum(exp.labels.sizes.values())
        self._n_labels = self._n_classes + len(exp.labels.sizes)

    def __len__(self) -> int:
        return 100

    def draw(self, index: int, rng: np.random.Generator) -> Example:
        place = index % self._n_classes
        c, t = np.eye(1, self._n_labels, place), np.eye(1, self._n_classes, place)
        crop = rng.standard_normal(self._n_samples, np.float32)
        return Example(crop, c[0].astype(np.float32), t[0].astype(np.int32))


def compare(exp: Experiment, device: Any) -> dict[str, tuple[float, float]]:
    """Returns the losses of the first iteration, (on the CPU, on the GPU), by log key."""
    from chainer import Reporter  # after starvox, which mends Chainer

    found = []
    for where in (find_device("cpu"), device):
        where.use()
        updater = build_updater(exp, Noise(exp), where, seed=0)
        reporter = Reporter()
        report: dict[str, Any] = {}
        with reporter.scope(report):
            updater.update()
        updater.finalize()
        found.append({key: float(value) for key, value in report.items()})
    return {key: (value, found[1][key]) for key, value in found[0].items()}


def measure(exp: Experiment, device: Any, graphs: bool, iterations: int) -> tuple[str, str]:
    """Returns a row of the report on so many iterations, and what was wrong with CUDA graphs, if anything."""
    from cupyx.profiler import benchmark

    device.use()
    runtime = device.xp.cuda.runtime
    device.xp.get_default_memory_pool().free_all_blocks()
    free, _ = runtime.memGetInfo()
    updater, errors = build_updater(exp, Noise(exp), device, seed=0), io.StringIO()
    with contextlib.redirect_stderr(errors):
        if graphs:
            use_cuda_graphs(updater)
        times = benchmark(updater.update, n_repeat=iterations, n_warmup=WARM_UP)
    updater.finalize()
    gpu, host = np.median(times.gpu_times), np.median(times.cpu_times)
    taken = (free - runtime.memGetInfo()[0]) / 2**20  # the pools keep what they had at most
    device.xp.cuda.Stream.null.use()
    name = "CUDA graphs" if graphs else "kernel by kernel"
    return f"| {name} | {gpu:.4f} | {host:.4f} | {taken:.0f} |", errors.getvalue().strip()


def run_tests() -> tuple[bool, str]:
    """Returns whether the tests for a GPU ran and passed, and pytest's last line."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:xdist", "-q"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    summary = done.stdout.strip().splitlines()[-1]
    passed = done.returncode == 0 and re.search(r"\d+ passed", summary) is not None
    if not passed:
        print(done.stdout, file=sys.stderr)
    return passed, summary


def check(exp: Experiment, device: Any, iterations: int) -> tuple[bool, str]:
    """Returns whether all is well, and the report."""
    passed, summary = run_tests()
    losses = compare(exp, device)
    worst = max(abs(gpu - cpu) / max(abs(cpu), 1e-3) for cpu, gpu in losses.values())
    rows, errors = zip(*(measure(exp, device, graphs, iterations) for graphs in (False, True)), strict=True)
    runtime = device.xp.cuda.runtime
    versions = f"CuPy {device.xp.__version__}, CUDA {runtime.runtimeGetVersion()}"
    lines = [
        f"# {describe(device)}, {exp.id}",
        "",
        f"- {versions}, driver for CUDA {runtime.driverGetVersion()}",
        f"- tests for a GPU: {summary}",
        f"- losses of the first iteration: at most {worst:.1e} from the CPU's",
        *(f"- {error}" for error in errors if error),
        "",
        f"Medians of {iterations} iterations, and the device memory that they take at most:",
        "",
        "| | s on the GPU | s on the host | MiB |",
        "|---|---|---|---|",
        *rows,
        "",
        "| loss | CPU | GPU |",
        "|---|---|---|",
        *(f"| {key} | {cpu:.6g} | {gpu:.6g} |" for key, (cpu, gpu) in losses.items()),
    ]
    return passed and worst < TOLERANCE and not any(errors), "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--experiment", default="47c97768")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--iterations", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    args = parser.parse_args()
    try:
        exp, device = load_experiment(args.experiment), find_device(args.device)
    except UserError as error:
        print(f"check_gpu: {error}", file=sys.stderr)
        return 2
    good, report = check(exp, device, args.iterations)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "gpu.md").write_text(report, encoding="utf-8")
    print(f"{report}\n{args.out / 'gpu.md'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
