"""A check that cannot run fails; what it measures is what the CPU computes."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from starvox import load_experiment
from starvox.device import find_device

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_gpu.py"


def test_without_a_device_it_fails_and_writes_nothing(tmp_path):
    command = [sys.executable, str(SCRIPT), "--out", str(tmp_path / "out")]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("check_gpu: no GPU for cuda:0: ")
    assert not (tmp_path / "out").exists()


@pytest.mark.gpu
def test_the_report(cupy):
    script = runpy.run_path(str(SCRIPT))
    # its tests would run this one
    script["run_tests"].__globals__["run_tests"] = lambda: (False, "3 skipped")
    good, report = script["check"](load_experiment("smoke"), find_device("cuda:0"), iterations=1)
    assert not good  # for the tests that did not run
    assert "- tests for a GPU: 3 skipped\n- losses of the first iteration: at most " in report
    for row in ("| kernel by kernel | 0.", "| CUDA graphs | 0.", "| gen/loss | "):
        assert row in report
    assert "not replayed any more" not in report
