"""The results folder: what a run leaves beside its log, snapshots and figures."""

import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from starvox.errors import UserError

_PACKAGES = ("starvox", "chainer", "numpy", "scipy", "librosa", "soundfile", "cupy-cuda12x", "cupy-cuda13x")


def check_free(folder: Path, overwrite: bool) -> None:
    """Refuses to put a new run where something is, unless that is a run and may go.

    Raises:
        UserError: if a run, or anything else, is in the way.
    """
    if is_run(folder) and not overwrite:
        raise UserError(
            f"{folder} holds a run already; go on with it by `make resume`, "
            "or start anew with ARGS=--overwrite, or choose another OUT="
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


def write(folder: Path, name: str, text: str) -> None:
    """Writes a small file; it appears whole or not at all."""
    temporary = folder / f".{name}.tmp"
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, folder / name)


def check_same(folder: Path, name: str, text: str, what: str) -> None:
    """Refuses to resume a run with something else than it was started with.

    Raises:
        UserError: if the file ``name`` of the run is missing or holds other text.
    """
    path = folder / name
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        raise UserError(
            f"{path}: {what} is not what this run was started with; restore it, or start anew in another OUT="
        )


def recorded_data(folder: Path) -> tuple[Path, Path | None]:
    """Returns the manifests (of the training and of the held-out clips) that a run was started with."""
    values = read_environment(folder)
    return Path(values["data"]), Path(values["held_out"]) if values["held_out"] else None


def read_environment(folder: Path) -> dict:
    """Returns what `environment` wrote.

    Raises:
        UserError: if the folder holds no run.
    """
    path = folder / "environment.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(
            f"{path}: missing or damaged: there is no run to go on with; start with `make train`"
        ) from None


def environment(device: str, seed: int, data: Path, held_out: Path | None) -> str:
    """Returns the JSON text of ``environment.json``: what the run was made with."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    values = {
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "device": device,
        "packages": found,
        "git_commit": _git_commit(),
        "seed": seed,
        "data": str(data),
        "held_out": held_out and str(held_out),
    }
    return json.dumps(values, indent=2) + "\n"


def _git_commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
