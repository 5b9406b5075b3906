"""Matrix products, transposed or not, of many pairs at once, without copying an operand.

`cupy.matmul` copies a transposed operand, and an operand that is the same for
all pairs goes through tables of pointers, for which it does not use TF32.
cuBLAS needs neither.
"""

import contextlib
import sys
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from chainer import backend
from chainer.backends import cuda

from starvox.fast_gpu.tf32 import is_tf32, use_tf32

_ONE, _ZERO = np.ones((), np.float32), np.zeros((), np.float32)


class Call(NamedTuple):
    """What `cublasSgemmStridedBatched` is told of (a, b, c), which it takes as (b, a, c).

    A row-major matrix is, to cuBLAS, its transpose: ``c' = b' a'``.
    """

    transb: int
    transa: int
    columns: int
    rows: int
    depth: int
    width_b: int
    step_b: int
    width_a: int
    step_a: int
    step_c: int
    pairs: int


def plan(a: tuple, b: tuple, transa: bool, transb: bool) -> Call:
    """Returns the numbers of one product.

    Args:
        a, b: shapes, (1 or pairs, rows, columns), of contiguous arrays.
        transa, transb: which are to be transposed.

    Raises:
        ValueError: if the shapes do not fit.
    """
    rows, depth = a[:0:-1] if transa else a[1:]
    depth_b, columns = b[:0:-1] if transb else b[1:]
    pairs = max(a[0], b[0])
    if depth != depth_b or not {a[0], b[0]} <= {1, pairs}:
        raise ValueError(f"cannot multiply {a} by {b}, transposed: {transa}, {transb}")
    step_a, step_b = (0 if shape[0] == 1 else shape[1] * shape[2] for shape in (a, b))
    return Call(
        int(transb), int(transa), columns, rows, depth, b[2], step_b, a[2], step_a, rows * columns, pairs
    )


def execute(gemm: Callable, handle: int, call: Call, a: int, b: int, c: int) -> None:
    """Calls ``gemm`` for arrays at the addresses a, b and c.

    Args:
        gemm: `cublasSgemmStridedBatched` or a function with its arguments.
        handle: of cuBLAS.
    """
    gemm(
        handle,
        *(call.transb, call.transa, call.columns, call.rows, call.depth),
        *(_ONE.ctypes.data, b, call.width_b, call.step_b, a, call.width_a, call.step_a),
        *(_ZERO.ctypes.data, c, call.columns, call.step_c, call.pairs),
    )


class _Library:
    """Which function multiplies: on a GPU CuPy's of cuBLAS, unless `through` says another."""

    def __init__(self):
        self.other = None  # (gemm, handle)
        self.works = None  # whether CuPy's was tried, and gave what cupy.matmul gives


_library = _Library()


@contextlib.contextmanager
def through(gemm: Callable, handle: int):
    """Multiplies with another function of the same arguments; see `execute`."""
    _library.other = (gemm, handle)
    try:
        yield
    finally:
        _library.other = None


def multiply(a, b, transa=False, transb=False):
    """Returns ``a @ b`` of many pairs.

    Args:
        a, b (ndarray of shape (1 or pairs, rows, columns), float32): one array
            may be the same for all pairs.
        transa, transb (bool): the last two axes of a, of b, are swapped first.

    Returns:
        ndarray of shape (pairs, rows, columns), float32, contiguous.
    """
    xp = backend.get_array_module(a)
    if _library.other is not None:
        return _through_cublas(xp, a, b, transa, transb, *_library.other)
    if xp is np or not _works(xp):
        return _plain(xp, a, b, transa, transb)
    return _through_cublas(xp, a, b, transa, transb, *_cupys())


def _plain(xp, a, b, transa, transb):
    return xp.matmul(a.swapaxes(1, 2) if transa else a, b.swapaxes(1, 2) if transb else b)


def _through_cublas(xp, a, b, transa, transb, gemm, handle):
    a, b = xp.ascontiguousarray(a), xp.ascontiguousarray(b)
    call = plan(a.shape, b.shape, transa, transb)
    c = xp.empty((call.pairs, call.rows, call.columns), np.float32)
    execute(gemm, handle, call, *(_address(array) for array in (a, b, c)))
    return c


def _address(array):
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr


def _cupys():
    from cupy_backends.cuda.libs import cublas

    return cublas.sgemmStridedBatched, cuda.cupy.cuda.device.get_cublas_handle()


def _works(xp):
    """Tries this way once against `cupy.matmul`, which stays if the two differ."""
    if _library.works is None:
        _library.works = False
        try:
            if is_tf32(xp):  # by CUPY_TF32, of which these calls know nothing
                use_tf32(xp)
            _library.works = _agrees(xp)
        except Exception as error:
            print(f"cuBLAS cannot be called as planned ({error!r}); products go another way", file=sys.stderr)
        else:
            if not _library.works:
                print("cuBLAS differs from cupy.matmul; products go another way", file=sys.stderr)
    return _library.works


def _agrees(xp):
    rng = np.random.default_rng(0)
    for transa in (False, True):
        for transb in (False, True):
            for shared in (1, 3):
                a = rng.random((3, 7, 5) if transa else (3, 5, 7), np.float32)
                b = rng.random((shared, 4, 7) if transb else (shared, 7, 4), np.float32)
                given = xp.asarray(a), xp.asarray(b), transa, transb
                found = _through_cublas(xp, *given, *_cupys())
                # TF32 keeps 10 bits of a number between 0 and 1
                if not xp.allclose(found, _plain(xp, *given), rtol=0, atol=0.02):
                    return False
    return True
