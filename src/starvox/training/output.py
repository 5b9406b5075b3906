"""What a training prints: told if anybody can be told, and no reason to end it."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO


class BestEffort:
    """A text stream that notes that it cannot be written to, and raises nothing.

    Args:
        stream: standard output or error; closed, or None where it was so before Python started.

    Attributes:
        failed (bool): whether something could not be written.
    """

    def __init__(self, stream: TextIO | None):
        self._stream = stream if stream and not stream.closed else open(os.devnull, "w")  # noqa: SIM115
        self.failed = False

    def write(self, text: str) -> int:
        with self._noting():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._noting():
            self._stream.flush()

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):  # a full disk, a reader or a terminal that is gone, a closed file
            self.failed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def best_effort_output() -> Iterator[None]:
    """Prints within it end nothing, whatever becomes of standard output and error."""
    streams = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = told = [BestEffort(stream) for stream in streams]
    try:
        yield
    finally:
        for stream in told:
            stream.flush()
            if stream.failed:  # what is left in its buffer would fail at the end of Python
                with contextlib.suppress(OSError, ValueError):
                    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        sys.stdout, sys.stderr = streams
