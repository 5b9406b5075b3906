"""Starting several processes: who shares the cores, and what is said without MPI."""

import os
import sys

from starvox import launch
from starvox.cli import main


def test_the_processes_share_the_cores():
    threads = launch._environment(2, {"PATH": "/bin", "OPENBLAS_NUM_THREADS": "3"})
    assert threads["PATH"] == "/bin"
    assert threads["OPENBLAS_NUM_THREADS"] == "3"  # the user's word
    assert threads["NUMBA_NUM_THREADS"] == str(max(1, launch.count_cores() // 2))
    assert launch._environment(10_000, {})["OMP_NUM_THREADS"] == "1"


def test_without_mpi_it_says_how_to_install_it(monkeypatch, tmp_path, capsys):
    for name in launch._RANKS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    monkeypatch.setattr(sys, "executable", os.fspath(tmp_path / "python"))
    assert main(["train", "smoke", "--np", "2"]) == 2
    error = capsys.readouterr().err
    assert "2 processes need MPI, which is not installed; install it by" in error
    assert error.count("\n") == 1
