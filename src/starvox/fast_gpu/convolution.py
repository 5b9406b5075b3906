"""Convolutions as products of whole minibatches of columns.

Chainer's own go through ``cupy.tensordot``, which copies both operands into
another order and leaves the result in a third. All of this works on NumPy arrays
too, in `product.through`, which is how it is tested where there is no GPU.
"""

from typing import Any

import numpy as np
from chainer import backend
from chainer.functions.connection.convolution_2d import Convolution2DFunction, Convolution2DGradW
from chainer.functions.connection.deconvolution_2d import Deconvolution2DFunction
from chainer.utils import conv

from starvox.fast_gpu.product import multiply

# Maps of fewer cells make narrow products: the cells of all samples then go into one.
_FEW_CELLS = 257

Array = Any  # NumPy's or CuPy's, float32
Node = Any  # a node of Chainer's graph: the convolution's stride, pad and dilation are its attributes

_convolve = Convolution2DFunction._forward_gpu_core
_weight_gradient = Convolution2DGradW._forward_gpu_core
_deconvolve = Deconvolution2DFunction._forward_gpu_core


def convolve(self: Node, x: Array, W: Array, b: Array | None) -> tuple:
    """Replaces ``Convolution2DFunction._forward_gpu_core``."""
    if not _is_float32(x, W):
        return _convolve(self, x, W, b)
    col = _columns(self, x, *W.shape[2:])
    n, (height, width) = len(x), col.shape[4:]
    W = W.reshape(1, len(W), -1)
    y = _part(multiply(W, _join(_flat(col, 4))), n)
    y = y.reshape(n, -1, height, width)
    if b is not None:
        y += b[:, None, None]
    return (y,)


def weight_gradient(self: Node, x: Array, gy: Array) -> tuple:
    """Replaces ``Convolution2DGradW._forward_gpu_core``."""
    if not _is_float32(x, gy):
        return _weight_gradient(self, x, gy)
    col = _join(_flat(_columns(self, x, self.kh, self.kw), 4))
    gW = multiply(_join(_flat(gy, 2)), col, transb=True)
    gW = gW.sum(0) if len(gW) > 1 else gW[0]
    return (gW.reshape(self.W_shape).astype(self.W_dtype, copy=False),)


def deconvolve(self: Node, x: Array, W: Array, b: Array | None) -> tuple:
    """Replaces ``Deconvolution2DFunction._forward_gpu_core``."""
    if not _is_float32(x, W):
        return _deconvolve(self, x, W, b)
    gcol = _part(multiply(W.reshape(1, len(W), -1), _join(_flat(x, 2)), transa=True), len(x))
    gcol = gcol.reshape(len(x), *W.shape[1:], *x.shape[2:])
    y = conv.col2im(gcol, self.sy, self.sx, self.ph, self.pw, self.outh, self.outw, dy=self.dy, dx=self.dx)
    if b is not None:
        y += b[:, None, None]
    return (y,)


def _columns(self: Node, x: Array, kh: int, kw: int) -> Array:
    """Returns (B, C, kh, kw, H, W): what every output cell reads."""
    return conv.im2col(
        x, kh, kw, self.sy, self.sx, self.ph, self.pw, cover_all=self.cover_all, dy=self.dy, dx=self.dx
    )


def _flat(x: Array, axis: int) -> Array:
    """Returns (B, rows, cells): the axes before ``axis``, and those from there on, each as one."""
    rows = int(np.prod(x.shape[1:axis]))
    return x.reshape(len(x), rows, -1)


def _join(x: Array) -> Array:
    """Returns (B, rows, cells) as it is, or, where cells are few, (1, rows, B * cells)."""
    if len(x) == 1 or x.shape[2] >= _FEW_CELLS:
        return x
    xp = backend.get_array_module(x)
    return xp.ascontiguousarray(x.swapaxes(0, 1)).reshape(1, x.shape[1], -1)


def _part(y: Array, n: int) -> Array:
    """Undoes `_join` on a product: (n, rows, cells) of either, a view."""
    return y if len(y) == n else y.reshape(y.shape[1], n, -1).swapaxes(0, 1)


def _is_float32(*arrays: Array) -> bool:
    return all(array.dtype == np.float32 for array in arrays)


REPLACEMENTS = {
    (Convolution2DFunction, "_forward_gpu_core"): convolve,
    (Convolution2DGradW, "_forward_gpu_core"): weight_gradient,
    (Deconvolution2DFunction, "_forward_gpu_core"): deconvolve,
}
