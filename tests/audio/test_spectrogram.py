"""Steps 2 to 6 of the record, sentence by sentence."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from starvox import load_experiment
from starvox.audio.spectrogram import denormalize, is_silent, log_spectrogram, normalize, spectrogram

N = 66304
SMOKE = load_experiment("smoke").audio
DFT_EVEN = {"window_periodic": True}


def tone(k, n=N):
    """A cosine of amplitude 1 at the centre of bin ``k``."""
    return np.cos(2 * np.pi * k * np.arange(n) / 1024)


def height(s):
    """What stood before the logarithm, for the record's floor."""
    return 1e-3 ** (1 - s)


def plain(wave, audio):
    """The record in double precision, a frame at a time."""
    x = 2 * (wave.astype(np.float64) - wave.min()) / (float(wave.max()) - float(wave.min())) - 1
    n = np.arange(1024)
    hamming = 0.54 - 0.46 * np.cos(2 * np.pi * n / (1024 if audio.window_periodic else 1023))
    columns = []
    for j in range(256):
        spectrum = np.abs(np.fft.fft(x[256 * j : 256 * j + 1024] * hamming))
        spectrum = spectrum**2 / 1024 if audio.spectrum == "power" else spectrum / 1024
        log = np.log(np.maximum(spectrum[1:257], 1e-3))
        columns.append((log - np.log(1e-3)) / -np.log(1e-3))
    return np.stack(columns, axis=1)


@pytest.mark.parametrize("start", [0, 30000, 120001])
@pytest.mark.parametrize(
    "reading", [{}, DFT_EVEN, {"spectrum": "power"}], ids=["record", "DFT-even", "power"]
)
def test_equals_a_plain_double_precision_loop_on_speech(speech, audio, start, reading):
    audio = audio.model_copy(update=reading)
    crop = speech[start : start + N]
    s = spectrogram(crop, audio)
    assert s.shape == (256, 256)
    assert s.dtype == np.float32
    assert s.std() > 0.05
    np.testing.assert_allclose(s, plain(crop, audio), atol=1e-3, rtol=0)


@pytest.mark.parametrize("k", [2, 64, 255])
def test_tone_at_a_bin_centre(audio, k):
    # |X(k)| = sum(w) / 2 and the cosine in the window makes the two neighbours.
    x = height(spectrogram(tone(k), audio.model_copy(update=DFT_EVEN)))
    expected = np.full(256, 1e-3)
    expected[k - 2 : k + 1] = 0.23 / 2, 0.54 / 2, 0.23 / 2
    np.testing.assert_allclose(x, np.repeat(expected[:, None], 256, 1), rtol=2e-4)


def test_bins_are_1_to_256(audio):
    audio = audio.model_copy(update=DFT_EVEN)
    assert spectrogram(tone(1), audio)[:, 0].argmax() == 0
    assert spectrogram(tone(256), audio)[:, 0].argmax() == 255  # 4000 Hz
    # Of bin 257 only the lower neighbour is in view, of bin 0 the upper.
    assert np.flatnonzero(spectrogram(tone(257), audio)[:, 0]).tolist() == [255]
    click = np.ones(N)
    click[-1] = -1
    assert np.flatnonzero(spectrogram(click, audio)[:, 0] > 1e-3).tolist() == [0]


def test_frames_start_every_256_samples(audio):
    # A click of height 1 in silence: each frame that holds it is flat at w / 1024.
    audio = audio.model_copy(update={"normalization": "peak", "floor": 1e-9})
    click = np.zeros(N)
    click[5000] = 1
    x = 1e-9 ** (1 - spectrogram(click, audio))
    expected = np.full(256, 1e-9)
    for j in (16, 17, 18, 19):
        expected[j] = np.hamming(1024)[5000 - 256 * j] / 1024
    np.testing.assert_allclose(x, np.repeat(expected[None], 256, 0), rtol=1e-4)


def test_log_scale_runs_from_the_floor_to_1(audio):
    # A tone stands at 0.27: 0 at floor 0.27, and 1 + log10(0.27) / 3 at floor 1e-3.
    def peak(floor):
        return spectrogram(tone(64), audio.model_copy(update={**DFT_EVEN, "floor": floor})).max()

    assert peak(0.271) == 0
    assert 0 < peak(0.269) < 0.01
    assert peak(1e-3) == pytest.approx(1 + math.log10(0.27) / 3, abs=1e-6)


