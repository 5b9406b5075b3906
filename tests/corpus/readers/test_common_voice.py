import pytest

from starvox.corpus.readers import read_common_voice

ANNA, ANN2, BEN = "a" * 128, "a" * 14 + "b" * 114, "c" * 128
OLD = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccent"
NEW = (
    "client_id\tpath\tsentence_id\tsentence\tsentence_domain\tup_votes\tdown_votes\t"
    "age\tgender\taccents\tvariant\tlocale\tsegment"
)
SOUTH_ASIA = "India and South Asia (India, Pakistan, Sri Lanka)"


@pytest.fixture
def make(unpack):
    """Makes a corpus of rows (client_id, path, gender, accent)."""

    def make(header, *rows):
        lines = [header]
        for client, path, gender, accent in rows:
            cells = {"client_id": client, "path": path, "gender": gender, "accent": accent, "accents": accent}
            # a lone quote and a line separator of Unicode, as sentences hold
            cells |= {"sentence": 'He said: "why\u2028not', "up_votes": "2"}
            lines.append("\t".join(cells.get(column, "") for column in header.split("\t")))
        clips = [f"clips/{row[1].removesuffix('.mp3')}.mp3" for row in rows]
        return unpack(*clips, texts={"validated.tsv": "\n".join(lines) + "\n"})

    return make


def test_of_2019(make, rows):
    root = make(OLD, (BEN, "0b", "male", "england"), (ANNA, "0a", "other", ""))
    assert rows(read_common_voice(root)) == [
        ("clips/0a.mp3", "a" * 16, None, None),
        ("clips/0b.mp3", "c" * 16, "england", "M"),
    ]


def test_of_today(make, rows):
    root = make(
        NEW,
        (ANNA, "1.mp3", "female_feminine", SOUTH_ASIA),
        (ANN2, "2.mp3", "female", f"{SOUTH_ASIA},Midlands"),
        (BEN, "3.mp3", "male_masculine", "German English,Non native speaker"),
        (BEN, "4.mp3", "do_not_wish_to_say", "  "),
        ("", "5.mp3", "non-binary", "A|B"),
    )
    reading = read_common_voice(root)
    assert rows(reading) == [
        ("clips/1.mp3", "a" * 16, SOUTH_ASIA, "F"),
        ("clips/2.mp3", "a" * 14 + "bb", SOUTH_ASIA, "F"),
        ("clips/3.mp3", "c" * 16, "German English", "M"),
        ("clips/4.mp3", "c" * 16, None, None),
        ("clips/5.mp3", None, "A", None),
    ]
    assert reading.notes == []


def test_partly_unpacked(make):
    root = make(NEW, *((BEN, f"{number}.mp3", "", "") for number in range(3)))
    (root / "clips/1.mp3").unlink()
    reading = read_common_voice(root)
    assert [clip.path.name for clip in reading.clips] == ["0.mp3", "2.mp3"]
    assert reading.notes == ["1 clips of validated.tsv are not in clips/ and were left out"]


def test_no_clips(make, complaint):
    root = make(NEW, (BEN, "1.mp3", "", ""))
    (root / "clips/1.mp3").unlink()
    assert "no sound files in it; expected the clips that validated.tsv names" in complaint(
        read_common_voice, root
    )
    (root / "clips").rmdir()
    assert f"{root}: no clips in it; Common Voice is laid out as" in complaint(read_common_voice, root)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("client_id\tpath\taccents\na\tb.mp3\tc\n", 2),  # no gender
        (NEW + "\n\na\tb\n", 3),
        (OLD + "\na" + "\tb" * 9 + "\n", 2),
        (OLD + "\na" + "\t" * 7 + "\n", 2),  # no path
    ],
)
def test_a_malformed_line(text, line, unpack, complaint):
    root = unpack("clips/b.mp3", texts={"validated.tsv": text})
    message = complaint(read_common_voice, root)
    assert message.startswith(f"{root}/validated.tsv:{line}: expected accent")
    assert "and the header's other cells, separated by tabs, got " in message
