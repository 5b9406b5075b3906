"""The log of a run, as arrays."""

import json
from pathlib import Path

import numpy as np

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

_MOST_KEYS = 1000
_SMALLEST, _LARGEST = 1e-45, 3.5e38  # about what float32 holds; matplotlib fails far beyond


def read_log(path: str | Path) -> dict[str, np.ndarray]:
    """Reads the log that Chainer's LogReport writes.

    A file that ends early, as one still being copied does, gives the entries
    that are complete.

    Args:
        path: the log, or the results folder that holds it under the name ``log``.

    Returns:
        dict: key -> values (ndarray of shape (entries,), float64), NaN where an
        entry lacks the key. Holds every key of `LOG_KEYS` and any other the log
        has. ``elapsed_time`` is in seconds; the losses have no unit and are
        logged before their weight.

    Raises:
        UserError: if there is no such file, it is not a log, or it has no
            complete entry.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "log"
    entries = _complete_entries(_text(path), path)
    if not entries:
        raise UserError(f"{path}: no complete entry yet; wait for the first report of training")
    keys = dict.fromkeys([*LOG_KEYS, *(key for entry in entries for key in entry)])
    if len(keys) > _MOST_KEYS:  # every key would get a value for every entry
        raise _not_a_log(path)
    return {key: np.array([_number(entry.get(key)) for entry in entries]) for key in keys}


def count_logged(path: str | Path) -> int:
    """Returns the last iteration of a log, or 0 where `read_log` finds none."""
    try:
        return int(read_log(path)["iteration"][-1])
    except UserError:
        return 0


def _text(path: Path) -> str:
    try:
        return read_text(path, errors="replace")
    except FileNotFoundError:
        raise UserError(f"{path}: no such log; give a results folder, or the file `log` in it") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; give a results folder, or the file `log` in it") from None


def _complete_entries(text: str, path: Path) -> list[dict]:
    decoder, entries = json.JSONDecoder(), []
    rest = _skip(text, 0, " \t\r\n")
    if text[rest : rest + 1] not in ("[", ""):
        raise _not_a_log(path)
    while True:
        rest = _skip(text, rest, " \t\r\n[,")
        try:
            entry, rest = decoder.raw_decode(text, rest)
        except json.JSONDecodeError:  # the end of the list, or of a file cut short
            return entries
        except (ValueError, RecursionError):  # a number of thousands of digits, lists in lists in lists
            raise _not_a_log(path) from None
        if not isinstance(entry, dict) or not np.isfinite(_number(entry.get("iteration"))):
            raise _not_a_log(path)
        entries.append(entry)


def _skip(text: str, start: int, characters: str) -> int:
    while start < len(text) and text[start] in characters:
        start += 1
    return start


def _number(value) -> float:
    """Returns a number as a training could have logged it: what float32 cannot hold is infinite, or 0."""
    if not isinstance(value, int | float):
        return np.nan
    if abs(value) > _LARGEST:  # false for NaN
        return np.inf if value > 0 else -np.inf
    return 0.0 if abs(value) < _SMALLEST else float(value)


def _not_a_log(path: Path) -> UserError:
    return UserError(
        f"{path}: not a log; give the file that LogReport writes, a JSON list of entries with `iteration`"
    )
