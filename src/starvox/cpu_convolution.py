"""Convolutions on the CPU without Chainer's transposed copies.

Chainer's NumPy convolutions go through ``numpy.tensordot``, which copies both
operands into another order and leaves a result in a third; on the maps of this
project that is 40 % of the time. The same products as matrix products sample
by sample need no such copy. They replace the inner functions of Chainer's
own: what the networks call stays ``chainer.functions``.
"""

import numpy as np
from chainer.functions.connection import convolution_2d, deconvolution_2d
from chainer.utils import conv

# Below this many cells a map is narrower than the matrix product's blocks, and
# the weights, then the larger operand, are better read once for the whole batch.
_FEW_CELLS = 64

_CLASSES = (
    convolution_2d.Convolution2DFunction,
    convolution_2d.Convolution2DGradW,
    deconvolution_2d.Deconvolution2DFunction,
)
_originals = {cls: cls._forward_cpu_core for cls in _CLASSES}


def enable() -> None:
    """Puts the faster functions in the place of Chainer's."""
    for cls, function in zip(_CLASSES, (_convolve, _weight_gradient, _deconvolve), strict=True):
        cls._forward_cpu_core = function


def disable() -> None:
    """Gives Chainer its own functions back."""
    for cls, function in _originals.items():
        cls._forward_cpu_core = function


def _convolve(self, x, W, b):
    n, (height, width) = len(x), self._get_out_size(x.shape, W.shape)
    if height * width < _FEW_CELLS:
        return _originals[_CLASSES[0]](self, x, W, b)
    col = _columns(self, x, *W.shape[2:])
    y = np.matmul(W.reshape(len(W), -1), col.reshape(n, -1, height * width))
    if b is not None:
        y += b[:, None]
    return (y.reshape(n, len(W), height, width),)


def _weight_gradient(self, x, gy):
    n, channels, height, width = gy.shape
    if height * width < _FEW_CELLS:
        return _originals[_CLASSES[1]](self, x, gy)
    col = _columns(self, x, self.kh, self.kw).reshape(n, -1, height * width)
    gW = np.matmul(gy.reshape(n, channels, -1), col.transpose(0, 2, 1)).sum(0)
    return (gW.reshape(self.W_shape).astype(self.W_dtype, copy=False),)


def _deconvolve(self, x, W, b):
    n, channels, height, width = x.shape
    if height * width < _FEW_CELLS:
        return _originals[_CLASSES[2]](self, x, W, b)
    col = np.matmul(W.reshape(channels, -1).T, x.reshape(n, channels, -1))
    col = col.reshape(n, *W.shape[1:], height, width)
    y = conv.col2im_cpu(col, self.sy, self.sx, self.ph, self.pw, self.outh, self.outw, dy=self.dy, dx=self.dx)
    y = np.ascontiguousarray(y)
    if b is not None:
        y += b[:, None, None]
    return (y,)


def _columns(function, x, kh, kw):
    """Returns the (B, C, kh, kw, H, W) inputs of every output."""
    f = function
    return conv.im2col_cpu(x, kh, kw, f.sy, f.sx, f.ph, f.pw, cover_all=f.cover_all, dy=f.dy, dx=f.dx)
