"""Loops that run without the interpreter, compiled by Numba on first use and kept on disk.

In NumPy a block of a convolution is a dozen short calls. Threads that make
such calls wait more for the interpreter's lock than they work: two of them
were hardly faster than one. A kernel does a thread's whole share at once.

Arrays are float32 and C-contiguous. An axis of a convolution is a tuple
(taps, stride, pad, dilate): output q's tap i reads input
``stride * q + dilate * i - pad``, or zero outside.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numba
import numpy as np

from starvox.fast_cpu import numba_cache

numba_cache.replacements.enable()


def compiled(function: Callable, **options: Any) -> Any:
    options |= {"nogil": True, "error_model": "numpy"}  # a division by zero is not finite, and no exception
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # nowhere to keep it: compiled anew in every process
        return numba.njit(**options)(function)


inlined = partial(compiled, inline="always")
# Sums may be taken in any order, so that they can be taken several terms at a time.
summing = partial(compiled, fastmath={"reassoc", "contract", "nsz"})


def takes(*arrays: Any) -> bool:
    """Returns whether arrays are what the kernels take."""
    return all(type(a) is np.ndarray and a.dtype == np.float32 and a.flags.c_contiguous for a in arrays)


@inlined
def _inside(shift, stride, width, length):
    """Returns the first and the last + 1 of ``width`` cells q with ``0 <= stride * q + shift < length``."""
    first = min(width, max(0, -(shift // stride)))
    return first, max(first, min(width, (length - 1 - shift) // stride + 1))


@compiled
def gather(x, rows, cols, top, bottom, width, col):
    """Lays out what the outputs of rows top to bottom - 1 read of x (C, H, W), flat, as (C * taps, cells)."""
    channels, height, length = x.shape
    flat = x.reshape(x.size)
    at = 0
    for c in range(channels):
        for i in range(rows[0]):
            for j in range(cols[0]):
                shift = cols[3] * j - cols[2]
                first, last = _inside(shift, cols[1], width, length)
                if rows[1] == cols[1] == 1 and width == length and last > first:
                    # Rows follow each other in x as here: one run, cleared where it reads across the sides.
                    down = rows[3] * i - rows[2]
                    upper = min(bottom, max(top, -down))
                    lower = max(upper, min(bottom, height - down))
                    inside = at + (upper - top) * width
                    _fill(col, at, inside - at)
                    start = (c * height + upper + down) * length + first + shift
                    run = max(0, (lower - upper) * width - first - (width - last))
                    _copy(flat, start, 1, col, inside + first, 1, run)
                    for q in range(lower - upper):
                        for k in range(first):
                            col[inside + q * width + k] = 0
                        for k in range(last, width):
                            col[inside + q * width + k] = 0
                    at += (bottom - top) * width
                    _fill(col, inside + (lower - upper) * width, (bottom - lower) * width)
                    continue
                for q in range(top, bottom):
                    r = rows[1] * q + rows[3] * i - rows[2]
                    if r < 0 or r >= height:
                        _fill(col, at, width)
                    else:
                        _fill(col, at, first)
                        start = (c * height + r) * length + cols[1] * first + shift
                        _copy(flat, start, cols[1], col, at + first, 1, last - first)
                        _fill(col, at + last, width - last)
                    at += width


@inlined
def _fill(array, start, n):
    # An index without a sign needs no look whether it counts from the end, and the loop becomes vectors.
    start = np.uint64(start)
    for k in range(np.uint64(n)):
        array[start + k] = 0


@inlined
def _copy(source, start, step, target, at, spread, n):
    start, at = np.uint64(start), np.uint64(at)
    if step == spread == 1:
        for k in range(np.uint64(n)):
            target[at + k] = source[start + k]
    else:
        for k in range(np.uint64(n)):
            target[at + np.uint64(spread) * k] = source[start + np.uint64(step) * k]


@inlined
def _add(source, start, target, at, spread, n):
    start, at = np.uint64(start), np.uint64(at)
    if spread == 1:
        for k in range(np.uint64(n)):
            target[at + k] += source[start + k]
    else:
        for k in range(np.uint64(n)):
            target[at + np.uint64(spread) * k] += source[start + k]


@compiled
def multiply_few(a, b, y):
    """y = a @ b, where a has few columns."""
    for row in range(len(a)):
        y[row] = 0
        for k in range(len(b)):
            for j in range(b.shape[1]):
                y[row, j] += a[row, k] * b[k, j]


@compiled
def scatter(col, sample, rows, cols, y):
    """Adds a sample's columns, of those in col (C * taps, B, height, width), to y (C, H, W)."""
    channels, height, length = y.shape
    width = col.shape[3]
    flat, source = y.reshape(y.size), col.reshape(col.size)
    at = sample * col.shape[2] * width
    for c in range(channels):
        for i in range(rows[0]):
            for j in range(cols[0]):
                shift = cols[3] * j - cols[2]
                first, last = _inside(shift, cols[1], width, length)
                for q in range(col.shape[2]):
                    r = rows[1] * q + rows[3] * i - rows[2]
                    if 0 <= r < height:
                        start = (c * height + r) * length + cols[1] * first + shift
                        _add(source, at + q * width + first, flat, start, cols[1], last - first)
                at += col.shape[1] * col.shape[2] * width


