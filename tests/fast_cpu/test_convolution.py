"""The convolutions on the CPU, against Chainer's own."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

from starvox.fast_cpu import workers

# channels in and out, map, kernel, stride, pad: those of the record, and odd ones
SHAPES = [
    (1, 4, (40, 36), (7, 7), 1, 3),
    (3, 8, (40, 36), (4, 4), 2, 1),
    (5, 5, (16, 16), (3, 3), 1, 1),
    (5, 4, (13, 17), (3, 5), 1, (1, 2)),
    (5, 4, (31, 23), (3, 2), (2, 3), (0, 1)),
    (6, 3, (4, 4), (4, 4), 1, 0),
    (6, 3, (8, 8), (4, 4), 2, 1),
    (20, 1, (24, 26), (5, 5), 1, 2),
    (3, 2, (70, 66), (2, 2), 3, 0),
]


def derivatives(function, x, W, b, stride, pad):
    """The output, its gradients, and the gradients of a gradient: forward, backward, double backward."""
    x, W, b = (chainer.Variable(array) for array in (x, W, b))
    y = function(x, W, b, stride, pad)
    weight = np.random.default_rng(9).standard_normal(y.shape, dtype=np.float32)
    first = chainer.grad([F.sum(y**2 * weight)], [x, W, b], enable_double_backprop=True)
    second = chainer.grad([F.sum(first[0] ** 2)], [x, W])
    return [value.array for value in (y, *first, *second)]


@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("function", [F.convolution_2d, F.deconvolution_2d])
def test_equals_chainers_own(function, shape, threads, chainers_own, monkeypatch):
    monkeypatch.setattr(workers, "count", lambda: int(threads))
    n_in, n_out, size, ksize, stride, pad = shape
    rng = np.random.default_rng(0)
    channels = (n_out, n_in) if function is F.convolution_2d else (n_in, n_out)
    x = rng.standard_normal((2, n_in, *size), dtype=np.float32)
    W = rng.standard_normal((*channels, *ksize), dtype=np.float32)
    b = rng.standard_normal(n_out, dtype=np.float32)
    ours = derivatives(function, x, W, b, stride, pad)
    theirs = chainers_own(derivatives, function, x, W, b, stride, pad)
    for mine, reference in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-5 * abs(reference).max())
