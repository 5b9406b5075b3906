"""The file of a decoded clip: any part reads back, and no damage goes unnoticed."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starvox.corpus.stored_waveform import BLOCK, StoredWaveform, write
from starvox.errors import UserError

LENGTH = 3 * BLOCK + 5


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).normal(size=LENGTH).astype(np.float32)


@pytest.fixture
def path(tmp_path, samples):
    write(tmp_path / "a.npy", samples)
    return tmp_path / "a.npy"


@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, BLOCK + 1, LENGTH])
def test_lengths_around_a_block(tmp_path, samples, n):
    write(tmp_path / "b.npy", samples[:n])
    wave = StoredWaveform(tmp_path / "b.npy")
    assert len(wave) == n
    assert wave.read().dtype == np.float32
    np.testing.assert_array_equal(wave.read(), samples[:n])


def test_any_part(path, samples):
    wave = StoredWaveform(path)
    ends = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, LENGTH - 1, LENGTH]
    for start in ends:
        for stop in ends:
            if start < stop:
                np.testing.assert_array_equal(wave.read(start, stop), samples[start:stop])


def test_numpy_reads_it_too(path, samples):
    np.testing.assert_array_equal(np.load(path), samples)


@settings(max_examples=200)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_one_wrong_bit_anywhere_is_noticed(tmp_path_factory, samples, place, bit):
    path = tmp_path_factory.getbasetemp() / "bit.npy"
    write(path, samples)
    content = bytearray(path.read_bytes())
    at = int(place * len(content))
    content[at] ^= 1 << bit
    path.write_bytes(content)
    try:
        found = StoredWaveform(path).read()
    except UserError as error:
        complaint = str(error)
    else:  # the spaces that fill the header mean nothing
        np.testing.assert_array_equal(found, samples)
        assert at < 128
        return
    assert complaint.startswith(f"{path}: a damaged decoded clip; delete it")


@pytest.mark.filterwarnings("ignore")  # of Python's parser, about what the bits make of the header
def test_every_wrong_bit_of_the_header_is_noticed_or_means_nothing(tmp_path, samples):
    path = tmp_path / "a.npy"
    write(path, samples[:100])
    content = path.read_bytes()
    for bit in range(128 * 8):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            found = StoredWaveform(path).read()
        except UserError:
            continue
        np.testing.assert_array_equal(found, samples[:100])


def test_damage_elsewhere_does_not_matter(path, samples):
    content = bytearray(path.read_bytes())
    content[-4 * 4 - 1] ^= 1  # of the last sample
    path.write_bytes(content)
    wave = StoredWaveform(path)
    np.testing.assert_array_equal(wave.read(0, BLOCK), samples[:BLOCK])
    with pytest.raises(UserError, match="damaged"):
        wave.read(LENGTH - 1, LENGTH)


@pytest.mark.parametrize("keep", [0, 5, 60, 128, 1000, -1])
def test_cut_short_is_noticed_when_it_is_opened(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"a\.npy: a damaged decoded clip; delete it"):
        StoredWaveform(path)


@pytest.mark.parametrize("values", [np.zeros((2, 3), "<f4"), np.zeros(4, "<i2"), np.zeros(0, "<f4")])
def test_other_arrays_are_refused(tmp_path, values):
    path = tmp_path / "b.npy"
    np.save(path, values)
    if values.size:
        with pytest.raises(UserError, match="damaged"):
            StoredWaveform(path)
    else:
        assert len(StoredWaveform(path)) == 0


@pytest.mark.parametrize("damage", ["truncate", "delete"])
def test_a_file_that_shrinks_while_it_is_open_does_not_kill_the_process(path, damage):
    """A memory map would: the process that reads behind the end of its file gets SIGBUS."""
    code = (
        "import os, sys; from starvox.corpus.stored_waveform import StoredWaveform;"
        "from starvox.errors import UserError;"
        "wave = StoredWaveform(sys.argv[1]);"
        "os.truncate(sys.argv[1], 500) if sys.argv[2] == 'truncate' else os.unlink(sys.argv[1])\n"
        "try: wave.read(20000, 24000)\n"
        "except UserError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, path, damage], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = {
        "truncate": "a damaged decoded clip; delete it",
        "delete": "No such file or directory; at the",
    }
    assert f"{path}: {expected[damage]}" in done.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_no_permission(path):
    path.chmod(0)
    with pytest.raises(UserError, match="Permission denied"):
        StoredWaveform(path)
