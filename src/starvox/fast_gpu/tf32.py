"""Products of float32 in TF32: 10 bits of a factor's fraction instead of 23, and several times the speed."""

from typing import Any

import numpy as np

TF32_TENSOR_OP_MATH = 3  # cublasMath_t in cublas_api.h; CuPy gives it no name in Python


def use_tf32(cupy: Any) -> None:
    """Switches TF32 on, on the current device, for all products from now on."""
    from cupy_backends.cuda.libs import cublas

    cupy._core.set_compute_type(np.float32, cupy._core._routines_linalg.COMPUTE_TYPE_TF32)
    # for the products that say no type of their own (product.py)
    cublas.setMathMode(cupy.cuda.device.get_cublas_handle(), TF32_TENSOR_OP_MATH)


def is_tf32(cupy: Any) -> bool:
    """Returns whether TF32 is on, on the current device, by `use_tf32`."""
    from cupy_backends.cuda.libs import cublas

    return cublas.getMathMode(cupy.cuda.device.get_cublas_handle()) == TF32_TENSOR_OP_MATH
