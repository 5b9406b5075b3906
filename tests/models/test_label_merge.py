"""The merge without the label map, against the drawing's repeat, concat and convolution."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

from starvox.models.label_merge import LabelMerge

SIZES = [((5, 7), (3, 3)), ((6, 4), (3, 5)), ((1, 1), (3, 3)), ((2, 9), (5, 1)), ((3, 3), (7, 7))]


def plain(merge, h, c):
    """The record's words: repeat the labels over the map, concat, convolve."""
    repeated = F.broadcast_to(F.expand_dims(F.expand_dims(c, 2), 3), (*c.shape, *h.shape[2:]))
    return F.convolution_2d(F.concat([h, repeated]), merge.W, pad=merge.pad)


def make(size, ksize):
    rng = np.random.default_rng(0)
    merge = LabelMerge(4, 11, 6, ksize, chainer.initializers.Normal(1, rng=np.random.RandomState(0)))
    h = chainer.Variable(rng.standard_normal((2, 4, *size), dtype=np.float32))
    c = (rng.random((2, 11)) < 0.3).astype(np.float32)
    return merge, h, c


@pytest.mark.parametrize(("size", "ksize"), SIZES)
def test_equals_the_drawing_at_every_cell(size, ksize):
    merge, h, c = make(size, ksize)
    np.testing.assert_allclose(
        merge(merge.convolve_map(h), c).array, plain(merge, h, c).array, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(("size", "ksize"), SIZES)
def test_gradients_equal_the_drawings(size, ksize):
    merge, h, c = make(size, ksize)
    weight = np.random.default_rng(1).standard_normal((2, 6, *size), dtype=np.float32)
    ours = chainer.grad([F.sum(merge(merge.convolve_map(h), c) * weight)], [h, merge.W])
    theirs = chainer.grad([F.sum(plain(merge, h, c) * weight)], [h, merge.W])
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine.array, reference.array, rtol=1e-4, atol=1e-4)


def test_gradients_of_gradients_equal_the_drawings():
    merge, h, c = make((5, 7), (3, 3))

    def twice(y):
        (first,) = chainer.grad([F.sum(y**3)], [h], enable_double_backprop=True)
        return chainer.grad([F.sum(first**2)], [merge.W])[0].array

    reference = twice(plain(merge, h, c))
    np.testing.assert_allclose(
        twice(merge(merge.convolve_map(h), c)), reference, rtol=1e-3, atol=1e-5 * abs(reference).max()
    )
