"""The file of a decoded clip: any part reads back, and no damage goes unnoticed."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starvox.corpus.stored_waveform import StoredWaveform, checksum_of, write_blocks
from starvox.errors import UserError

LENGTH = 25_000
SAMPLES = np.random.default_rng(0).normal(size=LENGTH).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    assert write_blocks(tmp_path / "a.npy", [SAMPLES[:7], SAMPLES[7:20_000], SAMPLES[20_000:]]) == LENGTH
    return tmp_path / "a.npy"


def opened(path):
    return StoredWaveform(path, LENGTH, checksum_of(path))


def test_any_part(path):
    wave = opened(path)
    assert len(wave) == LENGTH
    assert wave.read().dtype == np.float32
    ends = [0, 1, 8192, LENGTH - 1, LENGTH]
    for start in ends:
        for stop in ends:
            if start <= stop:
                np.testing.assert_array_equal(wave.read(start, stop), SAMPLES[start:stop])


@pytest.mark.parametrize("n", [0, 9, 10_000_000])
def test_it_is_the_file_that_numpy_writes(tmp_path, n):
    samples = np.arange(n, dtype=np.float32)
    write_blocks(tmp_path / "blocks.npy", [samples[: n // 2], samples[n // 2 :]])
    np.save(tmp_path / "whole.npy", samples)
    assert (tmp_path / "blocks.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


@settings(max_examples=50)
@given(place=st.integers(0, 4 * LENGTH + 127), bit=st.integers(0, 7), read_before=st.booleans())
def test_one_wrong_bit_anywhere_is_noticed(tmp_path_factory, place, bit, read_before):
    path = tmp_path_factory.getbasetemp() / "bit.npy"
    write_blocks(path, [SAMPLES])
    wave = opened(path)
    if read_before:
        wave.read(0, 1)
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        wave.read(0, 1)
    assert str(caught.value).startswith(f"{path}: a damaged decoded clip; delete it")


def test_the_checksum_is_looked_at_once(path, monkeypatch):
    wave = opened(path)
    once = [checksum_of(path)]
    monkeypatch.setattr("starvox.corpus.stored_waveform.checksum_of", lambda path: once.pop())
    for _ in range(3):
        np.testing.assert_array_equal(wave.read(5, 9), SAMPLES[5:9])


def test_a_file_that_shrinks_or_goes_after_it_was_read_does_not_kill_the_process(path):
    """A memory map would: the process that reads behind the end of its file gets SIGBUS."""
    wave = opened(path)
    wave.read(0, 9)
    os.truncate(path, 500)
    with pytest.raises(UserError, match=r"a\.npy: a damaged decoded clip; delete it"):
        wave.read(20_000, 24_000)
    path.unlink()
    with pytest.raises(UserError, match=r"a\.npy: No such file or directory; at the next start"):
        wave.read(20_000, 24_000)
