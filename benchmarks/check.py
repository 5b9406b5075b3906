"""Whether all contenders compute the same: losses and gradients from the same weights and minibatches."""

import re

import numpy as np
import torch

from benchmarks.peer.saving import SavingTrainer
from benchmarks.peer.trainer import Trainer
from starvox.device import find_device
from starvox.training.assemble import build_updater

TOLERANCE = 1e-4  # on a small network; seen is 1e-5
_LISTS = {"downsamp": "downsampling", "bottleneck": "bottleneck", "upsamp": "upsampling"}
_ARRAYS = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias"}


def compare_small(exp, dataset) -> dict[tuple[str, str], float]:
    """Does what `compare` does, on a small network, until all are within `TOLERANCE`."""
    for seed in range(3):  # where an input of a ReLU is so near to 0 that rounding puts it on the other side
        deviations = compare(exp, dataset, seed)
        if all(value < TOLERANCE for value in deviations.values()):
            break
    return deviations


def compare(exp, dataset, seed: int = 0) -> dict[tuple[str, str], float]:
    """Takes one D step and one G step on the CPU in every way, from the same weights, and compares them.

    Returns:
        dict: (contender, log key of a loss, or ``gen.grad`` or ``dis.grad`` and an array's path) -> how far
        from PyTorch's float64, of the largest entry (at least of 1e-4 of the network's largest gradient).
    """
    exp = exp.model_copy(update={"training": exp.training.model_copy(update={"learning_rate": 0.0})})
    updater = build_updater(exp, dataset, find_device("cpu"), seed)
    pairs = list(updater._draw(2))
    ratio = updater._mixing_ratio(0, exp.training.batchsize)
    weights = {}
    for name, link in (("gen", updater.gen), ("dis", updater.dis)):
        weights[name] = {path: param.array.copy() for path, param in link.namedparams()}
    exact = _torch_step(Trainer(exp), weights, pairs, ratio, torch.float64)
    found = {
        "starvox": _our_step(updater, pairs),
        "torch": _torch_step(Trainer(exp), weights, pairs, ratio),
        "torch-saving": _torch_step(SavingTrainer(exp), weights, pairs, ratio),
    }
    updater.finalize()
    deviations = {}
    for key, value in exact.items():
        kind = key.partition("/")[0]  # gen.grad or dis.grad; a loss stands alone
        largest = max(abs(exact[other]).max() for other in exact if other.startswith(f"{kind}/"))
        scale = max(abs(value).max(), 1e-4 * largest if kind.endswith("grad") else 0) or 1
        deviations |= {(who, key): float(abs(of[key] - value).max() / scale) for who, of in found.items()}
    return deviations


def rename(path: str) -> str:
    """Returns PyTorch's name of a Chainer array: ``downsampling.0.conv.weight`` of ``downsamp1/conv/W``."""
    first, *rest, name = path.strip("/").split("/")
    stem, number = re.fullmatch(r"(\D+)(\d*)", first).groups()
    if stem in _LISTS:
        first = f"{_LISTS[stem]}.{int(number) - 1}"
    elif stem == "conv":  # of D; after each comes a LeakyReLU
        first = f"layers.{2 * (int(number) - 1)}"
    return ".".join([first, *rest, _ARRAYS[name]])


def _our_step(updater, pairs) -> dict[str, np.ndarray]:
    def gradients(name, link):
        return {f"{name}.grad{path}": param.grad.copy() for path, param in link.namedparams()}

    found = updater._update_dis(0, *pairs[0]) | gradients("dis", updater.dis)
    return found | updater._update_gen(*pairs[1]) | gradients("gen", updater.gen)


def _torch_step(trainer, weights, pairs, ratio, dtype=torch.float32) -> dict[str, np.ndarray]:
    def gradients(name):
        params = {path: getattr(trainer, name).get_parameter(rename(path)) for path in weights[name]}
        return {f"{name}.grad{path}": param.grad.clone() for path, param in params.items()}

    for name, found in weights.items():
        state = {rename(path): torch.from_numpy(array) for path, array in found.items()}
        getattr(trainer, name).to(dtype).load_state_dict(state, strict=False)  # without running statistics
    batches = [[torch.from_numpy(array) for array in batch] for pair in pairs for batch in pair]
    batches = [(x.to(dtype), c.to(dtype), t) for x, c, t in batches]
    found = trainer.dis_step(*batches[:2], torch.from_numpy(ratio).to(dtype)) | gradients("dis")
    found |= trainer.gen_step(*batches[2:]) | gradients("gen")
    return {key: value.numpy() for key, value in found.items()}
