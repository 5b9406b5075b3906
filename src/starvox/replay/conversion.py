"""Spectrograms through the networks: no gradients, and nothing of the networks is changed."""

from collections.abc import Callable

import chainer
import numpy as np
from numpy.typing import NDArray
from tqdm.auto import tqdm

from starvox.config import Generator as Table
from starvox.models import Discriminator, Generator
from starvox.replay.receptive_field import pixel_reach

Array = NDArray[np.float32]

_BLOCK = 512  # frames of output at a time: 0.2 GB at the record's size
_PIXELS = 2**17  # of a minibatch: two crops of the record's size, as in its training


def context_frames(generator: Table) -> int:
    """Returns how many frames to either side an output frame can depend on.

    Args:
        generator: the experiment's table ``generator``.

    Returns:
        int: rounded up to a multiple of 2^depth; 44 for the record.
    """
    cell = 2**generator.depth
    frames = max(max(reach.before, reach.after) for reach in pixel_reach(generator)["frames"])
    return -(-frames // cell) * cell


def convert(gen: Generator, s: Array, c: Array, context: int | None) -> Array:
    """Converts a spectrogram, block by block if batch normalisation allows it.

    On a terminal and in a notebook a bar shows how far a long one is.

    Args:
        gen (Generator): on any device.
        s (ndarray of shape (bins, frames), float32): log magnitude in [0, 1];
            frames is a multiple of 2^depth.
        c (ndarray of shape (n_labels,), float32): input labels in {0, 1}.
        context (int or None): `context_frames`, for the running statistics: blocks with
            so many frames beyond each end give what one pass over the whole gives. None
            is for the statistics of ``s`` itself, which take one pass: about 15 MB
            a second at the record's size.

    Returns:
        ndarray of the shape of ``s``, float32, in (0, 1).
    """
    if context is None:
        # Chainer leaves the running statistics alone only while `in_recomputing`.
        with chainer.using_config("in_recomputing", True):
            return _run(gen, lambda x, c: gen(x, c)[:, 0], s[None, None], c[None], train=True)[0]
    y = np.empty_like(s)
    size, step = s.shape[1], max(1, _BLOCK // context) * context
    quiet = None if size > step else True  # None: shown on a terminal and in a notebook
    for start in tqdm(range(0, size, step), "conversion", leave=False, disable=quiet):
        first = max(0, start - context)
        part = s[None, :, first : start + step + context]
        y[:, start : start + step] = generate(gen, part, c[None])[0, :, start - first :][:, :step]
    return y


def generate(gen: Generator, x: Array, c: Array) -> Array:
    """Converts spectrograms with the running statistics.

    Args:
        gen (Generator): on any device.
        x (ndarray of shape (B, bins, frames), float32): log magnitude in [0, 1].
        c (ndarray of shape (B, n_labels), float32): input labels in {0, 1}.

    Returns:
        ndarray of shape (B, bins, frames), float32, in (0, 1), on the host.
    """
    return _run(gen, lambda x, c: gen(x, c)[:, 0], x[:, None], c)


def classify(dis: Discriminator, x: Array) -> Array:
    """Asks D for the labels of spectrograms.

    Args:
        dis (Discriminator): on any device.
        x (ndarray of shape (B, bins, frames), float32): log magnitude in [0, 1].

    Returns:
        ndarray of shape (B, n_classes), float32: before the sigmoid, on the host.
    """
    return _run(dis, lambda x: dis(x)[1], x[:, None])


def _run(network: chainer.Link, function: Callable, *arrays: Array, train: bool = False) -> Array:
    """Returns what the function gives for the rows of the arrays, a minibatch at a time."""
    size = max(1, _PIXELS // arrays[0][0].size)
    host, results = chainer.get_device("@numpy"), []
    with (
        chainer.using_device(network.device),
        chainer.using_config("train", train),
        chainer.no_backprop_mode(),
    ):
        for start in range(0, len(arrays[0]), size):
            batch = [network.device.send(np.ascontiguousarray(a[start : start + size])) for a in arrays]
            results.append(host.send(function(*batch).array))
    return np.concatenate(results)
