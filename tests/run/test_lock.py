"""One training at a time in a results folder, with no lock left by a dead process."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from starvox import UserError
from starvox.run.lock import LOCK, Lock

HOLD = """
import fcntl, os, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print(f"process {os.getpid()} on another", file=file, flush=True)
print("held", flush=True)
input()
"""


def test_a_second_training_is_refused_with_the_first_ones_number(tmp_path):
    with (
        Lock(tmp_path),
        pytest.raises(UserError, match=rf"in use by another training \(process {os.getpid()} on .*\); wait"),
        Lock(tmp_path),
    ):
        pytest.fail("both hold it")
    with Lock(tmp_path):
        pass


def test_a_killed_process_leaves_no_lock(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / LOCK)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(UserError, match=rf"\(process {holder.pid} on another\)"), Lock(tmp_path):
            pytest.fail("both hold it")
        holder.kill()
        holder.wait()
    assert (tmp_path / LOCK).exists()
    with Lock(tmp_path):
        pass


def test_nothing_is_left_behind(tmp_path):
    with Lock(tmp_path / "new"):
        assert [path.name for path in (tmp_path / "new").iterdir()] == [LOCK]
    assert not (tmp_path / "new").exists()
    with Lock(tmp_path / "new"):
        (tmp_path / "new" / "log").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["log"]


def test_an_empty_folder_that_was_there_stays(tmp_path):
    with Lock(tmp_path):
        pass
    assert tmp_path.is_dir()


def test_a_lock_that_its_holder_removed_does_not_count(tmp_path, monkeypatch):
    """Between opening and locking, the holder ended: the file that is locked is not the one in the folder."""
    flock, removed = fcntl.flock, []

    def late(file, operation):
        if not removed:
            removed.append((tmp_path / LOCK).unlink())
        flock(file, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with Lock(tmp_path), pytest.raises(UserError, match="in use"), Lock(tmp_path):
        pytest.fail("both hold it")


def test_a_folder_that_was_moved_or_replaced_is_noticed(tmp_path):
    one, moved = tmp_path / "one", tmp_path / "moved"
    with Lock(one) as lock:
        lock.check()
        one.rename(moved)
        with pytest.raises(UserError, match="was moved or removed while it was trained in"):
            lock.check()
        with Lock(one) as other:
            with pytest.raises(UserError, match="was moved or removed"):
                lock.check()
            other.check()
    assert not one.exists()
    assert [path.name for path in moved.iterdir()] == [LOCK]


def test_a_training_takes_no_other_ones_lock_away(tmp_path):
    first = Lock(tmp_path / "one")
    first.__enter__()
    (tmp_path / "one").rename(tmp_path / "moved")
    with Lock(tmp_path / "one") as second:
        first.__exit__()
        second.check()


def test_somebody_elses_file_of_that_name_stays(tmp_path):
    (tmp_path / LOCK).write_text("of another tool")
    with pytest.raises(UserError, match=r"\.lock is not of starvox"), Lock(tmp_path):
        pytest.fail("it is held")
    assert (tmp_path / LOCK).read_text() == "of another tool"


def test_a_file_system_without_locks(tmp_path, monkeypatch, capsys):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with Lock(tmp_path):
        assert "no locks on this file system (No locks available)" in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    for folder in (tmp_path, tmp_path / "new"):
        with (
            pytest.raises(UserError, match=r"cannot be written to \(Permission denied\)"),
            Lock(folder),
        ):
            pytest.fail("it can be written")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux's /proc, which not even root fills")
def test_a_place_that_takes_no_folder():
    with (
        pytest.raises(UserError, match=r"/proc/self/run: cannot be written to \(.*\)"),
        Lock("/proc/self/run"),
    ):
        pytest.fail("it can be written")
