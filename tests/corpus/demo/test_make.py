import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import librosa
import numpy as np
import pytest

from starvox.corpus.demo import SPEAKERS, make, make_demo
from starvox.corpus.demo.table import list_clips
from starvox.errors import UserError

GROUPS = ["speaker", "birthplace", "sex"]
CROP = 66304


def read_manifest(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="session")
def train(folder):
    return read_manifest(folder / "train.csv")


@pytest.fixture(scope="session")
def held_out(folder):
    return read_manifest(folder / "held_out.csv")


@pytest.fixture(scope="session")
def waves(folder, train, held_out, read_wav):
    """path -> float samples at 16 kHz."""
    samples = {row["path"]: read_wav(folder / row["path"]) for row in train + held_out}
    return {path: librosa.resample(x / 32768, orig_sr=22050, target_sr=16000) for path, x in samples.items()}


def test_the_manifests_list_every_clip_once(folder, train, held_out):
    paths = [row["path"] for row in train + held_out]
    assert (len(train), len(held_out)) == (120, 48)
    assert sorted(paths) == sorted(path for path in contents(folder) if path.endswith(".wav"))
    assert list(train[0]) == ["path", *GROUPS]


def test_24_speakers_of_both_sexes_from_eight_places(held_out):
    clips = Counter(tuple(row[group] for group in GROUPS) for row in held_out)
    assert set(clips.values()) == {2}
    speakers, places, sexes = zip(*clips, strict=True)
    assert len(set(speakers)) == 24
    assert len(set(places)) == 8
    assert Counter(sexes) == {"F": 12, "M": 12}
    assert len({speaker.variant for speaker in SPEAKERS}) == 24


def test_some_labels_are_missing_but_no_class_and_no_clip_is_lost(train, held_out):
    missing = {group: sum(not row[group] for row in train) for group in GROUPS}
    assert 4 <= missing["speaker"] <= 8
    assert 9 <= missing["birthplace"] <= 15
    assert 9 <= missing["sex"] <= 15
    for group in GROUPS:
        assert {row[group] for row in train} - {""} == {row[group] for row in held_out}
    assert all(any(row[group] for group in GROUPS) for row in train)


def test_what_is_missing_goes_with_no_sex(train):
    for group in GROUPS:
        women = sum(row["path"].startswith("wav/f") for row in train if not row[group])
        assert 1 / 4 < women / sum(not row[group] for row in train) < 3 / 4


def test_no_sentence_is_said_twice():
    sentences = [s.strip() for clip in list_clips("demo") for s in re.split(r"(?<=\.)\s", clip.text)]
    words = [re.sub("[^a-z ]", "", sentence.lower()) for sentence in sentences]
    assert len(words) > 168
    assert len(set(words)) == len(words)


def test_every_clip_has_a_text_of_its_own():
    texts = [clip.text for clip in list_clips("demo")]
    assert len(set(texts)) == 168
    assert all(18 <= len(text.split()) <= 28 and text.isascii() for text in texts)


def test_6_to_12_seconds_none_at_full_scale(waves):
    assert len(waves) == 168
    for path, samples in waves.items():
        assert 6 <= len(samples) / 16000 <= 12, path
        assert 0.1 < np.abs(samples).max() < 0.95, path


def test_speech_throughout(waves):
    """No silence longer than the pause between two sentences."""
    for path, samples in waves.items():
        frames = librosa.util.frame(samples, frame_length=800, hop_length=400)
        loud = np.flatnonzero(np.sqrt((frames**2).mean(0)) > 0.01 * np.abs(samples).max())
        gaps = np.diff(np.r_[0, loud, frames.shape[1]])
        assert gaps.max() * 400 / 16000 < 1, path


def test_every_crop_passes_the_rule_of_the_record(waves):
    for path, samples in waves.items():
        for first in range(0, len(samples) - CROP + 1, 2000):
            crop = samples[first : first + CROP]
            low, high = crop.min(), crop.max()
            normalised = 2 * (crop - low) / (high - low) - 1
            assert np.sqrt((normalised**2).mean()) <= 0.5, path


def test_no_two_speakers_have_the_same_timbre(folder, read_wav):
    """The mean spectrum to 4 kHz, in dB; the clips of one speaker differ by about 1.2."""
    mel = librosa.filters.mel(sr=22050, n_fft=1024, n_mels=26, fmin=60, fmax=4000)

    def timbre(name):
        power = 0
        for number in (1, 3, 5):
            samples = read_wav(folder / f"wav/{name}/{number:02d}.wav") / 32768
            frames = mel @ np.abs(librosa.stft(samples, n_fft=1024, hop_length=512)) ** 2
            loud = frames.sum(0) > 0.05 * frames.sum(0).mean()
            power = power + 10 * np.log10(frames[:, loud] + 1e-9).mean(1) / 3
        return power - power.mean()

    timbres = {speaker: timbre(speaker.name) for speaker in SPEAKERS}
    for a in SPEAKERS:
        for b in SPEAKERS:
            if a.sex == b.sex and a.name < b.name:
                distance = np.sqrt(((timbres[a] - timbres[b]) ** 2).mean())
                assert distance > 2.5, (a.name, b.name, distance)


