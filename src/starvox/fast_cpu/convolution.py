"""Convolutions as matrix products on columns, block by block.

Chainer's own go through ``numpy.tensordot``, which copies both operands into
another order and leaves the result in a third, and take fresh memory for all
columns of the minibatch. Here a block of output rows at a time is laid out in
memory that is used again, and multiplied while it is in the cache. The samples
are shared among threads.
"""

from typing import Any, NamedTuple

import numpy as np
from chainer.functions.connection.convolution_2d import Convolution2DFunction, Convolution2DGradW
from chainer.functions.connection.deconvolution_2d import Deconvolution2DFunction
from numpy.typing import NDArray

from starvox.fast_cpu import kernels, workers
from starvox.fast_cpu.workers import scratch, share, split

# A block's columns (float32 numbers) should stay in a core's own cache until they are multiplied,
# but be wide enough (output cells) for the product to be worth its overhead.
_BLOCK = 1 << 16
_WIDTH = 512
# Maps of fewer cells make narrow products: all samples then go into one, and the weights are shared out.
_FEW_CELLS = 257
# Vectors for which a product of matrices takes longer: it first lays out both anew.
_FEW = 4
# About how many multiplications of a matrix product a core does in a ns.
_RATE = 50

Array = NDArray[np.float32]
Node = Any  # a node of Chainer's graph: the convolution's stride, pad and dilation are its attributes

_convolve = Convolution2DFunction._forward_cpu_core
_weight_gradient = Convolution2DGradW._forward_cpu_core
_deconvolve = Deconvolution2DFunction._forward_cpu_core


class _Axis(NamedTuple):
    """One axis of a convolution, as `kernels` takes it."""

    taps: int
    stride: int
    pad: int
    dilate: int = 1


def convolve(self: Node, x: Array, W: Array, b: Array | None) -> tuple:
    """Replaces ``Convolution2DFunction._forward_cpu_core``."""
    if not _are_float32(x, W):
        return _convolve(self, x, W, b)
    x, W = np.ascontiguousarray(x), np.ascontiguousarray(W)
    rows, cols = _axes(self, W.shape[2:])
    height, width = self._get_out_size(x.shape, W.shape)
    y = np.empty((len(x), len(W), height, width), np.float32)
    if height * width < _FEW_CELLS:
        joined = _multiply_rows(W.reshape(len(W), -1), _join_columns(x, rows, cols, height, width))
        y[...] = joined.reshape(len(W), len(x), height, width).swapaxes(0, 1)
    else:
        _correlate(x, W, rows, cols, y)
    if b is not None:
        y += b[:, None, None]
    return (y,)


def _correlate(x: Array, W: Array, rows: _Axis, cols: _Axis, y: Array) -> None:
    """Writes to y (B, O, H, W) the convolution of x (B, C, H', W') with W (O, C, taps, taps)."""
    W = W.reshape(len(W), -1)
    width = y.shape[3]
    block = _rows_of_block(width, W.shape[1])

    def one(sample: int, top: int, bottom: int) -> None:
        buffers = _buffers(W.shape[1], len(W), block * width)
        kernels.correlate(x[sample], W, rows, cols, top, bottom, block, *buffers, y[sample])

    share(one, _parts(len(x), y.shape[2]), W.shape[1] * y.size / _RATE)


def weight_gradient(self: Node, x: Array, gy: Array) -> tuple:
    """Replaces ``Convolution2DGradW._forward_cpu_core``."""
    if not _are_float32(x, gy):
        return _weight_gradient(self, x, gy)
    x, gy = np.ascontiguousarray(x), np.ascontiguousarray(gy)
    channels, height, width = gy.shape[1:]
    rows, cols = _axes(self, (self.kh, self.kw))
    if height * width < _FEW_CELLS:
        col = _join_columns(x, rows, cols, height, width)
        gW = _multiply_rows(np.ascontiguousarray(gy.swapaxes(0, 1)).reshape(channels, -1), col.T)
    else:
        gW = _sum_products(x, gy, rows, cols)
    return (gW.reshape(self.W_shape).astype(self.W_dtype, copy=False),)


