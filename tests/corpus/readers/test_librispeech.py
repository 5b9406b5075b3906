import pytest

from starvox.corpus.readers import read_librispeech

SPEAKERS = (
    "; Some pipe(|) separated metadata about the readers\n"
    ";ID  |SEX| SUBSET           |MINUTES| NAME\n"
    "19   | F | train-clean-100  | 25.19 | A. Reader\n"
    "60   | M | train-clean-100  | 20.18 | |AB|Reader\n"  # as one of the real names
)


def test_librispeech(unpack, rows):
    stems = [f"train-clean-100/{speaker}/198/{speaker}-198" for speaker in (19, 60, 77)]
    files = [stem + end for stem in stems for end in (".trans.txt", "-0001.flac", "-0000.flac")]
    reading = read_librispeech(unpack(*files, texts={"SPEAKERS.TXT": SPEAKERS}))
    assert rows(reading) == [
        (f"train-clean-100/{speaker}/198/{speaker}-198-000{number}.flac", speaker, None, sex)
        for speaker, sex in (("19", "F"), ("60", "M"), ("77", None))
        for number in (0, 1)
    ]
    assert reading.notes == ["not in SPEAKERS.TXT, so labelled with the speaker only: 77"]


@pytest.mark.parametrize("line", ["20 | F | dev-clean | 8.02", "20 | X | dev-clean | 8.02 | B. Reader"])
def test_a_malformed_line(line, unpack, complaint):
    root = unpack(texts={"SPEAKERS.TXT": SPEAKERS + line + "\n"})
    assert complaint(read_librispeech, root).startswith(
        f"{root}/SPEAKERS.TXT:5: expected ID | SEX (F or M) | SUBSET | MINUTES | NAME, got '20 "
    )
