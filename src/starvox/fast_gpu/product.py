"""Matrix products, transposed or not, of many pairs at once, without copying an operand.

`cupy.matmul` copies a transposed operand, and an operand that is the same for
all pairs goes through tables of pointers, for which it does not use TF32.
cuBLAS needs neither.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from chainer.backends import cuda

from starvox.fast_gpu.tf32 import TF32_TENSOR_OP_MATH, is_tf32

_ONE, _ZERO = np.ones((), np.float32), np.zeros((), np.float32)
_other: tuple[Callable, int] | None = None  # what multiplies instead of CuPy's function and handle


@contextmanager
def through(gemm: Callable, handle: int) -> Iterator[None]:
    """Multiplies with another function.

    Args:
        gemm: `cublasSgemmStridedBatched` or a function with its arguments.
        handle: its first argument.
    """
    global _other
    _other = gemm, handle
    try:
        yield
    finally:
        _other = None


def multiply(a: Any, b: Any, transa: bool = False, transb: bool = False) -> Any:
    """Returns ``a @ b`` of many pairs.

    Args:
        a, b (1 or pairs, rows, columns): float32, of CuPy, or in `through` of NumPy; one array may be the
            same for all pairs.
        transa, transb: the last two axes of a, of b, are swapped first.

    Returns:
        (pairs, rows, columns), float32, contiguous.

    Raises:
        ValueError: if the shapes do not fit.
    """
    xp = cuda.get_array_module(a)
    a, b = xp.ascontiguousarray(a), xp.ascontiguousarray(b)
    rows, depth = a.shape[:0:-1] if transa else a.shape[1:]
    depth_b, columns = b.shape[:0:-1] if transb else b.shape[1:]
    pairs = max(len(a), len(b))
    if depth != depth_b or not {len(a), len(b)} <= {1, pairs}:
        raise ValueError(f"cannot multiply {a.shape} by {b.shape}, transposed: {transa}, {transb}")
    step_a, step_b = (0 if len(array) == 1 else array.shape[1] * array.shape[2] for array in (a, b))
    c = xp.empty((pairs, rows, columns), np.float32)
    gemm, handle = _other or _cupys()
    gemm(  # A row-major matrix is, to cuBLAS, its transpose: c' = b' a'.
        handle,
        *(int(transb), int(transa), columns, rows, depth),
        *(_ONE.ctypes.data, _address(b), b.shape[2], step_b, _address(a), a.shape[2], step_a),
        *(_ZERO.ctypes.data, _address(c), columns, rows * columns, pairs),
    )
    return c


def _address(array: Any) -> int:
    return array.ctypes.data if isinstance(array, np.ndarray) else array.data.ptr


def _cupys() -> tuple[Callable, int]:
    from cupy_backends.cuda.libs import cublas

    handle = cuda.cupy.cuda.device.get_cublas_handle()
    if is_tf32(cuda.cupy):  # of which this function knows nothing; each device and thread has a handle
        cublas.setMathMode(handle, TF32_TENSOR_OP_MATH)
    return cublas.sgemmStridedBatched, handle
