"""The record's losses, each without its weight.

Arguments are Variables or arrays of float32 with the batch on axis 0; every
loss is a Variable of shape (), and a mean over the batch.
"""

import itertools
from collections.abc import Callable, Sequence

import chainer
import chainer.functions as F
import numpy as np
from chainer import Variable
from numpy.typing import NDArray

Floats = NDArray[np.float32]  # CuPy's on a GPU


def wasserstein(adversarial_fake: Variable, adversarial_real: Variable) -> Variable:
    """What D minimises: its mean over the converted less its mean over the real.

    As drawn in the record. Its negative is D's estimate of the Wasserstein
    distance, up to D's Lipschitz constant (Arjovsky et al. 2017).
    """
    return F.mean(adversarial_fake) - F.mean(adversarial_real)


def adversarial(adversarial_fake: Variable) -> Variable:
    """What G minimises: the negative of D's mean over the converted."""
    return -F.mean(adversarial_fake)


def mix(x_fake: Floats, x_other: Floats, ratio: Floats) -> Floats:
    """Draws points on the lines between converted and other spectrograms.

    Args:
        x_fake (ndarray of shape (B, 1, bins, frames)).
        x_other (ndarray of the same shape).
        ratio (ndarray of shape (B, 1, 1, 1)): share of x_other, in [0, 1].
    """
    return x_other * ratio + x_fake * (1 - ratio)


def gradient_penalty(judge: Callable[[Variable], Variable], x_mixed: Floats, output: str = "sum") -> Variable:
    """How far the norm of D's gradient is from 1: mean of (|grad D(x)|_2 - 1)^2.

    Gulrajani et al. 2017, equation 3. The norm is taken sample by sample.

    Args:
        judge: returns D's adversarial map.
        x_mixed (ndarray of shape (B, 1, bins, frames)): where to take it.
        output: ``sum`` or ``mean`` of D's adversarial map is differentiated.
    """
    x = Variable(x_mixed)
    judged = judge(x)
    if output == "mean":
        judged = F.mean(judged, axis=tuple(range(1, judged.ndim)))
    (gradient,) = chainer.grad([judged], [x], enable_double_backprop=True)
    squared = F.batch_l2_norm_squared(gradient)
    # where the gradient is exactly 0 its norm has no derivative; 0 is taken, not NaN
    norm = F.sqrt(F.maximum(squared, chainer.as_variable(squared.xp.full_like(squared.array, 1e-30))))
    return F.mean((norm - 1) ** 2)


def classification(
    logits: Variable, t: NDArray[np.int32], reduction: str = "mean", sizes: Sequence[int] = ()
) -> Variable:
    """Cross entropy of D's classification against the output labels.

    Args:
        logits (Variable of shape (B, classes)): before the sigmoid, or the softmax.
        t (ndarray of shape (B, classes), int32): 0 or 1, or -1 to be ignored.
        reduction (str): of the sigmoid cross entropy: ``mean`` over the entries that
            are not -1, or ``sum`` over the classes and mean over the batch, as in the
            paper's code. Or ``softmax``: of each group, the mean over the clips that
            are labelled there; and their sum.
        sizes (sequence of int): classes of each group; for ``softmax``.
    """
    if reduction == "softmax":
        ends = list(itertools.accumulate(sizes))
        groups = [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]
        return sum(F.softmax_cross_entropy(logits[:, group], _class_of(t[:, group])) for group in groups)
    return F.sigmoid_cross_entropy(logits, t, normalize=reduction == "mean")


def _class_of(t: NDArray[np.int32]) -> NDArray[np.int32]:
    """Returns the class (B,), int32, that one group's output labels (B, classes) name, or -1 for none."""
    known = (t[:, 0] >= 0).astype(t.dtype)
    return (t.argmax(axis=1).astype(t.dtype) + 1) * known - 1


def reconstruction(x_reconstructed: Variable, x_real: Floats) -> Variable:
    """Mean squared error of the spectrogram converted there and back."""
    return F.mean_squared_error(x_reconstructed, x_real)


def identity(x_same: Variable, x_real: Floats) -> Variable:
    """Mean squared error of the spectrogram converted to its own labels."""
    return F.mean_squared_error(x_same, x_real)


def feature_matching(feature_fake: Variable, feature_orig: Variable) -> Variable:
    """Mean squared error of D's features of the converted and of batch B's clips."""
    return F.mean_squared_error(feature_fake, feature_orig)
