"""One training at a time in a results folder."""

import contextlib
import errno
import os
import platform
from pathlib import Path

from starvox.errors import UserError, WriteError

try:
    import fcntl
except ImportError:  # not on Linux or macOS
    fcntl = None


LOCK = ".lock"


class Lock:
    """Holds a results folder for this process, as a context.

    The lock is advisory (``flock`` on the file ``.lock`` in the folder): the
    system releases it when the process ends, however it ends, so that none is
    ever stale. Taking it also shows that the folder can be written to. A folder
    that it made and that is still empty at the end is removed.

    Args:
        folder (Path): made if it is not there.

    Raises:
        UserError: on entering, if another training holds the folder, or if the
            folder cannot be made or written to.
    """

    def __init__(self, folder):
        self._folder = Path(folder)
        self._path = self._folder / LOCK
        self._file = None
        self._made = False

    def __enter__(self):
        self._made = not self._folder.exists()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._take()
        except OSError as error:
            self._remove_folder()
            raise self._unwritable(error) from None
        try:
            self._file.truncate(0)
            self._file.write(f"process {os.getpid()} on {platform.node()}\n".encode())
        except OSError as error:
            self.__exit__()
            raise self._unwritable(error) from None
        return self

    def __exit__(self, *exc_info):
        self._path.unlink(missing_ok=True)  # while it is held: who opened it meanwhile sees that it is gone
        self._file.close()
        self._remove_folder()

    def _unwritable(self, error):
        return WriteError(
            f"{self._folder}: cannot be written to ({error.strerror}); mend that or choose another OUT="
        )

    def _remove_folder(self):
        """Removes what it made, unless something is in it."""
        if self._made:
            with contextlib.suppress(OSError):
                self._folder.rmdir()

    def _take(self):
        while True:
            # unbuffered: a full disk is met here, and not when it is closed
            self._file = open(self._path, "ab+", buffering=0)  # noqa: SIM115
            try:
                self._flock()
                if os.path.samestat(os.fstat(self._file.fileno()), os.stat(self._path)):
                    return
            except FileNotFoundError:  # its last holder removed it after it was opened
                pass
            except BaseException:
                self._file.close()
                raise
            self._file.close()

    def _flock(self):
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read(200).decode(errors="replace").strip() or "a process that just started"
            raise UserError(
                f"{self._folder} is in use by another training ({holder}); "
                "wait for it, stop it, or choose another OUT="
            ) from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            print(
                f"{self._folder}: no locks on this file system ({error.strerror}); "
                "see to it that no other training uses this folder",
                flush=True,
            )
