"""Whether a run fits on the disk."""

import shutil
from pathlib import Path

from starvox import snapshots
from starvox.errors import UserError
from starvox.training.extensions import RETAINED


def check_space(folder: Path, updater, n_gen: int) -> None:
    """Refuses a run whose snapshots do not fit on the disk of its results folder.

    It needs at least the trainer's snapshots that are kept and one more, since an
    old one goes after the new one is there, and the generator's. Those that are
    there already count, as they are among them or make room.

    Args:
        folder: the results folder.
        updater: has the networks as ``gen`` and ``dis``.
        n_gen: how many snapshots of the generator the run will have.

    Raises:
        UserError: if there is too little room.
    """
    gen, dis = (sum(_sizes(link)) for link in (updater.gen, updater.dis))
    # RMSprop keeps one array of the shape of each parameter
    needed = (RETAINED + 1) * 2 * (gen + dis) + n_gen * gen
    for stem in (snapshots.TRAINER, snapshots.GENERATOR):
        needed -= sum(path.stat().st_size for path in snapshots.find(folder, stem).values())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise UserError(
            f"{folder}: the run's snapshots need at least {_text(needed)}, and {_text(free)} are free; "
            "make room, or choose another OUT="
        )


def _sizes(link):
    for parameter in link.params():
        yield parameter.size * parameter.dtype.itemsize


def _text(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
