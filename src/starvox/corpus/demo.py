"""The default corpus: 24 synthetic speakers, each saying sentences of their own."""

import csv
import hashlib
import os
import re
import sys
import tempfile
import wave
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from starvox.corpus.espeak import SAMPLE_RATE, synthesize
from starvox.errors import UserError

__all__ = ["SPEAKERS", "make_demo"]


class Speaker(NamedTuple):
    """A row of the table below; the last three columns are eSpeak NG's."""

    name: str
    sex: str
    birthplace: str
    variant: str
    pitch: int
    rate: int


# The variants are those that sound least alike below 4 kHz, where the networks
# listen; where two are near, pitch and birthplace keep them apart. The Klatt
# variants are left out: their pulses are so one-sided that the record's rule
# takes many crops for silence.
SPEAKERS = [
    Speaker("f01", "F", "britain", "f2", 38, 135),
    Speaker("f02", "F", "south-england", "f3", 64, 130),
    Speaker("f03", "F", "scotland", "aunty", 38, 140),
    Speaker("f04", "F", "lancaster", "belinda", 36, 145),
    Speaker("f05", "F", "west-midlands", "linda", 45, 140),
    Speaker("f06", "F", "caribbean", "Andrea", 52, 115),
    Speaker("f07", "F", "united-states", "Annie", 14, 135),
    Speaker("f08", "F", "new-york", "Alicia", 54, 150),
    Speaker("f09", "F", "scotland", "anika", 56, 110),
    Speaker("f10", "F", "west-midlands", "steph", 54, 130),
    Speaker("f11", "F", "united-states", "shelby", 40, 140),
    Speaker("f12", "F", "caribbean", "grandma", 58, 135),
    Speaker("m01", "M", "britain", "m8", 44, 120),
    Speaker("m02", "M", "south-england", "Alex", 54, 130),
    Speaker("m03", "M", "scotland", "pablo", 62, 130),
    Speaker("m04", "M", "lancaster", "Gene", 38, 140),
    Speaker("m05", "M", "west-midlands", "Andy", 48, 135),
    Speaker("m06", "M", "caribbean", "m2", 74, 140),
    Speaker("m07", "M", "united-states", "marcelo", 52, 135),
    Speaker("m08", "M", "new-york", "Michael", 58, 135),
    Speaker("m09", "M", "britain", "Nguyen", 50, 130),
    Speaker("m10", "M", "south-england", "quincy", 62, 125),
    Speaker("m11", "M", "lancaster", "victor", 36, 130),
    Speaker("m12", "M", "new-york", "michel", 70, 140),
]

ACCENTS = {
    "britain": "en",
    "south-england": "en-gb-x-rp",
    "scotland": "en-gb-scotland",
    "lancaster": "en-gb-x-gbclan",
    "west-midlands": "en-gb-x-gbcwmd",
    "caribbean": "en-029",
    "united-states": "en-us",
    "new-york": "en-us-nyc",
}

TRAIN_CLIPS, HELD_OUT_CLIPS = 5, 2  # of each speaker

_SENTENCES = Path(__file__).with_name("sentences.txt")
_MARKER = "VERSION"
_TITLE = "starvox default corpus"
_MADE = re.compile(r"VERSION|train\.csv|held_out\.csv|wav/[fm]\d\d/\d\d\.wav")


class _Clip(NamedTuple):
    speaker: Speaker
    number: int  # of the text, from 0; the last ones are held out
    text: str

    @property
    def held_out(self) -> bool:
        return self.number >= TRAIN_CLIPS * len(SPEAKERS)

    @property
    def path(self) -> str:
        return f"wav/{self.speaker.name}/{self.number // len(SPEAKERS) + 1:02d}.wav"

    def labels(self) -> list[str]:
        """Returns speaker, birthplace and sex; "" where the clip is not labelled."""
        speaker, n = self.speaker, self.number
        if self.held_out:
            return [speaker.name, speaker.birthplace, speaker.sex]
        # No step has a factor of 24, so what is missing goes with no speaker and no sex.
        return [
            "" if n % 19 == 5 else speaker.name,
            "" if n % 11 == 4 else speaker.birthplace,
            "" if n % 13 == 2 else speaker.sex,
        ]


