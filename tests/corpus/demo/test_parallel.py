import numpy as np
import pytest

from starvox.corpus import read_manifest
from starvox.corpus.demo import is_synthetic, make, say_in_voice
from starvox.corpus.demo.speakers import say
from starvox.corpus.demo.table import list_clips
from starvox.errors import UserError


@pytest.fixture
def record(tmp_path):
    """What `say_in_voice` reads of a record-shaped corpus: the marker."""
    (tmp_path / "VERSION").write_text(make.version("record") + "\n", encoding="utf-8")
    return tmp_path


def test_a_speakers_own_sentence_is_the_clip_itself(folder, read_wav):
    for clip in read_manifest(folder / "held_out.csv")[::12]:
        wave, rate = say_in_voice(folder, clip.path, clip.speaker)
        assert (wave.dtype, rate) == (np.float32, 22050)
        assert np.array_equal(wave * 32768, read_wav(clip.path))


def test_the_folder_or_a_manifest_and_the_path_from_the_manifest_will_do(folder):
    wave, _ = say_in_voice(folder / "held_out.csv", "wav/m01/06.wav", "f01")
    same, _ = say_in_voice(folder, folder / "wav/m01/06.wav", "f01")
    assert np.array_equal(wave, same)


def test_the_voice_is_the_targets_and_the_text_is_the_clips(record):
    clips = [clip for clip in list_clips("record") if clip.held_out]
    for clip, other in zip(clips[:3], clips[50:53], strict=True):
        wave, _ = say_in_voice(record, clip.path, other.speaker.name)
        assert np.array_equal(wave * 32768, say(clip.text, other.speaker))


def test_any_other_corpus_is_refused(tmp_path, folder):
    (tmp_path / "manifest.csv").write_text("path,speaker,birthplace,sex\na.wav,a,,\n", encoding="utf-8")
    assert is_synthetic(folder)
    assert is_synthetic(folder / "train.csv")
    assert not is_synthetic(tmp_path / "missing")
    for version in (None, "mine", "starvox default corpus 0\n"):
        if version:
            (tmp_path / "VERSION").write_text(version, encoding="utf-8")
        assert not is_synthetic(tmp_path / "manifest.csv")
        with pytest.raises(UserError, match="not a synthetic corpus of this version"):
            say_in_voice(tmp_path / "manifest.csv", "a.wav", "a")


@pytest.mark.parametrize("names", [("wav/f01/99.wav", "f01"), ("wav/f01/01.wav", "f001")])
def test_what_is_unknown_is_named(folder, names):
    with pytest.raises(UserError, match=r"no '(wav/f01/99.wav|f001)' in this corpus"):
        say_in_voice(folder, *names)
