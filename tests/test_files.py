"""Files that appear whole or not at all."""

import os
import stat
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starvox import UserError
from starvox.files import file_name, read_text, remove_leftovers, replacing, write_text


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "new folder" / "a.txt"
    write_text(path, "old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("interruption", [ValueError, KeyboardInterrupt])
def test_an_interrupted_writing_leaves_nothing(tmp_path, interruption):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def write():
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise interruption

    with pytest.raises(interruption):
        write()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_named_with_the_mend(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file/a\.txt: cannot be written \(.*\); make room"):
        write_text(tmp_path / "file" / "a.txt", "text")


def test_it_is_on_the_disk_before_it_has_its_name_and_its_name_before_the_end(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        real = getattr(os, name)

        def note(*arguments, name=name, real=real):
            kind = "folder" if isinstance(arguments[0], int) and is_folder(arguments[0]) else "file"
            done.append(f"{name} {kind}")
            real(*arguments)

        monkeypatch.setattr(os, name, note)
    write_text(tmp_path / "a.txt", "text")
    assert done == ["fsync file", "replace file", "fsync folder"]


def is_folder(descriptor):
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


def test_leftovers_of_a_kill_are_removed_by_the_name_of_what_was_made(tmp_path):
    half = [tmp_path / "curves" / ".a.png.1.2.tmp", tmp_path / ".log.1.2.tmp"]
    others = [tmp_path / name for name in (".notes.1.2.tmp", ".log.tmp", ".log", "log", "log.1.2.tmp")]
    others.append(tmp_path / "curves" / ".log.1.2.tmp")
    half[0].parent.mkdir()
    for path in half + others:
        path.touch()
    remove_leftovers(tmp_path, r"log|curves/.*\.png")
    assert not any(path.exists() for path in half)
    assert all(path.exists() for path in others)


def test_leftovers_that_somebody_may_be_writing_are_told_by_their_age(tmp_path):
    young, old = (tmp_path / f".{name}.npy.1.1.tmp" for name in ("young", "old"))
    for path, age in ((young, 60), (old, 7200)):
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    remove_leftovers(tmp_path, r".*\.npy", seconds=3600)
    assert list(tmp_path.iterdir()) == [young]
    remove_leftovers(tmp_path / "missing", r".*", seconds=3600)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "large"])
def test_only_a_plain_file_of_bounded_size_is_read(tmp_path, kind):
    path = tmp_path / "a"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(bytes(1001))
    with pytest.raises(
        OSError, match={"large": "more than", "folder": "Is a directory"}.get(kind, "not a file")
    ):
        read_text(path, 1000)
    (tmp_path / "b").write_text("é" * 500, encoding="utf-8")
    assert read_text(tmp_path / "b", 1000) == "é" * 500


@given(text=st.text(max_size=300))
def test_a_file_name_is_one_name(text):
    name = file_name(text)
    assert "/" not in name
    assert "\0" not in name
    assert len(name.encode()) <= 89
    assert name.isprintable()
    assert bool(name) == bool(text)
