"""Decoded waveforms on disk, so that a clip is decoded once for all trainings."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from starvox.audio import AudioFileError, open_plain, read_waveform
from starvox.corpus.stored_waveform import StoredWaveform, write
from starvox.corpus.workers import for_each
from starvox.errors import UserError
from starvox.files import replacing

PATIENCE = 300  # s that the decoding of a file may take, and a second more for each MB of it


class WaveformStore:
    """Decoded waveforms, keyed by the content of their source files.

    A clip is mixed to mono and resampled, and kept in float32 as it comes out: a
    crop is normalised by itself, so that a quiet one of a loud clip needs all its
    digits. The file is ``<folder>/<2 hex digits>/<key>.npy``; the key is the
    SHA-256 of the source file's bytes and the sample rate.

    ``<folder>/index.json`` remembers what each file held when its size and its
    time of modification were last seen, and what was found out about each
    waveform. It is only a cache: without it the work is done again.

    Args:
        folder: made when the first waveform is stored.
        sample_rate (int): Hz of the stored waveforms.
        patience (float): see `PATIENCE`.
    """

    def __init__(self, folder: str | Path, sample_rate: int, patience: float = PATIENCE):
        self._folder = Path(folder)
        self._sample_rate = sample_rate
        self._patience = patience

    def add(
        self, paths: Iterable[Path], jobs: int | None = None, progress: bool = True
    ) -> tuple[dict[Path, str], dict[Path, str]]:
        """Decodes the files that are new or have changed, in parallel.

        Interrupted, it keeps what is done.

        Args:
            paths: sound files.
            jobs: threads; None is one a core.
            progress: whether to report on stderr, if there is work to do.

        Returns:
            tuple: path -> key of the files that are stored, and path -> reason
            (one line) of those that cannot be.

        Raises:
            UserError: if the store cannot be written, or a file takes too long.
        """
        paths = list(dict.fromkeys(paths))
        index = self._load_index()
        known = index["files"].setdefault(str(self._sample_rate), {})
        todo = [path for path in paths if not self._is_current(known.get(os.path.abspath(path)), path)]

        def record(path: Path, found: dict) -> None:
            known[os.path.abspath(path)] = found

        self._work(index, todo, self._decode, record, jobs, "decoding" if progress else None)
        entries = {path: known[os.path.abspath(path)] for path in paths}
        keys = {path: entry["key"] for path, entry in entries.items() if "key" in entry}
        return keys, {path: entry["reason"] for path, entry in entries.items() if "reason" in entry}

    def judge(
        self,
        keys: Iterable[str],
        rule: Callable[[np.ndarray], str],
        name: str,
        jobs: int | None = None,
        progress: bool = True,
    ) -> dict[str, str]:
        """Applies a rule to waveforms, each once: what it says is remembered.

        Args:
            keys: from `add`.
            rule: float32 waveform (ndarray of shape (n,)) -> text.
            name: stands for the rule and all its settings.
            jobs: threads; None is one a core.
            progress: whether to report on stderr, if there is work to do.

        Returns:
            dict: key -> what the rule says.
        """
        index = self._load_index()
        known = index["verdicts"].setdefault(name, {})
        waves = {self._path(key): key for key in keys}
        todo = sorted(path for path, key in waves.items() if key not in known)

        def apply(path: Path) -> str:
            return rule(StoredWaveform(path).read())

        def record(path: Path, verdict: str) -> None:
            known[waves[path]] = verdict

        self._work(index, todo, apply, record, jobs, "checking" if progress else None)
        return {key: known[key] for key in waves.values()}

    def open(self, key: str) -> StoredWaveform:
        """Returns a stored waveform.

        Raises:
            UserError: if it is gone or damaged.
        """
        return StoredWaveform(self._path(key))

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.npy"

    def _is_current(self, entry: dict | None, path: Path) -> bool:
        if entry is None or entry["stamp"] is None or entry["stamp"] != stamp(path):
            return False
        return "reason" in entry or self._is_whole(entry["key"])

    def _is_whole(self, key: str) -> bool:
        try:
            self.open(key)
        except UserError:  # gone or cut short; what is damaged within is noticed when it is read
            return False
        return True

    def _decode(self, path: Path) -> dict:
        """Stores the file unless its content is; returns its stamp, and its key or why there is none."""
        before = stamp(path)
        try:
            with open_plain(path) as file:
                digest = hashlib.file_digest(file, "sha256")
        except FileNotFoundError:
            return {"reason": "not found: paths start at the manifest's folder", "stamp": None}
        except OSError as error:
            # Without a stamp it is tried again the next time: its mode or its disk may be mended.
            return {"reason": f"unreadable: {error.strerror}", "stamp": None}
        digest.update(str(self._sample_rate).encode())
        key = digest.hexdigest()
        found = {"key": key, "stamp": before}
        if not self._is_whole(key):
            try:
                wave = read_waveform(path, self._sample_rate)
            except AudioFileError as error:
                found = {"reason": str(error), "stamp": before}
            else:
                if stamp(path) == before:
                    self._write(key, wave)
        if stamp(path) != before:
            return {"reason": "changed while it was read: start again when it is complete", "stamp": None}
        return found

    def _write(self, key: str, wave: np.ndarray) -> None:
        with self._replacing(self._path(key)) as temporary:
            write(temporary, wave)

    def _load_index(self) -> dict:
        try:
            index = json.loads((self._folder / "index.json").read_text(encoding="utf-8"))
            files = [entry for entries in index["files"].values() for entry in entries.values()]
            verdicts = [text for texts in index["verdicts"].values() for text in texts.values()]
            if all(map(_is_entry, files)) and all(isinstance(text, str) for text in verdicts):
                return index
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            pass
        return {"files": {}, "verdicts": {}}

    def _work(self, index: dict, todo: list, function: Callable, record: Callable, jobs, label) -> None:
        """Does what is to be done, and saves the index also when interrupted."""
        if not todo:
            return
        try:
            for_each(todo, function, record, jobs, label, self._patience_with)
        finally:
            data = json.dumps(index).encode()
            with self._replacing(self._folder / "index.json") as temporary:
                temporary.write_bytes(data)

    def _patience_with(self, path: Path) -> float:
        """Returns the seconds that a file may take."""
        size, _ = stamp(path) or (0, 0)
        return self._patience + size / 1e6

    def _replacing(self, path: Path):
        return replacing(path, "make room there, or keep decoded clips elsewhere")


def stamp(path: Path) -> list[int] | None:
    """Returns what changes when the file does, or None if it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _is_entry(entry: dict) -> bool:
    return "stamp" in entry and any(isinstance(entry.get(name), str) for name in ("key", "reason"))
