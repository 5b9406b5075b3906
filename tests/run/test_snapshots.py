"""Snapshots: checked against their checksum, loaded without running a stranger's code."""

import io
import pickle
import zipfile
from pathlib import Path

import chainer
import numpy as np
import pytest
from chainer import links as L

from starvox import UserError
from starvox.errors import WriteError
from starvox.run import snapshots


@pytest.fixture
def network():
    network = L.BatchNormalization(3)
    network.gamma.array[...] = [1, 2, 3]
    network.avg_mean[...] = [4, 5, 6]
    return network


def check_loaded(load):
    """Holds what ``load`` does to a new network against the fixture's."""
    other = L.BatchNormalization(3)
    load(other)
    np.testing.assert_array_equal(other.gamma.array, [1, 2, 3])
    np.testing.assert_array_equal(other.avg_mean, [4, 5, 6])


def test_a_snapshot_is_chainers_own_format_with_equal_bytes_for_equal_targets(tmp_path, network):
    path = tmp_path / "a.npz"
    snapshots.save(path, network)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    check_loaded(lambda other: snapshots.load(path, other))
    check_loaded(lambda other: chainer.serializers.load_npz(str(path), other))
    with np.load(path, allow_pickle=False) as stored:
        assert set(stored.files) == {"gamma", "beta", "avg_mean", "avg_var", "N"}
    snapshots.save(tmp_path / "b.npz", network)
    assert path.read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("compression", [False, True])
def test_a_file_of_chainer_has_no_checksum_and_is_loaded(tmp_path, network, compression):
    chainer.serializers.save_npz(str(tmp_path / "a.npz"), network, compression)
    check_loaded(lambda other: snapshots.load(tmp_path / "a.npz", other))


def test_a_part(tmp_path, network):
    snapshots.save(tmp_path / "a.npz", chainer.Chain(x=network, y=L.BatchNormalization(3)))
    check_loaded(lambda other: snapshots.load(tmp_path / "a.npz", other, "x/"))


def check_refused(path, target, reason=""):
    """Holds that the file is refused in one printable line, and the target is as before."""
    before = [parameter.array.copy() for parameter in target.params()]
    with pytest.raises(UserError) as caught:
        snapshots.load(path, target)
    message = str(caught.value)
    assert message.startswith(f"{path}: cannot be loaded (")
    assert reason in message
    assert message.isprintable()
    for parameter, array in zip(target.params(), before, strict=True):
        np.testing.assert_array_equal(parameter.array, array)


def test_a_changed_byte_anywhere_is_noticed(tmp_path):
    path, target = tmp_path / "a.npz", L.Linear(2, 1, nobias=True)
    snapshots.save(path, target)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :])
        check_refused(path, target)


@pytest.mark.parametrize("save", [snapshots.save, chainer.serializers.save_npz])
def test_a_file_cut_off_anywhere_is_noticed(tmp_path, save):
    path, target = tmp_path / "a.npz", L.Linear(2, 1, nobias=True)
    save(str(path), target)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        check_refused(path, target)


def test_a_changed_array_is_noticed_without_a_checksum_too(tmp_path):
    path, network = tmp_path / "a.npz", L.Linear(4, 4)
    chainer.serializers.save_npz(str(path), network, compression=False)
    weights = network.W.array.tobytes()
    path.write_bytes(path.read_bytes().replace(weights, weights[:-1] + bytes([weights[-1] ^ 1])))
    check_refused(path, L.Linear(4, 4), "CRC-32")


def test_another_network_is_named(tmp_path):
    path = tmp_path / "a.npz"
    check_refused(path, L.Linear(2, 2), "No such file")
    snapshots.save(path, L.Linear(2, 2))
    check_refused(path, chainer.Chain(conv1=L.Linear(2, 2)), "it lacks 'conv1/")
    check_refused(path, L.Linear(3, 2), "'W' is float32 (2, 2), not float32 (2, 3)")
    with chainer.using_config("dtype", np.float64):
        check_refused(path, L.Linear(2, 2, nobias=True), "'W' is float32 (2, 2), not float64 (2, 2)")


class Marker:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return (Path.touch, (self._path,))


def header(shape, descr="<f4"):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue()


OBJECTS = [("a", "<f4"), ("b", [("c", "|O")])]
# what stands in the place of an array, before a pickle of the marker
MEMBERS = {
    "pickle": header((2, 2), "|O"),
    "nested pickle": header((2, 2), OBJECTS),
    "no header": b"",
    "petabytes": header((10**6, 10**9)),
    "negative": header((-1, -4)),
    "a type of no size": header((10**12,), "|S0"),
    "long header": b"\x93NUMPY\2\0" + (70_000).to_bytes(4, "little") + b"(" * 70_000,
    "unknown version": b"\x93NUMPY\x09\0" + header((2, 2))[8:],
    "another shape": header((4,)),
    "another type": header((2, 2), "<i4"),
    "escape codes": header((2, 2)).replace(b"<f4", b"\x1b[2"),
}


@pytest.mark.parametrize("case", MEMBERS)
def test_a_crafted_array_is_refused_and_runs_nothing(tmp_path, case):
    marker = tmp_path / "marker"
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("b.npy", header((2,)) + bytes(8))
        archive.writestr("W.npy", MEMBERS[case] + pickle.dumps(Marker(marker)))
    check_refused(tmp_path / "a.npz", L.Linear(2, 2))
    (tmp_path / "a.npz").write_bytes(pickle.dumps(Marker(marker)))
    check_refused(tmp_path / "a.npz", L.Linear(2, 2), "not a snapshot")
    assert not marker.exists()
    pickle.loads(pickle.dumps(Marker(marker)))
    assert marker.exists()  # as it would if it were unpickled


def test_an_archive_that_unpacks_to_far_more_than_its_size(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("W.npy", header((10_000, 1000)) + bytes(40_000_000))
        archive.writestr("b.npy", header((2,)) + bytes(8))
    assert (tmp_path / "a.npz").stat().st_size < 100_000
    check_refused(tmp_path / "a.npz", L.Linear(2, 2), "far more than its size")


def test_what_cannot_be_stored_is_told_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        snapshots.save(tmp_path / "a.npz", L.Linear(None, 2))  # no array yet: Chainer would write None
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match=r"file/a\.npz: cannot be written \(.*\); make room there$"):
        snapshots.save(tmp_path / "file" / "a.npz", L.Linear(2, 2))
