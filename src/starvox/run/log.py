"""The log of a run, as arrays."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starvox.errors import UserError
from starvox.files import read_text

COUNTS = ("epoch", "iteration", "elapsed_time")
LOSSES = (
    "dis/wasserstein",
    "dis/gradient_penalty",
    "dis/classification",
    "dis/loss",
    "gen/adversarial",
    "gen/classification",
    "gen/reconstruction",
    "gen/identity",
    "gen/feature_matching",
    "gen/loss",
)
LOG_KEYS = (*COUNTS, *LOSSES)

MAX_KEYS = 1000  # every key gets a value for every entry
MIN_VALUE, MAX_VALUE = 1e-45, 3.5e38  # about what float32 holds; matplotlib fails far beyond


def read_log(path: str | Path) -> dict[str, NDArray[np.float64]]:
    """Reads the log that Chainer's LogReport writes.

    Args:
        path: the log, or the results folder that holds it under the name ``log``.

    Returns:
        dict: key -> values (ndarray of shape (entries,), float64), NaN where an
        entry lacks the key. Holds every key of `LOG_KEYS` and any other the log
        has. ``elapsed_time`` is in seconds; the losses have no unit and are
        logged before their weight.

    Raises:
        UserError: if there is no such file, it is not a log, or it has no entry.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "log"
    not_a_log = (
        f"{path}: not a log; give the file that LogReport writes, a JSON list of entries with `iteration`"
    )
    try:
        entries = json.loads(read_text(path, errors="replace"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such log; give a results folder, or the file `log` in it") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give a results folder, or the file `log` in it") from None
    except (ValueError, RecursionError):  # no JSON, a number of thousands of digits, lists in lists in lists
        raise UserError(not_a_log) from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UserError(not_a_log)
    if not entries:
        raise UserError(f"{path}: no entry yet; wait for the first report of training")
    keys = dict.fromkeys([*LOG_KEYS, *(key for entry in entries for key in entry)])
    if len(keys) > MAX_KEYS:
        raise UserError(not_a_log)
    log = {key: np.array([_number(entry.get(key)) for entry in entries]) for key in keys}
    if not np.isfinite(log["iteration"]).all():
        raise UserError(not_a_log)
    return log


def count_logged(path: str | Path) -> int:
    """Returns the last iteration of a log, or 0 where `read_log` finds none."""
    try:
        return int(read_log(path)["iteration"][-1])
    except UserError:
        return 0


def _number(value: Any) -> float:
    """Returns a number as a training could have logged it: what float32 cannot hold is infinite, or 0."""
    if not isinstance(value, int | float):
        return np.nan
    if abs(value) > MAX_VALUE:  # false for NaN
        return np.inf if value > 0 else -np.inf
    return 0.0 if abs(value) < MIN_VALUE else float(value)
