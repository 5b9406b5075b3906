"""LibriSpeech: audio books in English, read by volunteers."""

from pathlib import Path

from starvox.corpus.readers.layout import SEXES, Reading, label, require

_LAYOUT = "DIR/SPEAKERS.TXT with DIR/train-clean-100/19/198/19-198-0000.flac (subset/speaker/chapter)"


def read_librispeech(root: str | Path) -> Reading:
    """Reads every subset that is unpacked in the folder.

    The corpus does not tell where its speakers come from: birthplace stays empty.

    Raises:
        UserError: if the folder is not laid out so, or a line is malformed.
    """
    root = Path(root)
    table = require(root, "LibriSpeech", _LAYOUT, "SPEAKERS.TXT")
    sounds = [(path, path.parts[-3]) for path in root.glob("*/*/*/*.flac")]
    return label(sounds, table, _parse, "ID | SEX (F or M) | SUBSET | MINUTES | NAME", _LAYOUT)


def _parse(line: str) -> tuple[str, str | None, str] | None:
    if line.startswith(";"):
        return None
    speaker, sex, _, _, _ = line.split("|", 4)  # a reader's name may hold a "|"
    return (speaker.strip(), None, SEXES[sex.strip()])
