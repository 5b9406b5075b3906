"""Files that appear whole or not at all, and stay."""

import errno
import hashlib
import io
import os
import re
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from starvox.errors import WriteError

MAX_TEXT = 256_000_000  # bytes of a log or a list of clips: ten times the longest that was met
_LONGEST = 80  # bytes of a part of a file's name, which may have 255


@contextmanager
def replacing(path: str | Path, mend: str = "make room there, or choose another folder") -> Iterator[Path]:
    """Gives a temporary name beside ``path`` to write to; moves it there at the end.

    A reader meets the old file or the new one, never half of it; if the writing
    fails or is interrupted, the old one stays. The new file is on the disk before
    it gets its name, and its name before this returns, so that it outlasts a
    power failure too. Missing folders are made.

    Args:
        path: the file to make or replace.
        mend: what the user can do if it cannot be written.

    Raises:
        WriteError: if it cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _sync(temporary)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        with suppress(OSError):  # not every file system can; some folders may be written but not read
            _sync(path.parent)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written ({error.strerror or error}); {mend}") from None


def open_plain(path: str | Path) -> io.BufferedReader:
    """Opens a file for reading; not a pipe, which would wait for ever, nor a device, which may not end.

    Raises:
        OSError: if it cannot be opened, or is not a plain file.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return open(descriptor, "rb")
    os.close(descriptor)
    number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
    raise OSError(number, os.strerror(number) if stat.S_ISDIR(mode) else "not a file")


def read_text(path: str | Path, limit: int = MAX_TEXT, errors: str = "strict") -> str:
    """Reads a UTF-8 text with `open_plain`.

    Args:
        path: the file.
        limit: bytes that it may have.
        errors: as of `bytes.decode`.

    Raises:
        OSError: if it cannot be opened, is not a plain file, or has more.
        UnicodeDecodeError: if it is not UTF-8.
    """
    with open_plain(path) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise OSError(errno.EFBIG, f"more than {limit / 1e6:.0f} MB")
        return file.read().decode("utf-8", errors)


def write_text(path: str | Path, text: str, **mend: str) -> None:
    """Writes a UTF-8 text with `replacing`, which takes ``mend``."""
    with replacing(path, **mend) as temporary:
        temporary.write_text(text, encoding="utf-8")


def file_name(text: str) -> str:
    """Returns ``text`` without what a file name cannot hold everywhere, short enough to stand in one twice.

    A label or a path of a stranger's comes out without a separator, so that the
    result lies in the folder it is meant for. It has at most 89 bytes.
    """
    name = re.sub(r"[^\w.-]+", "_", text)
    data = name.encode()
    if len(data) <= _LONGEST:
        return name
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
    return f"{data[:_LONGEST].decode(errors='ignore')}_{digest[:8]}"


def remove_leftovers(folder: Path, names: str, seconds: float = 0.0) -> None:
    """Removes the temporary files of `replacing` below a folder that killed processes left there.

    Args:
        folder: the folder; it may be missing.
        names: regular expression of the files to be made, by their paths in the folder: others stay.
        seconds: how long a file must not have been written to, where another process may be writing it.
    """
    for path in folder.rglob(".*.tmp"):
        name = path.relative_to(folder).with_name(written_to(path)).as_posix()
        if re.fullmatch(names, name) and path.is_file():
            with suppress(OSError):  # of a folder that may only be read, or gone already
                if time.time() - path.stat().st_mtime >= seconds:
                    path.unlink()


def written_to(path: Path) -> str:
    """Returns the name of the file that `replacing` makes of a temporary one; of others their own."""
    match = re.fullmatch(r"\.(.+)\.\d+\.\d+\.tmp", path.name)
    return match[1] if match else path.name


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
