"""One decoded waveform on disk, checked whenever a part of it is read."""

import os
import zlib
from pathlib import Path

import numpy as np

from starvox.errors import UserError

BLOCK = 8192  # samples under one checksum; a crop of the record lies in at most ten


class StoredWaveform:
    """A float32 waveform in a file that `write` made.

    The file is what `numpy.save` writes, and behind it the CRC-32 of each block of
    samples, little-endian. It is read, not memory-mapped: a process dies (SIGBUS)
    that touches a page which is no longer in the file. Every part is held against
    its checksums, so that damage ends a training and never goes into it.

    Args:
        path: the file; opened here and at every `read`, never kept open.

    Raises:
        UserError: if it is gone, or its size is not that of its waveform.
    """

    def __init__(self, path: Path):
        self._path = path
        try:
            with open(path, "rb") as file:
                if np.lib.format.read_magic(file) != (1, 0):
                    raise ValueError
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                self._start, size = file.tell(), os.fstat(file.fileno()).st_size
        except OSError as error:
            raise self._unreadable(error) from None
        except Exception:  # the header is parsed as Python, which a wrong bit can make raise nearly anything
            raise self._damaged() from None
        self._length = shape[0] if len(shape) == 1 and dtype == np.dtype("<f4") else -1
        if size != self._start + 4 * self._length + 4 * -(-self._length // BLOCK):
            raise self._damaged()

    def __len__(self) -> int:
        return self._length

    def read(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Reads samples ``start`` to ``stop - 1``, all of them by default.

        Returns:
            ndarray of shape (stop - start,), float32: as decoded; full scale is 1.

        Raises:
            UserError: if the file is gone or damaged there.
        """
        stop = len(self) if stop is None else stop
        first, last = start // BLOCK, -(-stop // BLOCK)
        count = min(last * BLOCK, len(self)) - first * BLOCK
        try:
            with open(self._path, "rb", buffering=0) as file:
                samples = self._read(file, 4 * first * BLOCK, 4 * count)
                sums = self._read(file, 4 * (len(self) + first), 4 * (last - first))
        except OSError as error:
            raise self._unreadable(error) from None
        if len(samples) != 4 * count or _checksums(samples) != sums:
            raise self._damaged()
        return np.frombuffer(samples, "<f4")[start - first * BLOCK : stop - first * BLOCK]

    def _read(self, file, place: int, count: int) -> bytes:
        file.seek(self._start + place)
        return file.read(count) or b""

    def _damaged(self) -> UserError:
        return UserError(
            f"{self._path}: a damaged decoded clip; delete it: at the next start it is made again"
        )

    def _unreadable(self, error: OSError) -> UserError:
        return UserError(f"{self._path}: {error.strerror}; at the next start the clip is decoded again")


def write(path: Path, samples: np.ndarray) -> None:
    """Writes the file that `StoredWaveform` reads.

    Args:
        path: the file to make.
        samples (ndarray of shape (n,), float32): the waveform.
    """
    samples = samples.astype("<f4")
    with open(path, "wb") as file:
        np.lib.format.write_array(file, samples, version=(1, 0))
        file.write(_checksums(samples.data.cast("B")))


def _checksums(samples) -> bytes:
    """Returns the CRC-32 of each block of bytes that hold float32 samples."""
    view = memoryview(samples)
    sums = [zlib.crc32(view[i : i + 4 * BLOCK]) for i in range(0, len(view), 4 * BLOCK)]
    return np.array(sums, "<u4").tobytes()
