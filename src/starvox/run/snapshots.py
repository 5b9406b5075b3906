"""Saving and loading the snapshots of a results folder.

A snapshot is a plain ``.npz`` of the target's arrays, as Chainer's ``save_npz``
writes it uncompressed. The comment at the end of the archive holds the SHA-256
of all that stands before it, which NumPy and Chainer ignore.
"""

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from chainer.serializer import Deserializer
from chainer.serializers import DictionarySerializer, NpzDeserializer

from starvox.errors import UserError
from starvox.files import open_plain, replacing
from starvox.run.run import Run

_SEED = "starvox:seed"
_PREFIX = b"sha256:"
_COMMENT = len(_PREFIX) + 64
_END_WITHOUT_COMMENT = 22  # bytes of an archive's last record
_BLOCK = 1 << 20  # bytes
_MAX_RATIO = 16  # what a file may claim to unpack to; weights shrink by a tenth


def save(path: str | Path, target: Any, seed: int | None = None) -> None:
    """Writes a snapshot with its checksum; it appears whole or not at all (`replacing`).

    A trainer's holds the run's seed too, so that no other one can resume it.

    Equal targets give equal bytes. Uncompressed: weights hardly shrink, and
    deflating them takes ten times as long.

    Raises:
        WriteError: if it cannot be written.
    """
    note = {} if seed is None else {_SEED: np.array(str(seed))}
    _write(path, _arrays(target) | note)


def save_half(folder: Path, iteration: int, target: Any) -> Path:
    """Writes a generator to keep, in half the room: weights as float16, vectors as they are.

    Returns:
        Path: ``gen_iter_N-<the first 8 digits of the file's SHA-256>.npz``. `Run.generators` and
        `load` take it for ``gen_iter_N.npz``.

    Raises:
        WriteError: if it cannot be written.
    """
    path = Run(folder).generator(iteration)
    # Statistics of batch normalisation can be too small for float16.
    halved = {
        key: array.astype(np.float16) if array.ndim > 1 else array for key, array in _arrays(target).items()
    }
    _write(path, halved)
    return path.rename(path.with_stem(f"{path.stem}-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"))


def _arrays(target: Any) -> dict[str, np.ndarray]:
    serializer = DictionarySerializer()
    serializer.save(target)
    return {key: np.asanyarray(array) for key, array in serializer.target.items()}


def _write(path: str | Path, arrays: dict[str, np.ndarray]) -> None:
    with replacing(path, "make room there") as temporary, open(temporary, "w+b") as file:
        with zipfile.ZipFile(file, "w") as archive:
            for key, array in sorted(arrays.items()):  # Chainer's order is another in each process
                member = zipfile.ZipInfo(key + ".npy")  # dated 1980, whenever it is written
                with archive.open(member, "w", force_zip64=True) as stream:
                    np.lib.format.write_array(stream, array, allow_pickle=False)
            archive.comment = bytes(_COMMENT)  # its length stands before it, and is covered
        size = file.seek(-_COMMENT, os.SEEK_END)
        digest = _digest(file, size)
        file.seek(size)
        file.write(_PREFIX + digest)


def load(path: Path, target: Any, part: str = "") -> int | None:
    """Loads a snapshot into a link or a trainer; never unpickles, so it runs no code.

    A file with a checksum is refused if any byte of it has changed. One without,
    of another tool, is refused if it is truncated or an array in it has changed
    (CRC-32). Either is refused if an array of the target is missing in it or has
    another shape or type. All of this is found before an array of the target is
    written to.

    Args:
        path: the snapshot.
        target: what to load.
        part: where in the snapshot it is, for example ``updater/model:dis/`` in a trainer's.

    Returns:
        int or None: the seed that was saved with it; earlier versions saved none.

    Raises:
        UserError: if the file is damaged, or is no snapshot of such a target.
    """
    try:
        with open_plain(path) as file:
            _verify(file)
            arrays = {
                key: array.astype(np.float32) if array.dtype == np.float16 else array  # of `save_half`
                for key, array in _read(file, part).items()
            }
        check = _Check(arrays, part)
        check.load(target)
        if check.problems:
            raise ValueError(f"not a snapshot of this network: {check.problems[0]}")
        seed = int(str(arrays[_SEED])) if _SEED in arrays else None
        NpzDeserializer(arrays, part).load(target)
        return seed
    except Exception as error:  # a crafted file can make its readers raise nearly anything
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        reason = " ".join(str(reason).split())[:300]
        raise UserError(f"{path}: cannot be loaded ({reason}); use another snapshot") from error


