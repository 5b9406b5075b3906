"""The command line of the benchmark."""

import argparse
import importlib.util
import os
import sys
import tempfile
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from benchmarks import machine
from benchmarks.job import Job
from benchmarks.keep import keep
from benchmarks.plan import MEASUREMENTS, MORE_LABELS, TRAINING, plan
from benchmarks.prepare import prepare
from benchmarks.rounds import run_rounds
from benchmarks.spawn import WorkerError, spawn
from benchmarks.summary import bound, label_growth, spread_warnings, summarize
from benchmarks.table import page
from starvox.commands.options import count
from starvox.commands.paths import DEMO, STORE
from starvox.config import Experiment, load_experiment
from starvox.cores import count_cores
from starvox.corpus.demo import make_demo
from starvox.device import describe, find_device
from starvox.errors import UserError

FOLDER = Path(__file__).parent


def main(argv: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    args = _parse(argv)
    try:
        return Benchmark(args).run()
    except (UserError, WorkerError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _parse(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--experiment", help="id or path (default: 47c97768; with --quick, smoke)")
    parser.add_argument("--batchsize", type=count, help="instead of the experiment's")
    parser.add_argument(
        "--rounds", type=count, help="how often everything is measured (default: 5; quick: 1)"
    )
    parser.add_argument("--iterations", type=count, help="counted, in a process (default: 1; on a GPU 20)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
    parser.add_argument("--threads", type=count, help="of every contender (default: all cores)")
    parser.add_argument("--only", action="append", default=[], choices=MEASUREMENTS, help="can be repeated")
    parser.add_argument(
        "--contenders",
        nargs="+",
        choices=TRAINING,
        default=["starvox", "chainer", "pytorch"],
        help="whom to measure (default: starvox chainer pytorch)",
    )
    parser.add_argument("--limit-mib", type=count, default=3017, help="of GPU memory, for the largest batch")
    parser.add_argument("--data", type=Path, help="manifest of the clips (default: synthetic speech)")
    parser.add_argument("--store", type=Path, default=STORE, help="decoded clips are kept here")
    parser.add_argument("--out", type=Path, help="where results are kept (default: benchmarks/results)")
    parser.add_argument("--quick", action="store_true", help="a short check of the benchmark itself")
    return parser.parse_args(argv)


class Benchmark:
    """One run of the command.

    Args:
        args: of the command line.

    Raises:
        UserError: if the experiment, the device or the data cannot be used.
    """

    def __init__(self, args: argparse.Namespace):
        self._args = args
        self._warnings = machine.load_warnings(os.getloadavg()[0], os.cpu_count() or 1)
        self._device = describe(find_device(args.device))
        self._exp = load_experiment(args.experiment or ("smoke" if args.quick else "47c97768"))
        if args.batchsize:
            self._exp = _with(self._exp, "training", batchsize=args.batchsize)
        self._rounds = args.rounds or (1 if args.quick else 5)
        on_cpu = self._device == "cpu"
        self._warmup, self._iterations = (1, args.iterations or 1) if on_cpu else (3, args.iterations or 20)
        self._samples = []
        self._checked = None

    def run(self) -> int:
        """Checks, measures, prints and keeps the results; returns 1 if a part failed, 130 if interrupted."""
        for warning in self._warnings:
            print(f"warning: {warning}", flush=True)
        try:
            with tempfile.TemporaryDirectory(prefix="starvox-bench-") as folder:
                self._measure(Path(folder))
        except KeyboardInterrupt:
            print("\ninterrupted", file=sys.stderr)
            self._warnings.append("interrupted: not all rounds were measured")
            code = 130
        else:
            code = int(any("error" in sample for sample in self._samples))
        if self._samples:
            report = self._report()
            kept = keep(report, self._args.out or FOLDER / ("out" if self._args.quick else "results"))
            print(f"\n{page(report)}\nkept in {kept}")
        return code

    def _measure(self, folder: Path) -> None:
        args = self._args
        places = plan(args.only, self._contenders(), self._device)
        if not places:
            raise UserError(
                "nothing to measure: --only and --contenders leave nothing that this device can do"
            )
        manifest = args.data or make_demo(DEMO) / "train.csv"
        exp = self._exp
        experiments = {
            "base": exp,
            "wide": _with(exp, "labels", speaker=exp.labels.speaker + MORE_LABELS),
            "small": load_experiment("smoke"),
        }
        compares = {"starvox", "pytorch"} <= {contender for _, contender in places}
        folders = {MEASUREMENTS[name].folder for name, _ in places} | ({"small"} if compares else set())
        for name in sorted(folders):
            prepare(folder / name, experiments[name], manifest, args.store)
        if compares:
            self._check(folder)
        for sample in run_rounds(places, self._rounds, partial(self._job, folder)):
            self._samples.append(sample)

    def _contenders(self) -> list[str]:
        names = self._args.contenders
        if "pytorch" in names and not importlib.util.find_spec("torch"):
            self._warnings.append(
                "pytorch was left out: it is not installed (make bench, or pip install -e .[bench])"
            )
            print(self._warnings[-1], flush=True)
            return [name for name in names if name != "pytorch"]
        return names

    def _job(self, folder: Path, measurement: str, contender: str) -> Job:
        args, kind = self._args, MEASUREMENTS[measurement]
        return Job(
            measurement=measurement,
            module=kind.module,
            contender=contender,
            folder=str(folder / kind.folder),
            device=self._device.split()[0],
            threads=args.threads or count_cores(),
            warmup=self._warmup,
            iterations=self._iterations,
            repeats=5 if args.quick else 50,
            seconds=2.0 if args.quick else 30.0,
            limit_mib=args.limit_mib if measurement == "fit" else None,
        )

    def _check(self, folder: Path) -> None:
        """Refuses to time two things that are not the same."""
        job = self._job(folder, "training", "starvox")
        job = replace(job, measurement="check", module="check", folder=str(folder / "small"))
        self._checked = spawn(job)
        print("starvox and the peer compute the same losses and gradients on a small network", flush=True)

    def _report(self) -> dict:
        exp, summary = self._exp, summarize(self._samples)
        errors = [sample["error"] for sample in self._samples if "error" in sample]
        return {
            "date": date.today().isoformat(),
            "experiment": exp.id,
            "batchsize": exp.training.batchsize,
            "rounds": self._rounds,
            "rounds_done": max(sample["round"] for sample in self._samples),
            "iterations": self._iterations,
            "warmup": self._warmup,
            "limit_mib": self._args.limit_mib,
            "machine": machine.describe(self._device, self._args.threads or count_cores()),
            "warnings": self._warnings + spread_warnings(summary) + errors,
            "summary": summary,
            "label_growth": label_growth(summary),
            "bound": bound(summary, exp),
            "check": self._checked,
            "samples": self._samples,
        }


def _with(exp: Experiment, table: str, **values) -> Experiment:
    changed = getattr(exp, table).model_copy(update=values)
    return exp.model_copy(update={table: changed})
