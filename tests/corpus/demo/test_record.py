"""The record-shaped corpus: its table whole, and the sound of a part of it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import librosa
import numpy as np
import pytest

from starvox import spectrogram
from starvox.corpus import Corpus, usable_starts
from starvox.corpus.demo import make_demo
from starvox.corpus.demo.speakers import ACCENTS, record_speakers, say
from starvox.corpus.demo.table import list_clips

CLIPS = list_clips("record")
TRAIN = [clip for clip in CLIPS if not clip.held_out]
HELD_OUT = [clip for clip in CLIPS if clip.held_out]


def test_1421_speakers_with_a_clip_each_from_53_places():
    assert len({clip.speaker.name for clip in TRAIN}) == len(TRAIN) == 1421
    assert Counter(clip.speaker.sex for clip in TRAIN) == {"F": 711, "M": 710}
    pairs = Counter((clip.speaker.birthplace, clip.speaker.sex) for clip in TRAIN)
    assert len(ACCENTS) == 53
    assert len(set(ACCENTS.values())) == 53
    assert len(pairs) == 2 * 53
    assert set(pairs.values()) == {13, 14}
    assert len({clip.path for clip in CLIPS}) == len(CLIPS)


def test_no_two_voices_are_the_same_even_without_the_accent():
    assert (
        len({(s.sex, s.variant, s.pitch, s.rate, s.pitch_range, s.size) for s in record_speakers()}) == 1421
    )
    assert len({(s.variant, s.pitch, s.size) for s in record_speakers()}) == 1421


def test_a_variant_is_a_womans_or_a_mans():
    sexes = {(s.variant, s.sex) for s in record_speakers()}
    assert len(sexes) == len({variant for variant, _ in sexes})


def test_a_tenth_of_each_group_is_missing_as_often_of_women_as_of_men():
    for group in range(3):
        missing = Counter(clip.speaker.sex for clip in TRAIN if not clip.labels[group])
        assert missing == {"F": 71, "M": 71}
    together = sum(not clip.labels[0] and not clip.labels[1] for clip in TRAIN)
    assert 5 <= together <= 25  # of 1421, 14.2 are expected


def test_the_classes_that_training_finds():
    classes = [{clip.labels[group] for clip in TRAIN} - {""} for group in range(3)]
    assert [len(names) for names in classes] == [1279, 53, 2]
    for clip in HELD_OUT:
        assert clip.labels == (clip.speaker.name, clip.speaker.birthplace, clip.speaker.sex)
        assert clip.speaker.name in classes[0]


def test_held_out_are_100_speakers_of_all_places_with_texts_that_nobody_trains_on():
    assert len({clip.speaker.name for clip in HELD_OUT}) == len(HELD_OUT) == 100
    assert {clip.speaker.birthplace for clip in HELD_OUT} == set(ACCENTS)
    assert 40 <= sum(clip.speaker.sex == "F" for clip in HELD_OUT) <= 60
    assert not {clip.text for clip in HELD_OUT} & {clip.text for clip in TRAIN}


def hear(clip, audio):
    """Returns a clip's samples, int16 at 16 kHz."""
    wave = librosa.resample(say(clip.text, clip.speaker) / 32768, orig_sr=22050, target_sr=audio.sample_rate)
    return (wave * 32767).round().astype(np.int16)


@pytest.fixture(scope="module")
def heard(audio):
    """path -> samples: both clips of a held-out speaker of each place, who are women and men in turn."""
    speakers = {clip.speaker.birthplace: clip.speaker for clip in HELD_OUT}.values()
    clips = [clip for clip in CLIPS if clip.speaker in speakers]
    with ThreadPoolExecutor(2) as pool:
        return dict(
            zip([c.path for c in clips], pool.map(lambda clip: hear(clip, audio), clips), strict=True)
        )


def test_every_place_speaks_long_enough_and_passes_the_rule_of_the_record(heard, audio):
    assert len(heard) == 2 * 53
    for path, wave in heard.items():
        assert np.abs(wave).max() > 2000, path
        grid = (len(wave) - audio.crop_samples) // 256 + 1
        assert len(usable_starts(wave, audio)) == grid > 0, path


def timbre(wave, audio):
    """Returns the spectrum that four crops of a clip have on average, without its level."""
    starts = np.linspace(0, len(wave) - audio.crop_samples, 4).astype(int)
    crops = np.stack([wave[start : start + audio.crop_samples] for start in starts])
    mean = spectrogram(crops.astype(np.float32), audio).mean((0, 2))
    return mean - mean.mean()


def tell_apart(train, held_out, own):
    """How often a held-out clip is nearer to its speaker's training clip than to another speaker's.

    Args:
        train (ndarray of shape (n, bins)): timbres of the training clips.
        held_out (ndarray of shape (m, bins)): timbres of the held-out clips.
        own (list of int): for each held-out clip, its speaker's place in ``train``.

    Returns:
        of all pairs (clip, other speaker), and of all clips against all speakers at once.
    """
    distances = np.linalg.norm(held_out[:, None] - train[None], axis=-1)
    to_own = distances[np.arange(len(own)), own][:, None]
    return (distances > to_own).sum() / (len(own) * (len(train) - 1)), (distances >= to_own).all(1).mean()


def test_two_voices_are_told_apart_by_their_average_spectra(heard, audio):
    names = sorted({path[:8] for path in heard})
    train, held_out = (
        np.stack([timbre(heard[f"{name}/{take}.wav"], audio) for name in names]) for take in ("01", "02")
    )
    pairs, _ = tell_apart(train, held_out, range(len(names)))
    assert pairs > 0.99


@pytest.mark.long
def test_the_whole_corpus(tmp_path, audio):
    """Makes all of it; prints the numbers of data/README.md."""
    folder = make_demo(tmp_path / "record", "record")
    timbres, names = [], []
    for manifest in ("train.csv", "held_out.csv"):
        corpus = Corpus.open(folder / manifest, audio, tmp_path / "store")
        assert not corpus.rejected
        waves = [corpus.wave(index).read() for index in range(len(corpus.clips))]
        for wave in waves:
            assert len(usable_starts(wave, audio)) == (len(wave) - audio.crop_samples) // 256 + 1
        timbres.append(np.stack([timbre(wave, audio) for wave in waves]))
        names.append([clip.path.parent.name for clip in corpus.clips])
        seconds = [len(wave) / audio.sample_rate for wave in waves]
        print(manifest, f"{len(waves)} clips, {min(seconds):.1f} to {max(seconds):.1f} s, {sum(seconds)} s")
    pairs, all_at_once = tell_apart(*timbres, [names[0].index(name) for name in names[1]])
    print(f"two voices told apart: {pairs:.2%}; one out of 1421 found: {all_at_once:.0%}")
    assert pairs > 0.995
