"""Decoded waveforms on disk, so that a clip is decoded once for all trainings."""

import errno
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from pydantic import BaseModel
from tqdm.auto import tqdm

from starvox.audio import AudioFileError, read_blocks
from starvox.corpus.stored_waveform import StoredWaveform, checksum_of, stamp, write_blocks
from starvox.errors import UserError
from starvox.files import open_plain, replacing, write_text

_MEND = "make room there, or keep decoded clips elsewhere"
# What the system says of a file that will say so again; anything else may have passed tomorrow.
_OF_THE_FILE = (
    *(errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM),
    *(errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL),
)


class _Source(BaseModel):
    """A sound file as it was last seen; one without a key is read again the next time."""

    stamp: list[int] | None = None
    key: str | None = None
    reason: str = ""  # why it has no key


class _Index(BaseModel):
    files: dict[str, dict[str, _Source]] = {}  # sample rate -> path -> what it held
    waves: dict[str, tuple[int, int, int]] = {}  # key -> the stored file's bytes, samples and checksum
    verdicts: dict[str, dict[str, str]] = {}  # name of a rule -> key -> what the rule says


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
        try:
            with open_plain(self._index_path) as file:
                self._index = _Index.model_validate_json(file.read())
        except (OSError, ValueError):
            self._index = _Index()
        self._files = self._index.files.setdefault(str(sample_rate), {})
        self._opened: dict[str, StoredWaveform] = {}
        self._stopping = threading.Event()

    def add(
        self,
        paths: Iterable[Path],
        rule: Callable[[np.ndarray], str],
        name: str,
        jobs: int | None = None,
        progress: bool = True,
    ) -> tuple[dict[Path, str], dict[Path, str]]:
        """Decodes the files that are new or have changed, and judges each waveform by a rule, once.

        Interrupted, it keeps what is done.

        Args:
            paths: sound files.
            rule: float32 waveform (ndarray of shape (n,)) -> why it cannot be used, or "".
            name: stands for the rule and all its settings.
            jobs: threads; None is one a core.
            progress: whether to report on stderr, if there is work to do.

        Returns:
            tuple: path -> key of the files that are stored, and path -> reason
            (one line) of those that cannot be, or that the rule refuses.

        Raises:
            UserError: if the store cannot be written, or a file cannot be read
                for a reason that is not in it: too many open files, a failing disk.
        """
        verdicts = self._index.verdicts.setdefault(name, {})

        def work(path: Path) -> None:
            try:
                source = self._files[_name(path)] = self._known(path) or self._decode(path)
                if source.key and source.key not in verdicts:
                    verdicts[source.key] = rule(self.open(source.key).read())
            except UserError:
                raise
            except Exception as error:
                raise _failed(path, error) from error

        known = {path: self._known(path) for path in paths}
        todo = [path for path, at in known.items() if at is None or (at.key and at.key not in verdicts)]
        if todo:
            self._in_threads(work, todo, jobs, progress)
        sources = {path: self._files[_name(path)] for path in known}
        keys = {path: source.key for path, source in sources.items() if source.key}
        reasons = {path: verdicts[at.key] if at.key else at.reason for path, at in sources.items()}
        return keys, {path: reason for path, reason in reasons.items() if reason}

    def has_changed(self, path: Path) -> bool:
        """Returns whether a file that `add` was given is no longer what it was then."""
        return self._files[_name(path)].stamp != stamp(path)

    def open(self, key: str) -> StoredWaveform:
        """Returns the stored waveform of a key that `add` returned."""
        if key not in self._opened:
            _, samples, checksum = self._index.waves[key]
            self._opened[key] = StoredWaveform(self._path(key), samples, checksum)
        return self._opened[key]

    def _path(self, key: str) -> Path:
        return self._folder / str(self._sample_rate) / key[:2] / f"{key}.npy"

    def _known(self, path: Path) -> _Source | None:
        """Returns what is known of a file, if neither it nor what is stored of it has changed since."""
        source = self._files.get(_name(path))
        if source is None or source.key is None or source.stamp != stamp(path):
            return None
        return source if self._is_whole(source.key) else None

    def _is_whole(self, key: str) -> bool:
        """Returns whether a waveform has its size; damage within is noticed when it is read."""
        found = stamp(self._path(key))
        return found is not None and key in self._index.waves and found[0] == self._index.waves[key][0]

    def _decode(self, path: Path) -> _Source:
        """Stores the waveform of a file unless it is stored."""
        before = stamp(path)
        try:
            with open_plain(path) as file:
                digest = hashlib.file_digest(file, "sha256")
        except FileNotFoundError:
            return _Source(reason="not found: paths start at the manifest's folder")
        except OSError as error:
            if error.errno not in _OF_THE_FILE:
                raise
            return _Source(reason=f"unreadable: {error.strerror}")
        digest.update(str(self._sample_rate).encode())
        source = _Source(stamp=before, key=(key := digest.hexdigest()))
        if not self._is_whole(key):
            try:
                with replacing(self._path(key), _MEND) as temporary:
                    samples = write_blocks(temporary, self._read(path))
                    wave = temporary.stat().st_size, samples, checksum_of(temporary)
                self._index.waves[key] = wave
            except AudioFileError as error:  # which can be a disk's, that libsndfile takes for the format's
                source = _Source(reason=str(error))
        if stamp(path) != before:
            return _Source(reason="changed while it was read: start again when it is complete")
        return source

    def _read(self, path: Path) -> Iterator[np.ndarray]:
        try:
            for block in read_blocks(path, self._sample_rate):
                if self._stopping.is_set():
                    raise KeyboardInterrupt  # seen by nobody: the main thread has its own
                yield block
        except OSError as error:  # which would read as one of writing
            raise _failed(path, error) from None

    def _in_threads(
        self, work: Callable[[Path], None], paths: list[Path], jobs: int | None, progress: bool
    ) -> None:
        """Calls ``work(path)`` for all paths, and saves the index at any end."""
        if progress and not sys.stderr.isatty():
            print(f"decoding: {len(paths)} clips", file=sys.stderr)
        hidden = None if progress else True  # None: shown on a terminal
        self._stopping.clear()
        with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
            try:
                for _ in tqdm(pool.map(work, paths), "decoding", len(paths), unit=" clips", disable=hidden):
                    pass
            finally:
                self._stopping.set()
                pool.shutdown(cancel_futures=True)
                write_text(self._index_path, self._index.model_dump_json(exclude_defaults=True), mend=_MEND)


def _name(path: Path) -> str:
    """Returns the absolute path as text that JSON can hold."""
    return os.fsencode(os.path.abspath(path)).decode(errors="backslashreplace")


def _failed(path: Path, error: Exception) -> UserError:
    reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
    return UserError(f"{path}: {reason}; start again when that is mended, or leave the file out")
