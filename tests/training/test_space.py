"""A run that does not fit on the disk is refused with what it needs."""

import shutil
from types import SimpleNamespace

import pytest
from chainer import links as L

from starvox import UserError, snapshots
from starvox.training.space import check_space

# 4 bytes each: 500 x 500 weights are 1 MB, 1000 x 500 are 2 MB
NETWORKS = SimpleNamespace(gen=L.Linear(500, 500, nobias=True), dis=L.Linear(1000, 500, nobias=True))
NEEDED = 3 * 2 * (1 + 2) + 20 * 1  # MB: three trainer's snapshots with the optimizers', 20 of the generator


@pytest.fixture
def disk(monkeypatch):
    """Sets how much is free."""

    def disk(megabytes):
        free = round(megabytes * 1e6)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))

    return disk


def test_enough(tmp_path, disk):
    disk(NEEDED)
    check_space(tmp_path, NETWORKS, 20)


def test_too_little(tmp_path, disk):
    disk(NEEDED - 1)
    with pytest.raises(UserError, match=r"need at least 38 MB, and 37 MB are free; make room"):
        check_space(tmp_path, NETWORKS, 20)


def test_snapshots_that_are_there_need_no_more_room(tmp_path, disk):
    snapshots.save(tmp_path / "gen_iter_3.npz", NETWORKS.gen)
    snapshots.save(tmp_path / "snapshot_iter_3.npz", NETWORKS.dis)
    disk(NEEDED - 3)
    check_space(tmp_path, NETWORKS, 20)
    disk(NEEDED - 4)
    with pytest.raises(UserError, match="need at least 35 MB"):
        check_space(tmp_path, NETWORKS, 20)
