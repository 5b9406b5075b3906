"""What a run was configured with, next to its experiment and that one's parents."""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from starvox.config import Experiment, experiment_folder, load_experiment
from starvox.errors import UserError
from starvox.replay.report.values import flatten, read_object


class RunConfig(NamedTuple):
    """The ``config.json`` of a run: the experiment's id and title, and dotted key -> value."""

    id: str
    title: str
    values: dict[str, Any]


class Ancestor(NamedTuple):
    """An experiment of ``experiments/``: its values now, and its README if it has one."""

    exp: Experiment
    readme: str | None


def read_run(folder: Path) -> RunConfig:
    """Reads ``config.json`` as it is, also one that today's code would refuse.

    Raises:
        UserError: if the folder is not a run, or its ``config.json`` is damaged.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"{folder} is no results folder: it has no config.json; train first")
    values = flatten(read_object(path))
    name = str(values.pop("id", folder.name))
    return RunConfig(name, str(values.pop("title", name)), values)


def ancestors(name: str) -> list[Ancestor]:
    """Returns the experiment with this id, its parent and so on; none if it is not in ``experiments/``."""
    found, folder = [], experiment_folder(name)
    while folder:
        try:
            exp = load_experiment(folder)
        except UserError:  # it does not fit today's code
            break
        readme = folder / "README.md"
        text = readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else None
        found.append(Ancestor(exp, text))
        parent = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8")).get("extends", "")
        beside = folder.parent / parent
        folder = beside if parent and beside.is_dir() else experiment_folder(parent)
    return found


def differences(run: dict[str, Any], other: Experiment) -> list[tuple[str, Any, Any]]:
    """Returns key, value of the run, value of the experiment, where they differ."""
    theirs = other.flatten()
    theirs.pop("title")
    keys = dict.fromkeys([*run, *theirs])
    return [(key, run.get(key), theirs.get(key)) for key in keys if run.get(key) != theirs.get(key)]
