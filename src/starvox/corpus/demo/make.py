"""Writes a synthetic corpus."""

import hashlib
import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import soundfile
from filelock import FileLock
from tqdm.auto import tqdm

from starvox.corpus.demo.espeak import SAMPLE_RATE
from starvox.corpus.demo.speakers import say
from starvox.corpus.demo.table import CORPORA, SENTENCES, list_clips
from starvox.corpus.manifest import Clip, read_manifest, write_manifest
from starvox.errors import UserError

_SOURCES = ("espeak.py", "espeak_process.py", "speakers.py", "speakers.toml", "table.py", SENTENCES.name)
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
    lists = [folder / name for name in _MANIFESTS]
    if all(path.is_file() for path in lists) and marker == _marker(folder, corpus):
        return True
    own: set[Path] = set()
    if marker.startswith(f"starvox {CORPORA[corpus]} "):
        own.update([folder / "VERSION", *lists, *(folder / clip.path for clip in list_clips(corpus))])
        for path in lists:
            with suppress(UserError):
                own.update(clip.path for clip in read_manifest(path))
    for path in (folder, *sorted(folder.rglob("*"))):
        if path not in own and os.path.lexists(path) and not path.is_dir():
            raise UserError(f"{path}: not of the {CORPORA[corpus]}; move it, or name another folder")
    return False


def _marker(folder: Path, corpus: str) -> str:
    """Returns the text of VERSION for what is in a folder: any change of a clip changes it."""
    digest = hashlib.sha256()
    for path in (folder / clip.path for clip in list_clips(corpus)):
        digest.update(path.read_bytes() if path.is_file() else b"missing")
    return f"{version(corpus)}\n{digest.hexdigest()} of the clips\n"


def _make(folder: Path, corpus: str, progress: bool) -> None:
    new = folder.with_name(f".{folder.name}-new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        _write(new, corpus, progress)
        if folder.exists():
            shutil.rmtree(folder)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _write(folder: Path, corpus: str, progress: bool) -> None:
    clips = list_clips(corpus)
    if progress:
        print(f"making the {CORPORA[corpus]}, {len(clips)} clips", file=sys.stderr)
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # each thread waits for a process of its own
        try:
            waves = pool.map(lambda clip: say(clip.text, clip.speaker), clips)
            hidden = None if progress else True  # None: shown on a terminal
            for clip, samples in zip(
                clips, tqdm(waves, total=len(clips), unit="clip", disable=hidden), strict=True
            ):
                path = folder / clip.path
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, samples, SAMPLE_RATE)
        finally:
            pool.shutdown(cancel_futures=True)
    for held_out, name in enumerate(_MANIFESTS):
        listed = [clip for clip in clips if clip.held_out == held_out]
        write_manifest(folder / name, [Clip(folder / c.path, *(x or None for x in c.labels)) for c in listed])
    (folder / "VERSION").write_text(_marker(folder, corpus), encoding="utf-8")
