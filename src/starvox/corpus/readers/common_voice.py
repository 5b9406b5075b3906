"""Mozilla Common Voice: sentences read by volunteers, one folder a language."""

import re
from pathlib import Path

from starvox.corpus.manifest import Clip
from starvox.corpus.readers.layout import Reading, finish, lines, malformed, require
from starvox.errors import UserError

_LAYOUT = "DIR/validated.tsv with DIR/clips/common_voice_en_1.mp3 (one language's folder)"
# The other answers ("other", "non-binary", ...) are classes of too few speakers
# to be learned, and the record has two.
_SEXES = {"male": "M", "male_masculine": "M", "female": "F", "female_feminine": "F"}
# Commas separate accents, and also stand in the parentheses of one's name.
_FIRST_ACCENT = re.compile(r"(?:\([^)]*\)|[^,|(])+")


def read_common_voice(root: str | Path) -> Reading:
    """Reads the validated clips of any release with ``validated.tsv``.

    The birthplace is the accent that the speaker gave, the first of several.
    A speaker is named by as much of the beginning of ``client_id`` as tells all
    apart, 12 characters or more: two of all 128 would not fit into a file name.

    Raises:
        UserError: if the folder is not laid out so, or a line is malformed.
    """
    root = Path(root)
    table = require(root, ("validated.tsv",), "Common Voice", _LAYOUT)
    sounds = require(root, ("clips",), "Common Voice", _LAYOUT)
    there = {path.name for path in sounds.glob("*")}
    rows = _rows(table)
    names = _short_names({row["client_id"] for row in rows})
    clips = {row["path"]: _clip(row, sounds, names) for row in rows if row["path"] in there}
    absent = sum(row["path"] not in there for row in rows)
    notes = [f"{absent} clips of {table.name} are not in {sounds.name}/ and were left out"] if absent else []
    return finish(sounds, list(clips.values()), "the clips that validated.tsv names", notes)


def _rows(table: Path) -> list[dict[str, str]]:
    """Returns the cells client_id, path, gender and accent of every line."""
    rows = lines(table)
    header = next(rows, (1, ""))[1].split("\t")
    columns = {name: name for name in ("client_id", "path", "gender")}
    columns["accent"] = "accents" if "accents" in header else "accent"  # the older name
    missing = [name for name in columns.values() if name not in header]
    if missing:
        raise UserError(
            f"{table}:1: the header lacks {', '.join(missing)}; expected Common Voice's {_LAYOUT}"
        )
    places = {name: header.index(column) for name, column in columns.items()}
    found = []
    for number, line in rows:
        cells = line.split("\t")  # not csv: a quote in a sentence means nothing
        if len(cells) != len(header):
            raise malformed(table, number, f"{len(header)} cells separated by tabs", line)
        row = {name: cells[place].strip() for name, place in places.items()}
        if not row["path"]:
            raise malformed(table, number, "the name of a clip in the column path", line)
        if not Path(row["path"]).suffix:  # releases of 2019
            row["path"] += ".mp3"
        found.append(row)
    return found


def _clip(row: dict[str, str], sounds: Path, names: dict[str, str]) -> Clip:
    accent = _FIRST_ACCENT.match(row["accent"])
    return Clip(
        sounds / row["path"],
        names[row["client_id"]] or None,
        (accent[0].strip() or None) if accent else None,
        _SEXES.get(row["gender"]),
    )


def _short_names(ids: set[str]) -> dict[str, str]:
    length = 12
    while len({name[:length] for name in ids}) < len(ids):
        length += 4
    return {name: name[:length] for name in ids}
