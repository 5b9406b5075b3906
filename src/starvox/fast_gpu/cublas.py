"""cuBLAS without CuPy in between, which refuses to call it while a stream is captured."""

import ctypes
from typing import Any

import numpy as np

from starvox.fast_gpu.tf32 import TF32_TENSOR_OP_MATH, is_tf32

# CUDA's, and enough for the largest kernels: cuBLAS's manual asks for 32 MiB on Hopper.
_WORKSPACE = 32 << 20
_GEMM = (
    *([ctypes.c_void_p] + [ctypes.c_int] * 5),  # handle, transa, transb, m, n, k
    *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong),  # alpha, A, lda, strideA
    *(ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong),  # B, ldb, strideB
    *(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong),  # beta, C, ldc, strideC
    ctypes.c_int,  # batchCount
)


class Cublas:
    """A handle of its own, for one stream, with memory of its own.

    With memory that does not move a product can be captured, and replayed while
    other handles work. Memory and handle live as long as the process.

    Args:
        cupy: the module.
        stream: what everything runs on.

    Attributes:
        handle (int): for `gemm`.
        gemm (callable): `cublasSgemmStridedBatched`; see `product.through`.
    """

    def __init__(self, cupy: Any, stream: Any):
        cupy.cuda.device.get_cublas_handle()  # loads the library, from where CuPy knows
        version = cupy.cuda.runtime.runtimeGetVersion() // 1000
        self._library = ctypes.CDLL(f"libcublas.so.{version}")
        handle = ctypes.c_void_p()
        self._call("cublasCreate_v2", ctypes.byref(handle))
        self.handle = handle.value or 0
        self._call("cublasSetStream_v2", handle, ctypes.c_void_p(stream.ptr))
        self._workspace = cupy.empty(_WORKSPACE, np.uint8)
        address, size = ctypes.c_void_p(self._workspace.data.ptr), ctypes.c_size_t(_WORKSPACE)
        self._call("cublasSetWorkspace_v2", handle, address, size)
        if is_tf32(cupy):
            self._call("cublasSetMathMode", handle, TF32_TENSOR_OP_MATH)
        self.gemm = self._library.cublasSgemmStridedBatched
        self.gemm.argtypes, self.gemm.errcheck = _GEMM, _check

    def _call(self, name: str, *args: Any) -> None:
        _check(self._library[name](*args), self._library[name], args)


def _check(status: Any, function: Any, args: tuple) -> Any:
    if status:
        raise RuntimeError(f"{function.__name__} returned {status}")
    return status
