"""The convolutions on the CPU, against Chainer's own."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

from starvox.fast_cpu import workers

# channels in and out, map, kernel, stride, pad: those of the record, where the ways part
RECORDS = [
    (1, 4, (40, 36), (7, 7), 1, 3),
    (3, 8, (40, 36), (4, 4), 2, 1),
    (6, 3, (4, 4), (4, 4), 1, 0),
    (20, 1, (24, 26), (5, 5), 1, 2),
]


def derivatives(function, x, W, b, stride, pad):
    """The output, its gradients, and the gradients of a gradient: forward, backward, double backward."""
    x, W, b = (chainer.Variable(array) for array in (x, W, b))
    y = function(x, W, b, stride, pad)
    weight = np.random.default_rng(9).standard_normal(y.shape, dtype=np.float32)
    first = chainer.grad([F.sum(y**2 * weight)], [x, W, b], enable_double_backprop=True)
    second = chainer.grad([F.sum(first[0] ** 2)], [x, W])
    return [value.array for value in (y, *first, *second)]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("shape", RECORDS)
@pytest.mark.parametrize("function", [F.convolution_2d, F.deconvolution_2d])
def test_equals_chainers_own(function, shape, threads, chainers_own, monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: threads)
    n_in, n_out, size, ksize, stride, pad = shape
    rng = np.random.default_rng(0)
    channels = (n_out, n_in) if function is F.convolution_2d else (n_in, n_out)
    shapes = (2, n_in, *size), (*channels, *ksize), (n_out,)
    arrays = [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]
    ours = derivatives(function, *arrays, stride, pad)
    theirs = chainers_own(derivatives, function, *arrays, stride, pad)
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-5 * abs(reference).max())


def draw_case(rng):
    """Arguments of a convolution and a transposed one that Chainer allows, of any kind."""
    taps, stride = rng.integers(1, 7, 2), rng.integers(1, 5, 2)
    pad, dilate = rng.integers(0, 8, 2), rng.integers(1, 4, 2)
    extent = (taps - 1) * dilate + 1
    size = np.maximum(extent - 2 * pad, 1) + rng.integers(0, 36, 2)
    n, n_in, n_out = rng.integers(1, 4, 3)
    x = rng.standard_normal((n, n_in, *size), dtype=np.float32)
    if rng.random() < 0.3:
        x = np.asfortranarray(x)
    settings = {"stride": tuple(stride), "pad": tuple(pad), "dilate": tuple(dilate)}
    return x, (n_out, n_in), tuple(taps), settings


@pytest.mark.parametrize("seed", range(40))
def test_any_case_equals_chainers_own(seed, chainers_own, monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: 2)
    rng = np.random.default_rng(seed)
    x, (n_out, n_in), taps, settings = draw_case(rng)
    W = rng.standard_normal((n_out, n_in, *taps), dtype=np.float32)
    cover_all = bool(rng.random() < 0.3)

    def compute():
        arguments = [chainer.Parameter(array) for array in (x, W)]
        y = F.convolution_2d(*arguments, cover_all=cover_all, **settings)
        plain = F.convolution_2d(x, W, **settings)
        back = F.deconvolution_2d(plain, W, outsize=x.shape[2:], **settings)
        return [back, *chainer.grad([F.sum(y**2)], arguments)]

    for mine, reference in zip(compute(), chainers_own(compute), strict=True):
        scale = max(abs(reference.array).max(), 1e-3)
        np.testing.assert_allclose(mine.array, reference.array, rtol=1e-4, atol=1e-5 * scale)


def test_empty_minibatches_and_other_types():
    empty = F.convolution_2d(np.zeros((0, 2, 20, 20), np.float32), np.zeros((3, 2, 3, 3), np.float32), pad=1)
    assert empty.shape == (0, 3, 20, 20)
    double = F.convolution_2d(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3)))
    assert double.dtype == np.float64
    np.testing.assert_array_equal(double.array, 9)