def _sum_products(x: Array, gy: Array, rows: _Axis, cols: _Axis) -> Array:
    """Returns the weight gradient, (O, C * taps), of gy (B, O, H, W)."""
    channels, height, width = gy.shape[1:]
    depth = x.shape[1] * rows.taps * cols.taps
    block = _rows_of_block(width, depth)
    parts = _parts(len(x), height)
    gW = np.zeros((len(parts), channels, depth), np.float32)

    def one(part: int, sample: int, top: int, bottom: int) -> None:
        buffers = _buffers(depth, channels, block * width)
        product = scratch("sum", (channels, depth))
        kernels.add_products(
            x[sample], gy[sample], rows, cols, top, bottom, block, *buffers, product, gW[part]
        )

    share(one, [(number, *part) for number, part in enumerate(parts)], depth * gy.size / _RATE)
    return gW.sum(0) if len(gW) > 1 else gW[0]


def deconvolve(self: Node, x: Array, W: Array, b: Array | None) -> tuple:
    """Replaces ``Deconvolution2DFunction._forward_cpu_core``."""
    if not _are_float32(x, W):
        return _deconvolve(self, x, W, b)
    x, W = np.ascontiguousarray(x), np.ascontiguousarray(W)
    n, channels, height, width = x.shape
    out = W.shape[1]
    y = np.empty((n, out, self.outh, self.outw), np.float32)
    if height * width < _FEW_CELLS:
        joined = np.ascontiguousarray(x.swapaxes(0, 1)).reshape(channels, -1)
        gcol = _multiply_rows(W.reshape(channels, -1).T, joined)
        gcol = gcol.reshape(-1, n, height, width)
        axes = _axes(self, W.shape[2:])
        y[...] = 0
        share(lambda sample: kernels.scatter(gcol, sample, *axes, y[sample]), zip(range(len(x))), gcol.size)
    elif len(W) > 4 * out * self.sy * self.sx or (self.dy, self.dx) != (1, 1):
        _scatter(self, x, W, y)  # less work where many maps become few
    else:
        _gather(self, x, W, y)
    if b is not None:
        y += b[:, None, None]
    return (y,)


def _scatter(self: Node, x: Array, W: Array, y: Array) -> None:
    """Adds the columns of every input to the outputs that it reaches."""
    channels = len(W)
    Wt = W.reshape(channels, -1).T
    rows, cols = _axes(self, W.shape[2:])
    height, width = x.shape[2:]
    block = _rows_of_block(width, len(Wt))

    def one(sample: int) -> None:
        y[sample] = 0
        for first in range(0, height, block):
            part = np.ascontiguousarray(x[sample, :, first : first + block]).reshape(channels, -1)
            gcol = scratch("columns", (len(Wt), part.shape[1]))
            np.matmul(Wt, part, out=gcol)
            here = rows._replace(pad=rows.pad - rows.stride * first)
            kernels.scatter(gcol.reshape(len(Wt), 1, -1, width), 0, here, cols, y[sample])

    share(one, zip(range(len(x))), W[0].size * x.size / _RATE)


