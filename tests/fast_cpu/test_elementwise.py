"""ReLU, leaky ReLU and RMSprop, against Chainer's own."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

# one number; less than a piece; more than is done by one thread
SIZES = [1, 1000, 65 * (1 << 14) + 5]


def derivatives(function, x):
    """The output, its gradient, and the gradient of a gradient."""
    x = chainer.Variable(x)
    y = function(x)
    (first,) = chainer.grad([F.sum(y**3)], [x], enable_double_backprop=True)
    (second,) = chainer.grad([F.sum(first**2)], [x])
    return [value.array for value in (y, first, second)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("function", [F.relu, F.leaky_relu, lambda x: F.leaky_relu(x, slope=-0.5)])
def test_equals_chainers_own(function, size, chainers_own):
    x = np.random.default_rng(0).standard_normal(size, dtype=np.float32)
    x[::7] = 0
    for mine, reference in zip(derivatives(function, x), chainers_own(derivatives, function, x), strict=True):
        np.testing.assert_array_equal(mine, reference)


@pytest.mark.parametrize("function", [F.relu, F.leaky_relu])
def test_odd_arrays(function, chainers_own):
    x = np.random.default_rng(0).standard_normal((6, 8), dtype=np.float32)
    for array in (x[:, ::2], x.astype(np.float64), x[:0], np.float32([np.nan])):
        mine, reference = function(array).array, chainers_own(function, array).array
        np.testing.assert_array_equal(mine, reference)
        assert mine.dtype == reference.dtype


@pytest.mark.parametrize("size", SIZES)
def test_rmsprop_equals_chainers_own(size, chainers_own):
    def train():
        rng = np.random.default_rng(0)
        link = chainer.Link()
        with link.init_scope():
            link.w = chainer.Parameter(rng.standard_normal(size, dtype=np.float32))
        optimizer = chainer.optimizers.RMSprop(0.01, alpha=0.9, eps=1e-6).setup(link)
        for _ in range(3):
            link.w.grad = rng.standard_normal(link.w.shape, dtype=np.float32)
            optimizer.update()
        return link.w.array, link.w.update_rule.state["ms"]

    for mine, reference in zip(train(), chainers_own(train), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-6)


def test_rmsprop_by_hand():
    # ms = 0.1 * 4; the step is 0.5 * 2 / (sqrt(0.4) + 1)
    link = chainer.Link()
    with link.init_scope():
        link.w = chainer.Parameter(np.float32([3]))
    optimizer = chainer.optimizers.RMSprop(0.5, alpha=0.9, eps=1.0).setup(link)
    link.w.grad = np.float32([2])
    optimizer.update()
    np.testing.assert_allclose(link.w.array, 3 - 1 / (np.sqrt(0.4) + 1), rtol=1e-6)
