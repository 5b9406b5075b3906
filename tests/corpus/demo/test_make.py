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

from starvox.corpus.demo import SPEAKERS, make_demo
from starvox.corpus.demo.table import list_clips
from starvox.errors import UserError

GROUPS = ["speaker", "birthplace", "sex"]
CROP = 66304
RUN = "import sys; from starvox.corpus.demo import make_demo; make_demo(sys.argv[1])"


def read_manifest(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def seen(folder):
    """What is in a folder but the lock file, which may stay."""
    return [name for name in os.listdir(folder) if not name.endswith("-lock")]


def start(folder):
    """Makes the corpus in a second process."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-c", RUN, folder],
        env=os.environ | {"PYTHONPATH": paths},
        stderr=subprocess.PIPE,
        text=True,
    )


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


def test_every_place_has_both_sexes(held_out):
    pairs = {(row["birthplace"], row["sex"]) for row in held_out}
    assert len(pairs) == 2 * 8


def test_five_training_clips_a_speaker(train):
    assert set(Counter(row["path"].split("/")[1] for row in train).values()) == {5}


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


def test_runs_side_by_side_make_one_corpus_of_the_same_bytes(folder, tmp_path):
    processes = [start(tmp_path / "demo") for _ in range(2)]
    lines = [line for process in processes for line in process.communicate()[1].splitlines()]
    assert [process.returncode for process in processes] == [0, 0], lines
    assert len(lines) == 2  # of one of them, the other waits; plain lines: standard error is no terminal
    assert "168 clips, 21" in lines[1]
    assert contents(tmp_path / "demo") == contents(folder)
    assert seen(tmp_path) == ["demo"]


def test_a_finished_corpus_is_left_as_it_is(folder, capsys):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    began = time.perf_counter()
    assert make_demo(folder) == folder
    assert time.perf_counter() - began < 1
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert capsys.readouterr().err == ""


def copy(folder, target):
    for path, data in contents(folder).items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)
    return target


def test_a_corpus_with_a_clip_cut_short_is_replaced(folder, tmp_path):
    target = copy(folder, tmp_path / "demo")
    (target / "wav/f01/01.wav").write_bytes(b"RIFF" * 1000)
    make_demo(target, progress=False)
    assert contents(target) == contents(folder)


@pytest.mark.parametrize("file", ["mine.txt", "VERSION"])
@pytest.mark.parametrize("place", ["demo", "demo/mine"])
def test_a_folder_with_something_else_is_not_touched(tmp_path, place, file):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / file).write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="move it, or name another folder"):
        make_demo(tmp_path / "demo", progress=False)
    assert contents(tmp_path) == {f"{place}/{file}": b"mine"}


@pytest.mark.parametrize("mine", ["mine.txt", "wav/f01/mine.wav", "wav/f01/06.txt"])
def test_a_file_that_somebody_put_into_a_corpus_keeps_it_from_being_made_again(folder, tmp_path, mine):
    target = copy(folder, tmp_path / "demo")
    (target / mine).write_text("mine", encoding="utf-8")
    assert make_demo(target, progress=False) == target  # nothing to do
    (target / "wav/f01/01.wav").unlink()
    with pytest.raises(UserError, match=rf"{mine}: not of the default corpus, which is made again; move it"):
        make_demo(target, progress=False)
    assert (target / mine).read_text(encoding="utf-8") == "mine"
    assert not (target / "wav/f01/01.wav").exists()


def test_neither_corpus_replaces_the_other(folder):
    before = contents(folder)
    with pytest.raises(UserError, match="move it, or name another folder"):
        make_demo(folder, "record", progress=False)
    assert contents(folder) == before


def test_an_interrupted_run_leaves_nothing(tmp_path):
    process = start(tmp_path / "demo")
    assert "making" in process.stderr.readline()
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert os.listdir(tmp_path) in ([], [".demo-lock"])


def test_an_older_corpus_stays_until_a_run_ends_and_what_a_killed_one_left_is_removed(folder, tmp_path):
    target = copy(folder, tmp_path / "demo")
    (target / "VERSION").write_text("starvox default corpus 0\n", encoding="utf-8")
    older = contents(target)
    with start(target) as process:
        assert "making" in process.stderr.readline()
        while not (tmp_path / ".demo-new" / "wav").exists():
            time.sleep(0.01)
        process.kill()
    assert contents(target) == older
    assert sorted(seen(tmp_path)) == [".demo-new", "demo"]
    make_demo(target, progress=False)
    assert contents(target) == contents(folder)
    assert seen(tmp_path) == ["demo"]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    began = time.perf_counter()
    with pytest.raises(UserError, match=f"{re.escape(str(tmp_path))}.*another folder"):
        make_demo(Path(tmp_path, "file", "demo"), progress=False)
    assert time.perf_counter() - began < 1  # before anything is said
