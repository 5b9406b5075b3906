"""Numba's files of compiled code: a damaged one is compiled again, one that cannot be kept is done without.

Numba itself lets every error of such a file through, so that what a power cut damaged would end each later
run. And it has no checksum: code with a page of zeros would be run.
"""

import functools
import pickle
import sys
import zlib
from contextlib import suppress
from typing import Any

from numba.core.caching import Cache, IndexDataCacheFile

from starvox.replacements import Replacements

_load, _save, _dump = Cache.load_overload, Cache.save_overload, IndexDataCacheFile._dump


class _Call:
    """Is pickled as a call, which unpickling makes: any program can read the files, without starvox."""

    def __init__(self, function: Any, argument: Any):
        self._call = function, (argument,)

    def __reduce__(self) -> tuple:
        return self._call


def load_overload(self: Cache, sig: Any, target_context: Any) -> Any:
    """Replaces ``Cache.load_overload``; None, as for a file that is missing, makes Numba compile."""
    try:
        return _load(self, sig, target_context)
    except Exception:  # unpickling what is damaged raises anything
        with suppress(OSError):
            self.flush()  # an index without entries
            _tell(self.cache_path)
        return None


def save_overload(self: Cache, sig: Any, data: Any) -> None:
    """Replaces ``Cache.save_overload``: on a full disk, the next process compiles again."""
    with suppress(Exception):  # OSError, or what reading a damaged index raises
        _save(self, sig, data)


def dump(self: IndexDataCacheFile, content: Any) -> bytes:
    """Replaces ``IndexDataCacheFile._dump``: the same, compressed, since zlib keeps a checksum."""
    compressed = zlib.compress(_dump(self, content), level=1)
    return pickle.dumps(_Call(pickle.loads, _Call(zlib.decompress, compressed)))


@functools.cache
def _tell(folder: str) -> None:
    print(f"compiled code in {folder} is damaged; it is removed and compiled again", file=sys.stderr)


replacements = Replacements(
    {
        (Cache, "load_overload"): load_overload,
        (Cache, "save_overload"): save_overload,
        (IndexDataCacheFile, "_dump"): dump,
    }
)
