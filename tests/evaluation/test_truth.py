"""Distances to the same sentence in another voice."""

import numpy as np
import pytest

from starvox.audio.source import Source
from starvox.corpus import Clip
from starvox.corpus.demo import SPEAKERS
from starvox.corpus.demo.make import version
from starvox.evaluation.truth import align, find_f0, measure_distance, synthetic_truth
from starvox.evaluation.words import energy_correlation

F01, M01 = SPEAKERS[0], SPEAKERS[12]


@pytest.fixture(scope="module")
def say(utter, audio):
    """Returns a sentence's spectrogram and waveform."""

    def say(number, speaker):
        wave = utter(number, speaker)
        source = Source(wave, audio, 4)
        return source.inner(source.spectrogram), wave

    return say


@pytest.mark.parametrize("f0", [75, 120, 210, 400])
def test_the_pitch_of_a_buzz(f0, audio):
    t = np.arange(16000) / 16000
    buzz = sum(np.cos(2 * np.pi * k * f0 * t) / k for k in range(1, 10)).astype(np.float32)
    found = find_f0(buzz, audio)
    assert len(found) == 1 + (16000 - 1024) // 256
    np.testing.assert_allclose(found, f0, rtol=0.02)


def test_noise_and_silence_have_no_pitch(audio):
    noise = np.random.default_rng(0).normal(size=16000).astype(np.float32)
    assert np.isnan(find_f0(noise, audio)).all()
    assert np.isnan(find_f0(np.zeros(16000, np.float32), audio)).all()
    assert not len(find_f0(noise[:500], audio))


def test_the_truth_is_at_no_distance_from_itself_nor_is_another_level(say, audio):
    s, wave = say(0, F01)
    assert measure_distance(s, wave, s, wave, audio) == pytest.approx((0, 0))
    louder = s + np.float32(0.1)  # 6 dB
    assert align(s, louder, audio)[1] == pytest.approx(0, abs=1e-4)


def test_a_tilt_of_the_spectrum_has_the_distance_it_has_in_decibels(audio):
    """12 dB more in the upper half of the mel bands is 6 dB off the mean level everywhere.

    13 coefficients of 26 hold a little less than all of the step.
    """
    s = np.full((256, 8), 0.4, np.float32)
    stepped = s.copy()
    stepped[75:] += 12 / 60  # bin 75 is 1.2 kHz: half of the mel scale below 4 kHz
    assert 5 < align(s, stepped, audio)[1] < 6.1


def test_pace_does_not_count_but_words_and_voices_do(say, audio):
    s, _ = say(0, F01)
    slow, _ = say(0, F01._replace(rate=100))
    path, same = align(s, slow, audio)
    assert slow.shape[1] > 1.2 * s.shape[1]
    assert path[0].tolist() == [0, 0]
    assert (path[-1] + 1).tolist() == [s.shape[1], slow.shape[1]]
    assert (np.diff(path, axis=0) >= 0).all()
    assert same < 0.7 * align(s, say(0, M01)[0], audio)[1]
    assert same < 0.7 * align(s, say(1, F01)[0], audio)[1]


def test_another_voice_is_as_far_in_pitch_as_its_pitch_is(say, audio):
    (s, wave), (other, other_wave) = say(0, F01), say(0, M01)
    medians = [np.nanmedian(find_f0(w, audio)) for w in (wave, other_wave)]
    apart = 12 * np.log2(medians[0] / medians[1])
    assert measure_distance(s, wave, other, other_wave, audio)[1] == pytest.approx(apart, abs=2.5)


def test_a_synthetic_corpus_says_its_sentences_in_its_other_voices(tmp_path, audio):
    (tmp_path / "VERSION").write_text(version("demo"), encoding="utf-8")
    truth = synthetic_truth(tmp_path, 16000)
    clip = Clip(tmp_path / "wav/f01/06.wav", "f01", "britain", "F")
    own, other = (truth(clip, speaker) for speaker in ("f01", "m01"))
    medians = [np.nanmedian(find_f0(wave, audio)) for wave in (own, other)]
    assert medians[0] > 1.5 * medians[1]  # a woman's and a man's
    spectrograms = [source.inner(source.spectrogram) for source in (Source(own, audio), Source(other, audio))]
    assert energy_correlation(*spectrograms) < 0.9  # another pace, or the words would be in step
    path, _ = align(*spectrograms, audio)
    assert energy_correlation(*(s[:, path[:, i]] for i, s in enumerate(spectrograms))) > 0.8  # the same words
    assert truth(clip, "nobody") is None


def test_other_corpora_have_no_truth(make_manifest):
    assert synthetic_truth(make_manifest(["a,,F"], "clips.csv"), 16000) is None
