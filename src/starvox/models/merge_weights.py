"""The two parts of the merge's weights: what meets the map, and what meets the labels.

Each is used in every conversion of a G step, and W is large because of the
labels: a gradient of W's size for each use would cost more than the arithmetic.
Both functions add theirs to one array.
"""

from collections.abc import Callable

import chainer.functions as F
import numpy as np
from chainer import FunctionNode, Variable, config
from chainer.backend import get_array_module
from numpy.typing import NDArray

Array = NDArray[np.float32]


def map_weights(W: Variable, split: int) -> Variable:
    """Returns the first ``split`` input channels, (out, split, kh, kw), of W (out, in, kh, kw), float32."""
    return _MapWeights(split).apply((W,))[0]


def label_taps(W: Variable, split: int, c: Array) -> Variable:
    """Returns the sums of the weights of every sample's labels.

    Args:
        W (out, split + labels, kh, kw): float32.
        split: where the labels start.
        c (B, labels): float32, input labels; not differentiated.

    Returns:
        (B, out, kh, kw), float32: sum of c[b, l] W[:, split + l] over l.
    """
    return _LabelTaps(split, c).apply((W,))[0]


class _Part(FunctionNode):
    """A function of W alone, whose gradient is added in place.

    In place is safe: W has no other uses, so that the array is one that a part made.
    """

    _shape: tuple[int, ...]  # of W
    _add: Callable[[Array, Array], None]  # adds, to W's gradient, what the output's makes of it
    _expand: Callable[[Variable], Variable]  # returns the same by functions that can be differentiated

    def __init__(self, split: int):
        self._split = split

    def backward_accumulate(
        self, target_input_indexes: tuple, grad_outputs: tuple, grad_inputs: tuple
    ) -> tuple[Variable]:
        (gy,), (total,) = grad_outputs, grad_inputs
        if config.enable_backprop:  # the gradient is to be differentiated itself
            return (self._expand(gy) if total is None else total + self._expand(gy),)
        gW = _zeros(gy, self._shape) if total is None else total.array  # (out, in, kh, kw)
        self._add(gW, gy.array)
        return (Variable(gW, requires_grad=False),)


class _MapWeights(_Part):
    def forward(self, inputs: tuple) -> tuple[Array]:
        self._shape = inputs[0].shape
        return (inputs[0][:, : self._split].copy(),)

    def _add(self, gW: Array, gy: Array) -> None:
        gW[:, : self._split] += gy

    def _expand(self, gy: Variable) -> Variable:
        out, channels, *ksize = self._shape
        return F.concat([gy, _zeros(gy, (out, channels - self._split, *ksize))], axis=1)


class _LabelTaps(_Part):
    def __init__(self, split: int, c: Array):
        super().__init__(split)
        # On the CPU the few labels that are set; a GPU would have to be waited for to know them.
        self._used = np.flatnonzero(c.any(axis=0)) if isinstance(c, np.ndarray) else slice(None)
        self._c = c[:, self._used]

    def forward(self, inputs: tuple) -> tuple[Array]:
        self._shape = inputs[0].shape
        W = inputs[0][:, self._split :][:, self._used]  # (out, labels, kh, kw)
        out, labels, *ksize = W.shape
        taps = F.matmul(self._c, W.reshape(out, labels, ksize[0] * ksize[1])).array  # (out, B, kh * kw)
        return (taps.swapaxes(0, 1).reshape(len(self._c), out, *ksize),)

    def _add(self, gW: Array, gy: Array) -> None:
        out, (n, labels) = gy.shape[1], self._c.shape
        gy_taps = gy.reshape(n, out, -1).swapaxes(0, 1)  # (out, B, kh * kw)
        gradient = F.matmul(self._c, gy_taps, transa=True).array  # (out, labels, kh * kw)
        gW[:, self._split :][:, self._used] += gradient.reshape(out, labels, *gy.shape[2:])

    def _expand(self, gy: Variable) -> Variable:
        n, out, *ksize = gy.shape
        labels = self._shape[1] - self._split
        c = _zeros(gy, (n, labels))
        c[:, self._used] = self._c
        gradient = F.reshape(F.matmul(c, F.reshape(gy, (n, -1)), transa=True), (labels, out, *ksize))
        gradient = F.transpose(gradient, (1, 0, 2, 3))  # (out, labels, kh, kw)
        return F.concat([_zeros(gy, (out, self._split, *ksize)), gradient], axis=1)


def _zeros(gy: Variable, shape: tuple[int, ...]) -> Array:
    return get_array_module(gy).zeros(shape, gy.dtype)