@given(hnp.arrays(np.float32, 4288, elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_range(wave):
    for reading in ({}, DFT_EVEN, {"normalization": "peak"}):
        s = spectrogram(wave, SMOKE.model_copy(update={**reading, "first_bin": 0}))
        assert s.shape == (64, 64)
        assert s.min() >= 0
        assert s.max() <= math.log(0.54 / 1e-3) / math.log(1e3) + 1e-6


def test_at_most_0_54_before_the_logarithm(audio):
    # Reached by a constant 1 (one -1 makes the min-max normalisation keep it).
    wave = np.ones(N)
    wave[-1] = -1
    x = height(spectrogram(wave, audio.model_copy(update={**DFT_EVEN, "first_bin": 0})))
    assert x[0, 0] == pytest.approx(0.54, rel=1e-5)


def test_one_clip_equals_its_row_in_a_batch(speech, audio):
    crops = np.stack([speech[i : i + N] for i in (0, 1000, 50000, 90000)]).reshape(2, 2, N)
    batch = spectrogram(crops, audio)
    assert batch.shape == (2, 2, 256, 256)
    for i in np.ndindex(2, 2):
        np.testing.assert_allclose(batch[i], spectrogram(crops[i], audio), atol=1e-6)


def test_input_of_other_layout_and_dtype(speech, audio):
    crop = speech[:N]
    expected = spectrogram(crop, audio)
    spread = np.zeros((N, 3), np.float64)
    spread[:, 1] = crop
    s = spectrogram(spread[:, 1], audio)
    assert s.dtype == np.float32
    np.testing.assert_allclose(s, expected, atol=1e-6)
    assert s.flags.c_contiguous


@pytest.mark.parametrize("n", [0, 1024, N - 1, N + 1])
def test_wrong_length(audio, n):
    with pytest.raises(ValueError, match=f"66304 samples, got {n}$"):
        spectrogram(np.zeros((2, n), np.float32), audio)


def test_normalize_min_max(audio):
    y = normalize(np.array([[3.0, 4.0, 5.0, 7.0], [2.0, 2.0, 2.0, 2.0]]), audio)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, [[-1, -0.5, 0, 1], [0, 0, 0, 0]])


def test_normalize_peak(audio):
    audio = audio.model_copy(update={"normalization": "peak"})
    y = normalize(np.array([[3.0, -8.0, 4.0], [2.0, 2.0, 2.0]]), audio)
    np.testing.assert_allclose(y, [[0.375, -1, 0.5], [0, 0, 0]])


@pytest.mark.parametrize("frames", [1, 2, 100, 300])
def test_any_number_of_frames(speech, audio, frames):
    normalized = normalize(speech, audio)
    n = 1024 + 256 * (frames - 1)
    s = log_spectrogram(normalized[: n + 255], audio)
    assert s.shape == (256, frames)
    np.testing.assert_array_equal(s, log_spectrogram(normalized[:n], audio))
    np.testing.assert_array_equal(s, log_spectrogram(normalized, audio)[:, :frames])


@pytest.mark.parametrize("normalization", ["min-max", "peak"])
def test_denormalize_undoes_normalize(speech, audio, normalization):
    audio = audio.model_copy(update={"normalization": normalization})
    waves = np.stack([speech[:N] / 7 + 3, -speech[:N], np.full(N, 0.2, np.float32)])
    again = denormalize(normalize(waves, audio), waves, audio)
    assert again.dtype == np.float32
    np.testing.assert_allclose(again[:2], waves[:2], atol=1e-6)
    np.testing.assert_allclose(again[2], 0.2 if normalization == "min-max" else 0)


@pytest.mark.filterwarnings("error")
def test_normalize_constant_without_a_warning(audio):
    for reading in ("min-max", "peak"):
        table = audio.model_copy(update={"normalization": reading})
        for value in (0, 1e-40, -0.7, 3e38):
            assert not normalize(np.full(9, value, np.float32), table).any()


def test_silence(audio):
    ramp = np.linspace(0, 1, 1001)  # RMS 1/sqrt(3) after min-max
    click = np.zeros(1001)
    click[500] = 0.01
    quiet = 0.001 * tone(10, 1001) ** 3  # RMS sqrt(5/16)
    sparse = np.where(
        np.arange(1001) % 10 < 2, np.where(np.arange(1001) % 20 < 10, 1.0, -1.0), 0
    )  # sqrt(0.2)
    waves = normalize(np.stack([ramp, click, quiet, sparse, np.full(1001, 0.2)]), audio)
    assert is_silent(waves, audio).tolist() == [True, True, True, False, True]
    assert not is_silent(waves[3], audio)
    assert is_silent(waves[:, None], audio).shape == (5, 1)


def test_silence_is_strictly_above_the_limit(audio):
    # Half of the samples at 0, an eighth each side at 1: RMS is exactly 0.5.
    wave = np.array([0, 0, 0, 0, 0, 0, 1, -1], np.float32)
    assert np.sqrt(np.mean(wave**2)) == 0.5
    assert not is_silent(wave, audio)
    assert is_silent(wave, audio.model_copy(update={"silence_rms": 0.499}))


@pytest.mark.gpu
def test_cupy_equals_numpy(cupy, speech, audio):
    crops = np.stack([speech[:N], speech[50000 : 50000 + N], np.zeros(N, np.float32)])
    for reading in ({}, DFT_EVEN, {"spectrum": "power"}, {"normalization": "peak"}):
        table = audio.model_copy(update=reading)
        s = spectrogram(cupy.asarray(crops), table)
        assert isinstance(s, cupy.ndarray)
        assert s.dtype == np.float32
        np.testing.assert_allclose(cupy.asnumpy(s), spectrogram(crops, table), atol=1e-4)
        normalized = normalize(cupy.asarray(crops), table)
        assert normalized.dtype == np.float32
        assert (
            is_silent(normalized, table).get().tolist() == is_silent(normalize(crops, table), table).tolist()
        )
    one = spectrogram(cupy.asarray(crops[0], dtype=np.float64), audio)
    assert one.dtype == np.float32
    np.testing.assert_allclose(cupy.asnumpy(one), spectrogram(crops[0], audio), atol=1e-4)