@compiled
def correlate(x, W, rows, cols, top, bottom, block, col, product, y):
    """Writes rows top to bottom - 1 of y (O, H, W), products of W (O, C * taps) and the columns of x."""
    out, depth = W.shape
    _, height, width = y.shape
    flat = y.reshape(y.size)
    for first in range(top, bottom, block):
        last = min(bottom, first + block)
        cells = (last - first) * width
        gather(x, rows, cols, first, last, width, col)
        part = product[: out * cells].reshape(out, cells)
        np.dot(W, col[: depth * cells].reshape(depth, cells), part)
        for o in range(out):
            _copy(product, o * cells, 1, flat, (o * height + first) * width, 1, cells)


@compiled
def add_products(x, gy, rows, cols, top, bottom, block, col, part, product, gW):
    """Adds to gW (O, C * taps) the products of rows top to bottom - 1 of gy (O, H, W) and x's columns."""
    out, depth = gW.shape
    _, height, width = gy.shape
    flat, total, added = gy.reshape(gy.size), gW.reshape(gW.size), product.reshape(product.size)
    for first in range(top, bottom, block):
        last = min(bottom, first + block)
        cells = (last - first) * width
        gather(x, rows, cols, first, last, width, col)
        for o in range(out):
            _copy(flat, (o * height + first) * width, 1, part, o * cells, 1, cells)
        rows_of_gy = part[: out * cells].reshape(out, cells)
        np.dot(rows_of_gy, col[: depth * cells].reshape(depth, cells).T, product)
        for k in range(np.uint64(out * depth)):
            total[k] += added[k]


@compiled
def correlate_places(x, W, rows, cols, place, top, bottom, block, col, product, y):
    """Writes the places of cells top to bottom - 1 of y: see `convolution._gather`.

    place is (sy, sx, ph, pw): cell q's place a is output ``s * q + a - p``; W is (sy * sx * O, C * taps).
    """
    sy, sx, ph, pw = place
    out, height, length = y.shape
    depth = W.shape[1]
    width = -(-(length + pw) // sx)
    flat = y.reshape(y.size)
    for first in range(top, bottom, block):
        last = min(bottom, first + block)
        cells = (last - first) * width
        gather(x, rows, cols, first, last, width, col)
        part = product[: len(W) * cells].reshape(len(W), cells)
        np.dot(W, col[: depth * cells].reshape(depth, cells), part)
        for a in range(sy):
            for b in range(sx):
                start, stop = _inside(b - pw, sx, width, length)
                for o in range(out):
                    for q in range(first, last):
                        r = sy * q + a - ph
                        if 0 <= r < height:
                            source = ((a * sx + b) * out + o) * cells + (q - first) * width + start
                            target = (o * height + r) * length + sx * start + b - pw
                            _copy(product, source, 1, flat, target, sx, stop - start)


@summing
def normalize(x, first, last, gamma, beta, eps, y, mean, var, inv_std):
    """Normalises channels first to last - 1 of x (B, C, cells) by their own mean and variance.

    Sums are float64, as PyTorch's are; rows summed in float32 made means 17 times less exact.
    """
    n, _, cells = x.shape
    for c in range(first, last):
        total = 0.0
        for s in range(n):
            for k in range(cells):
                total += np.float64(x[s, c, k])
        centre = np.float32(total / (n * cells))
        total = 0.0
        for s in range(n):
            for k in range(cells):
                total += np.float64((x[s, c, k] - centre) ** 2)
        mean[c] = centre
        var[c] = total / (n * cells)
        inv_std[c] = 1 / np.sqrt(var[c] + eps)
        scale = inv_std[c] * gamma[c]
        for s in range(n):
            for k in range(cells):
                y[s, c, k] = (x[s, c, k] - centre) * scale + beta[c]


@summing
def normalize_backward(x, gy, first, last, gamma, mean, inv_std, gx, ggamma, gbeta):
    """Writes the gradients of channels first to last - 1 for `normalize`."""
    n, _, cells = x.shape
    for c in range(first, last):
        products, total = 0.0, 0.0
        for s in range(n):
            for k in range(cells):
                total += np.float64(gy[s, c, k])
                products += np.float64(gy[s, c, k] * (x[s, c, k] - mean[c]))
        gbeta[c] = total
        ggamma[c] = products * inv_std[c]
        scale = gamma[c] * inv_std[c]
        per_x = np.float32(inv_std[c] * ggamma[c] / (n * cells))
        per_cell = np.float32(gbeta[c] / (n * cells))
        for s in range(n):
            for k in range(cells):
                gx[s, c, k] = scale * (gy[s, c, k] - (x[s, c, k] - mean[c]) * per_x - per_cell)


@compiled
def relu(x, y):
    """y = max(x, 0); NaN stays."""
    for k in range(len(x)):
        y[k] = np.float32(0) if x[k] < 0 else x[k]


@compiled
def relu_backward(gy, b, gx):
    """gx = gy where b > 0, else 0."""
    for k in range(len(gy)):
        gx[k] = gy[k] if b[k] > 0 else np.float32(0)


@compiled
def leaky_relu(x, slope, y):
    """y = x where x > 0, else slope * x."""
    for k in range(len(x)):
        y[k] = x[k] if x[k] > 0 else slope * x[k]


@compiled
def leaky_relu_backward(gy, cond, slope, gx):
    """gx = gy where cond > 0, else slope * gy."""
    for k in range(len(gy)):
        gx[k] = gy[k] if cond[k] > 0 else slope * gy[k]


@compiled
def rmsprop(grad, rate, alpha, eps, data, ms):
    """One step of RMSprop, in place: Tieleman and Hinton 2012, with eps added to the root."""
    rest = np.float32(1) - alpha
    for k in range(len(grad)):
        ms[k] = alpha * ms[k] + rest * grad[k] * grad[k]
        data[k] -= rate * grad[k] / (np.sqrt(ms[k]) + eps)
