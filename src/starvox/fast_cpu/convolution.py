"""Convolutions as matrix products on columns, block by block.

Chainer's own go through ``numpy.tensordot``, which copies both operands into
another order and leaves the result in a third, and take fresh memory for all
columns of the minibatch. Here a block of output rows at a time is laid out in
memory that is used again, and multiplied while it is in the cache. The samples
are shared among threads.
"""

from typing import NamedTuple

import numpy as np
from chainer.functions.connection import convolution_2d, deconvolution_2d

from starvox.fast_cpu import kernels, workers
from starvox.fast_cpu.workers import scratch, share, split

# A block's columns (float32 numbers) should stay in a core's own cache until they are multiplied,
# but be wide enough (output cells) for the product to be worth its overhead.
_BLOCK = 1 << 19
_WIDTH = 512
# Maps of fewer cells make narrow products: all samples then go into one, and the weights are shared out.
_FEW_CELLS = 257
# Vectors for which a product of matrices takes longer: it first lays out both anew.
_FEW = 4

_convolve = convolution_2d.Convolution2DFunction._forward_cpu_core
_weight_gradient = convolution_2d.Convolution2DGradW._forward_cpu_core
_deconvolve = deconvolution_2d.Deconvolution2DFunction._forward_cpu_core


class _Axis(NamedTuple):
    """One axis of a convolution, as `kernels` takes it."""

    taps: int
    stride: int
    pad: int
    dilate: int = 1


def convolve(self, x, W, b):
    """Replaces ``Convolution2DFunction._forward_cpu_core``."""
    if not _suits(self, x, W):
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


def _correlate(x, W, rows, cols, y):
    """Writes to y (B, O, H, W) the convolution of x (B, C, H', W') with W (O, C, taps, taps)."""
    W = W.reshape(len(W), -1)
    width = y.shape[3]
    block = _rows_of_block(width, W.shape[1])

    def one(sample, top, bottom):
        buffers = _buffers(W.shape[1], len(W), block * width)
        kernels.correlate(x[sample], W, rows, cols, top, bottom, block, *buffers, y[sample])

    share(one, _parts(len(x), y.shape[2]), _nanoseconds(W.shape[1] * y.size))


def weight_gradient(self, x, gy):
    """Replaces ``Convolution2DGradW._forward_cpu_core``."""
    if not _suits(self, x, gy):
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


def _sum_products(x, gy, rows, cols):
    channels, height, width = gy.shape[1:]
    depth = x.shape[1] * rows.taps * cols.taps
    block = _rows_of_block(width, depth)
    parts = _parts(len(x), height)
    gW = np.zeros((len(parts), channels, depth), np.float32)

    def one(part, sample, top, bottom):
        buffers = _buffers(depth, channels, block * width)
        product = scratch("sum", (channels, depth))
        kernels.add_products(
            x[sample], gy[sample], rows, cols, top, bottom, block, *buffers, product, gW[part]
        )

    share(one, [(number, *part) for number, part in enumerate(parts)], _nanoseconds(depth * gy.size))
    return gW.sum(0) if len(gW) > 1 else gW[0]


def deconvolve(self, x, W, b):
    """Replaces ``Deconvolution2DFunction._forward_cpu_core``."""
    if not _suits(self, x, W):
        return _deconvolve(self, x, W, b)
    x, W = np.ascontiguousarray(x), np.ascontiguousarray(W)
    n, channels, height, width = x.shape
    out, *ksize = W.shape[1:]
    y = np.empty((n, out, self.outh, self.outw), np.float32)
    if height * width < _FEW_CELLS:
        joined = np.ascontiguousarray(x.swapaxes(0, 1)).reshape(channels, -1)
        gcol = _multiply_rows(W.reshape(channels, -1).T, joined)
        gcol = gcol.reshape(-1, n, height, width)
        axes = _axes(self, ksize)
        share(lambda sample: kernels.scatter(gcol, sample, *axes, y[sample]), _samples(x), gcol.size)
    elif _can_gather(self, W):
        _gather(self, x, W, y)
    else:
        _scatter(self, x, W, y)
    if b is not None:
        y += b[:, None, None]
    return (y,)


def _can_gather(self, W):
    """Says whether gathering is less work: not where many maps become few."""
    few_outputs = len(W) > 4 * W.shape[1] * self.sy * self.sx
    return not few_outputs and (self.dy, self.dx) == (1, 1)


