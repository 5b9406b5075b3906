"""Batch normalisation on a GPU, against Chainer's own."""

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest

from starvox import fast_gpu

SHAPES = [(2, 3, 40, 36), (1, 5, 7, 9), (4, 1, 16, 16), (2, 600, 1, 1)]


def train(shape, xp):
    """The outputs, the gradients, the gradients of one, and the running statistics after two minibatches."""
    rng = np.random.default_rng(0)
    link = L.BatchNormalization(shape[1], decay=0.8, eps=1e-3)
    link.gamma.array[...] = rng.standard_normal(shape[1])
    link.beta.array[...] = rng.standard_normal(shape[1])
    link.to_device("@numpy" if xp is np else "@cupy:0")
    for _ in range(2):
        x, weight = (xp.asarray(rng.standard_normal(shape, dtype=np.float32)) for _ in range(2))
        x = chainer.Variable(3 + 2 * x)
        y = link(x)
        first = chainer.grad([F.sum(y**2 * weight)], [x, link.gamma, link.beta], enable_double_backprop=True)
        second = chainer.grad([F.sum(first[0] ** 2)], [x])
    arrays = [value.array for value in (y, *first, *second)] + [link.avg_mean, link.avg_var]
    return [chainer.cuda.to_cpu(array) for array in arrays]


@pytest.mark.gpu
@pytest.mark.parametrize("shape", SHAPES)
def test_equals_chainers_own(shape, cupy):
    ours = train(shape, cupy)
    fast_gpu.disable()
    try:
        theirs = train(shape, cupy)
    finally:
        fast_gpu.enable()
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-4, atol=1e-5 * max(1, abs(reference).max()))


@pytest.mark.gpu
def test_a_far_mean_does_not_spoil_the_variance(cupy):
    x = 1000 + cupy.asarray(np.random.default_rng(0).standard_normal((2, 2, 64, 64), dtype=np.float32))
    link = L.BatchNormalization(2).to_device("@cupy:0")
    y = link(x).array.get()
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 1, rtol=1e-3)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-3)


@pytest.mark.gpu
def test_other_types_are_left_to_chainer(cupy):
    x = cupy.asarray(np.random.default_rng(0).standard_normal((8, 3)))
    y = F.batch_normalization(x, cupy.ones(3), cupy.zeros(3)).array
    assert y.dtype == np.float64
    np.testing.assert_allclose(y.mean(axis=0).get(), 0, atol=1e-12)
