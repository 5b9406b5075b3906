"""The clips that a run is made of, kept in its results folder, to name those that have changed."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from starvox.corpus.manifest import COLUMNS, Clip
from starvox.corpus.plain_csv import as_text, write_csv
from starvox.files import read_text


def write_clip_list(path: str | Path, clips: Sequence[Clip], keys: Sequence[str]) -> None:
    """Writes clips, their labels and the keys of their contents as UTF-8 CSV."""
    write_csv(path, [*COLUMNS, "content"], _rows(clips, keys))


def describe_difference(path: str | Path, clips: Sequence[Clip], keys: Sequence[str]) -> str:
    """Names the clips that differ from those in a list, by content and labels, not by place.

    Returns:
        str: a few words; also where the list cannot be read.
    """
    before, now = _read(path), _rows(clips, keys)
    if not before:
        return "its clips, their labels or their order"
    known, present = ({tuple(row[1:]) for row in rows} for rows in (before, now))
    gone = [row[0] for row in before if tuple(row[1:]) not in present]
    new = [row[0] for row in now if tuple(row[1:]) not in known]
    names = list(dict.fromkeys([*gone, *new]))
    if not names:
        return "the order or the number of its clips"
    more = f" and {len(names) - 1} more" if names[1:] else ""
    return f"its clip {names[0]}{more}: changed, added or left out"


def _rows(clips: Sequence[Clip], keys: Sequence[str]) -> list[list[str]]:
    return [
        [as_text(cell or "") for cell in (str(clip.path), *clip.labels.values(), key)]
        for clip, key in zip(clips, keys, strict=True)
    ]


def _read(path: str | Path) -> list[list[str]]:
    try:
        text = io.StringIO(read_text(path, errors="surrogateescape"), newline="")
        return [row for row in csv.reader(text) if row][1:]
    except (OSError, csv.Error):
        return []
