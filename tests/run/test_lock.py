"""One training at a time in a results folder, with no lock left by a dead process."""

import errno
import fcntl
import os
import subprocess
import sys

import pytest

from starvox import UserError
from starvox.run.lock import LOCK, Lock, is_held

HOLD = """
import sys
from starvox.run.lock import Lock
with Lock(sys.argv[1]):
    print("held", flush=True)
    input()
"""


def refused(folder, match):
    with pytest.raises(UserError, match=match), Lock(folder):
        pytest.fail("it is held")


def test_a_second_training_is_refused_and_a_killed_one_leaves_no_lock(tmp_path):
    with Lock(tmp_path):
        refused(tmp_path, rf"in use by another training \(process {os.getpid()} on .*\); wait")
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        refused(tmp_path, rf"\(process {holder.pid} on ")
        holder.kill()
        holder.wait()
    assert (tmp_path / LOCK).exists()
    with Lock(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_of_a_folder_that_it_made_nothing_is_left_but_what_was_put_there(tmp_path):
    with Lock(tmp_path / "new"):
        assert [path.name for path in (tmp_path / "new").iterdir()] == [LOCK]
    assert not (tmp_path / "new").exists()
    with Lock(tmp_path / "new"):
        (tmp_path / "new" / "log").touch()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["log"]


def test_a_folder_that_was_moved_or_replaced_is_noticed_and_keeps_its_new_lock(tmp_path):
    one, moved = tmp_path / "one", tmp_path / "moved"
    with Lock(one) as lock:
        lock.check()
        one.rename(moved)
        with pytest.raises(UserError, match="was moved or removed while it was trained in"):
            lock.check()
        with Lock(one) as other:
            with pytest.raises(UserError, match="was moved or removed"):
                lock.check()
            lock.__exit__()
            other.check()
    assert not one.exists()
    assert [path.name for path in moved.iterdir()] == [LOCK]


def test_somebody_elses_file_of_that_name_stays(tmp_path):
    (tmp_path / LOCK).write_text("of another tool")
    refused(tmp_path, r"\.lock is not of starvox")
    assert (tmp_path / LOCK).read_text() == "of another tool"


def test_a_file_system_without_locks(tmp_path, monkeypatch, capsys):
    def refuse(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with Lock(tmp_path):
        assert "no locks on this file system (No locks available)" in capsys.readouterr().out


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs Linux's /proc, which not even root fills")
def test_a_place_that_takes_no_folder():
    refused("/proc/self/run", r"/proc/self/run: cannot be written to \(.*\)")


def test_a_pipe_in_its_place_is_held_by_nobody(tmp_path):
    os.mkfifo(tmp_path / LOCK)
    assert not is_held(tmp_path)
    refused(tmp_path, "not a file")
