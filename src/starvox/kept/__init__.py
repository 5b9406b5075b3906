"""What should last of a finished run: a small folder beside its experiment, in the repository."""

from pathlib import Path

from starvox.errors import UserError
from starvox.run.log import read_log
from starvox.run.run import Run


def how_long(folder: Path) -> tuple[bool, int]:
    """Returns whether a run holds a generator, and how many iterations its log has come to."""
    try:
        iterations = int(read_log(folder)["iteration"][-1])
    except UserError:
        iterations = 0
    return bool(Run(folder).generators()), iterations
