"""Checks that all contenders compute the same, measures them in rounds, prints the table and keeps it."""

import argparse
import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import psutil
import pyperf
from tqdm import tqdm

from benchmarks import open_clips
from benchmarks.table import make_page
from benchmarks.worker import MEASUREMENTS, TRAINING
from starvox.commands.options import count
from starvox.commands.paths import DEMO, STORE
from starvox.config import load_experiment
from starvox.cores import count_cores
from starvox.corpus.demo import make_demo
from starvox.device import describe, find_device
from starvox.errors import UserError
from starvox.run.environment import machine

FOLDER = Path(__file__).parent
CONTENDERS = (*TRAINING, "librosa")
EPILOG = "Anything else goes to pyperf: --values 3, --warmups 2, --profile FILE ..."


def main(argv: list[str] | None = None) -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, epilog=EPILOG)
    parser.add_argument("--experiment", help="id or path (default: 47c97768; with --quick, smoke)")
    parser.add_argument("--rounds", type=count, help="processes of each contender (default: 5; quick: 1)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
    parser.add_argument("--only", nargs="+", default=[*MEASUREMENTS], choices=MEASUREMENTS)
    parser.add_argument("--contenders", nargs="+", default=CONTENDERS, choices=CONTENDERS)
    parser.add_argument("--data", type=Path, help="manifest of the clips (default: synthetic speech)")
    parser.add_argument("--store", type=Path, default=STORE, help="decoded clips are kept here")
    parser.add_argument("--out", type=Path, help="where results are kept (default: benchmarks/results)")
    parser.add_argument("--quick", action="store_true", help="a short check of the benchmark itself")
    args, options = parser.parse_known_args(argv)
    try:
        return _run(args, options)
    except UserError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2


def _run(args, options: list[str]) -> int:
    experiment = args.experiment or ("smoke" if args.quick else "47c97768")
    exp, device = load_experiment(experiment), describe(find_device(args.device))
    places = [(name, who) for name in args.only for who in MEASUREMENTS[name][2] if who in args.contenders]
    places = [place for place in places if place[0] != ("device-memory" if device == "cpu" else "features")]
    if not places:
        raise UserError("nothing to measure: --only and --contenders leave nothing that this device can do")
    manifest = args.data or make_demo(DEMO) / "train.csv"
    environment = {"OMP_NUM_THREADS": str(count_cores())} | os.environ  # the same for all contenders
    facts = _describe(device, environment["OMP_NUM_THREADS"])
    if any(who.startswith("torch") for _, who in places):
        facts.append(_check(manifest, args.store))
    job = {"experiment": experiment, "config": exp.dumps(), "device": device.split()[0]}
    job |= {"data": str(manifest), "store": str(args.store)}
    out = args.out or FOLDER / ("out" if args.quick else "results")
    out.mkdir(parents=True, exist_ok=True)
    kept = out / f"{datetime.now():%Y-%m-%d-%H%M%S}-{exp.id}-{job['device'].replace(':', '-')}.json"
    command = ["--copy-env", "--quiet", "--append", str(kept)]
    command += (["--warmups", "2", "--loops", "5"] if device != "cpu" else []) + options
    try:
        for name, who in tqdm(places * (args.rounds or (1 if args.quick else 5)), unit="process"):
            worker = ["-m", "benchmarks.worker", json.dumps(job | {"measurement": name, "contender": who})]
            if subprocess.run([sys.executable, *worker, *command], check=False, env=environment).returncode:
                raise UserError(f"{name} of {who} failed, see above")
    finally:  # also what was measured before a failure or Ctrl-C
        if kept.exists():
            page = make_page(pyperf.BenchmarkSuite.load(str(kept)), exp, facts)
            kept.with_suffix(".md").write_text(page, encoding="utf-8")
            print(f"\n{page}\nkept in {kept.with_suffix('.md')}")
    return 0


def _check(manifest: Path, store: Path) -> str:
    """Refuses to time what is not the same; returns how far it is apart."""
    try:
        from benchmarks.check import TOLERANCE, compare_small, torch
    except ModuleNotFoundError as error:
        raise UserError(f"{error}: run make bench, or say --contenders starvox chainer librosa") from None
    exp = load_experiment("smoke")
    deviations = compare_small(exp, open_clips(exp, manifest, store)[0])
    worst = max(deviations, key=deviations.get)
    text = f"{worst[1]} of {worst[0]}, off by {deviations[worst]:.1e}"
    if not all(value < TOLERANCE for value in deviations.values()):
        raise UserError(f"the contenders do not compute the same: {text}")
    return f"torch {torch.__version__}; all compute the same on smoke, furthest from float64 {text}"


def _describe(device: str, threads: str) -> list[str]:
    """Returns what the numbers depend on; no host name."""
    found, noted = machine(device), pyperf.Run([1.0]).get_metadata()
    memory = f"{psutil.virtual_memory().total / 2**30:.1f} GiB"
    return [
        f"{datetime.now():%Y-%m-%d %H:%M}, load average before the start {os.getloadavg()[0]:.2f}",
        f"{device}; {noted.get('cpu_model_name')}, {count_cores()} cores, {threads} thread(s), {memory}",
        f"commit {found['git_commit']}, {found['platform']}, Python {found['python']}",
        ", ".join(f"{name} {version}" for name, version in found["packages"].items()),
    ]


if __name__ == "__main__":
    sys.exit(main())
