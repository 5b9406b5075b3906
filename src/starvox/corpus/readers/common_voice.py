"""Mozilla Common Voice: sentences read by volunteers, one folder a language."""

import csv
import re
from pathlib import Path

from starvox.corpus.manifest import Clip
from starvox.corpus.readers.layout import Reading, finish, lines, malformed, require

_LAYOUT = "DIR/validated.tsv with DIR/clips/common_voice_en_1.mp3 (one language's folder)"
# The other answers ("other", "non-binary", ...) are classes of too few speakers
# to be learned, and the record has two.
_SEXES = {"male": "M", "male_masculine": "M", "female": "F", "female_feminine": "F"}
# Commas separate accents, and also stand in the parentheses of one's name.
_FIRST_ACCENT = re.compile(r"(?:\([^)]*\)|[^,|(])+")


def read_common_voice(root: str | Path) -> Reading:
    """Reads the validated clips of any release with ``validated.tsv``.

    The birthplace is the accent that the speaker gave, the first of several.
    A speaker is named by the first 16 of the 128 digits of ``client_id``: two of
    all 128 would not fit into a file name.

    Raises:
        UserError: if the folder is not laid out so, or a line is malformed.
    """
    root = Path(root)
    table = require(root, "Common Voice", _LAYOUT, "validated.tsv")
    sounds = require(root, "Common Voice", _LAYOUT, "clips")
    there = {path.name for path in sounds.glob("*")}
    clips, absent = {}, 0
    text = (line.replace("\r", " ") for line in lines(table))
    rows = csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE)
    for row in rows:
        accents = "accents" if "accents" in row else "accent"  # the older name
        needed = {"client_id", "path", "gender", accents}
        if not needed <= row.keys() or None in (*row, *row.values()) or not row["path"]:
            cells = f"{', '.join(sorted(needed))} and the header's other cells, separated by tabs"
            raise malformed(table, rows.line_num, cells, "\t".join(map(str, row.values())))
        name = row["path"] if Path(row["path"]).suffix else f"{row['path']}.mp3"  # releases of 2019
        if name not in there:
            absent += 1
            continue
        first = _FIRST_ACCENT.match(row[accents])
        place = first[0].strip() if first else ""
        speaker = row["client_id"][:16]
        clips[name] = Clip(sounds / name, speaker or None, place or None, _SEXES.get(row["gender"]))
    notes = [f"{absent} clips of {table.name} are not in {sounds.name}/ and were left out"] if absent else []
    return finish(sounds, list(clips.values()), "the clips that validated.tsv names", notes)
