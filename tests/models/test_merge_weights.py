"""The merge's weights in two parts, and their gradients, added up in one array."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

from starvox.models.merge_weights import label_taps, map_weights

C = np.float32([[0, 1, 0, 0, 1], [1, 0, 0, 0, 1], [0, 0, 0, 0, 0]])


@pytest.fixture(name="W")
def weights():
    return chainer.Parameter(np.random.default_rng(0).standard_normal((4, 7, 3, 2), dtype=np.float32))


def test_the_parts(W):
    np.testing.assert_array_equal(map_weights(W, 2).array, W.array[:, :2])
    taps = label_taps(W, 2, C).array
    np.testing.assert_allclose(taps[0], W.array[:, 3] + W.array[:, 6], rtol=1e-6)
    np.testing.assert_allclose(taps[1], W.array[:, 2] + W.array[:, 6], rtol=1e-6)
    np.testing.assert_array_equal(taps[2], 0)


def test_labels_may_have_weights(W):
    taps = label_taps(W, 2, np.float32([[0, 0.5, 0, -2, 0]])).array
    np.testing.assert_allclose(taps[0], 0.5 * W.array[:, 3] - 2 * W.array[:, 5], rtol=1e-6)


def test_gradients_of_several_uses_add_up(W):
    # each use counts its weights with a factor of its own
    y = F.sum(map_weights(W, 2)) + 10 * F.sum(label_taps(W, 2, C))
    y += 100 * F.sum(map_weights(W, 2)) + 1000 * F.sum(label_taps(W, 2, C[::-1]))
    (gradient,) = chainer.grad([y], [W])
    expected = [101, 101, 1010, 1010, 0, 0, 2020]
    np.testing.assert_allclose(
        gradient.array, np.broadcast_to(np.float32(expected)[:, None, None], (4, 7, 3, 2))
    )


def test_two_calls_of_grad_share_nothing(W):
    first = chainer.grad([F.sum(map_weights(W, 2))], [W])[0].array
    kept = first.copy()
    chainer.grad([F.sum(map_weights(W, 2)) + F.sum(label_taps(W, 2, C))], [W])
    np.testing.assert_array_equal(first, kept)


def test_backward_adds_to_what_is_there(W):
    W.cleargrad()
    for _ in range(2):
        F.sum(map_weights(W, 2)).backward()
    np.testing.assert_array_equal(W.grad[:, :2], 2)
    np.testing.assert_array_equal(W.grad[:, 2:], 0)


def test_gradients_of_gradients(W):
    """d/dW |d/dW sum(taps^3)|^2, against plain indexing and matrix products."""

    def plain(W):
        taps = F.matmul(C, F.reshape(F.transpose(W[:, 2:], (1, 0, 2, 3)), (5, -1)))
        return F.sum(taps**3) + F.sum(W[:, :2] ** 3)

    def ours(W):
        return F.sum(label_taps(W, 2, C) ** 3) + F.sum(map_weights(W, 2) ** 3)

    def twice(function):
        (first,) = chainer.grad([function(W)], [W], enable_double_backprop=True)
        return chainer.grad([F.sum(first**2)], [W])[0].array

    np.testing.assert_allclose(twice(ours), twice(plain), rtol=1e-4)


@pytest.mark.gpu
def test_the_same_on_a_gpu(W, cupy):
    def gradient(W, c):
        y = F.sum(label_taps(W, 2, c) ** 2) + F.sum(map_weights(W, 2) ** 2)
        return chainer.grad([y], [W])[0].array

    on_gpu = gradient(chainer.Parameter(cupy.asarray(W.array)), cupy.asarray(C))
    np.testing.assert_allclose(on_gpu.get(), gradient(W, C), rtol=1e-5, atol=1e-5)
