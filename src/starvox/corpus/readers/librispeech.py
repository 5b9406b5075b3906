"""LibriSpeech: audio books in English, read by volunteers."""

from pathlib import Path

from starvox.corpus.manifest import Clip
from starvox.corpus.readers.layout import Reading, finish, lines, malformed, not_told, require

_LAYOUT = "DIR/SPEAKERS.TXT with DIR/train-clean-100/19/198/19-198-0000.flac (subset/speaker/chapter)"


def read_librispeech(root: str | Path) -> Reading:
    """Reads every subset that is unpacked in the folder.

    The corpus does not tell where its speakers come from: birthplace stays empty.

    Raises:
        UserError: if the folder is not laid out so, or a line is malformed.
    """
    root = Path(root)
    table = require(root, ("SPEAKERS.TXT",), "LibriSpeech", _LAYOUT)
    sexes = _sexes(table)
    clips = []
    for path in root.glob("*/*/*/*.flac"):
        speaker = path.parent.parent.name
        clips.append(Clip(path, speaker, None, sexes.get(speaker)))
    return finish(root, clips, _LAYOUT, not_told({clip.speaker for clip in clips}, set(sexes), table))


def _sexes(table: Path) -> dict[str, str]:
    sexes = {}
    for number, line in lines(table):
        if line.startswith(";"):
            continue
        cells = [cell.strip() for cell in line.split("|", 4)]  # a reader's name may hold a "|"
        if len(cells) < 5 or cells[1] not in ("F", "M"):
            raise malformed(table, number, "ID | SEX (F or M) | SUBSET | MINUTES | NAME", line)
        sexes[cells[0]] = cells[1]
    return sexes
