"""Finding and loading the snapshots of a results folder."""

import re
import zipfile
from pathlib import Path

import numpy as np
from chainer.serializers import NpzDeserializer, save_npz

from starvox.errors import UserError

TRAINER = "snapshot_iter"
GENERATOR = "gen_iter"


def save(path, target) -> None:
    """Writes a snapshot. Uncompressed: weights hardly shrink, and deflating them takes ten times as long."""
    save_npz(path, target, compression=False)


def find(folder: Path, stem: str) -> dict[int, Path]:
    """Returns iteration -> file of the snapshots in a folder, in ascending order.

    Args:
        folder: a results folder.
        stem: `TRAINER` or `GENERATOR`.
    """
    found = {}
    for path in Path(folder).glob(f"{stem}_*.npz"):
        if match := re.fullmatch(rf"{stem}_(\d+)\.npz", path.name):
            found[int(match[1])] = path
    return dict(sorted(found.items()))


def load(path: Path, target, part: str = "") -> None:
    """Loads a snapshot into a link or a trainer; never unpickles, so it runs no code.

    Args:
        path: the snapshot.
        target: what to load.
        part: where in the snapshot it is, for example ``updater/model:dis/`` in a trainer's.

    Raises:
        UserError: if the file is damaged, or is no snapshot of such a target.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as stored:
            # all of it first, so that a damaged file leaves the target as it was
            arrays = {key: stored[key] for key in stored.files if key.startswith(part)}
        NpzDeserializer(arrays, part).load(target)
    except KeyError as error:
        raise UserError(f"{path}: not a snapshot of this network: it lacks {error}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: cannot be loaded ({error}); use another snapshot") from None
