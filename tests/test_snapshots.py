"""Snapshots: found by number, loaded without running a stranger's code."""

import chainer
import numpy as np
import pytest
from chainer import links as L

from starvox import UserError, snapshots


def test_found_by_number_not_by_name(tmp_path):
    for number in (9, 100, 20):
        (tmp_path / f"gen_iter_{number}.npz").touch()
    for other in ("gen_iter_x.npz", "snapshot_iter_1.npz", "tmpgen_iter_3.npz", "gen_iter_4.npz.tmp"):
        (tmp_path / other).touch()
    assert list(snapshots.find(tmp_path, snapshots.GENERATOR)) == [9, 20, 100]


def test_saved_and_loaded(tmp_path):
    path, network, other = str(tmp_path / "a.npz"), L.BatchNormalization(3), L.BatchNormalization(3)
    network.gamma.array[...] = [1, 2, 3]
    network.avg_mean[...] = [4, 5, 6]
    snapshots.save(path, network)
    snapshots.load(path, other)
    np.testing.assert_array_equal(other.gamma.array, [1, 2, 3])
    np.testing.assert_array_equal(other.avg_mean, [4, 5, 6])


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("the snapshot ran code",))


def test_a_snapshot_is_never_unpickled(tmp_path):
    path = tmp_path / "bomb.npz"
    np.savez(path, W=np.array(Bomb(), object), b=np.zeros(2, np.float32))
    with pytest.raises(UserError, match=r"bomb\.npz: cannot be loaded"):
        snapshots.load(path, L.Linear(2, 2))


def test_a_truncated_snapshot_is_named(tmp_path):
    path = tmp_path / "a.npz"
    snapshots.save(str(path), L.Linear(20, 20))
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(UserError, match=r"a\.npz: cannot be loaded"):
            snapshots.load(path, L.Linear(20, 20))


def test_a_snapshot_of_another_network_is_named(tmp_path):
    path = str(tmp_path / "a.npz")
    snapshots.save(path, L.Linear(2, 2))
    with pytest.raises(UserError, match="lacks 'conv1/"):
        snapshots.load(path, chainer.Chain(conv1=L.Linear(2, 2)))
    with pytest.raises(UserError, match="cannot be loaded"):
        snapshots.load(path, L.Linear(3, 3))
