"""The two parts of the merge's weights: what meets the map, and what meets the labels.

Each is used in every conversion of a G step, and W is large because of the
labels: a gradient of W's size for each use would cost more than the arithmetic.
Both functions add theirs to one array.
"""

import chainer.functions as F
import numpy as np
from chainer import FunctionNode, Variable, config


def map_weights(W, split):
    """Returns the weights of the first ``split`` input channels.

    Args:
        W (Variable of shape (out, in, kh, kw), float32).
        split (int): below ``in``.

    Returns:
        Variable of shape (out, split, kh, kw), float32.
    """
    return _MapWeights(split).apply((W,))[0]


def label_taps(W, split, c):
    """Returns the sums of the weights of every sample's labels.

    Args:
        W (Variable of shape (out, split + labels, kh, kw), float32).
        split (int): where the labels start.
        c (ndarray of shape (B, labels), float32): input labels; not differentiated.

    Returns:
        Variable of shape (B, out, kh, kw), float32: sum of c[b, l] W[:, split + l] over l.
    """
    return _LabelTaps(split, c).apply((W,))[0]


class _Part(FunctionNode):
    """A function of W alone, whose gradient is added in place.

    In place is safe: W has no other uses, so that the array is one that a part made.
    """

    def __init__(self, split):
        self._split = split

    def backward_accumulate(self, target_input_indexes, grad_outputs, grad_inputs):
        (gy,), (total,) = grad_outputs, grad_inputs
        if config.enable_backprop:  # the gradient is to be differentiated itself
            gW = self._expand(gy)
            return (gW if total is None else total + gW,)
        shape, dtype = self.inputs[0].shape, self.inputs[0].dtype
        gW = gy.xp.zeros(shape, dtype) if total is None else total.array
        self._add(gW, gy.array)
        return (Variable(gW, requires_grad=False),)


class _MapWeights(_Part):
    def forward(self, inputs):
        return (inputs[0][:, : self._split].copy(),)

    def _add(self, gW, gy):
        gW[:, : self._split] += gy

    def _expand(self, gy):
        out, channels, *ksize = self.inputs[0].shape
        return F.concat([gy, gy.xp.zeros((out, channels - self._split, *ksize), gy.dtype)], axis=1)


class _LabelTaps(_Part):
    def __init__(self, split, c):
        super().__init__(split)
        # On the CPU the few labels that are set; a GPU would have to be waited for to know them.
        self._used = np.flatnonzero(c.any(axis=0)) if isinstance(c, np.ndarray) else slice(None)
        self._c = c[:, self._used]

    def forward(self, inputs):
        W = inputs[0][:, self._split :][:, self._used]  # (out, labels, kh, kw)
        out, labels, *ksize = W.shape
        taps = F.matmul(self._c, W.reshape(out, labels, ksize[0] * ksize[1])).array  # (out, B, kh * kw)
        return (taps.swapaxes(0, 1).reshape(len(self._c), out, *ksize),)

    def _add(self, gW, gy):
        out, (n, labels) = gy.shape[1], self._c.shape
        gy_taps = gy.reshape(n, out, -1).swapaxes(0, 1)
        gradient = F.matmul(self._c, gy_taps, transa=True).array  # (out, labels, kh * kw)
        gW[:, self._split :][:, self._used] += gradient.reshape(out, labels, *gy.shape[2:])

    def _expand(self, gy):
        n, out, *ksize = gy.shape
        labels = self.inputs[0].shape[1] - self._split
        c = gy.xp.zeros((n, labels), gy.dtype)
        c[:, self._used] = self._c
        gradient = F.reshape(F.matmul(c, F.reshape(gy, (n, -1)), transa=True), (labels, out, *ksize))
        zeros = gy.xp.zeros((out, self._split, *ksize), gy.dtype)
        return F.concat([zeros, F.transpose(gradient, (1, 0, 2, 3))], axis=1)
