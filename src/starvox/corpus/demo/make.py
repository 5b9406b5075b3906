"""Writes a synthetic corpus."""

import csv
import hashlib
import os
import shutil
import sys
import wave
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
from filelock import FileLock
from tqdm import tqdm

from starvox.corpus.demo.espeak import SAMPLE_RATE
from starvox.corpus.demo.speakers import say
from starvox.corpus.demo.table import CORPORA, SENTENCES, Clip, list_clips
from starvox.corpus.manifest import read_manifest
from starvox.errors import UserError

_SOURCES = ("espeak.py", "espeak_process.py", "speakers.py", "table.py", SENTENCES.name)
_MANIFESTS = ("train.csv", "held_out.csv")


def make_demo(folder: str | Path, corpus: str = "demo", progress: bool = True) -> Path:
    """Makes a synthetic corpus, or returns at once where it is already there.

    ``folder`` receives the manifests ``train.csv`` and ``held_out.csv`` and the
    clips ``wav/<speaker>/<nn>.wav`` (22050 Hz, mono, 16 bits). It appears only
    when everything in it is written. What a killed run left beside it is removed.

    Args:
        folder: made if needed. An older corpus of the same name in it is replaced, if nothing else is in it.
        corpus: a name of `CORPORA`.
        progress: whether to report on standard error.

    Returns:
        ``folder``.

    Raises:
        UserError: if ``folder`` holds something else as well or cannot be written, or
            eSpeak NG cannot be used.
    """
    folder = Path(folder)
    try:
        if not _is_ready(folder, corpus):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(folder.with_name(f".{folder.name}-lock")):
                if not _is_ready(folder, corpus):  # another run was faster
                    _make(folder, corpus, progress)
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; make room, or name another folder") from None
    return folder


def read_marker(folder: Path) -> str:
    """Returns the text of a corpus' file VERSION, "" if it has none."""
    marker = folder / "VERSION"
    return marker.read_text(encoding="utf-8", errors="replace") if marker.is_file() else ""


def version(corpus: str) -> str:
    """Returns what VERSION begins with; it changes with whatever the corpus is made from."""
    sources = [Path(__file__).with_name(name) for name in _SOURCES]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources))
    return f"starvox {CORPORA[corpus]} {digest.hexdigest()}"


def _is_ready(folder: Path, corpus: str) -> bool:
    """Returns whether the finished corpus is there; refuses what must not be replaced."""
    marker = read_marker(folder)
    if marker.startswith(f"starvox {CORPORA[corpus]} "):
        if marker == _marker(folder, corpus):
            return True
        if foreign := _foreign(folder):
            raise UserError(
                f"{foreign}: not of the {CORPORA[corpus]}, which is made again; move it elsewhere"
            )
        return False
    if folder.is_file() or (folder.exists() and any(folder.iterdir())):
        raise UserError(f"{folder}: not of the {CORPORA[corpus]}; move it, or name another folder")
    return False


def _foreign(folder: Path) -> Path | None:
    """Returns a file in a corpus' folder that its manifests do not list, if there is one."""
    own = {folder / name for name in ("VERSION", *_MANIFESTS)}
    for name in _MANIFESTS:
        with suppress(UserError):
            own.update(clip.path for clip in read_manifest(folder / name))
    return next((path for path in sorted(folder.rglob("*")) if path not in own and not path.is_dir()), None)


def _marker(folder: Path, corpus: str) -> str:
    """Returns the text of VERSION for what is in a folder: a clip that is missing or cut off changes it."""
    paths = [folder / clip.path for clip in list_clips(corpus)]
    size = sum(path.stat().st_size for path in paths if path.is_file())
    return f"{version(corpus)}\n{size} bytes of clips\n"


def _make(folder: Path, corpus: str, progress: bool) -> None:
    new = folder.with_name(f".{folder.name}-new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        _write(new, corpus, folder, progress)
        if folder.exists():
            shutil.rmtree(folder)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _write(new: Path, corpus: str, folder: Path, progress: bool) -> None:
    clips = list_clips(corpus)
    bar_fits = progress and sys.stderr.isatty()
    if progress and not bar_fits:
        print(f"{folder}: making the {CORPORA[corpus]}, {len(clips)} clips", file=sys.stderr)
    count = 0
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,  # each thread waits for a process of its own
        closing(pool.map(lambda clip: say(clip.text, clip.speaker), clips)) as waves,
    ):
        bar = tqdm(waves, folder.name, len(clips), unit="clip", disable=not bar_fits)
        for clip, samples in zip(clips, bar, strict=True):
            _write_wav(new / clip.path, samples)
            count += len(samples)
    for held_out, name in enumerate(_MANIFESTS):
        _write_manifest(new / name, (clip for clip in clips if clip.held_out == held_out))
    (new / "VERSION").write_text(_marker(new, corpus), encoding="utf-8")
    if progress:
        print(f"{folder}: {len(clips)} clips, {count / SAMPLE_RATE / 60:.1f} minutes", file=sys.stderr)


def _write_wav(path: Path, samples: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))  # mono, 2 bytes a sample
        file.writeframes(samples.astype("<i2").tobytes())


def _write_manifest(path: Path, clips: Iterable[Clip]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["path", "speaker", "birthplace", "sex"])
        rows.writerows([clip.path, *clip.labels] for clip in clips)
