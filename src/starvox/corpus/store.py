"""Decoded waveforms on disk, so that a clip is decoded once for all trainings."""

import hashlib
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from tqdm import tqdm

from starvox.audio import AudioFileError, read_waveform
from starvox.files import replacing


class WaveformStore:
    """Memory-mapped waveforms, keyed by the content of their source files.

    A clip is mixed to mono, resampled and scaled so that its peak is 32767: no
    resolution is lost on a quiet clip, and the scale is of no consequence,
    because every crop is normalised. It is kept as
    ``<folder>/<2 hex digits>/<key>.npy``, int16; the key is the SHA-256 of the
    source file's bytes and the sample rate.

    ``<folder>/index.json`` remembers what each file held when its size and its
    time of modification were last seen, and what was found out about each
    waveform. It is only a cache: without it the work is done again.

    Args:
        folder: made when the first waveform is stored.
        sample_rate (int): Hz of the stored waveforms.
    """

    def __init__(self, folder: str | Path, sample_rate: int):
        self._folder = Path(folder)
        self._sample_rate = sample_rate

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
        """
        paths = list(paths)
        index = self._load_index()
        known = index["files"].setdefault(str(self._sample_rate), {})
        stamps = {path: _stamp(path) for path in paths}
        todo = [
            path for path in paths if not self._is_current(known.get(os.path.abspath(path)), stamps[path])
        ]

        def record(path: Path, found: dict) -> None:
            known[os.path.abspath(path)] = {"stamp": stamps[path], **found}

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
            rule: int16 waveform -> text.
            name: stands for the rule and all its settings.
            jobs: threads; None is one a core.
            progress: whether to report on stderr, if there is work to do.

        Returns:
            dict: key -> what the rule says.
        """
        keys = set(keys)
        index = self._load_index()
        known = index["verdicts"].setdefault(name, {})
        todo = sorted(keys - known.keys())

        def apply(key: str) -> str:
            return rule(self.open(key))

        self._work(index, todo, apply, known.__setitem__, jobs, "checking" if progress else None)
        return {key: known[key] for key in keys}

    def open(self, key: str) -> np.memmap:
        """Returns a stored waveform: memory-mapped, read-only, shape (n,), int16, peak 32767."""
        return np.load(self._path(key), mmap_mode="r")

    def _path(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.npy"

    def _is_current(self, entry: dict | None, stamp: list[int] | None) -> bool:
        if entry is None or stamp is None or entry["stamp"] != stamp:
            return False
        return "reason" in entry or os.path.exists(self._path(entry["key"]))

    def _decode(self, path: Path) -> dict:
        """Stores the file unless its content is; returns its key, or the reason why it cannot be stored."""
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):  # reading a pipe would wait for ever
                return {"reason": "unreadable: not a file"}
            with open(path, "rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        except FileNotFoundError:
            return {"reason": "not found: paths start at the manifest's folder", "stamp": None}
        except OSError as error:
            # Without a stamp it is tried again the next time: its mode or its disk may be mended.
            return {"reason": f"unreadable: {error.strerror}", "stamp": None}
        digest.update(str(self._sample_rate).encode())
        key = digest.hexdigest()
        if not self._path(key).exists():
            try:
                wave = read_waveform(path, self._sample_rate)
            except AudioFileError as error:
                return {"reason": str(error)}
            wave /= max(np.abs(wave).max(), np.finfo(np.float32).tiny)
            samples = np.rint(32767 * wave).astype(np.int16)
            with self._replacing(self._path(key)) as temporary, open(temporary, "wb") as file:
                np.save(file, samples)
        return {"key": key}

    def _load_index(self) -> dict:
        try:
            return json.loads((self._folder / "index.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {"files": {}, "verdicts": {}}

    def _work(self, index: dict, todo: list, function: Callable, record: Callable, jobs, label) -> None:
        """Does what is to be done, and saves the index also when interrupted."""
        if not todo:
            return
        try:
            _for_each(todo, function, record, jobs, label)
        finally:
            data = json.dumps(index).encode()
            with self._replacing(self._folder / "index.json") as temporary:
                temporary.write_bytes(data)

    def _replacing(self, path: Path):
        return replacing(path, "make room there, or keep decoded clips elsewhere")


def _stamp(path: Path) -> list[int] | None:
    """Returns what changes when the file does, or None if it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns]


def _for_each(items: list, function: Callable, record: Callable, jobs: int | None, label: str | None) -> None:
    """Calls ``record(item, function(item))``, the function in threads and reporting under ``label``."""
    started = time.monotonic()
    pool = ThreadPoolExecutor(jobs or os.cpu_count())
    try:
        futures = {pool.submit(function, item): item for item in items}
        hidden = None if label else True  # None: shown on a terminal
        for future in tqdm(as_completed(futures), label, len(futures), unit=" clips", disable=hidden):
            record(futures[future], future.result())
    finally:
        pool.shutdown(cancel_futures=True)
    if label and not sys.stderr.isatty():
        print(f"{label}: {len(items)} clips, {time.monotonic() - started:.1f} s", file=sys.stderr)
