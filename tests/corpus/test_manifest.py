import csv
import re
from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starvox.corpus import Clip, read_manifest, write_manifest
from starvox.errors import UserError

HEADER = "path,speaker,birthplace,sex\n"


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "manifest.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def complaint(path):
    with pytest.raises(UserError) as caught:
        read_manifest(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text.removeprefix(f"{path}: ")


def test_reads_clips(write, tmp_path):
    path = write(HEADER + "a.wav,p225,England,F\n\n b/ c.wav , , 日本 ,\n/x/y.wav,,,M\n")
    assert read_manifest(str(path)) == [
        Clip(tmp_path / "a.wav", "p225", "England", "F"),
        Clip(tmp_path / "b/ c.wav", None, "日本", None),
        Clip(tmp_path / "/x/y.wav", None, None, "M"),
    ]
    assert read_manifest(path)[0].labels == {"speaker": "p225", "birthplace": "England", "sex": "F"}


def test_a_label_in_two_writings_of_unicode_is_one(write, tmp_path):
    composed, apart = "Ren\u00e9", "Rene\u0301"
    clips = read_manifest(write(HEADER + f"a.wav,{composed},,\n{apart}.wav,{apart},,\n"))
    assert [clip.speaker for clip in clips] == [composed, composed]
    assert clips[1].path == tmp_path / f"{apart}.wav"  # a file system may tell the two apart


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_any_line_end_and_mark(write, tmp_path, end, mark):
    path = write(
        mark + end.join([HEADER.strip(), "a.wav,p225,,F", '"two\nlines.wav",,,', "b.wav,,,", "c.wav,,"])
    )
    assert complaint(path).startswith("line 6: 3 cells, expected 4")
    path.write_bytes(path.read_bytes() + b",")
    assert [clip.path.name for clip in read_manifest(path)] == ["a.wav", "two\nlines.wav", "b.wav", "c.wav"]


def test_no_such_manifest(tmp_path):
    assert complaint(tmp_path / "none.csv").startswith("No such file or directory; ")
    assert complaint(tmp_path).startswith("Is a directory; ")
    assert complaint(Path("/dev/zero")).startswith("not a file; ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "line 1: the header must be path,speaker,birthplace,sex, separated by commas; got ''"),
        ("a.wav,p225,England,F\n", "line 1: the header must be"),
        ("path,speaker,sex\n", "got 'path,speaker,sex'"),
        ("path,speaker,birthplace,sex,sex\n", "line 1: the header must be"),
        ("path;speaker;birthplace;sex\n", "separated by commas; got 'path;speaker;birthplace;sex'"),
        (HEADER, "it lists no clips; add a line for each below the header"),
        (HEADER + ",,,\n", "it lists no clips"),
        (HEADER + "a.wav,,,\nb.wav,,\n", "line 3: 3 cells, expected 4: path,speaker,birthplace,sex"),
        (HEADER + "a, b.wav,s,,F\n", "line 2: 5 cells, expected 4"),
        (HEADER + " ,p225,,\n", "line 2: the path is empty; give one or remove the line"),
        (HEADER + "a.wav,,,\nb.wav,,,\n./a.wav,x,,\n", "a.wav' is already on line 2; remove one of them"),
        (HEADER + "a.wav,\0,,\n", "a NUL character in it; save it as plain UTF-8 text"),
        (HEADER + "a.wav," + "x" * 200_000 + ",,\n", "line 2: field larger than field limit"),
        (HEADER + 'a.wav,"x,,\nb.wav,,,\n', "unexpected end of data; look for an unpaired quote"),
        (HEADER.encode() + b"a.wav,\xe9,,\n", "not UTF-8 (byte 34); save it as UTF-8"),
        ("ü".encode("utf-16"), "not UTF-8 (byte 0)"),
    ],
)
def test_mistakes(write, content, words):
    assert words in complaint(write(content))


VALID = (HEADER + 'a.wav,p225,England,F\n"b, c.wav",,,M\n\n/d/e.wav,日本,,\n').encode()


@given(place=st.integers(0, len(VALID)), length=st.integers(0, 4), new=st.binary(max_size=4))
def test_a_spoilt_manifest_is_read_or_refused_with_a_line(tmp_path_factory, place, length, new):
    path = tmp_path_factory.getbasetemp() / "spoilt.csv"
    path.write_bytes(VALID[:place] + new + VALID[place + length :])
    try:
        clips = read_manifest(path)
    except UserError as error:
        complaint = str(error)
    else:
        assert len({clip.path for clip in clips}) == len(clips) > 0
        return
    assert complaint.isprintable()
    assert re.match(rf"{path}: (line \d+: |not UTF-8 \(byte \d+\)|it lists no clips|a NUL)", complaint)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map(str.strip).filter(bool)


@given(rows=st.lists(st.tuples(cells, *[st.none() | cells] * 3), min_size=1))
def test_what_the_csv_module_wrote_comes_back(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "written.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [HEADER.strip().split(","), *[(f"{i} {row[0]}", *row[1:]) for i, row in enumerate(rows)]]
        )
    clips = read_manifest(path)
    expected = [tuple(cell and normalize("NFC", cell) for cell in row[1:]) for row in rows]
    assert [(clip.speaker, clip.birthplace, clip.sex) for clip in clips] == expected


@pytest.mark.parametrize("name", ["a\0b.csv", "\ud800.csv", "x" * 5000])
def test_what_can_be_no_file_is_refused(name):
    with pytest.raises(UserError, match=r"give the path of a manifest \(CSV\)|\.\.\.$"):
        read_manifest(name)


def test_a_manifest_comes_back_as_it_was_written(tmp_path):
    outside = tmp_path / "elsewhere/x.wav"
    listed = [
        Clip(tmp_path / "lists/a, b.wav", "p1", 'India (a, "b")', "F"),
        Clip(outside, None, None, None),
    ]
    manifest = tmp_path / "lists/manifest.csv"
    write_manifest(manifest, listed)
    text = manifest.read_text(encoding="utf-8")
    assert text.startswith('path,speaker,birthplace,sex\n"a, b.wav",p1,')
    assert text.endswith(f"\n{outside},,,\n")
    assert read_manifest(manifest) == listed
    assert [path.name for path in manifest.parent.iterdir()] == ["manifest.csv"]


def test_below_a_link_the_path_is_still_relative(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_manifest(tmp_path / "link/m.csv", [Clip(tmp_path / "real/a.wav", None, None, None)])
    assert (tmp_path / "real/m.csv").read_text().splitlines()[1] == "a.wav,,,"


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/m\.csv: cannot be written"):
        write_manifest(tmp_path / "file/m.csv", [])
