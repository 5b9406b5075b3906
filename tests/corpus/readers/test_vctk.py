import pytest

from starvox.corpus.readers import read_vctk

# Columns as in the two releases, with what trips a reader: regions of several
# words, none, an accent of two words, comments, a name without "p".
INFO_080 = (
    "ID  AGE  GENDER  ACCENTS  REGION  \n"
    "225  23  F    English    Southern  England\n"
    "248  23  F    Indian  \n"
    "294  33  F    American  San  Francisco\n"
    "326  26  M    Australian  English  Sydney\n"
    "376  22  M    Indian\n"
)
INFO_092 = (
    "ID  AGE  GENDER  ACCENTS  REGION COMMENTS \n"
    "p225  23  F    English    Southern  England\n"
    "p280  25  F    Unknown    France  (mic2 files unavailable)\n"
    "p315  18  M    American  (Text files unavailable)\n"
    "s5  22  M  British  \n"
)


def wav48(*speakers):
    return [
        name
        for p in speakers
        for name in (f"wav48/{p}/{p}_001.wav", f"wav48/{p}/.DS_Store", f"txt/{p}/{p}_001.txt")
    ]


def test_080(unpack, rows):
    speakers = ("p225", "p248", "p280", "p294", "p326", "p376")
    reading = read_vctk(unpack(*wav48(*speakers), texts={"speaker-info.txt": INFO_080}))
    assert rows(reading) == [
        ("wav48/p225/p225_001.wav", "p225", "English", "F"),
        ("wav48/p248/p248_001.wav", "p248", "Indian", "F"),
        ("wav48/p280/p280_001.wav", "p280", None, None),  # not in the list of 0.80
        ("wav48/p294/p294_001.wav", "p294", "American", "F"),
        ("wav48/p326/p326_001.wav", "p326", "Australian", "M"),
        ("wav48/p376/p376_001.wav", "p376", "Indian", "M"),
    ]
    assert reading.notes == ["not in speaker-info.txt, so labelled with the speaker only: p280"]


def test_092_takes_the_first_microphone(unpack, rows):
    files = [
        f"wav48_silence_trimmed/{p}/{p}_001_mic{microphone}.flac"
        for p, microphones in (("p225", (1, 2)), ("p280", (1,)), ("p315", (1, 2)), ("s5", (1, 2)))
        for microphone in microphones
    ]
    root = unpack(*files, "wav48_silence_trimmed/log.txt", texts={"speaker-info.txt": INFO_092})
    reading = read_vctk(root)
    assert rows(reading) == [
        ("wav48_silence_trimmed/p225/p225_001_mic1.flac", "p225", "English", "F"),
        ("wav48_silence_trimmed/p280/p280_001_mic1.flac", "p280", None, "F"),
        ("wav48_silence_trimmed/p315/p315_001_mic1.flac", "p315", "American", "M"),
        ("wav48_silence_trimmed/s5/s5_001_mic1.flac", "s5", "British", "M"),
    ]
    assert reading.notes == []


def test_no_header_and_whole_words(unpack, rows):
    info = "225 23 female English  Southern England\r\n\r\n376 22 male\r\n"
    reading = read_vctk(unpack(*wav48("p225", "p376"), texts={"speaker-info.txt": info}))
    assert [row[1:] for row in rows(reading)] == [("p225", "English", "F"), ("p376", None, "M")]


def test_no_sound_files(unpack, complaint):
    root = unpack(texts={"speaker-info.txt": INFO_080})
    assert f"{root}: no wav48_silence_trimmed or wav48 in it" in complaint(read_vctk, root)
    unpack("wav48/readme")
    assert f"{root}: no sound files in it; expected DIR/" in complaint(read_vctk, root)


@pytest.mark.parametrize("line", ["377  22", "377  22  English  F", "377  F"])
def test_a_malformed_line(line, unpack, complaint):
    root = unpack(*wav48("p225"), texts={"speaker-info.txt": INFO_080 + line + "\n"})
    assert complaint(read_vctk, root) == (
        f"{root}/speaker-info.txt:7: expected ID  AGE  GENDER (F or M)  ACCENTS  REGION, "
        f"got {line!r}; mend or remove the line"
    )
