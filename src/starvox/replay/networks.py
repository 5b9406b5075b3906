"""The networks of a results folder, as some iteration left them."""

from pathlib import Path
from typing import NamedTuple

import chainer
import numpy as np
from chainer.serializers import DictionarySerializer

from starvox.build import build_generator, build_models, count_least_weights
from starvox.config import Experiment
from starvox.corpus import LabelEncoder
from starvox.errors import UserError
from starvox.models import Discriminator, Generator
from starvox.run import snapshots
from starvox.run.run import Run


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
        UserError: if the folder is no run, has no such snapshot, or it is damaged
            or holds weights that are not finite.
    """
    run = Run(folder)
    exp = run.experiment()
    encoder = run.encoder(exp)
    found = run.snapshots() if with_dis else run.generators()
    if not found:
        raise UserError(f"{folder} has no snapshot yet; wait for the first, or train with --snapshot-every")
    if iteration is None:
        iteration = max(found)
    if iteration not in found:
        raise UserError(
            f"{folder} has no snapshot of iteration {iteration}; it has: {', '.join(map(str, found))}"
        )
    # before networks are built of which a stranger's config.json may say any size
    snapshots.refuse_if_too_small(found[iteration], count_least_weights(exp, with_dis))
    gen, dis = build_models(exp) if with_dis else (build_generator(exp), None)
    _load(found[iteration], gen, "updater/model:gen/" if with_dis else "")
    if dis is not None:
        _load(found[iteration], dis, "updater/model:dis/")
    return Networks(exp, encoder, iteration, gen, dis)


def _load(path: Path, network: chainer.Link, part: str) -> None:
    snapshots.load(path, network, part)
    values = DictionarySerializer()
    values.save(network)
    if bad := [key for key, array in values.target.items() if not np.isfinite(array).all()]:
        raise UserError(f"{path}: {bad[0]} holds NaN or infinite values; use another snapshot")
