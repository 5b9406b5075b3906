"""The list of a corpus's clips and their labels."""

import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from pathlib import Path
from types import SimpleNamespace
from unicodedata import normalize

from starvox.errors import UserError
from starvox.files import read_text, replacing

COLUMNS = ("path", "speaker", "birthplace", "sex")


@dataclass(frozen=True)
class Clip:
    """A sound file and its labels; None where a group is not labelled."""

    path: Path
    speaker: str | None
    birthplace: str | None
    sex: str | None

    @property
    def labels(self) -> dict[str, str | None]:
        """Group -> label, as `LabelEncoder.input` takes them."""
        return {"speaker": self.speaker, "birthplace": self.birthplace, "sex": self.sex}


def read_manifest(path: str | Path) -> list[Clip]:
    """Reads a UTF-8 CSV file with the columns path, speaker, birthplace and sex.

    The columns stand in any order. Cells are stripped; an empty cell means that
    the group is not labelled, and an empty line means nothing. Labels come out in
    Unicode's NFC, so that one name written in two ways is one class. A relative path
    starts at the manifest's folder. Whether the sound files exist is not asked.

    Returns:
        list of Clip, at least one, in the order of the file.

    Raises:
        UserError: if the file cannot be read or is no such list.
    """
    path = Path(path)
    clips: dict[Path, Clip] = {}
    lines: dict[Path, int] = {}
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if sorted(header) != sorted(COLUMNS):
            got = ",".join(header)[:80]
            raise ValueError(f"the header must be {','.join(COLUMNS)}, separated by commas; got {got!r}")
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells, expected {len(header)}: {','.join(header)}")
            named = dict(zip(header, cells, strict=True))
            if not named["path"]:
                raise ValueError("the path is empty; give one or remove the line")
            place = path.parent / named["path"]
            if place in clips:
                raise ValueError(f"{str(place)!r} is already on line {lines[place]}; remove one of them")
            clips[place] = Clip(place, *(normalize("NFC", named[group]) or None for group in COLUMNS[1:]))
            lines[place] = reader.line_num
    except csv.Error as error:
        raise UserError(f"{path}: line {reader.line_num}: {error}; look for an unpaired quote") from None
    except ValueError as error:
        raise UserError(f"{path}: line {max(1, reader.line_num)}: {error}") from None
    if not clips:
        raise UserError(f"{path}: it lists no clips; add a line for each below the header")
    return list(clips.values())


def write_manifest(path: str | Path, clips: Sequence[Clip]) -> None:
    """Writes the list that `read_manifest` reads; it appears whole or not at all.

    A clip below the manifest's folder is listed relative to it, so that both
    can be moved together; any other by its absolute path.

    Raises:
        UserError: if it cannot be written.
    """
    folder = Path(path).parent.resolve()
    rows = []
    for clip in clips:
        place = Path(os.path.abspath(clip.path))
        place = place.relative_to(folder) if place.is_relative_to(folder) else place
        rows.append([place.as_posix(), *(label or "" for label in clip.labels.values())])
    write_csv(path, COLUMNS, rows)


def hold_out(clips: Sequence[Clip], share: Fraction) -> tuple[list[Clip], list[Clip]]:
    """Splits clips into those to train on and those held out.

    Within each speaker, in the order given: with a share of 1/10, every tenth.
    So every speaker with a clip held out has others to train on, and a corpus
    that grows at its end keeps its split.

    Args:
        clips: sorted.
        share: of a speaker's clips, between 0 and 1.

    Raises:
        UserError: if no speaker has enough clips for one to be held out.
    """
    seen: Counter[str | None] = Counter()
    parts: tuple[list[Clip], list[Clip]] = [], []
    for clip in clips:
        number = seen[clip.speaker]
        held_out = floor((number + 1) * share) > floor(number * share)
        parts[held_out].append(clip)
        seen[clip.speaker] += 1
    if not parts[1]:
        raise UserError(
            f"no speaker has more than {max(seen.values())} clips, too few to hold out a share of "
            f"{float(share):g}; give a larger --held-out-share"
        )
    return parts


def _read_text(path: Path) -> str:
    try:
        text = read_text(path).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: what can be no file's name
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: {reason}; give the path of a manifest (CSV)") from None
    if "\0" in text:
        raise UserError(f"{path}: a NUL character in it; save it as plain UTF-8 text")
    return text


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
