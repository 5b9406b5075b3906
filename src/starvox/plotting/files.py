"""Writing a figure so that a reader never meets half of it."""

from pathlib import Path

from matplotlib.figure import Figure

from starvox.files import replacing


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
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:])
    return path
