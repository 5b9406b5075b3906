"""The ladder's runs are trained where they are missing, resumed where they were stopped."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "ladder.py"
pytestmark = pytest.mark.long  # makes the default corpus


def log(folder, name):
    return json.loads((folder / "results/ladder" / name / "log").read_text())


def test_it_is_stopped_resumed_and_then_has_nothing_to_do(tmp_path):
    def start(iterations, *rungs):
        command = [sys.executable, str(SCRIPT), "--seeds", "0", "--iterations", iterations, *rungs]
        return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)

    first = start("500", "drawn", "sum")
    deadline = time.monotonic() + 200
    while len(list(tmp_path.glob("results/ladder/*/log"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    os.kill(first.pid, signal.SIGINT)
    assert "saving; the next call resumes" in first.communicate()[1]
    assert first.returncode == 130
    done = {name: log(tmp_path, name)[-1]["iteration"] for name in ("drawn-s0", "sum-s0")}
    assert max(done.values()) < 500

    end = str(max(done.values()) + 4)
    assert start(end, "drawn", "sum").wait() == 0
    text = (tmp_path / "results/ladder/drawn-s0.out").read_text()
    assert "resuming from iteration" in text
    for name in done:
        entries = [entry["iteration"] for entry in log(tmp_path, name)]
        assert entries == sorted(set(entries))
        assert entries[-1] == int(end)
    assert start(end, "drawn", "sum").wait() == 0
    assert (tmp_path / "results/ladder/drawn-s0.out").read_text() == text


def test_an_unknown_rung_lists_those_there_are():
    done = subprocess.run([sys.executable, str(SCRIPT), "up"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no rung up; there are: conditional, deeper, drawn, instance" in done.stderr
