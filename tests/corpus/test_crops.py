import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starvox import load_experiment
from starvox.audio import is_silent, normalize
from starvox.corpus import usable_starts

SMALL = load_experiment("smoke").audio  # crops of 4288 samples, on a grid of 64


def plain(wave, audio, grid):
    starts = range(0, len(wave) - audio.crop_samples + 1, grid)
    crops = [wave[start : start + audio.crop_samples].astype(np.float64) for start in starts]
    return [
        start
        for start, crop in zip(starts, crops, strict=True)
        if not is_silent(normalize(crop, audio), audio)
    ]


def noise(n, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, n).astype(np.float32)


@pytest.mark.parametrize("normalization", ["min-max", "peak"])
@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 3000), st.floats(-1, 1), st.floats(0, 1), st.booleans()),
        max_size=8,
    )
)
def test_equals_the_rule_crop_by_crop(normalization, pieces):
    audio = SMALL.model_copy(update={"normalization": normalization})
    rng = np.random.default_rng(0)
    parts = [np.zeros(0)]
    for n, level, spread, square in pieces:
        shape = rng.choice([-1.0, 1.0], n) if square else rng.uniform(-1, 1, n) ** 5
        parts.append(level + spread * shape)
    wave = np.concatenate(parts).astype(np.float32)
    assert usable_starts(wave, audio).tolist() == plain(wave, audio, 64)


@pytest.mark.parametrize("n", [0, 1, 4287])
def test_shorter_than_a_crop(n):
    assert usable_starts(noise(n), SMALL).tolist() == []


def test_an_rms_of_just_the_bound_is_no_silence():
    wave = np.tile(np.array([-1, 0, 0, 0, 1, 0, 0, 0], np.float32), 1000)  # RMS 0.5, not above
    assert usable_starts(wave, SMALL).tolist() == list(range(0, 8000 - 4288 + 1, 64))


def test_a_loud_part_does_not_blur_the_rule_for_a_quiet_one():
    click = 1e-6 * np.concatenate([noise(4287), [30.0]])  # its RMS after normalising is far above 0.5
    wave = np.concatenate([noise(100_000), 1e-6 * noise(10_048), click, click]).astype(np.float32)
    assert usable_starts(wave, SMALL).tolist() == plain(wave, SMALL, 64)


def test_hop_that_is_prime_to_n_fft():
    audio = SMALL.model_copy(update={"hop_length": 63, "crop_samples": 256 + 63 * 63})
    wave = noise(4300)
    wave[:20] = 1
    assert usable_starts(wave, audio).tolist() == plain(wave, audio, 1)
