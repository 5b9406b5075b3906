"""Batch normalisation, against Chainer's own."""

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
import pytest

SHAPES = [(2, 3, 40, 36), (1, 5, 7, 9), (4, 1, 16, 16), (2, 17, 1, 1)]


def train(shape):
    """The output, gradients, the gradient of one and running statistics after two minibatches."""
    rng = np.random.default_rng(0)
    link = L.BatchNormalization(shape[1], decay=0.8, eps=1e-3)
    link.gamma.array[...] = rng.standard_normal(shape[1])
    link.beta.array[...] = rng.standard_normal(shape[1])
    for _ in range(2):
        x = chainer.Variable(3 + 2 * rng.standard_normal(shape, dtype=np.float32))
        weight = rng.standard_normal(shape, dtype=np.float32)
        y = link(x)
        first = chainer.grad([F.sum(y**2 * weight)], [x, link.gamma, link.beta], enable_double_backprop=True)
        second = chainer.grad([F.sum(first[0] ** 2)], [x])
    return [*(value.array for value in (y, *first, *second)), link.avg_mean, link.avg_var]


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_chainers_own(shape, chainers_own):
    for mine, reference in zip(train(shape), chainers_own(train, shape), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-4, atol=1e-5 * max(1, abs(reference).max()))


def test_sums_are_as_exact_as_float32_holds_them():
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((2, 2, 8, 256, 256), dtype=np.float32)
    link = L.BatchNormalization(8, decay=0, eps=0)
    (gradient,) = chainer.grad([F.sum(link(x) * weight)], [link.beta])
    x, weight = x.astype(np.float64), weight.astype(np.float64)
    rounding = np.finfo(np.float32).eps
    np.testing.assert_allclose(link.avg_mean, x.mean((0, 2, 3)), rtol=rounding)
    np.testing.assert_allclose(link.avg_var, x.var((0, 2, 3), ddof=1), rtol=2 * rounding)
    np.testing.assert_allclose(gradient.array, weight.sum((0, 2, 3)), rtol=rounding)


def test_a_far_mean_does_not_spoil_the_variance():
    x = 1000 + np.random.default_rng(0).standard_normal((2, 2, 64, 64), dtype=np.float32)
    y = L.BatchNormalization(2)(x).array
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), 1, rtol=1e-3)
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), 0, atol=1e-3)


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_no_variance_and_no_eps_is_not_a_number_and_no_exception():
    y = F.batch_normalization(
        np.ones((2, 1, 4, 4), np.float32), np.ones(1, np.float32), np.ones(1, np.float32), eps=0.0
    )
    assert np.isnan(y.array).all()


def test_other_shapes_and_types_are_left_to_chainer():
    x = np.random.default_rng(0).standard_normal((8, 3))
    y = F.batch_normalization(x, np.ones(3), np.zeros(3)).array
    assert y.dtype == np.float64
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-12)
