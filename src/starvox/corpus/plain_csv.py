"""Writing CSV that every reader splits into the same rows, whatever is in a cell."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace

from starvox.files import replacing


def as_text(cell: str) -> str:
    """Returns a cell that no spreadsheet takes for a formula: with an apostrophe before it, if needed."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def write_csv(path: str | Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Writes UTF-8 CSV with lines that end in ``\\n``.

    Bytes of a file name that are no UTF-8 go out as they came in. The file
    appears whole or not at all.

    Raises:
        WriteError: if it cannot be written.
    """
    with (
        replacing(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as file,
    ):
        # Python quotes a cell with a lone "\r" only where "\r" ends the lines.
        ends = SimpleNamespace(write=lambda line: file.write(line.removesuffix("\r\n") + "\n"))
        writer = csv.writer(ends, lineterminator="\r\n")
        writer.writerow(header)
        writer.writerows(rows)
