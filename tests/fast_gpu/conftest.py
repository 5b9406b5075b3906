"""BLAS itself, called as cuBLAS is: with addresses, column-major, pair after pair."""

import ctypes

import pytest
from scipy.linalg import cython_blas

from starvox.fast_gpu import product

_address = ctypes.pythonapi.PyCapsule_GetPointer
_address.restype, _address.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
_name = ctypes.pythonapi.PyCapsule_GetName
_name.restype, _name.argtypes = ctypes.c_char_p, (ctypes.py_object,)
_capsule = cython_blas.__pyx_capi__["sgemm"]
_sgemm = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 13)(_address(_capsule, _name(_capsule)))
_FLOAT = 4  # bytes


def sgemm_strided_batched(
    handle, transa, transb, m, n, k, alpha, a, lda, step_a, b, ldb, step_b, beta, c, ldc, step_c, pairs
):
    """`cublasSgemmStridedBatched` on the CPU: BLAS's sgemm once a pair."""
    letters = [ctypes.byref(ctypes.c_char(b"T" if trans else b"N")) for trans in (transa, transb)]
    m, n, k, lda, ldb, ldc = (ctypes.byref(ctypes.c_int(value)) for value in (m, n, k, lda, ldb, ldc))
    for pair in range(pairs):
        place_a, place_b, place_c = (
            start + _FLOAT * step * pair for start, step in ((a, step_a), (b, step_b), (c, step_c))
        )
        _sgemm(*letters, m, n, k, alpha, place_a, lda, place_b, ldb, beta, place_c, ldc)


@pytest.fixture
def library():
    """Lets products of NumPy arrays go by addresses, as on a GPU."""
    with product.through(sgemm_strided_batched, 0):
        yield