def refuse_if_too_small(path: Path, weights: int) -> None:
    """Refuses a file that is too small to hold a number of weights, of 2 or 4 bytes, however packed.

    Raises:
        UserError: if it is.
    """
    if 2 * weights > _MAX_RATIO * path.stat().st_size:
        raise UserError(f"{path}: cannot be loaded (too small for the networks of its config.json)")


class _Check(Deserializer):
    """Goes through a target as a deserializer does, comparing; writes to none of its arrays.

    Attributes:
        problems (list of str): why the file is none of this target. They are
            collected, since an optimizer that is interrupted is left in between.
    """

    def __init__(self, arrays: dict[str, np.ndarray], path: str, problems: list[str] | None = None):
        self.problems = [] if problems is None else problems
        self._arrays = arrays
        self._path = path

    def __getitem__(self, key: str) -> "_Check":
        return _Check(self._arrays, f"{self._path}{key.strip('/')}/", self.problems)

    def __call__(self, key: str, value: Any) -> Any:
        key = self._path + key.lstrip("/")
        if key not in self._arrays:
            self.problems.append(f"it lacks {key!r}")
            return value
        stored = self._arrays[key]
        if isinstance(value, str):  # it may name what to ask for next
            return str(stored)
        like = value
        if value is None:  # a new optimizer has no state yet; it will be of the shape of its parameter
            like = self._arrays.get(key.rpartition("/")[0].replace("/optimizer:", "/model:", 1))
        if like is not None:
            self._compare(key, stored, np.asarray(like) if isinstance(like, int | float) else like)
        return value

    def _compare(self, key: str, stored: np.ndarray, wanted: Any) -> None:
        # numbers that are counted up are only of a kind: NumPy's, Python's
        types = [array.dtype if wanted.ndim else array.dtype.kind for array in (stored, wanted)]
        if stored.shape != wanted.shape or types[0] != types[1]:
            self.problems.append(
                f"{key!r} is {stored.dtype} {stored.shape}, not {wanted.dtype} {wanted.shape}"
            )


def _verify(file: BinaryIO) -> None:
    """Holds a file against its checksum; one without must at least end as an archive does."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _COMMENT))
    tail = file.read()
    if tail.startswith(_PREFIX) and len(tail) == _COMMENT:
        if _digest(file, size - _COMMENT) != tail[len(_PREFIX) :]:
            raise ValueError("damaged: its checksum does not match")
        return
    end = tail[-_END_WITHOUT_COMMENT:]
    if not (end.startswith(b"PK\5\6") and end.endswith(b"\0\0")):
        raise ValueError("truncated, or not a snapshot")


def _digest(file: BinaryIO, size: int) -> bytes:
    """Returns the SHA-256 of the first ``size`` bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    file.seek(0)
    for left in range(size, 0, -_BLOCK):
        digest.update(file.read(min(left, _BLOCK)))
    return digest.hexdigest().encode()


def _read(file: BinaryIO, part: str) -> dict[str, np.ndarray]:
    """Returns key -> array of the members below ``part``; NumPy unpickles none."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    with np.load(file, allow_pickle=False) as stored:
        if sum(info.file_size for info in stored.zip.infolist()) > _MAX_RATIO * size:
            raise ValueError("it claims to hold far more than its size")
        return {key: stored[key] for key in stored.files if key.startswith(part)}
