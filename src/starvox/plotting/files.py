"""Writing a figure so that a reader never meets half of it."""

from pathlib import Path

from matplotlib.figure import Figure

from starvox.files import replacing


def save_figure(figure: Figure, path: Path) -> Path:
    """Makes or replaces ``path``, whose ending gives the format, and returns it.

    Raises:
        UserError: if the file cannot be written.
    """
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:])
    return path
