"""Writing a manifest."""

import os
from collections.abc import Sequence
from pathlib import Path

from starvox.corpus.manifest import COLUMNS, Clip
from starvox.corpus.plain_csv import write_csv
from starvox.errors import UserError


def write_manifest(path: str | Path, clips: Sequence[Clip]) -> None:
    """Writes the list that `read_manifest` reads; it appears whole or not at all.

    A clip below the manifest's folder is listed relative to it, so that both
    can be moved together; any other by its absolute path.

    Raises:
        UserError: if it cannot be written, or a file's name is not UTF-8.
    """
    path = Path(path)
    folder = path.parent.resolve()
    rows = [[_place(clip.path, folder), *(label or "" for label in clip.labels.values())] for clip in clips]
    strange = next((row[0] for row in rows if not _is_utf8(row[0])), None)
    if strange:
        raise UserError(f"{strange}: its name is not UTF-8, which a manifest is; rename it")
    write_csv(path, COLUMNS, rows)


def _place(clip: Path, folder: Path) -> str:
    full = Path(os.path.abspath(clip))
    return (full.relative_to(folder) if full.is_relative_to(folder) else full).as_posix()


def _is_utf8(name: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in name)
