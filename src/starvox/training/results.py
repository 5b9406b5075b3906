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

# what a run writes before its first iteration
_RECORDED = ("config.json", "labels.json", "environment.json", "rejected.csv", "clips.csv")
_PACKAGES = ("starvox", "chainer", "numpy", "scipy", "librosa", "soundfile", "cupy-cuda12x", "cupy-cuda13x")


def check_free(folder: Path, overwrite: bool) -> None:
    """Refuses to put a new run where something is, unless that is a run and may go.

    A run that was ended before its first iteration left nothing to keep, and is in nobody's way.
    A folder that has more in it, and no `environment.json` of a run, is never cleared.

    Raises:
        UserError: if a run, or anything else, is in the way.
    """
    if all(_is_recorded(path) for path in folder.iterdir()):
        return
    if not _is_run(folder):
        raise UserError(f"{folder} is not empty and not a run of starvox; choose another OUT=")
    if not overwrite:
        go_on = "go on with it by `make resume`, or " if snapshots.find(folder, snapshots.TRAINER) else ""
        raise UserError(
            f"{folder} holds a run already; {go_on}start anew with ARGS=--overwrite, or choose another OUT="
        )


def clear(folder: Path) -> None:
    """Removes an old run.

    Raises:
        UserError: if it cannot be removed.
    """
    # What makes it a run stays till the new one replaces it: a kill leaves no folder of unknown things.
    kept = (LOCK, "config.json", "environment.json")
    old = [path for path in folder.iterdir() if path.name not in kept]
    try:
        for path in old:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except OSError as error:
        raise UserError(
            f"{error.filename}: cannot be removed ({error.strerror}); choose another OUT="
        ) from None


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed training left half-written in its folder, which this process has locked."""
    files.remove_leftovers(folder)
    # what only the holder of the lock writes, though another process may have its killed writer's number
    for pattern in (".snapshot_iter_*.tmp", ".gen_iter_*.tmp", ".log.*.tmp"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    # what Chainer's own extensions leave, which wrote the snapshots and the log of earlier versions
    for pattern in ("tmpsnapshot_iter_*", "tmpgen_iter_*", "log????????"):
        for path in folder.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)


def _is_recorded(path: Path) -> bool:
    """Says whether a path in a results folder is of what is there before the first iteration."""
    named = path.name in (*_RECORDED, LOCK) or files.is_temporary(path)
    return named and path.is_file() and not path.is_symlink()


def _is_run(folder: Path) -> bool:
    """Says whether a training has been started in this folder."""
    try:
        return "corpus" in read_environment(folder)
    except UserError:
        return False


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
        UserError: if the folder holds no run, or a value in it is none that a run writes.
    """
    path = folder / "environment.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict) or not all(_is_right(name, values) for name in _RIGHT):
            raise ValueError
        return values
    except (OSError, ValueError, RecursionError):
        raise UserError(
            f"{path}: missing or damaged, so there is no run to go on with; start with `make train`"
        ) from None


def _is_right(name: str, values: dict) -> bool:
    """Says whether a value of ``environment.json`` is as it should be, or missing where it may be."""
    return _RIGHT[name](values[name]) if name in values else name in _LATER


def _is_count(value) -> bool:
    return type(value) is int and value > 0


def _is_path(value) -> bool:
    try:
        return isinstance(value, str) and b"\0" not in os.fsencode(value)
    except UnicodeEncodeError:  # JSON can hold what is no file's name
        return False


_RIGHT = {
    "seed": lambda value: type(value) is int and value >= 0,
    "data": _is_path,
    "held_out": lambda value: value is None or _is_path(value),
    "store": _is_path,
    "every": lambda value: isinstance(value, dict) and all(map(_is_count, value.values())),
    "processes": _is_count,
    "resumed": lambda value: isinstance(value, list),
}
_LATER = ("store", "every", "processes", "resumed")  # not in every run


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
