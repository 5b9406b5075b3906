"""From an experiment to its networks."""

import math
import os
from pathlib import Path
from typing import Any

import chainer
import numpy as np

from starvox import fast_cpu, fast_gpu
from starvox.config import Discriminator as DiscriminatorTable
from starvox.config import Experiment
from starvox.config import Generator as GeneratorTable
from starvox.corpus.labels import GROUPS
from starvox.models import Discriminator, Generator

_INITIALIZERS = {
    "lecun_normal": chainer.initializers.LeCunNormal,
    "he_normal": chainer.initializers.HeNormal,
    "glorot_uniform": chainer.initializers.GlorotUniform,
}


def use_fast_operations() -> None:
    """Puts `fast_cpu`, and `fast_gpu` where CuPy is, in the place of Chainer's operations."""
    fast_cpu.enable()
    if chainer.backends.cuda.available:
        fast_gpu.enable()


def describe_compiling(device: chainer.backend.Device) -> str:
    """Returns a line that says that the first iteration compiles what a first start has to, or nothing."""
    if device.xp is np:
        compiled: Any = fast_cpu.kernels.relu
        cache, kernels, what = compiled.stats.cache_path, "kernels.relu-*.nbi", "compiling (once)"
    else:
        cache, kernels = os.environ.get("CUPY_CACHE_DIR", "~/.cupy/kernel_cache"), "*"
        what = "compiling about 110 kernels (once, about 40 s)"
    there = cache and any(Path(cache).expanduser().glob(kernels))
    return "" if there else f"the first iteration takes longer: {what}\n"


def build_models(exp: Experiment, seed: int = 0) -> tuple[Generator, Discriminator]:
    """Builds G and D on the CPU; the same seed gives the same weights everywhere.

    Calls `use_fast_operations`, and so does all that builds networks by this function: the
    commands and `Replay.load`. For Chainer's own operations call ``fast_cpu.disable()`` and
    ``fast_gpu.disable()`` afterwards.

    Args:
        exp: the experiment.
        seed: of the initial weights.

    Returns:
        (Generator, Discriminator): float32.
    """
    rng = np.random.RandomState(seed)
    gen = build_generator(exp, rng)
    dis = Discriminator(n_classes=sum(exp.labels.sizes.values()), **_arguments(exp.discriminator, rng))
    return gen, dis


def build_generator(exp: Experiment, rng: np.random.RandomState | None = None) -> Generator:
    """Builds G as `build_models` does, without D, for weights that are loaded afterwards."""
    use_fast_operations()
    n_labels = sum(exp.labels.sizes.values()) + len(GROUPS)
    return Generator(n_labels=n_labels, **_arguments(exp.generator, rng))


def _arguments(
    table: GeneratorTable | DiscriminatorTable, rng: np.random.RandomState | None
) -> dict[str, Any]:
    values = table.model_dump(exclude={"statistics"})  # the updater's
    return values | {"initializer": _INITIALIZERS[table.initializer](rng=rng)}


def count_least_weights(exp: Experiment, with_dis: bool = False) -> int:
    """Returns a number of weights that G has at least, without building it.

    Args:
        exp: the experiment.
        with_dis: of G and D together.
    """
    g, d = exp.generator, exp.discriminator
    n_classes = sum(exp.labels.sizes.values())
    wide = g.filters * 2**g.depth
    blocks = g.blocks * g.block_convolutions * math.prod(g.block_kernel)
    # the innermost halving and doubling are 4 x 4 between wide / 2 and wide maps
    count = wide**2 * (16 + blocks + math.prod(g.merge_kernel)) + wide * n_classes
    if with_dis:
        last = d.filters * 2 ** (d.layers - 1)
        count += 6 * last**2 * (d.layers > 1) + last * n_classes * d.class_kernel**2
    return count
