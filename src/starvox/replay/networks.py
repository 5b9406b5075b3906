"""The networks of a results folder, as some iteration left them."""

from pathlib import Path
from typing import NamedTuple

from starvox import snapshots
from starvox.build import build_models
from starvox.config import Experiment, load_experiment
from starvox.corpus import LabelEncoder
from starvox.errors import UserError
from starvox.models import Discriminator, Generator


class Networks(NamedTuple):
    """What `load_networks` finds; the networks are on the CPU."""

    exp: Experiment
    encoder: LabelEncoder
    iteration: int
    gen: Generator
    dis: Discriminator | None


def load_networks(folder: str | Path, iteration: int | None = None, with_dis: bool = False) -> Networks:
    """Loads the generator of a run, and the discriminator if asked to.

    Args:
        folder: a results folder, also of a training that is still running.
        iteration: None for the newest.
        with_dis: D is in the snapshots to resume from, of which a run keeps the
            last two; G is then taken from the same one.

    Raises:
        UserError: if the folder is no run, has no such snapshot, or it is damaged.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is no results folder: it has no config.json; train first")
    exp = load_experiment(folder / "config.json")
    labels = folder / "labels.json"
    try:
        encoder = LabelEncoder.loads(labels.read_text(encoding="utf-8"), exp.labels.sizes)
    except OSError as error:
        raise UserError(f"{labels}: {error.strerror}; the label names of the run are in it") from None
    except UnicodeDecodeError:
        raise UserError(f"{labels}: not UTF-8; restore it, or train anew") from None
    except UserError as error:
        raise UserError(f"{folder}: {error}") from None
    found = snapshots.find(folder, snapshots.TRAINER if with_dis else snapshots.GENERATOR)
    if not found:
        raise UserError(f"{folder} has no snapshot yet; wait for the first, or train with --snapshot-every")
    if iteration is None:
        iteration = max(found)
    if iteration not in found:
        raise UserError(
            f"{folder} has no snapshot of iteration {iteration}; it has: {', '.join(map(str, found))}"
        )
    gen, dis = build_models(exp)
    if with_dis:
        snapshots.load(found[iteration], gen, "updater/model:gen/")
        snapshots.load(found[iteration], dis, "updater/model:dis/")
    else:
        snapshots.load(found[iteration], gen)
    return Networks(exp, encoder, iteration, gen, dis if with_dis else None)
