"""Nested values, as they stand in a JSON file -> tables."""

import json
from pathlib import Path
from typing import Any

from starvox.errors import UserError
from starvox.replay.report.html import Html, join, table, tag

_DEEPEST = 20  # objects in objects, in what this package writes: four


def read_object(path: Path) -> dict[str, Any]:
    """Reads a JSON object.

    Raises:
        UserError: if the file holds anything else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        values = None
    if not isinstance(values, dict) or _is_deep(values, _DEEPEST):
        raise UserError(f"{path}: damaged: it holds no JSON object of starvox's; remove it, or restore it")
    return values


def show(value: Any) -> str:
    """Returns a single value as a person reads it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(map(show, value))
    return str(value)


def tree(values: dict[str, Any], level: int = 3) -> Html:
    """Returns tables of nested values.

    Single values make one table; entries that are alike (objects with the same
    keys) make one with a row each; what is left follows under headings.

    Args:
        values: of a JSON object.
        level: of the headings.
    """
    nested = {key: value for key, value in values.items() if _nested(value)}
    if nested and len(values) > 1 and (rows := _alike(values)):
        return rows
    single = [(words(key), show(value)) for key, value in values.items() if key not in nested]
    below = [
        tag("div", tag(f"h{min(6, level)}", words(key)), tree(_named(value), level + 1))
        for key, value in nested.items()
    ]
    parts = [table((), single)] if single else []
    return join(*parts, tag("div", *below, class_="tree")) if below else join(*parts)


def flatten(values: dict, prefix: str = "") -> dict[str, Any]:
    """Returns dotted key -> value."""
    flat = {}
    for key, value in values.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def words(key: str) -> str:
    """Returns a key of a JSON file as words."""
    return key.replace("_", " ")


def _alike(values: dict) -> Html | None:
    """Returns one table of entries with the same keys (or null), or None if they are not so."""
    if not all(isinstance(value, dict | None) for value in values.values()):
        return None
    if len({tuple(value) for value in values.values() if value is not None}) != 1:
        return None
    rows = {key: flatten(value or {}) for key, value in values.items()}
    columns = list(dict.fromkeys(name for row in rows.values() for name in row))
    # One row may have null where another has an object: dashes in the object's columns.
    whole = {name for name in columns if any(other.startswith(f"{name}.") for other in columns)}
    columns = [name for name in columns if name not in whole]
    if len(columns) > _WIDEST or any(row.get(name) is not None for row in rows.values() for name in whole):
        return None
    header = ("", *(words(name).replace(".", ", ") for name in columns))
    return table(
        header, [(words(key), *(show(row.get(name)) for name in columns)) for key, row in rows.items()]
    )


_WIDEST = 8  # columns that are readable side by side


def _named(value: dict | list) -> dict:
    return value if isinstance(value, dict) else {str(i): item for i, item in enumerate(value, 1)}


def _nested(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(map(_nested, value)))


def _is_deep(value: Any, levels: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return not levels or any(_is_deep(child, levels - 1) for child in children)
