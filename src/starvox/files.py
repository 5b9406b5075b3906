"""Files that appear whole or not at all."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starvox.errors import UserError


@contextmanager
def replacing(path: str | Path, mend: str = "make room there, or choose another folder") -> Iterator[Path]:
    """Gives a temporary name beside ``path`` to write to; moves it there at the end.

    A reader meets the old file or the new one, never half of it; if the writing
    fails or is interrupted, the old one stays. Missing folders are made.

    Args:
        path: the file to make or replace.
        mend: what the user can do if it cannot be written.

    Raises:
        UserError: if it cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error}); {mend}") from None


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 text with `replacing`."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
