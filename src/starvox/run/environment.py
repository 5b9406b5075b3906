"""``environment.json``: what a run is made of, and with what."""

import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_PACKAGES = ("starvox", "chainer", "numpy", "scipy", "librosa", "soundfile", "cupy-cuda12x", "cupy-cuda13x")


def _check_path(value: Any) -> str:
    # not str: pydantic refuses names that are no UTF-8, and os.fsencode what can be no file's name
    if not isinstance(value, str) or b"\0" in os.fsencode(value):
        raise ValueError("not a path")
    return value


PathText = Annotated[Any, AfterValidator(_check_path)]
Count = Annotated[int, Field(gt=0)]


class Environment(BaseModel):
    """What a run recorded when it began, and each time it was resumed.

    Further keys say what it ran on (`machine`, and what a later version adds); they are kept.

    Attributes:
        seed: of everything random.
        data: manifest of the training clips.
        held_out: manifest of the clips to sample, if there is one.
        corpus: `Corpus.fingerprint`.
        store: where decoded clips are kept; a kept run does not say.
        every: name -> iterations, as `starvox.training.assemble.Intervals`.
        processes: how many train together.
        asked_device: ``auto``, ``cpu`` or ``cuda:N``.
        cuda_graph, tf32: whether they were asked for.
        resumed: a `machine` for each time.
    """

    model_config = ConfigDict(strict=True, extra="allow")

    seed: Annotated[int, Field(ge=0)]
    data: PathText
    held_out: PathText | None = None
    corpus: str | None = None
    store: PathText | None = None
    every: dict[str, Count] = {}
    processes: Count = 1
    asked_device: str = "auto"
    cuda_graph: bool = False
    tf32: bool = False
    resumed: list[Any] = []


def machine(device: str) -> dict[str, Any]:
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
