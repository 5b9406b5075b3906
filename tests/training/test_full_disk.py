"""A disk that is full, fills while training, or cannot be written to: the kernel's own errors."""

import contextlib
import os
import resource
import shutil
import subprocess
import sys

import pytest

from starvox import UserError
from starvox.run.run import Run
from starvox.training.run import train
from starvox.training.updater import StarGANUpdater


@pytest.fixture
def disk(tmp_path):
    """Returns an empty disk of 6 MB of its own, where this user may mount one."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs Linux and root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder):
    """Leaves no room."""
    ballast = folder / "ballast"
    with open(ballast, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


@pytest.fixture
def before_iteration(monkeypatch):
    """Does something before the update of an iteration, once."""

    def before_iteration(number, action):
        update, actions = StarGANUpdater.update_core, [action]

        def acting(updater):
            if updater.iteration == number - 1 and actions:
                actions.pop()()
            update(updater)

        monkeypatch.setattr(StarGANUpdater, "update_core", acting)

    return before_iteration


# what is written at iteration 3, of which the first thing meets the full disk
WRITTEN = {
    "log": {"log_every": 3, "sample_every": 9},
    "samples/iter_3/spectrograms.png": {"log_every": 9, "sample_every": 3},
    "gen_iter_3.npz": {"log_every": 9, "sample_every": 9},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_disk_that_fills_ends_the_run_in_one_line(tiny, options, disk, before_iteration, name):
    out = disk / "tiny"
    before_iteration(3, lambda: fill(disk))
    with pytest.raises(UserError) as caught:
        train(tiny, options(out, iterations=4, snapshot_every=3, **WRITTEN[name]))
    message = str(caught.value)
    assert message.startswith(f"{out / name}: cannot be written (No space left on device); make room there")
    assert (
        "Stopped after snapshot_iter_1.npz was saved; go on from there with: make resume EXP=tiny" in message
    )
    assert "\n" not in message
    assert list(Run(out).snapshots()) == [1]
    assert not list(out.rglob(".*"))
    (disk / "ballast").unlink()
    assert train(tiny, options(out, iterations=4, snapshot_every=3, **WRITTEN[name]), resume=True) == 0


def test_a_full_or_read_only_disk_is_refused_before_the_corpus_is_read(tiny, options, disk, tmp_path):
    train(tiny, options(disk / "tiny", iterations=1))
    fill(disk)
    with pytest.raises(UserError, match=r"other: cannot be written to \(No space left on device\)"):
        train(tiny, options(disk / "other", data=tmp_path / "none.csv"))
    assert not (disk / "other").exists()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    for resume in (False, True):
        with pytest.raises(UserError, match=r"tiny: cannot be written to \(Read-only file system\)"):
            train(tiny, options(disk / "tiny", data=tmp_path / "none.csv"), resume)


def test_a_snapshot_that_is_not_written_to_its_end_leaves_the_last_one(
    tiny, options, tmp_path, before_iteration
):
    """As any user: the kernel lets no file grow beyond 150 kB from iteration 3 on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    out = tmp_path / "tiny"
    before_iteration(3, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard)))
    try:
        with pytest.raises(UserError, match=r"snapshot_iter_4\.npz: cannot be written \(File too large\)"):
            train(tiny, options(out, sample_every=9, iterations=5))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(Run(out).snapshots()) == [1, 2]
    assert not list(out.rglob(".*"))
    shutil.rmtree(out / "curves")
    assert train(tiny, options(out, iterations=4), resume=True) == 0