RUN = """
import sys
from starvox.corpus.demo import make
whole = make.list_clips
make.list_clips = lambda corpus: whole(corpus)[::12]
make.make_demo(sys.argv[1])
"""


@pytest.fixture
def few(monkeypatch):
    """Lets 14 clips stand for a corpus."""
    monkeypatch.setattr(make, "list_clips", lambda corpus: list_clips(corpus)[::12])


@pytest.fixture
def small(few, tmp_path):
    """Such a corpus."""
    return make_demo(tmp_path / "demo", progress=False)


def start(folder):
    """Makes such a corpus in a second process."""
    return subprocess.Popen([sys.executable, "-c", RUN, folder], stderr=subprocess.PIPE, text=True)


def seen(folder):
    """What is in a folder but the lock file, which may stay."""
    return [name for name in os.listdir(folder) if not name.endswith("-lock")]


def test_runs_side_by_side_make_one_corpus_of_the_same_bytes(small, tmp_path):
    processes = [start(tmp_path / "new" / "demo") for _ in range(2)]
    lines = [line for process in processes for line in process.communicate()[1].splitlines()]
    assert [process.returncode for process in processes] == [0, 0], lines
    assert lines == ["making the default corpus, 14 clips"]  # of one of them; the other waits
    assert contents(tmp_path / "new" / "demo") == contents(small)
    assert seen(tmp_path / "new") == ["demo"]


def test_a_finished_corpus_is_left_as_it_is(folder, capsys):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert make_demo(folder) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("wav/f01/01.wav", lambda data: data[: len(data) // 2]),
        ("wav/f01/01.wav", lambda data: bytes(len(data))),
        ("wav/f01/01.wav", None),
        ("train.csv", None),
    ],
)
def test_a_damaged_corpus_is_made_again(small, name, damage):
    before = contents(small)
    (small / name).write_bytes(damage(before[name])) if damage else (small / name).unlink()
    make_demo(small, progress=False)
    assert contents(small) == before


def test_a_list_that_somebody_has_shortened_stays(small):
    kept = "".join((small / "train.csv").read_text(encoding="utf-8").splitlines(keepends=True)[:-1])
    (small / "train.csv").write_text(kept, encoding="utf-8")
    make_demo(small, progress=False)
    assert (small / "train.csv").read_text(encoding="utf-8") == kept


@pytest.mark.parametrize("mine", ["mine.txt", "VERSION", "wav/f01/mine.wav"])
def test_a_folder_with_something_else_is_not_touched(tmp_path, mine):
    (tmp_path / "demo" / mine).parent.mkdir(parents=True)
    (tmp_path / "demo" / mine).write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match=rf"{mine}: not of the default corpus; move it, or name another"):
        make_demo(tmp_path / "demo", progress=False)
    assert contents(tmp_path) == {f"demo/{mine}": b"mine"}


def test_a_file_that_somebody_put_into_a_corpus_keeps_it_from_being_made_again(small):
    mine = next(small.rglob("*.wav")).with_name("mine.wav")
    mine.write_text("mine", encoding="utf-8")
    assert make_demo(small, progress=False) == small  # nothing to do
    next(path for path in small.rglob("*.wav") if path != mine).unlink()
    before = contents(small)
    with pytest.raises(UserError, match=r"mine\.wav: not of the default corpus; move it"):
        make_demo(small, progress=False)
    assert contents(small) == before


def test_neither_corpus_replaces_the_other(folder):
    before = contents(folder)
    with pytest.raises(UserError, match="move it, or name another folder"):
        make_demo(folder, "record", progress=False)
    assert contents(folder) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_older_corpus_stays_until_a_run_ends_and_what_one_left_is_removed(small, tmp_path, number):
    new = contents(small)
    (small / "VERSION").write_text("starvox default corpus 0\n", encoding="utf-8")
    older = contents(small)
    with start(small) as process:
        while not (tmp_path / ".demo-new" / "wav").exists():
            time.sleep(0.01)
        process.send_signal(number)
    assert process.returncode != 0
    assert contents(small) == older
    assert sorted(seen(tmp_path)) == [".demo-new", "demo"][number == signal.SIGINT :]
    make_demo(small, progress=False)
    assert contents(small) == new
    assert seen(tmp_path) == ["demo"]


def test_a_place_that_cannot_be_written_is_named_before_anything_is_said(tmp_path, capfd):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=f"{re.escape(str(tmp_path))}.*another folder"):
        make_demo(Path(tmp_path, "file", "demo"))
    assert not capfd.readouterr().err