def make_demo(folder: str | Path, progress: bool = True) -> Path:
    """Makes the default corpus, or returns at once where it is already there.

    ``folder`` receives the manifests ``train.csv`` and ``held_out.csv`` and
    168 clips ``wav/<speaker>/<nn>.wav`` (22050 Hz, mono, 16 bits, 6 to 12 s).
    It appears only when everything in it is written.

    Args:
        folder: made if needed. An older default corpus in it is replaced.
        progress: tell what is being done, on standard error.

    Returns:
        ``folder``.

    Raises:
        UserError: if ``folder`` holds something else or cannot be written, or
            eSpeak NG cannot be used.
    """
    folder = Path(folder)
    try:
        if not _ready(folder):
            _make(folder, progress)
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; make room, or name another folder") from None
    return folder


def _make(folder: Path, progress: bool) -> None:
    clips = _clips()
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Nothing is on disk until everything is said: about 60 MB.
    waves = _say(clips, folder, progress)
    _write(folder, clips, waves)
    if progress:
        minutes = sum(len(samples) for samples in waves) / SAMPLE_RATE / 60
        print(f"{folder}: {len(clips)} clips, {minutes:.1f} minutes", file=sys.stderr)


def _clips() -> list[_Clip]:
    texts = _SENTENCES.read_text(encoding="utf-8").splitlines()
    used = texts[: (TRAIN_CLIPS + HELD_OUT_CLIPS) * len(SPEAKERS)]
    clips = [_Clip(SPEAKERS[n % len(SPEAKERS)], n, text) for n, text in enumerate(used)]
    return sorted(clips, key=lambda clip: clip.path)


def _say(clips: list[_Clip], folder: Path, progress: bool) -> list[np.ndarray]:
    bar_fits = progress and sys.stderr.isatty()
    if progress and not bar_fits:
        print(f"{folder}: making the default corpus, {len(clips)} clips", file=sys.stderr)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each thread waits for a process of its own
        waves = pool.map(_say_one, clips)
        return list(tqdm(waves, "default corpus", len(clips), unit="clip", disable=not bar_fits))


def _say_one(clip: _Clip) -> np.ndarray:
    speaker = clip.speaker
    voice = f"{ACCENTS[speaker.birthplace]}+{speaker.variant}"
    return synthesize(clip.text, voice, speaker.rate, speaker.pitch)


def _ready(folder: Path) -> bool:
    """Returns whether the finished corpus is there; refuses what must not be replaced."""
    marker = folder / _MARKER
    version = marker.read_text(encoding="utf-8", errors="replace") if marker.is_file() else ""
    if version == _version() and all((folder / clip.path).is_file() for clip in _clips()):
        return True
    files = [path for path in (folder, *folder.rglob("*")) if path.is_file()]
    foreign = [path for path in files if not _MADE.fullmatch(path.relative_to(folder).as_posix())]
    if foreign or (files and not version.startswith(_TITLE)):
        file = (foreign or files)[0]
        raise UserError(f"{file}: not of the default corpus; move it, or name another folder")
    return False


def _version() -> str:
    """Returns the marker's text, which changes with whatever the corpus is made from."""
    sources = [_SENTENCES, Path(__file__), Path(__file__).with_name("espeak_process.py")]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    return f"{_TITLE} {digest.hexdigest()}\n"


def _write(folder: Path, clips: list[_Clip], waves: list[np.ndarray]) -> None:
    """Writes the corpus beside its place, then moves it there in one step."""
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        new = Path(scratch, "new")
        for clip, samples in zip(clips, waves, strict=True):
            _write_wav(new / clip.path, samples)
        _write_manifest(new / "train.csv", (clip for clip in clips if not clip.held_out))
        _write_manifest(new / "held_out.csv", (clip for clip in clips if clip.held_out))
        (new / _MARKER).write_text(_version(), encoding="utf-8")
        _move(new, folder, Path(scratch, "old"))


def _move(new: Path, folder: Path, old: Path) -> None:
    try:
        if folder.exists() and not _ready(folder):
            folder.rename(old)
        new.rename(folder)
    except OSError:
        if not _ready(folder):  # or else another run was faster
            raise


def _write_wav(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))  # mono, 2 bytes a sample
        file.writeframes(samples.astype("<i2").tobytes())


def _write_manifest(path: Path, clips: Iterable[_Clip]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", "speaker", "birthplace", "sex"])
        rows.writerows([clip.path, *clip.labels()] for clip in clips)
