"""The results folder: what a run leaves beside its log, snapshots and figures."""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from starvox import files, snapshots
from starvox.errors import UserError
from starvox.training.lock import LOCK

_PACKAGES = ("starvox", "chainer", "numpy", "scipy", "librosa", "soundfile", "cupy-cuda12x", "cupy-cuda13x")


def check_free(folder: Path, overwrite: bool) -> None:
    """Refuses to put a new run where something is, unless that is a run and may go.

    A run that was ended before its first iteration left nothing to keep, and is in nobody's way.

    Raises:
        UserError: if a run, or anything else, is in the way.
    """
    begun = (folder / "log").exists() or snapshots.find(folder, snapshots.TRAINER)
    if is_run(folder) and begun and not overwrite:
        go_on = "go on with it by `make resume`, or " if snapshots.find(folder, snapshots.TRAINER) else ""
        raise UserError(
            f"{folder} holds a run already; {go_on}start anew with ARGS=--overwrite, or choose another OUT="
        )
    if not is_run(folder) and any(path.name != LOCK for path in folder.iterdir()):
        raise UserError(f"{folder} is not empty and not a run of starvox; choose another OUT=")


def clear(folder: Path) -> None:
    """Removes an old run.

    Raises:
        UserError: if it cannot be removed.
    """
    # What makes it a run stays till the new one replaces it: a kill leaves no folder of unknown things.
    old = [path for path in folder.iterdir() if path.name not in (LOCK, "config.json")]
    try:
        for path in old:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except OSError as error:
        raise UserError(
            f"{error.filename}: cannot be removed ({error.strerror}); choose another OUT="
        ) from None


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed training left half-written in its folder."""
    files.remove_leftovers(folder)
    # what Chainer's own extensions leave, which wrote the snapshots and the log of earlier versions
    for pattern in ("tmpsnapshot_iter_*", "tmpgen_iter_*", "log????????"):
        for path in folder.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)


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
        values = json.loads(path.read_text(encoding="utf-8"))
        if not {"seed", "data", "held_out"} <= dict(values).keys():
            raise ValueError
        return values
    except (OSError, ValueError, TypeError, RecursionError):
        raise UserError(
            f"{path}: missing or damaged, so there is no run to go on with; start with `make train`"
        ) from None


def write_environment(folder: Path, values: dict) -> None:
    """Writes ``environment.json``: what a run is made of, and with what."""
    files.write_text(folder / "environment.json", json.dumps(values, indent=2) + "\n")


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
