"""Writing a figure so that a reader never meets half of it."""

import os
from pathlib import Path

from matplotlib.figure import Figure

from starvox.errors import UserError


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Writes a figure under a temporary name beside ``path``, then moves it there.

    Args:
        figure: what to write.
        path: the file to make or replace; its ending gives the format. Missing
            folders are made.

    Returns:
        Path: ``path``.

    Raises:
        UserError: if the file cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            figure.savefig(temporary, format=path.suffix[1:])
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror or error}); choose another folder"
        ) from None
    return path
