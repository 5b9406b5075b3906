"""The results folder: what a run leaves beside its log, snapshots and figures."""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from starvox import snapshots
from starvox.errors import UserError
from starvox.files import write_text

_PACKAGES = ("starvox", "chainer", "numpy", "scipy", "librosa", "soundfile", "cupy-cuda12x", "cupy-cuda13x")


def check_free(folder: Path, overwrite: bool) -> None:
    """Refuses to put a new run where something is, unless that is a run and may go.

    Raises:
        UserError: if a run, or anything else, is in the way.
    """
    if is_run(folder) and not overwrite:
        go_on = "go on with it by `make resume`, or " if snapshots.find(folder, snapshots.TRAINER) else ""
        raise UserError(
            f"{folder} holds a run already; {go_on}start anew with ARGS=--overwrite, or choose another OUT="
        )
    if not is_run(folder) and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is not empty and not a run of starvox; choose another OUT=")


def make(folder: Path) -> None:
    """Makes the folder of a new run, without what was left of an old one.

    Raises:
        UserError: if it cannot be made.
    """
    try:
        if is_run(folder):
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot be made ({error.strerror}); choose another OUT=") from None


def is_run(folder: Path) -> bool:
    """Says whether a training has been started in this folder."""
    return (folder / "config.json").is_file()


def check_same(folder: Path, name: str, same: bool, what: str) -> None:
    """Refuses to resume a run with something else than it was started with.

    Raises:
        UserError: unless ``same``; it names ``name``, the run's own record of ``what``.
    """
    if not same:
        raise UserError(
            f"{folder / name}: {what} is not what this run was started with; "
            "restore it, or start anew in another OUT="
        )


def read_environment(folder: Path) -> dict:
    """Returns ``environment.json``.

    Raises:
        UserError: if the folder holds no run.
    """
    path = folder / "environment.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(
            f"{path}: missing or damaged, so there is no run to go on with; start with `make train`"
        ) from None


def write_environment(folder: Path, values: dict) -> None:
    """Writes ``environment.json``: what a run is made of, and with what."""
    write_text(folder / "environment.json", json.dumps(values, indent=2) + "\n")


def machine(device: str) -> dict:
    """Returns what this process runs on: versions, device, commit; no environment variables."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "device": device,
        "packages": found,
        "git_commit": _git_commit(),
    }


def _git_commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
