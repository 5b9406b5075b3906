"""JVS: a hundred professional speakers of Japanese."""

from pathlib import Path

from starvox.corpus.manifest import Clip
from starvox.corpus.readers.layout import Reading, finish, lines, malformed, not_told, require

_LAYOUT = (
    "DIR/gender_f0range.txt with DIR/jvs001/parallel100/wav24kHz16bit/VOICEACTRESS100_001.wav "
    "(and nonpara30, whisper10, falset10)"
)
_NORMAL = ("parallel100", "nonpara30")
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
    table = require(root, ("gender_f0range.txt",), "JVS", _LAYOUT)
    sexes = _sexes(table)
    styles = _NORMAL + _OTHER if all_styles else _NORMAL
    clips = []
    for path in root.glob("jvs*/*/wav24kHz16bit/*.wav"):
        speaker, style = path.relative_to(root).parts[:2]
        if style in styles:
            clips.append(Clip(path, speaker, None, sexes.get(speaker)))
    return finish(root, clips, _LAYOUT, not_told({clip.speaker for clip in clips}, set(sexes), table))


def _sexes(table: Path) -> dict[str, str]:
    sexes = {}
    for number, line in lines(table):
        cells = line.split()
        if cells[0] == "speaker":  # the header
            continue
        if len(cells) < 2 or cells[1] not in ("F", "M"):
            raise malformed(table, number, "speaker, F or M, lowest and highest f0 in Hz", line)
        sexes[cells[0]] = cells[1]
    return sexes
