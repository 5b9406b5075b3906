"""One decoded waveform on disk, checked before anything of it is used."""

import os
import zlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from starvox.errors import UserError

_HEADER = 128  # bytes; NumPy leaves room for any number of samples


class StoredWaveform:
    """A float32 waveform in a plain ``.npy`` file, which is opened at every `read` and never kept open.

    The whole file is held against its checksum when it is first read, and again
    if it has changed since then. It is not memory-mapped: a process that touches
    a page which is no longer in the file dies (SIGBUS).

    Args:
        path: the file.
        samples (int): how many it holds.
        checksum (int): `checksum_of` the file as it was written.
    """

    def __init__(self, path: Path, samples: int, checksum: int):
        self._path = path
        self._samples = samples
        self._checksum = checksum
        self._checked: list[int] | None = None  # the file's stamp when its checksum was right

    def __len__(self) -> int:
        return self._samples

    def read(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Reads samples ``start`` to ``stop - 1``, all of them by default.

        Returns:
            ndarray of shape (stop - start,), float32: as decoded; full scale is 1.

        Raises:
            UserError: if the file is gone, damaged or cannot be read.
        """
        count = (len(self) if stop is None else stop) - start
        try:
            with open(self._path, "rb") as file:
                found = stamp(file.fileno())
                is_whole = found == self._checked or checksum_of(self._path) == self._checksum
                self._checked = found if is_whole else None
                file.seek(_HEADER + 4 * start)
                samples = np.fromfile(file, "<f4", count)
        except OSError as error:
            mend = "at the next start the clip is decoded again"
            raise UserError(f"{self._path}: {error.strerror}; {mend}") from None
        if not is_whole or len(samples) < count:  # cut short since its checksum was looked at
            mend = "delete it: at the next start it is made again"
            raise UserError(f"{self._path}: a damaged decoded clip; {mend}")
        return samples


def checksum_of(path: Path) -> int:
    """Returns the CRC-32 of a file."""
    checksum = 0
    with open(path, "rb") as file:
        for block in iter(partial(file.read, 2**20), b""):
            checksum = zlib.crc32(block, checksum)
    return checksum


def write_blocks(path: Path, blocks: Iterable[np.ndarray]) -> int:
    """Writes a waveform as `numpy.save` does, block by block; returns its samples."""
    samples = 0
    with open(path, "wb") as file:
        file.seek(_HEADER)
        for block in blocks:
            file.write(block.astype("<f4", copy=False).data)
            samples += len(block)
        file.seek(0)
        header = {"descr": "<f4", "fortran_order": False, "shape": (samples,)}
        np.lib.format.write_array_header_1_0(file, header)
    return samples


def stamp(file: str | Path | int) -> list[int] | None:
    """Returns what changes when a file, or the file that has its name, does: size, times and number.

    Returns:
        list of int; None if it is not there.
    """
    try:
        status = os.stat(file)
    except OSError:
        return None
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