def _gather(self: Node, x: Array, W: Array, y: Array) -> None:
    """Computes every output from the inputs that reach it.

    With the output cut into cells of stride x stride, counted from the padding
    on, cell q is reached by inputs q - u through the taps stride * u + a, a
    being the place in the cell: a convolution of stride 1 whose outputs are
    all places of the cell at once. Cells that lie whole in the padding are
    left out.
    """
    (cells_y, py), (cells_x, px) = divmod(self.ph, self.sy), divmod(self.pw, self.sx)
    place = (self.sy, self.sx, py, px)
    taps = _taps_by_place(W, self.sy, self.sx)  # (sy, sx, out, in, uy, ux)
    uy, ux = taps.shape[4:]
    rows, cols = _Axis(uy, 1, uy - 1 - cells_y), _Axis(ux, 1, ux - 1 - cells_x)
    taps = taps.reshape(self.sy * self.sx * W.shape[1], -1)
    width = -(-(y.shape[3] + px) // self.sx)
    block = _rows_of_block(width, taps.shape[1])

    def one(sample: int, top: int, bottom: int) -> None:
        buffers = _buffers(taps.shape[1], len(taps), block * width)
        kernels.correlate_places(x[sample], taps, rows, cols, place, top, bottom, block, *buffers, y[sample])

    share(one, _parts(len(x), -(-(y.shape[2] + py) // self.sy)), W[0].size * x.size / _RATE)


def _taps_by_place(W: Array, sy: int, sx: int) -> Array:
    """Returns W (in, out, kh, kw) as (sy, sx, out, in, uy, ux), the last tap of each axis first."""
    channels, out, *ksize = W.shape
    uy, ux = -(-ksize[0] // sy), -(-ksize[1] // sx)
    whole = np.zeros((channels, out, uy * sy, ux * sx), np.float32)
    whole[:, :, : ksize[0], : ksize[1]] = W
    by_place = whole.reshape(channels, out, uy, sy, ux, sx)[:, :, ::-1, :, ::-1]
    return np.ascontiguousarray(by_place.transpose(3, 5, 1, 0, 2, 4))


def _join_columns(x: Array, rows: _Axis, cols: _Axis, height: int, width: int) -> Array:
    """Returns the columns of all samples side by side, (C * taps, B * height * width)."""
    depth = x.shape[1] * rows.taps * cols.taps
    joined = np.empty((depth, len(x), height * width), np.float32)

    def one(sample: int) -> None:
        col = scratch("columns", (depth * height * width,))
        kernels.gather(x[sample], rows, cols, 0, height, width, col)
        joined[:, sample] = col.reshape(depth, -1)

    share(one, zip(range(len(x))), joined.size)
    return joined.reshape(depth, -1)


def _multiply_rows(a: Array, b: Array) -> Array:
    """Returns ``a @ b``, the rows of a shared among threads."""
    y = np.empty((len(a), b.shape[1]), np.float32)

    def one(start: int, stop: int) -> None:
        if b.shape[1] <= _FEW:
            for column in range(b.shape[1]):
                y[start:stop, column] = a[start:stop] @ b[:, column]
        elif a.shape[1] <= _FEW:
            kernels.multiply_few(a[start:stop], np.ascontiguousarray(b), y[start:stop])
        else:
            np.matmul(a[start:stop], b, out=y[start:stop])

    share(one, split(len(a), workers.count()), max(a.size, a.size * b.shape[1] / _RATE))
    return y


def _parts(n: int, height: int) -> list[tuple[int, int, int]]:
    """Returns (sample, first row, last row + 1) of parts that are enough for all threads."""
    rows = split(height, -(-workers.count() // max(1, n)))
    return [(sample, *part) for sample in range(n) for part in rows]


def _rows_of_block(width: int, depth: int) -> int:
    """Returns how many rows of ``width`` cells, each with a column of ``depth``, make a block."""
    return max(1, max(_WIDTH, _BLOCK // depth) // width)


def _buffers(depth: int, out: int, cells: int) -> tuple[Array, Array]:
    """Returns memory for the columns and the product of a block."""
    return scratch("columns", (depth * cells,)), scratch("product", (out * cells,))


def _axes(self: Node, ksize: tuple[int, ...]) -> tuple[_Axis, _Axis]:
    return _Axis(ksize[0], self.sy, self.ph, self.dy), _Axis(ksize[1], self.sx, self.pw, self.dx)


def _are_float32(*arrays: NDArray[Any]) -> bool:
    """Returns whether the kernels take the arrays; others are left to Chainer."""
    return all(array.dtype == np.float32 for array in arrays)


REPLACEMENTS = {
    (Convolution2DFunction, "_forward_cpu_core"): convolve,
    (Convolution2DGradW, "_forward_cpu_core"): weight_gradient,
    (Deconvolution2DFunction, "_forward_cpu_core"): deconvolve,
}
