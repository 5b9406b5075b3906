"""What takes minutes: `make test-long`."""

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from starvox.corpus.demo import make_demo

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="reads Linux's /proc"),
]


def test_memory_is_flat_over_1000_iterations(tmp_path):
    """Resident memory and open files of smoke at its full size, sampled twice a second."""
    arguments = ["train", "smoke", "--data", make_demo(tmp_path / "demo") / "train.csv", "--device", "cpu"]
    arguments += ["--store", tmp_path / "store", "--out", tmp_path / "out"]
    arguments += ["--iterations", "1000", "--log-every", "10", "--sample-every", "50"]
    memory, files = {"early": [], "late": []}, {"early": [], "late": []}
    with subprocess.Popen([sys.executable, "-m", "starvox", *arguments]) as process:
        while process.poll() is None:
            time.sleep(0.5)
            iteration = _last_iteration(tmp_path / "out" / "log")
            when = "early" if 100 <= iteration < 200 else "late" if 900 <= iteration < 1000 else None
            if when:
                memory[when].append(_resident(process.pid))
                files[when].append(len(os.listdir(f"/proc/{process.pid}/fd")))
    assert process.returncode == 0
    early, late = (statistics.median(memory[when]) for when in ("early", "late"))
    print(f"resident memory: {early / 1e6:.1f} MB early, {late / 1e6:.1f} MB late, {late / early:.4f}")
    print(f"open files: {statistics.median(files['early'])} early, {statistics.median(files['late'])} late")
    assert late < 1.05 * early
    # Matplotlib keeps the fonts of a figure open, two files for each: the first samples may come late
    assert statistics.median(files["late"]) <= statistics.median(files["early"]) + 4


def _last_iteration(log):
    return json.loads(log.read_text())[-1]["iteration"] if log.exists() else 0


def _resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
