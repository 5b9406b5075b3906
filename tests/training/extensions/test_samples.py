"""The sample figure and sounds: what is converted to what."""

from types import SimpleNamespace

import chainer
import numpy as np
import pytest
import soundfile

from starvox import load_experiment
from starvox.audio.source import Source
from starvox.training.extensions.samples import SampleClip, Samples, Voice

AUDIO = load_experiment("smoke").audio


class Shift(chainer.Link):
    """A generator that is known: it adds the first label to its input, and notes its mode."""

    def forward(self, x, c):
        assert not chainer.config.train
        return chainer.Variable(x + c[:, :1, None, None])


def voice(title, value):
    return Voice(title, np.array([value, 1], np.float32))


@pytest.fixture
def samples(speech):
    crops = [speech[start : start + AUDIO.crop_samples] for start in (16000, 40000)]
    clips = [SampleClip(crops[0], voice("a F", 0.5)), SampleClip(crops[1], voice("b/c M", 0.25))]
    return Samples(Shift(), clips, [voice("one", 1), voice("two", 2)], AUDIO, 4), crops


def test_the_columns(samples):
    extension, crops = samples
    columns = extension._convert()
    x = np.stack([Source(crop, AUDIO, 4).spectrogram for crop in crops])  # as replay does
    assert list(columns) == ["input", "to one", "to two", "reconstruction"]
    np.testing.assert_array_equal(columns["input"], x)
    np.testing.assert_allclose(columns["to one"], x + 1)
    np.testing.assert_allclose(columns["to two"], x + 2)
    own = np.array([0.5, 0.25], np.float32)[:, None, None]
    np.testing.assert_allclose(columns["reconstruction"], x + 1 + own)  # to the first target and back


def test_the_files(samples, tmp_path):
    extension, crops = samples
    extension(SimpleNamespace(out=tmp_path, updater=SimpleNamespace(iteration=7)))
    folder = tmp_path / "samples" / "iter_7"
    columns = ("input", "copy-synthesis", "to_one", "to_two", "reconstruction")
    expected = {f"{clip}_{column}.wav" for clip in ("1_a_F", "2_b_c_M") for column in columns}
    assert {path.name for path in folder.iterdir()} == {"spectrograms.png", *expected}
    for name in expected:
        wave, rate = soundfile.read(folder / name)
        assert (len(wave), rate) == (AUDIO.crop_samples, 16000)
    recorded, copied = (soundfile.read(folder / f"1_a_F_{name}.wav")[0] for name in columns[:2])
    np.testing.assert_allclose(recorded, crops[0], atol=1e-4)
    assert np.abs(recorded - copied).max() > 0.01


def test_sounds_are_as_loud_as_the_recording_and_do_not_click_at_the_ends(speech, tmp_path):
    clips = [SampleClip(speech[start:][: AUDIO.crop_samples], voice("a", 0)) for start in (16000, 40000)]
    Samples(Shift(), clips, [voice("same", 0), voice("louder", 0.02)], AUDIO, 4)(
        SimpleNamespace(out=tmp_path, updater=SimpleNamespace(iteration=7))
    )
    for number, clip in enumerate(clips, 1):
        for name in ("copy-synthesis", "to_same", "to_louder", "reconstruction"):
            sound, _ = soundfile.read(tmp_path / f"samples/iter_7/{number}_a_{name}.wav")
            middle = np.abs(sound[300:-300]).max()
            assert np.abs(sound[:300]).max() < middle
            assert np.abs(sound[-300:]).max() < middle
            assert 0.7 < sound.std() / clip.crop.std() < 1.4  # 3 dB


@pytest.mark.parametrize("title", ["x" * 200, "声" * 200], ids=["latin", "japanese"])
def test_long_titles_that_begin_alike_give_files_of_their_own(speech, tmp_path, title):
    clips = [SampleClip(speech[16000:][: AUDIO.crop_samples], voice(title, 0.5))]
    targets = [voice(name, 1) for name in (title + "1", title + "2", "a b", "A/B", "a_b")]
    extension = Samples(Shift(), clips, targets, AUDIO, 4)
    extension(SimpleNamespace(out=tmp_path, updater=SimpleNamespace(iteration=7)))
    sounds = {path.name.casefold() for path in (tmp_path / "samples" / "iter_7").glob("*.wav")}
    assert len(sounds) == 2 + len(targets) + 1  # on a file system that takes A for a, too
