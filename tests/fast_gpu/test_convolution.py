"""The convolutions of the GPU, run on the CPU, against Chainer's own."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

from starvox import fast_cpu, fast_gpu
from starvox.fast_gpu import convolution

# samples, channels in and out, map, kernel, stride, pad: those of the record, and odd ones
SHAPES = [
    (2, 1, 4, (40, 36), (7, 7), 1, 3),
    (3, 3, 8, (40, 36), (4, 4), 2, 1),
    (2, 5, 5, (16, 16), (3, 3), 1, 1),
    (2, 5, 4, (13, 17), (3, 5), 1, (1, 2)),
    (1, 5, 4, (31, 23), (3, 2), (2, 3), (0, 1)),
    (3, 6, 3, (4, 4), (4, 4), 1, 0),
    (2, 6, 3, (8, 8), (4, 4), 2, 1),
    (2, 20, 1, (24, 26), (5, 5), 1, 2),
    (2, 3, 2, (70, 66), (2, 2), 3, 0),
]


def derivatives(function, x, W, b, stride, pad):
    """The output, its gradients, and the gradients of a gradient: forward, backward, double backward."""
    x, W, b = (chainer.Variable(array) for array in (x, W, b))
    y = function(x, W, b, stride, pad)
    weight = y.xp.asarray(np.random.default_rng(9).standard_normal(y.shape, dtype=np.float32))
    first = chainer.grad([F.sum(y**2 * weight)], [x, W, b], enable_double_backprop=True)
    second = chainer.grad([F.sum(first[0] ** 2)], [x, W])
    return [value.array for value in (y, *first, *second)]


def draw(function, shape):
    n, n_in, n_out, size, ksize, *rest = shape
    rng = np.random.default_rng(0)
    channels = (n_out, n_in) if function is F.convolution_2d else (n_in, n_out)
    sizes = (n, n_in, *size), (*channels, *ksize), (n_out,)
    return [rng.standard_normal(size, dtype=np.float32) for size in sizes], rest


def assert_same(ours, theirs):
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-5 * abs(reference).max())


@pytest.fixture
def chainers_own():
    fast_cpu.disable()
    yield
    fast_cpu.enable()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("function", [F.convolution_2d, F.deconvolution_2d])
def test_equals_chainers_own(function, shape, chainers_own, library, monkeypatch):
    arrays, rest = draw(function, shape)
    theirs = derivatives(function, *arrays, *rest)
    calls = []
    for (cls, name), replacement in convolution.REPLACEMENTS.items():

        def on_cpu(self, *args, replacement=replacement):
            calls.append(replacement.__name__)
            return replacement(self, *args)

        monkeypatch.setattr(cls, name.replace("gpu", "cpu"), on_cpu)
    assert_same(derivatives(function, *arrays, *rest), theirs)
    assert set(calls) == {"convolve", "weight_gradient", "deconvolve"}


@pytest.mark.gpu
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("function", [F.convolution_2d, F.deconvolution_2d])
def test_equals_chainers_own_on_a_gpu(function, shape, cupy):
    arrays, rest = draw(function, shape)
    arrays = [cupy.asarray(array) for array in arrays]
    fast_gpu.disable()
    try:
        theirs = derivatives(function, *arrays, *rest)
    finally:
        fast_gpu.enable()
    ours = derivatives(function, *arrays, *rest)
    assert_same(*([array.get() for array in found] for found in (ours, theirs)))
