"""The judge from outside, on real voices."""

import numpy as np
import pytest

from starvox import LabelEncoder, spectrogram
from starvox.corpus import Corpus, CropDataset
from starvox.evaluation.judge import Judge

SIZES = {"speaker": 9, "birthplace": 9, "sex": 2}


@pytest.fixture(scope="module")
def opened(corpora, audio, tmp_path_factory):
    store = tmp_path_factory.mktemp("store")
    return [Corpus.open(manifest, audio, store, progress=False) for manifest in corpora]


def crops(corpus, seed=1):
    dataset = CropDataset(corpus, LabelEncoder.from_clips(corpus.clips, SIZES))
    rng = np.random.default_rng(seed)
    return np.stack([spectrogram(dataset.draw(i, rng).crop, corpus.audio) for i in range(len(dataset))])


def labels(corpus):
    return [tuple(clip.labels.values()) for clip in corpus.clips]


def test_it_names_the_speakers_of_held_out_sentences(opened):
    training, held_out = opened
    judge = Judge(training, LabelEncoder.from_clips(training.clips, SIZES))
    assert judge.crops == 12 * 8
    speakers = [answer[0] for answer in judge.name(crops(held_out))]
    right = np.mean([a == b[0] for a, b in zip(speakers, labels(held_out), strict=True)])
    assert right >= 5 / 6  # chance is 1/6


def test_one_clip_of_each_speaker_is_enough_to_name_it_again(opened):
    _, alone = opened
    judge = Judge(alone, LabelEncoder.from_clips(alone.clips, SIZES))
    assert judge.name(crops(alone)) == labels(alone)


def test_names_that_the_run_does_not_know_are_never_given(opened):
    training, held_out = opened
    known = LabelEncoder({"speaker": ["f01", "m01"], "birthplace": [], "sex": ["F"]}, SIZES)
    answers = Judge(training, known).name(crops(held_out))
    assert {answer[0] for answer in answers} == {"f01", "m01"}
    assert {answer[1:] for answer in answers} == {(None, None)}  # with fewer than two there is no choice
