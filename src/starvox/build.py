"""From an experiment to its networks."""

import os
from pathlib import Path

import chainer
import numpy as np

from starvox import fast_cpu, fast_gpu
from starvox.config import Experiment
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
        cache, kernels = fast_cpu.kernels.relu.stats.cache_path, "kernels.relu-*.nbi"
        what = "compiling (once)"
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
    use_fast_operations()
    rng = np.random.RandomState(seed)
    n_classes = sum(exp.labels.sizes.values())

    def arguments(table):
        values = table.model_dump(exclude={"statistics"})  # the updater's
        return values | {"initializer": _INITIALIZERS[table.initializer](rng=rng)}

    gen = Generator(n_labels=n_classes + len(GROUPS), **arguments(exp.generator))
    dis = Discriminator(n_classes=n_classes, **arguments(exp.discriminator))
    return gen, dis
