"""Writing a manifest."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path

from starvox.corpus.manifest import COLUMNS, Clip
from starvox.files import replacing


def write_manifest(path: str | Path, clips: Sequence[Clip]) -> None:
    """Writes the list that `read_manifest` reads; it appears whole or not at all.

    A clip below the manifest's folder is listed relative to it, so that both
    can be moved together; any other by its absolute path.

    Raises:
        UserError: if it cannot be written.
    """
    path = Path(path)
    folder = path.parent.resolve()
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        for clip in clips:
            rows.writerow([_place(clip.path, folder), *(label or "" for label in clip.labels.values())])


def _place(clip: Path, folder: Path) -> str:
    full = Path(os.path.abspath(clip))
    return (full.relative_to(folder) if full.is_relative_to(folder) else full).as_posix()
