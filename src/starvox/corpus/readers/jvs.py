"""JVS: a hundred professional speakers of Japanese."""

from pathlib import Path

from starvox.corpus.readers.layout import SEXES, Reading, label, require

_LAYOUT = (
    "DIR/gender_f0range.txt with DIR/jvs001/parallel100/wav24kHz16bit/VOICEACTRESS100_001.wav "
    "(and nonpara30, whisper10, falset10)"
)
_OTHER = ("whisper10", "falset10")


def read_jvs(root: str | Path, all_styles: bool = False) -> Reading:
    """Reads the corpus.

    It does not tell where its speakers come from: birthplace stays empty.

    Args:
        root: the folder ``jvs_ver1``.
        all_styles: also take the whispered and the falsetto clips. By default
            they are left out: a whisper has no pitch and a falsetto has another
            one, so that the labels of speaker and sex would name two voices.

    Raises:
        UserError: if the folder is not laid out so, or a line is malformed.
    """
    root = Path(root)
    table = require(root, "JVS", _LAYOUT, "gender_f0range.txt")
    paths = root.glob("jvs*/*/wav24kHz16bit/*.wav")
    sounds = [(path, path.parts[-4]) for path in paths if all_styles or path.parts[-3] not in _OTHER]
    return label(sounds, table, _parse, "speaker, F or M, lowest and highest f0 in Hz", _LAYOUT)


def _parse(line: str) -> tuple[str, str | None, str] | None:
    speaker, sex, *_ = line.split()
    return None if speaker == "speaker" else (speaker, None, SEXES[sex])
