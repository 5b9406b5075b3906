import csv
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from starvox.corpus import Corpus, CropDataset, LabelEncoder
from starvox.errors import UserError

SIZES = {"speaker": 32, "birthplace": 16, "sex": 2}


def reasons(corpus):
    return {clip.path.name: reason for clip, reason in corpus.rejected}


def test_unusable_clips_are_left_out(make, tmp_path, small, speech, click):
    (tmp_path / "text.wav").write_text("text")
    (tmp_path / "folder.wav").mkdir()
    soundfile.write(tmp_path / "nan.wav", np.full(9000, np.nan), 16000, subtype="FLOAT")
    files = {
        "good.wav": speech[:20000],
        "exact.wav": speech[8000 : 8000 + 4288],
        "short.wav": speech[:4287],
        "empty.wav": np.zeros(0),
        "constant.wav": np.full(8000, 0.3),
        "zeros.wav": np.zeros(8000),
        "click.wav": click,
    }
    manifest = make({**files, **dict.fromkeys(["text.wav", "folder.wav", "nan.wav", "none.wav"])})
    corpus = Corpus.open(manifest, small, tmp_path / "store")
    assert [clip.path.name for clip in corpus.clips] == ["good.wav", "exact.wav"]
    assert len(corpus.wave(0)) == 20000
    silent = "silent: no 0.27 s of it have an RMS of at most 0.5 once normalised"
    found = reasons(corpus)
    assert found.pop("text.wav").startswith("unreadable: Format not recognised")
    assert found == {
        "short.wav": "shorter than 0.27 s: 0.27 s, 4287 of 4288 samples",
        "empty.wav": "empty",
        "constant.wav": "silent: constant",
        "zeros.wav": "silent: constant",
        "click.wav": silent,
        "folder.wav": "unreadable: Is a directory",
        "nan.wav": "NaN or infinite samples",
        "none.wav": "not found: paths start at the manifest's folder",
    }
    assert corpus.summary() == (
        "2 clips used, 9 left out (3 silent, 2 unreadable, 1 shorter than 0.27 s, 1 empty, "
        "1 NaN or infinite samples, 1 not found): see rejected.csv"
    )
    corpus.write_rejected(tmp_path / "rejected.csv")
    with open(tmp_path / "rejected.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    assert {"path": str(tmp_path / "click.wav"), "reason": silent} in rows


def test_length_counts_after_resampling(tmp_path, audio):
    needed = 66304 / 16000
    for name, rate, seconds in (
        ("a", 44100, needed + 0.001),
        ("b", 44100, needed - 0.001),
        ("c", 8000, needed),
    ):
        wave = np.random.default_rng(0).normal(0, 0.1, (round(rate * seconds), 2))
        soundfile.write(tmp_path / f"{name}.flac", wave, rate)
    (tmp_path / "m.csv").write_text("path,speaker,birthplace,sex\na.flac,,,\nb.flac,,,\nc.flac,,,\n")
    corpus = Corpus.open(tmp_path / "m.csv", audio, tmp_path / "store")
    assert [clip.path.name for clip in corpus.clips] == ["a.flac", "c.flac"]
    assert reasons(corpus)["b.flac"].startswith("shorter than 4.14 s: 4.14 s, 66288 of 66304 samples")


def test_verdict_follows_the_settings(make, tmp_path, small, audio, speech, click):
    manifest = make({"a.wav": speech[:20000], "b.wav": click, "c.wav": speech})
    assert len(Corpus.open(manifest, small, tmp_path / "store").clips) == 2
    assert len(Corpus.open(manifest, audio, tmp_path / "store").clips) == 1
    loose = small.model_copy(update={"silence_rms": 1.0})
    assert len(Corpus.open(manifest, loose, tmp_path / "store").clips) == 3
    peak = small.model_copy(update={"normalization": "peak"})
    assert len(Corpus.open(manifest, peak, tmp_path / "store").clips) == 3


def test_none_left(make, tmp_path, small, click):
    manifest = make({"a.wav": click, "b.wav": click[:100], "c.wav": None, "d.wav": None})
    with pytest.raises(
        UserError, match=r"no clip can be used: 2 not found, 1 silent, 1 shorter than 0\.27 s"
    ):
        Corpus.open(manifest, small, tmp_path / "store")


def test_clips_of_one_content_keep_their_own_labels(make, tmp_path, small, speech):
    corpus = Corpus.open(make({"a.wav": speech, "b.wav": speech}), small, tmp_path / "store")
    assert len(set(corpus.keys)) == 1
    dataset = CropDataset(corpus, LabelEncoder.from_clips(corpus.clips, SIZES))
    examples = [dataset.draw(index, np.random.default_rng(0)) for index in (0, 1)]
    assert [example.c.argmax() for example in examples] == [0, 1]


def test_a_clip_that_changes_after_it_was_decoded_is_told_and_not_used(make, tmp_path, small, speech):
    manifest = make({"a.wav": speech[:20000], "b.wav": speech[:9000], "c.wav": speech[:9001]})
    corpus = Corpus.open(manifest, small, tmp_path / "store")
    before = corpus.wave(0).read()
    assert corpus.changes() == ""
    soundfile.write(tmp_path / "a.wav", np.zeros(7), 16000)
    told = "changed since the start, which used what they held then: "
    assert corpus.changes() == f"{told}{tmp_path / 'a.wav'}"
    (tmp_path / "c.wav").unlink()
    assert corpus.changes() == f"{told}{tmp_path / 'a.wav'} and 1 more"
    np.testing.assert_array_equal(corpus.wave(0).read(), before)


def test_clips_that_differ_from_a_list_are_named(make, tmp_path, small, speech):
    files = {name: speech[start:][:9000] for start, name in enumerate(("a.wav", "b c.wav", "d.wav"))}
    manifest = make(files)
    first = Corpus.open(manifest, small, tmp_path / "store")
    first.write_clips(tmp_path / "clips.csv")
    assert first.difference(tmp_path / "clips.csv") == "the order or the number of its clips"
    soundfile.write(tmp_path / "b c.wav", speech[5:9005], 16000)
    second = Corpus.open(manifest, small, tmp_path / "store")
    words = f"its clip {tmp_path}/b c.wav: changed, added or left out"
    assert second.difference(tmp_path / "clips.csv") == words
    (tmp_path / "a.wav").unlink()
    third = Corpus.open(manifest, small, tmp_path / "store")
    words = f"its clip {tmp_path}/a.wav and 1 more: changed, added or left out"
    assert third.difference(tmp_path / "clips.csv") == words
    assert third.difference(tmp_path / "none.csv") == "its clips, their labels or their order"


def test_no_cell_of_the_lists_is_a_formula(make, tmp_path, small, speech, monkeypatch):
    monkeypatch.chdir(tmp_path)
    manifest = make({"+1.wav": speech[:9000], "=2.wav": None}).relative_to(tmp_path)
    manifest.write_text('path,speaker,birthplace,sex\n+1.wav,"=HYPERLINK(""http://x"")",-1,@a\n=2.wav,,,\n')
    corpus = Corpus.open(manifest, small, tmp_path / "store")
    corpus.write_clips("clips.csv")
    corpus.write_rejected("rejected.csv")
    for name in ("clips.csv", "rejected.csv"):
        with open(name, encoding="utf-8", newline="") as file:
            assert not [cell for row in csv.reader(file) for cell in row if cell[:1] in tuple("=+-@")]
    assert corpus.difference("clips.csv") == "the order or the number of its clips"


def test_a_folder_whose_name_is_no_utf8(tmp_path, small, speech):
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    try:
        os.mkdir(folder)
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    folder = Path(os.fsdecode(folder))
    soundfile.write(os.fsencode(folder / "a.wav"), speech[:9000], 16000)
    (folder / "m.csv").write_text("path,speaker,birthplace,sex\na.wav,,,\nb.wav,,,\n")
    for _ in range(2):
        corpus = Corpus.open(folder / "m.csv", small, tmp_path / "store")
        assert len(corpus.clips) == 1
    corpus.write_rejected(tmp_path / "rejected.csv")
    assert b"/caf\xe9/b.wav,not found" in (tmp_path / "rejected.csv").read_bytes()
