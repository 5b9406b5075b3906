"""Decoded waveforms on disk, so that a clip is decoded once for all trainings."""

import errno
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from starvox.audio import AudioFileError, open_plain, read_blocks
from starvox.corpus.stored_waveform import StoredWaveform, checksum_of, stamp_of, write_blocks
from starvox.errors import UserError
from starvox.files import replacing

_MEND = "make room there, or keep decoded clips elsewhere"
PATIENCE = 120  # s without a clip that is done, after which those in work are named
# What the system says of a file that will say so again; anything else may have passed tomorrow.
_OF_THE_FILE = (
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM),
    *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
)


class WaveformStore:
    """Decoded waveforms, keyed by the content of their source files.

    A clip is mixed to mono and resampled, and kept in float32 as it comes out: a
    crop is normalised by itself, so that a quiet one of a loud clip needs all its
    digits. The file is ``<folder>/<sample rate>/<2 hex digits>/<key>.npy``; the key is the
    SHA-256 of the source file's bytes and the sample rate.

    ``<folder>/starvox-index.json`` remembers what each source file held when its
    stamp was last seen, each waveform's checksum, and what was found out about
    it. It is only a cache: without it the work is done again.

    Args:
        folder: made when the first waveform is stored.
        sample_rate (int): Hz of the stored waveforms.
    """

    def __init__(self, folder: str | Path, sample_rate: int):
        self._folder = Path(folder)
        self._index_path = self._folder / "starvox-index.json"
        self._sample_rate = sample_rate
        self._index = self._load_index()
        self._opened: dict[str, StoredWaveform] = {}
        self._stopping = threading.Event()

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
            UserError: if the store cannot be written, or a file cannot be read
                for a reason that is not in it: too many open files, a failing disk.
        """
        paths = list(dict.fromkeys(paths))
        known = self._index["files"].setdefault(str(self._sample_rate), {})
        todo = [path for path in paths if not self._is_current(known.get(os.path.abspath(path)), path)]

        def record(path: Path, found: dict) -> None:
            if "wave" in found:
                self._index["waves"][found["key"]] = found.pop("wave")
            known[os.path.abspath(path)] = found

        self._work(todo, self._decode, record, jobs, "decoding" if progress else None)
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
        keys = set(keys)
        known = self._index["verdicts"].setdefault(name, {})
        todo = sorted(keys - known.keys())

        def apply(key: str) -> str:
            return rule(self.open(key).read())

        self._work(todo, apply, known.__setitem__, jobs, "checking" if progress else None)
        return {key: known[key] for key in keys}

    def open(self, key: str) -> StoredWaveform:
        """Returns the stored waveform of a key that `add` returned."""
        if key not in self._opened:
            _, samples, checksum = self._index["waves"][key]
            self._opened[key] = StoredWaveform(self._path(key), samples, checksum)
        return self._opened[key]

    def _path(self, key: str) -> Path:
        return self._folder / str(self._sample_rate) / key[:2] / f"{key}.npy"

    def _is_current(self, entry: dict | None, path: Path) -> bool:
        if entry is None or entry["stamp"] is None or entry["stamp"] != stamp(path):
            return False
        return "reason" in entry or self._is_whole(entry["key"])

    def _is_whole(self, key: str) -> bool:
        """Returns whether a waveform has its size; damage within is noticed when it is read."""
        found = stamp(self._path(key))
        return found is not None and found[:1] == self._index["waves"].get(key, ())[:1]

    def _decode(self, path: Path) -> dict:
        """Stores the file unless its content is; returns what the index is to hold of it."""
        before = stamp(path)
        try:
            with open_plain(path) as file:
                digest = hashlib.file_digest(file, "sha256")
        except FileNotFoundError:
            return {"reason": "not found: paths start at the manifest's folder", "stamp": None}
        except OSError as error:
            if error.errno not in _OF_THE_FILE:
                raise _failed(path, error) from None
            # Without a stamp it is tried again the next time: its mode may be mended.
            return {"reason": f"unreadable: {error.strerror}", "stamp": None}
        digest.update(str(self._sample_rate).encode())
        found = {"key": digest.hexdigest(), "stamp": before}
        if not self._is_whole(found["key"]):
            try:
                with replacing(self._path(found["key"]), _MEND) as temporary:
                    samples = write_blocks(temporary, self._read(path))
                    found["wave"] = [temporary.stat().st_size, samples, checksum_of(temporary)]
            except AudioFileError as error:
                found = {"reason": str(error), "stamp": before}
        if stamp(path) != before:
            return {"reason": "changed while it was read: start again when it is complete", "stamp": None}
        return found

    def _read(self, path: Path) -> Iterator[np.ndarray]:
        try:
            for block in read_blocks(path, self._sample_rate):
                if self._stopping.is_set():
                    raise KeyboardInterrupt  # seen by nobody: the main thread has its own
                yield block
        except OSError as error:
            raise _failed(path, error) from None

    def _load_index(self) -> dict:
        try:
            index = json.loads(self._index_path.read_text(encoding="utf-8"))
            files = [entry for entries in index["files"].values() for entry in entries.values()]
            verdicts = [text for texts in index["verdicts"].values() for text in texts.values()]
            waves = [number for wave in index["waves"].values() for number in wave[:3]]
            texts = [*verdicts, *(entry.get("key", entry.get("reason")) for entry in files)]
            right = {str: texts, int: waves, dict: files}
            if all(isinstance(value, kind) for kind, values in right.items() for value in values):
                return index
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            pass
        return {"files": {}, "waves": {}, "verdicts": {}}

    def _work(self, todo: list, function: Callable, record: Callable, jobs: int | None, label: str | None):
        """Calls ``record(item, function(item))``, the function in threads, and saves the index at any end."""
        if not todo:
            return
        started, items = time.monotonic(), iter(todo)
        jobs = min(jobs or os.cpu_count(), len(todo))
        hidden = None if label else True  # None: shown on a terminal
        self._stopping.clear()
        with (
            ThreadPoolExecutor(jobs) as pool,
            tqdm(None, label, len(todo), unit=" clips", disable=hidden) as bar,
        ):
            try:
                pending = {pool.submit(function, item): item for item in islice(items, 2 * jobs)}
                while pending:
                    done, _ = wait(pending, PATIENCE, FIRST_COMPLETED)
                    if not done:
                        names = ", ".join(str(item) for future, item in pending.items() if future.running())
                        bar.write(f"still reading {names}; does its disk answer?", sys.stderr)
                    for future in done:
                        item = pending.pop(future)
                        record(item, _result(future, item))
                        bar.update()
                        pending.update((pool.submit(function, item), item) for item in islice(items, 1))
            finally:
                self._stopping.set()
                pool.shutdown(cancel_futures=True)
                with replacing(self._index_path, _MEND) as temporary:
                    temporary.write_text(json.dumps(self._index), encoding="utf-8")
        if label and not sys.stderr.isatty():
            print(f"{label}: {len(todo)} clips, {time.monotonic() - started:.1f} s", file=sys.stderr)


def stamp(path: Path) -> list[int] | None:
    """Returns `stamp_of` a file, or None if it is not there."""
    try:
        return stamp_of(path)
    except OSError:
        return None


def _failed(item, error: OSError) -> UserError:
    return UserError(f"{item}: {error.strerror}; start again when that is mended, or leave the file out")


def _result(future: Future, item):
    try:
        return future.result()
    except UserError:
        raise
    except MemoryError as error:
        raise UserError(f"{item}: not enough memory; give fewer --jobs, or leave it out") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{item}: reading it failed ({reason}); leave it out") from error
