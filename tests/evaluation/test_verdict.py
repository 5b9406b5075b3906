"""The verdict's thresholds, and the real voices that they are measured against."""

import itertools

import librosa
import numpy as np
import pytest

from starvox import spectrogram
from starvox.corpus.demo import SPEAKERS
from starvox.evaluation.verdict import MAX_COPY_ERROR, MIN_RESPONSE, give_verdict


def judge(copy, response, unit=0.04, judged=None, words=None):
    rows = {"speaker": {"mean": response * unit}, "sex": {"mean": 0.0}, "birthplace": None}
    tables = {
        "errors": {"copy": {"mean": copy * unit}},
        "response": rows,
        "judge": judged,
        "words": words or {},
    }
    return give_verdict(tables | {"distances": {"different_clips": {"mean": unit}}})["verdict"]


@pytest.mark.parametrize(
    ("copy", "response", "verdict"),
    [
        (0.1, 0.1, "copies its input"),
        (0.2, 0.3, "answers to the labels"),
        (0.8, 0.5, "answers to the labels"),
        (0.6, 0.1, "neither"),  # not far from silence
        (6.2, 0.6, "neither"),  # an untrained generator
    ],
)
def test_verdicts(copy, response, verdict):
    assert judge(copy, response) == verdict


def words(stoi, energy, unrelated=0.2):
    rows = {"stoi": stoi, "energy": energy}
    return {
        name: value
        and {"converted": {"mean": value}, "copy": {"mean": 1.0}, "unrelated": {"mean": unrelated}}
        for name, value in rows.items()
    }


@pytest.mark.parametrize(
    ("copy", "target", "stoi", "energy", "verdict"),
    [
        (0.8, 0.8, 0.61, 0.61, "converts"),
        (1.2, 0.9, 0.7, 0.7, "converts"),  # far from the input, with its words
        (0.8, 0.79, 0.7, 0.7, "answers to the labels"),
        (0.8, 0.9, 0.59, 0.7, "answers to the labels"),  # half-way from 0.2 to 1 is 0.6
        (0.8, 0.9, 0.7, 0.59, "answers to the labels"),
        (0.8, 0.9, None, 0.7, "answers to the labels"),  # of half the words nothing is known
        (0.8, None, 0.7, 0.7, "answers to the labels"),
        (0.2, 0.9, 0.9, 0.9, "answers to the labels"),  # a copy that the judge takes for the target
    ],
)
def test_a_conversion_is_the_target_with_the_words_and_no_copy(copy, target, stoi, energy, verdict):
    judged = {"speaker": {"converted": target and {"mean": target}}}
    judged |= {group: {"converted": None} for group in ("birthplace", "sex")}
    assert judge(copy, 0.5, judged=judged, words=words(stoi, energy)) == verdict


@pytest.fixture(scope="module")
def say(utter, audio):
    """Returns the spectrogram of four seconds of a sentence, said at one pace."""
    return lambda number, voice: spectrogram(
        utter(number, voice._replace(rate=130))[8000:][: audio.crop_samples], audio
    )


@pytest.fixture(scope="module")
def distance_of_clips(say):
    """Between different sentences of different voices."""
    first, second = ([say(number, voice) for voice in SPEAKERS[::8]] for number in (0, 1))
    return np.mean([abs(a - b).mean() for i, a in enumerate(first) for j, b in enumerate(second) if i != j])


def test_another_voice_is_more_than_the_thresholds(say, distance_of_clips):
    for a, b in itertools.combinations([say(0, voice) for voice in SPEAKERS[::8]], 2):
        _, path = librosa.sequence.dtw(a, b, metric="cityblock")
        aligned = np.mean([abs(a[:, i] - b[:, j]).mean() for i, j in path])
        assert aligned > 1.5 * max(MAX_COPY_ERROR, MIN_RESPONSE) * distance_of_clips


def test_so_is_another_pitch(say, distance_of_clips):
    low, high = (say(0, SPEAKERS[12]._replace(pitch=pitch)) for pitch in (44, 50))
    assert abs(low - high).mean() > max(MAX_COPY_ERROR, MIN_RESPONSE) * distance_of_clips
