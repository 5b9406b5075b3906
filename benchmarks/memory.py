"""The resident memory of this process, in bytes."""

import re
import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak() -> int:
    """Returns the most that it has been.

    On Linux it is VmHWM: ``ru_maxrss`` of a new process begins at what the
    process that started it had. Elsewhere (macOS) it is ``ru_maxrss``, in bytes there.
    """
    if _STATUS.is_file():
        return _read("VmHWM")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def current() -> int:
    """Returns what it is now; where that is not known (macOS), `peak`, so that differences are too small."""
    return _read("VmRSS") if _STATUS.is_file() else peak()


def _read(key: str) -> int:
    text = _STATUS.read_text(encoding="ascii", errors="replace")
    return int(re.search(rf"^{key}:\s+(\d+) kB$", text, re.MULTILINE)[1]) * 1024
