"""Starting several processes: who shares the cores, and what is said without MPI."""

import os
import sys

import pytest

from starvox import launch
from starvox.cli import main


def test_the_processes_share_the_cores():
    threads = launch._environment(2, {"PATH": "/bin", "OPENBLAS_NUM_THREADS": "3"})
    assert threads["PATH"] == "/bin"
    assert threads["OPENBLAS_NUM_THREADS"] == "3"  # the user's word
    assert threads["NUMBA_NUM_THREADS"] == str(max(1, launch.count_cores() // 2))


def test_more_processes_than_cores_have_a_thread_each():
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


@pytest.mark.parametrize("value", ["0", "two"])
def test_the_number_is_checked(value, capsys):
    with pytest.raises(SystemExit):
        main(["train", "smoke", "--np", value])
    assert "--np" in capsys.readouterr().err
