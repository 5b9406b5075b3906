"""Each loss: its value and its gradient worked out by hand."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

from starvox.training import losses


def variable(values):
    return chainer.Variable(np.array(values, np.float32))


def check(loss, value, gradients):
    """Holds a loss and its gradients (Variable -> values) against numbers worked out by hand."""
    assert loss.shape == ()
    np.testing.assert_allclose(loss.array, value, rtol=1e-5, atol=1e-7)
    for x, expected in gradients:
        np.testing.assert_allclose(chainer.grad([loss], [x])[0].array, expected, rtol=1e-5, atol=1e-7)


def test_wasserstein():
    fake, real = variable([1, 3]), variable([2, 8])
    check(losses.wasserstein(fake, real), 2 - 5, [(fake, [0.5, 0.5]), (real, [-0.5, -0.5])])


def test_adversarial():
    fake = variable([[1, 3], [2, 10]])
    check(losses.adversarial(fake), -4, [(fake, np.full((2, 2), -0.25))])


def test_mix():
    fake, other = np.zeros((3, 1, 2, 2), np.float32), np.ones((3, 1, 2, 2), np.float32)
    ratio = np.array([0, 0.25, 1], np.float32).reshape(3, 1, 1, 1)
    mixed = losses.mix(fake, other, ratio)
    np.testing.assert_array_equal(mixed[:, 0, 0, 0], [0, 0.25, 1])


class Linear:
    """A critic whose gradient is known: each of its outputs is <w, x>."""

    def __init__(self, w, outputs=1):
        self.w = variable(w)
        self.outputs = outputs

    def __call__(self, x):
        y = F.sum(F.broadcast_to(self.w, x.shape) * x, axis=(1, 2, 3))
        return F.stack([y] * self.outputs, axis=1)


def test_gradient_penalty_of_a_linear_critic():
    # |w| = 5, so the penalty is 16 wherever it is taken; d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    dis = Linear([[3, 0], [0, 4]])
    x = np.random.default_rng(0).random((7, 1, 2, 2), dtype=np.float32)
    check(losses.gradient_penalty(dis, x), 16, [(dis.w, np.array([[3, 0], [0, 4]]) * 8 / 5)])


def test_gradient_penalty_of_a_flat_critic_is_one_and_no_nan():
    dis = Linear([[0, 0], [0, 0]])
    x = np.zeros((2, 1, 2, 2), np.float32)
    check(losses.gradient_penalty(dis, x), 1, [(dis.w, np.zeros((2, 2)))])


@pytest.mark.parametrize(("output", "norm"), [("sum", 4 * 5), ("mean", 5)])
def test_gradient_penalty_of_a_map_of_outputs(output, norm):
    dis = Linear([[3, 0], [0, 4]], outputs=4)
    x = np.zeros((2, 1, 2, 2), np.float32)
    check(losses.gradient_penalty(dis, x, output), (norm - 1) ** 2, [])


def test_gradient_penalty_is_taken_sample_by_sample():
    # D(x) = |x|^2 / 2 has the gradient x, here of norm 1 and 3: mean of 0 and 4
    def dis(x):
        return F.sum(x**2, axis=(1, 2, 3)) / 2

    x = np.array([1, 3], np.float32).reshape(2, 1, 1, 1)
    check(losses.gradient_penalty(dis, x), 2, [])


def test_classification_ignores_minus_one():
    logits, t = variable([[0, 0, 9], [0, 0, 0]]), np.array([[1, 0, -1], [1, -1, -1]], np.int32)
    gradient = np.array([[-0.5, 0.5, 0], [-0.5, 0, 0]])
    check(losses.classification(logits, t), np.log(2), [(logits, gradient / 3)])
    check(losses.classification(logits, t, "sum"), 3 * np.log(2) / 2, [(logits, gradient / 2)])


def test_softmax_is_taken_within_each_labelled_group():
    # groups of 2 and 3: the first clip is labelled in both, the second in the last alone
    logits = variable([[0, np.log(3), 0, 0, 0], [7, 7, 0, 0, np.log(2)]])
    t = np.array([[1, 0, 0, 1, 0], [-1, -1, 0, 0, 1]], np.int32)
    first, second = np.log(4), (np.log(3) + np.log(2)) / 2
    thirds = np.array([1, -2, 1]) / 3
    gradient = [[-3 / 4, 3 / 4, *thirds / 2], [0, 0, 1 / 8, 1 / 8, -1 / 4]]
    check(losses.classification(logits, t, "softmax", (2, 3)), first + second, [(logits, gradient)])


def test_softmax_without_any_label():
    logits, t = variable([[1, 2, 3]]), np.full((1, 3), -1, np.int32)
    check(losses.classification(logits, t, "softmax", (2, 1)), 0, [(logits, [[0, 0, 0]])])


def test_classification_without_any_label():
    logits, t = variable([[1, 2]]), np.full((1, 2), -1, np.int32)
    check(losses.classification(logits, t), 0, [(logits, [[0, 0]])])


@pytest.mark.parametrize("loss", [losses.reconstruction, losses.identity, losses.feature_matching])
def test_mean_squared_errors(loss):
    ours, theirs = variable([[1, 2], [3, 4]]), np.array([[1, 0], [0, 4]], np.float32)
    check(loss(ours, theirs), 13 / 4, [(ours, [[0, 1], [1.5, 0]])])
