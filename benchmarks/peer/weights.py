"""Weights of the Chainer networks for the PyTorch ones."""

import re

import numpy as np
import torch

_LISTS = {"downsamp": "downsampling", "bottleneck": "bottleneck", "upsamp": "upsampling"}
_ARRAYS = {
    "W": "weight",
    "b": "bias",
    "gamma": "weight",
    "beta": "bias",
    "avg_mean": "running_mean",
    "avg_var": "running_var",
}


def from_chainer(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Renames the arrays of a Chainer network; their shapes are the same.

    Args:
        arrays: path -> array, for example ``downsamp1/conv/W``, of a whole network
            or of its gradients.

    Returns:
        dict: a ``state_dict``, with copies.
    """
    return {rename(path): torch.from_numpy(np.array(array)) for path, array in arrays.items()}


def rename(path: str) -> str:
    """Returns PyTorch's name of a Chainer array, for example ``downsampling.0.conv.weight``."""
    first, *rest, name = path.strip("/").split("/")
    stem, number = re.fullmatch(r"(\D+)(\d*)", first).groups()
    if stem in _LISTS:
        first = f"{_LISTS[stem]}.{int(number) - 1}"
    elif stem == "conv":  # of D; after each comes a LeakyReLU
        first = f"layers.{2 * (int(number) - 1)}"
    return ".".join([first, *rest, _ARRAYS[name]])