def _scatter(self, x, W, y):
    """Adds the columns of every input to the outputs that it reaches: cheap where outputs are few."""
    channels = len(W)
    Wt = W.reshape(channels, -1).T
    axes = _axes(self, W.shape[2:])

    def one(sample):
        gcol = scratch("columns", (Wt.shape[0], x[sample, 0].size))
        np.matmul(Wt, x[sample].reshape(channels, -1), out=gcol)
        kernels.scatter(gcol.reshape(-1, 1, *x.shape[2:]), 0, *axes, y[sample])

    share(one, _samples(x), _nanoseconds(W[0].size * x.size))


def _gather(self, x, W, y):
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

    def one(sample, top, bottom):
        buffers = _buffers(taps.shape[1], len(taps), block * width)
        kernels.correlate_places(x[sample], taps, rows, cols, place, top, bottom, block, *buffers, y[sample])

    share(one, _parts(len(x), -(-(y.shape[2] + py) // self.sy)), _nanoseconds(W[0].size * x.size))


def _taps_by_place(W, sy, sx):
    """Returns W (in, out, kh, kw) as (sy, sx, out, in, uy, ux), the last tap of each axis first."""
    channels, out, *ksize = W.shape
    uy, ux = -(-ksize[0] // sy), -(-ksize[1] // sx)
    whole = np.zeros((channels, out, uy * sy, ux * sx), np.float32)
    whole[:, :, : ksize[0], : ksize[1]] = W
    by_place = whole.reshape(channels, out, uy, sy, ux, sx)[:, :, ::-1, :, ::-1]
    return np.ascontiguousarray(by_place.transpose(3, 5, 1, 0, 2, 4))


def _join_columns(x, rows, cols, height, width):
    """Returns the columns of all samples side by side, (C * taps, B * height * width)."""
    depth = x.shape[1] * rows.taps * cols.taps
    joined = np.empty((depth, len(x), height * width), np.float32)

    def one(sample):
        col = scratch("columns", (depth * height * width,))
        kernels.gather(x[sample], rows, cols, 0, height, width, col)
        joined[:, sample] = col.reshape(depth, -1)

    share(one, _samples(x), joined.size)
    return joined.reshape(depth, -1)


def _multiply_rows(a, b):
    """Returns ``a @ b``, the rows of a shared among threads."""
    y = np.empty((len(a), b.shape[1]), np.float32)

    def one(start, stop):
        if b.shape[1] <= _FEW:
            for column in range(b.shape[1]):
                y[start:stop, column] = a[start:stop] @ b[:, column]
        elif a.shape[1] <= _FEW:
            kernels.multiply_few(a[start:stop], np.ascontiguousarray(b), y[start:stop])
        else:
            np.matmul(a[start:stop], b, out=y[start:stop])

    share(one, split(len(a), workers.count()), max(a.size, _nanoseconds(a.size * b.shape[1])))
    return y


def _nanoseconds(multiplications):
    """Returns about how long a core takes for a matrix product."""
    return multiplications / 50


def _samples(x):
    return [(sample,) for sample in range(len(x))]


def _parts(n, height):
    """Returns (sample, first row, last row + 1) of parts that are enough for all threads."""
    rows = split(height, -(-workers.count() // max(1, n)))
    return [(sample, *part) for sample in range(n) for part in rows]


def _rows_of_block(width, depth):
    """Returns how many rows of ``width`` cells, each with a column of ``depth``, make a block."""
    return max(1, max(_WIDTH, _BLOCK // depth) // width)


def _buffers(depth, out, cells):
    """Returns memory for the columns and the product of a block."""
    return scratch("columns", (depth * cells,)), scratch("product", (out * cells,))


def _axes(self, ksize):
    return _Axis(ksize[0], self.sy, self.ph, self.dy), _Axis(ksize[1], self.sx, self.pw, self.dx)


def _suits(self, *arrays):
    """Says whether the kernels take it; what they do not is left to Chainer."""
    return min(self.ph, self.pw) >= 0 and all(array.dtype == np.float32 for array in arrays)


REPLACEMENTS = {
    (convolution_2d.Convolution2DFunction, "_forward_cpu_core"): convolve,
    (convolution_2d.Convolution2DGradW, "_forward_cpu_core"): weight_gradient,
    (deconvolution_2d.Deconvolution2DFunction, "_forward_cpu_core"): deconvolve,
}
