"""The list of a corpus's clips and their labels."""

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from starvox.errors import UserError
from starvox.files import read_text

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
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    clips: dict[Path, Clip] = {}
    lines: dict[Path, int] = {}
    try:
        header = _check_header([cell.strip() for cell in next(reader, [])])
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            clip = _parse(header, row, path.parent)
            if clip.path in clips:
                raise ValueError(
                    f"{str(clip.path)!r} is already on line {lines[clip.path]}; remove one of them"
                )
            clips[clip.path], lines[clip.path] = clip, reader.line_num
    except csv.Error as error:
        raise UserError(f"{path}: line {reader.line_num}: {error}; look for an unpaired quote") from None
    except ValueError as error:
        raise UserError(f"{path}: line {max(1, reader.line_num)}: {error}") from None
    if not clips:
        raise UserError(f"{path}: it lists no clips; add a line for each below the header")
    return list(clips.values())


def _read_text(path: Path) -> str:
    try:
        text = read_text(path).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except (OSError, ValueError) as error:  # ValueError: what can be no file's name
        reason = getattr(error, "strerror", None) or error
        raise UserError(f"{path}: {reason}; give the path of a manifest (CSV)") from None
    if "\0" in text:
        line = len(re.findall(r"\r\n?|\n", text[: text.index("\0")])) + 1
        raise UserError(f"{path}: line {line}: a NUL character; save it as plain UTF-8 text")
    return text


def _check_header(header: list[str]) -> list[str]:
    if len(header) == 1 and ";" in header[0]:
        raise ValueError(f"the cells are separated by semicolons; save it with commas: {','.join(COLUMNS)}")
    if sorted(header) != sorted(COLUMNS):
        wrong = [f"{name[:40]!r} is unknown" for name in header if name not in COLUMNS][:3]
        wrong += [f"{name} is missing" for name in COLUMNS if name not in header]
        wrong += [f"{name} is there twice" for name in COLUMNS if header.count(name) > 1]
        raise ValueError(f"the header must be {','.join(COLUMNS)}: {', '.join(wrong)}")
    return header


def _parse(header: list[str], row: list[str], folder: Path) -> Clip:
    if len(row) != len(header):
        raise ValueError(f"{len(row)} cells, expected {len(header)}: {','.join(header)}")
    cells = {name: cell.strip() or None for name, cell in zip(header, row, strict=True)}
    if cells["path"] is None:
        raise ValueError("the path is empty; give one or remove the line")
    labels = {name: cell and normalize("NFC", cell) for name, cell in cells.items()}
    return Clip(**{**labels, "path": folder / cells["path"]})
