"""The CSTR VCTK corpus: English of many accents, read at 48 kHz."""

from pathlib import Path

from starvox.corpus.manifest import Clip
from starvox.corpus.readers.layout import Reading, finish, lines, malformed, not_told, require

_LAYOUT = (
    "DIR/speaker-info.txt with DIR/wav48/p225/p225_001.wav (0.80) "
    "or DIR/wav48_silence_trimmed/p225/p225_001_mic1.flac (0.92)"
)
_SEXES = {"F": "F", "M": "M", "FEMALE": "F", "MALE": "M"}


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
    info = require(root, ("speaker-info.txt",), "VCTK", _LAYOUT)
    sounds = require(root, ("wav48_silence_trimmed", "wav48"), "VCTK", _LAYOUT)
    told = _speakers(info)
    clips = []
    for path in sounds.glob("*/*.*"):
        if path.suffix in (".wav", ".flac") and not path.stem.endswith("_mic2"):
            accent, sex = told.get(path.parent.name, (None, None))
            clips.append(Clip(path, path.parent.name, accent, sex))
    missing = not_told({clip.speaker for clip in clips}, set(told), info)
    return finish(sounds, clips, _LAYOUT, missing)


def _speakers(info: Path) -> dict[str, tuple[str | None, str]]:
    """Returns folder name -> accent, sex.

    Columns are separated by any number of spaces, as are the words within the
    region, so only the columns before it can be told apart. 0.80 leaves out the
    ``p`` of the folder's name; 0.92 adds comments in parentheses.
    """
    speakers = {}
    for number, line in lines(info):
        cells = line.partition("(")[0].split()
        if cells and cells[0].upper() == "ID":
            continue
        sex = _SEXES.get(cells[2].upper()) if len(cells) > 2 else None
        if sex is None:
            raise malformed(info, number, "ID  AGE  GENDER (F or M)  ACCENTS  REGION", line)
        name = f"p{cells[0]}" if cells[0].isdigit() else cells[0]
        accent = cells[3] if len(cells) > 3 and cells[3] != "Unknown" else None
        speakers[name] = accent, sex
    return speakers
