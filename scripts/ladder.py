"""Trains the rungs of experiments/ladder that are missing, several at a time, each in one thread.

    python scripts/ladder.py                       # every rung, seeds 0, 1 and 2: make ladder
    python scripts/ladder.py --seeds 0 drawn sum   # these two, once

A run is results/ladder/RUNG-sSEED, and what it prints is in results/ladder/RUNG-sSEED.out. Ctrl-C saves
the runs that are training; the next call resumes them. A finished run is left alone.
"""

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

from starvox import experiment_ids
from starvox.corpus.demo import make_demo
from starvox.run.log import count_logged
from starvox.run.run import Run

FOLDER = Path("results/ladder")


def main() -> int:
    rungs = [name.partition("/")[2] for name in experiment_ids() if name.startswith("ladder/")]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rungs", nargs="*", metavar="RUNG", help=f"default: all, {', '.join(rungs)}")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], metavar="N")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs at a time (default: 2)")
    parser.add_argument(
        "--iterations", type=int, default=2400, metavar="N", help="default: 2400, 240 epochs of 120 clips"
    )
    args = parser.parse_args()
    if unknown := set(args.rungs) - set(rungs):
        parser.error(f"no rung {', '.join(sorted(unknown))}; there are: {', '.join(rungs)}")

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    make_demo("data/demo")  # once, before two runs want it
    runs = [(rung, seed) for seed in args.seeds for rung in args.rungs or rungs]
    children: list[subprocess.Popen[bytes]] = []
    stopped = threading.Event()
    with ThreadPoolExecutor(args.jobs) as pool:
        codes = [pool.submit(train, rung, seed, args.iterations, children, stopped) for rung, seed in runs]
        try:
            show(runs, codes, args.iterations)
        except KeyboardInterrupt:
            stopped.set()
            for child in children:
                child.terminate()
            print("\nsaving; the next call resumes", file=sys.stderr)
    failed = [run for run, code in zip(runs, codes, strict=True) if code.result()]
    for rung, seed in failed if not stopped.is_set() else ():
        print(f"{rung}, seed {seed}: failed, see {FOLDER}/{rung}-s{seed}.out", file=sys.stderr)
    return 130 if stopped.is_set() else int(bool(failed))


def train(rung: str, seed: int, iterations: int, children: list, stopped: threading.Event) -> int:
    """Trains, or resumes, one run to its end; returns its exit code."""
    out = FOLDER / f"{rung}-s{seed}"
    if stopped.is_set() or count_done(rung, seed) >= iterations:
        return 0
    command = [sys.executable, "-m", "starvox"]
    command += ["resume" if Run(out).snapshots() else "train", f"ladder/{rung}"]
    command += ["--seed", str(seed), "--out", str(out), "--iterations", str(iterations), "--device", "cpu"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with out.with_suffix(".out").open("ab") as screen:
        one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
        # of its own session: Ctrl-C reaches it once, from here
        child = subprocess.Popen(
            command, env=one_thread, stdout=screen, stderr=screen, start_new_session=True
        )
        children.append(child)
        return child.wait()


def count_done(rung: str, seed: int) -> int:
    """Returns the iterations in a run's log."""
    return count_logged(Run(FOLDER / f"{rung}-s{seed}").log)


def show(runs: list, codes: list, iterations: int) -> None:
    """Shows one bar for all runs until they have ended."""
    count = sum(count_done(*run) for run in runs)
    with tqdm(total=len(runs) * iterations, initial=count, unit="it", dynamic_ncols=True) as bar:
        while not all(code.done() for code in codes):
            time.sleep(2)
            bar.update(sum(count_done(*run) for run in runs) - bar.n)


if __name__ == "__main__":
    sys.exit(main())
