"""Minibatches through the networks as replay uses them: running statistics, no gradients."""

import chainer
import numpy as np

_PIXELS = 2**17  # of a minibatch: two crops of the record's size, as in its training


def generate(gen, x: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Converts spectrograms.

    Args:
        gen (Generator): on any device.
        x (ndarray of shape (B, bins, frames), float32): log magnitude in [0, 1].
        c (ndarray of shape (B, n_labels), float32): input labels in {0, 1}.

    Returns:
        ndarray of shape (B, bins, frames), float32, in (0, 1), on the host.
    """
    return _run(gen, lambda x, c: gen(x, c)[:, 0], x[:, None], c)


def classify(dis, x: np.ndarray) -> np.ndarray:
    """Asks D for the labels of spectrograms.

    Args:
        dis (Discriminator): on any device.
        x (ndarray of shape (B, bins, frames), float32): log magnitude in [0, 1].

    Returns:
        ndarray of shape (B, n_classes), float32: before the sigmoid, on the host.
    """
    return _run(dis, lambda x: dis(x)[1], x[:, None])


def _run(network, function, *arrays: np.ndarray) -> np.ndarray:
    size = max(1, _PIXELS // arrays[0][0].size)
    host, results = chainer.get_device("@numpy"), []
    with (
        chainer.using_device(network.device),
        chainer.using_config("train", False),
        chainer.no_backprop_mode(),
    ):
        for start in range(0, len(arrays[0]), size):
            batch = [network.device.send(np.ascontiguousarray(a[start : start + size])) for a in arrays]
            results.append(host.send(function(*batch).array))
    return np.concatenate(results)
