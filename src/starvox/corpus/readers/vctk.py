"""The CSTR VCTK corpus: English of many accents, read at 48 kHz."""

from pathlib import Path

from starvox.corpus.readers.layout import SEXES, Reading, label, require

_LAYOUT = (
    "DIR/speaker-info.txt with DIR/wav48/p225/p225_001.wav (0.80) "
    "or DIR/wav48_silence_trimmed/p225/p225_001_mic1.flac (0.92)"
)


def read_vctk(root: str | Path) -> Reading:
    """Reads version 0.80 or 0.92.

    The birthplace is the accent (English, Scottish, ...), of which a dozen are
    shared by several speakers each. The region in the column after it is not
    used: most regions have one speaker, so they would only repeat the speaker.

    Of 0.92's two microphones the first is taken: a second copy of every
    sentence would be no other speech.

    Raises:
        UserError: if the folder is not laid out so, or a line is malformed.
    """
    root = Path(root)
    table = require(root, "VCTK", _LAYOUT, "speaker-info.txt")
    paths = require(root, "VCTK", _LAYOUT, "wav48_silence_trimmed", "wav48").glob("*/*.*")
    kinds = (".wav", ".flac")
    sounds = [(p, p.parts[-2]) for p in paths if p.suffix in kinds and not p.stem.endswith("_mic2")]
    return label(sounds, table, _parse, "ID  AGE  GENDER (F or M)  ACCENTS  REGION", _LAYOUT)


def _parse(line: str) -> tuple[str, str | None, str] | None:
    """Reads a line of ``speaker-info.txt``.

    Columns are separated by any number of spaces, as are the words within the
    region, so only the columns before it can be told apart. 0.80 leaves out the
    ``p`` of the folder's name; 0.92 adds comments in parentheses.
    """
    cells = line.partition("(")[0].split()
    if cells and cells[0].upper() == "ID":
        return None
    name, _, sex, accent, *_ = [*cells, "Unknown"]
    name = f"p{name}" if name.isdigit() else name
    return (name, accent if accent != "Unknown" else None, SEXES[sex.upper()])
