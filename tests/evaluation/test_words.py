"""Words kept: energy over time, and STOI."""

import sys

import numpy as np
import pytest

from starvox import spectrogram
from starvox.evaluation.words import energy_correlation, needed, stoi


def test_the_energy_of_a_copy_correlates_wholly(speech, audio):
    x = spectrogram(speech[: audio.crop_samples], audio)
    other = spectrogram(speech[-audio.crop_samples :], audio)
    assert energy_correlation(x, x) == pytest.approx(1)
    assert energy_correlation(x, 0.5 * x + 0.2) == pytest.approx(1)  # level and contrast do not count
    assert energy_correlation(x, 1 - x) == pytest.approx(-1)
    assert abs(energy_correlation(x, other)) < 0.5
    assert energy_correlation(x, np.full_like(x, 0.3)) == 0


def test_of_two_lengths_the_shorter_counts():
    a = np.array([[0, 1, 0, 1, 9]], np.float32)
    assert energy_correlation(a, np.array([[1, 2, 1, 2]], np.float32)) == pytest.approx(1)


def test_stoi_tells_a_copy_from_noise_and_other_words(speech):
    first, other = speech[:48000], speech[96000:144000]
    noisy = first + np.random.default_rng(0).normal(0, first.std(), first.size).astype(np.float32)
    assert stoi(first, first, 16000) == pytest.approx(1)
    assert 0.5 < stoi(first, noisy, 16000) < 0.9
    assert stoi(first, other, 16000) < 0.4


def test_too_little_speech_has_no_stoi(speech):
    assert stoi(speech[:4000], speech[:4000], 16000) is None


def test_without_pystoi_there_is_none(speech, monkeypatch):
    monkeypatch.setitem(sys.modules, "pystoi", None)
    assert stoi(speech[:48000], speech[:48000], 16000) is None


def test_half_way_is_kept():
    assert needed({"copy": {"mean": 1.0}, "unrelated": {"mean": 0.5}}) == 0.75
