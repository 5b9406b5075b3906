"""One training at a time in a results folder."""

import contextlib
import errno
import os
import platform
from pathlib import Path

from filelock import FileLock, Timeout

from starvox.errors import UserError, WriteError

LOCK = ".lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


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

    def __enter__(self) -> "Lock":
        self._made = not self._folder.exists()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._take()
            self._path.write_text(f"process {os.getpid()} on {platform.node()}\n", encoding="utf-8")
        except OSError as error:  # Timeout is one too, and was told already
            self.__exit__()
            raise WriteError(f"{self._folder}: cannot be written to ({error.strerror})", "out") from None
        return self

    def __exit__(self, *exc_info):
        if self._lock.is_locked:
            self._path.unlink(missing_ok=True)  # while it is held, so that who opened it sees it gone
            self._lock.release()
        if self._made:
            with contextlib.suppress(OSError):  # something is in it
                self._folder.rmdir()

    def _take(self) -> None:
        try:
            self._lock.acquire()
        except Timeout:
            holder = self._path.read_text(encoding="utf-8", errors="replace")[:200].strip()
            raise UserError(
                f"{self._folder} is in use by another training ({holder or 'a process that just started'}); "
                "wait for it, or stop it",
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
