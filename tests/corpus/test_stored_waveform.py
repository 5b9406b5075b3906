"""The file of a decoded clip: any part reads back, and no damage goes unnoticed."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starvox.corpus.stored_waveform import StoredWaveform, checksum_of, write_blocks
from starvox.errors import UserError

LENGTH = 25_000


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).normal(size=LENGTH).astype(np.float32)


@pytest.fixture
def path(tmp_path, samples):
    assert write_blocks(tmp_path / "a.npy", [samples[:7], samples[7:20_000], samples[20_000:]]) == LENGTH
    return tmp_path / "a.npy"


def opened(path):
    return StoredWaveform(path, LENGTH, checksum_of(path))


def test_any_part(path, samples):
    wave = opened(path)
    assert len(wave) == LENGTH
    assert wave.read().dtype == np.float32
    ends = [0, 1, 8192, 20_000, LENGTH - 1, LENGTH]
    for start in ends:
        for stop in ends:
            if start <= stop:
                np.testing.assert_array_equal(wave.read(start, stop), samples[start:stop])


@pytest.mark.parametrize("n", [0, 1, 9, 10_000_000])
def test_it_is_the_file_that_numpy_writes(tmp_path, n):
    samples = np.arange(n, dtype=np.float32)
    write_blocks(tmp_path / "blocks.npy", [samples[: n // 2], samples[n // 2 :]])
    np.save(tmp_path / "whole.npy", samples)
    assert (tmp_path / "blocks.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


@settings(max_examples=100)
@given(place=st.integers(0, 4 * LENGTH + 127), bit=st.integers(0, 7), read_before=st.booleans())
def test_one_wrong_bit_anywhere_is_noticed(tmp_path_factory, samples, place, bit, read_before):
    path = tmp_path_factory.getbasetemp() / "bit.npy"
    write_blocks(path, [samples])
    wave = opened(path)
    if read_before:
        wave.read(0, 1)
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        wave.read(0, 1)
    assert str(caught.value).startswith(f"{path}: a damaged decoded clip; delete it")


def test_the_checksum_is_looked_at_once(path, samples, monkeypatch):
    wave = opened(path)
    once = [checksum_of(path)]
    monkeypatch.setattr("starvox.corpus.stored_waveform.checksum_of", lambda path: once.pop())
    for _ in range(3):
        np.testing.assert_array_equal(wave.read(5, 9), samples[5:9])


@pytest.mark.parametrize("damage", ["truncate", "delete"])
def test_a_file_that_shrinks_while_it_is_open_does_not_kill_the_process(path, damage):
    """A memory map would: the process that reads behind the end of its file gets SIGBUS."""
    code = (
        "import os, sys; from starvox.corpus.stored_waveform import StoredWaveform, checksum_of;"
        "from starvox.errors import UserError;"
        f"wave = StoredWaveform(sys.argv[1], {LENGTH}, checksum_of(sys.argv[1])); wave.read(0, 9);"
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
    wave = opened(path)
    path.chmod(0)
    with pytest.raises(UserError, match="Permission denied"):
        wave.read()
