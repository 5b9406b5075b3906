"""What should last of a finished run: a small folder beside its experiment, in the repository."""

from pathlib import Path

from starvox import snapshots
from starvox.errors import UserError
from starvox.plotting import read_log


def how_long(folder: Path) -> tuple[bool, int]:
    """Returns whether a run holds a generator, and how many iterations its log has come to."""
    try:
        iterations = int(read_log(folder)["iteration"][-1])
    except UserError:
        iterations = 0
    return bool(snapshots.find(folder, snapshots.GENERATOR)), iterations
