"""One training at a time in a results folder."""

import contextlib
import errno
import fcntl
import os
import platform
import re
from pathlib import Path

from filelock import FileLock, Timeout

from starvox.errors import UserError, WriteError
from starvox.files import open_plain

LOCK = ".lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


def is_held(folder: Path) -> bool:
    """Returns whether a training holds a results folder now, on this machine; changes nothing there."""
    try:
        with open_plain(folder / LOCK) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # released when the file is closed
    except BlockingIOError:
        return True
    except OSError:  # no lock, or no locks on this file system
        pass
    return False


class Lock:
    """Holds a results folder for this process, as a context.

    A `filelock.FileLock` on the file ``.lock`` in the folder, which goes with it: the system
    releases it when the process ends, however it ends, so that none is ever stale.
    Taking it also shows that the folder can be written to. A folder that it made
    and that is still empty at the end is removed.

    Args:
        folder (Path): made if it is not there.

    Raises:
        UserError: on entering, if another training holds the folder, or if the
            folder cannot be made or written to.
    """

    def __init__(self, folder: str | Path):
        self._folder = Path(folder)
        self._path = self._folder / LOCK
        self._lock = FileLock(self._path, timeout=0.2, poll_interval=0.02, fallback_to_soft=False)
        self._made = False
        self._stat: os.stat_result | None = None

    def __enter__(self) -> "Lock":
        self._made = not self._folder.exists()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._take()
            if not re.fullmatch(r"(process \d+ on .*\n?)?", self._holder()):
                self._lock.release()
                raise UserError(f"{self._path} is not of starvox", "out")
            self._stat = os.stat(self._path)
            self._path.write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")
        except OSError as error:
            self.__exit__()
            raise WriteError(f"{self._folder}: cannot be written to ({error.strerror})", "out") from None
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._is_there():
            self._path.unlink()  # while it is held, so that who opened it sees it gone
        self._lock.release()
        if self._made:
            with contextlib.suppress(OSError):  # something is in it
                self._folder.rmdir()

    def check(self) -> None:
        """Refuses to write into a folder that is no longer the one that was locked.

        Raises:
            UserError: if it was moved, removed, or another is in its place.
        """
        if not self._is_there():
            raise UserError(
                f"{self._folder} was moved or removed while it was trained in; the training has ended, "
                "and what it saved before is where the folder is now"
            )

    def _is_there(self) -> bool:
        """Returns whether the lock's file is where it was locked."""
        try:
            return self._stat is not None and os.path.samestat(self._stat, os.stat(self._path))
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _take(self) -> None:
        try:
            self._lock.acquire()
        except Timeout:
            holder = self._holder().strip() or "a process that just started"
            raise UserError(
                f"{self._folder} is in use by another training ({holder}); wait for it, or stop it",
                "out",
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            print(
                f"{self._folder}: no locks on this file system ({error.strerror}); "
                "see to it that no other training uses this folder",
                flush=True,
            )

    def _holder(self) -> str:
        with open_plain(self._path) as file:
            return file.read(300).decode(errors="replace")
