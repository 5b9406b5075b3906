"""From a spectrogram back to sound."""

import numpy as np
import pytest

from starvox.audio import griffin_lim, log_spectrogram, normalize, spectrogram
from starvox.audio.griffin_lim import magnitude, take_phase, unused_band

N = 66304


@pytest.fixture(scope="module")
def all_bins(audio):
    """The pipeline that leaves nothing out: all bins, next to no floor."""
    return audio.model_copy(update={"first_bin": 0, "bins": 513, "floor": 1e-12})


def plain_magnitude(wave):
    frames = [wave[256 * j : 256 * j + 1024] * np.hamming(1024) for j in range(256)]
    return np.abs(np.fft.rfft(frames)).T


def distance(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


@pytest.mark.parametrize("spectrum", ["magnitude", "power"])
def test_magnitude_undoes_the_pipeline_above_the_floor(speech, audio, spectrum):
    audio = audio.model_copy(update={"spectrum": spectrum})
    s = spectrogram(speech[:N], audio)
    full = magnitude(s, audio)
    assert full.shape == (513, 256)
    assert full.dtype == np.float32
    assert not full[0].any()
    assert not full[257:].any()
    above = s > 0
    expected = plain_magnitude(normalize(speech[:N], audio))[1:257]
    np.testing.assert_allclose(full[1:257][above], expected[above], rtol=1e-3)


def test_resynthesis_with_all_bins_is_the_waveform_up_to_its_edges(speech, all_bins):
    crops = np.stack([speech[:N], speech[60000 : 60000 + N]])
    normalized = normalize(crops, all_bins)
    wave = take_phase(spectrogram(crops, all_bins), normalized, all_bins)
    assert wave.dtype == np.float32
    np.testing.assert_allclose(wave, normalized, atol=1e-4)


def test_resynthesis_keeps_the_spectrogram_of_speech(speech, audio):
    audio = audio.model_copy(update={"floor": 1e-6})  # the record's is audible as a hiss
    crop = speech[:N]
    s = spectrogram(crop, audio)
    again = plain_magnitude(take_phase(s, normalize(crop, audio), audio))[1:257]
    assert distance(again, magnitude(s, audio)[1:257]) < 0.05


def test_griffin_lim_finds_a_waveform_of_the_spectrogram(speech, audio):
    s = spectrogram(speech[:N], audio)
    wave = griffin_lim(s, audio)
    assert wave.shape == (N,)
    assert wave.dtype == np.float32
    expected = plain_magnitude(normalize(speech[:N], audio))
    assert distance(plain_magnitude(wave)[1:257], expected[1:257]) < 0.15


def test_griffin_lim_keeps_the_amplitude(audio):
    tone = np.cos(2 * np.pi * 64 * np.arange(N) / 1024).astype(np.float32)
    wave = griffin_lim(spectrogram(tone, audio), audio)
    assert wave[2000:-2000].std() == pytest.approx(0.5**0.5, rel=0.05)


def test_griffin_lim_is_deterministic_and_leaves_the_global_rng(audio):
    s = np.random.default_rng(0).random((256, 9), np.float32)
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    first = griffin_lim(s, audio, iterations=3)
    assert (np.random.get_state()[1] == before).all()
    np.random.seed(4)
    np.testing.assert_array_equal(griffin_lim(s, audio, iterations=3), first)


@pytest.mark.parametrize("offset", [0, 0.3])
def test_digital_silence_neither_hisses_nor_buzzes(audio, offset):
    wave = np.full(N, offset, np.float32)
    wave[:8000] += np.sin(np.arange(8000) ** 1.5 / 300).astype(np.float32)
    for sound in (
        take_phase(spectrogram(wave, audio), normalize(wave, audio), audio),
        griffin_lim(spectrogram(wave, audio), audio),
    ):
        assert np.abs(np.diff(sound[10000:])).max() < 1e-3
        assert np.abs(sound[:8000]).max() > 0.5


def test_used_and_unused_band_make_the_waveform(speech, all_bins, audio):
    normalized = normalize(speech[:N], audio)
    narrow = all_bins.model_copy(update={"first_bin": 1, "bins": 256})
    used = take_phase(log_spectrogram(normalized, narrow), normalized, narrow)
    np.testing.assert_allclose(used + unused_band(normalized, audio), normalized, atol=1e-4)
