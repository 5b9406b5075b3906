"""A spectrogram of any length through the generator."""

import chainer
import numpy as np

from starvox.config import Generator
from starvox.replay.blocks import blocks
from starvox.replay.receptive_field import pixel_reach

_BLOCK = 512  # frames of output at a time: 0.2 GB at the record's size


def margin(generator: Generator) -> int:
    """Returns how many frames to either side an output frame can depend on.

    Args:
        generator: the experiment's table ``generator``.

    Returns:
        int: rounded up to a multiple of 2^depth; 44 for the record.
    """
    cell = 2**generator.depth
    frames = max(max(reach) for reach in pixel_reach(generator)["frames"])
    return -(-frames // cell) * cell


def convert(gen, s: np.ndarray, c: np.ndarray, beyond: int | None, progress: bool = False) -> np.ndarray:
    """Converts a spectrogram, block by block if batch normalisation allows it.

    Args:
        gen (Generator): on any device; nothing of it is changed.
        s (ndarray of shape (bins, frames), float32): log magnitude in [0, 1];
            frames is a multiple of 2^depth.
        c (ndarray of shape (n_labels,), float32): input labels in {0, 1}.
        beyond (int or None): `margin`, for the running statistics: blocks with so many
            frames beyond each end give what one pass over the whole gives. None
            is for the statistics of ``s`` itself, which take one pass: about 15 MB
            a second at the record's size.
        progress: show the time left on a terminal.

    Returns:
        ndarray of the shape of ``s``, float32, in (0, 1).
    """
    size = s.shape[1]
    if beyond is None:
        # Chainer leaves the running statistics alone only while `in_recomputing`.
        with chainer.using_config("train", True), chainer.using_config("in_recomputing", True):
            return _generate(gen, s, c)
    y = np.empty_like(s)
    step = max(1, _BLOCK // beyond) * beyond
    for start, stop in blocks(size, step, "conversion" if progress else None):
        first = max(0, start - beyond)
        part = s[:, first : min(size, stop + beyond)]
        with chainer.using_config("train", False):
            y[:, start:stop] = _generate(gen, part, c)[:, start - first : stop - first]
    return y


def _generate(gen, s, c):
    device = gen.device
    with chainer.using_device(device), chainer.no_backprop_mode():
        y = gen(device.send(np.ascontiguousarray(s)[None, None]), device.send(c[None]))
    return chainer.get_device("@numpy").send(y.array)[0, 0]
