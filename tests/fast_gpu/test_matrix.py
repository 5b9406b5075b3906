"""`F.matmul` as the GPU computes it, run on the CPU."""

import itertools

import chainer.functions as F
import numpy as np
import pytest
from chainer.functions.math.matmul import MatMul

from starvox.fast_gpu import matrix


@pytest.mark.parametrize("pairs", [((), ()), ((3,), (3,)), ((), (3,)), ((3,), ())])
@pytest.mark.parametrize("transposed", list(itertools.product([False, True], repeat=3)))
def test_equals_chainers_own(transposed, pairs, library):
    rng = np.random.default_rng(0)
    transa, transb, _ = transposed
    a, b = ((4, 5) if transa else (5, 4)), ((6, 4) if transb else (4, 6))
    a, b = (rng.standard_normal(n + size, np.float32) for n, size in zip(pairs, (a, b), strict=True))
    (expected,) = MatMul(*transposed).apply((a, b))
    np.testing.assert_allclose(matrix.product(a, b, *transposed), expected.array, rtol=1e-5, atol=1e-6)


@pytest.mark.gpu
def test_on_a_gpu(cupy):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 4), np.float32), rng.standard_normal((3, 4, 6), np.float32)
    y = F.matmul(cupy.asarray(a), cupy.asarray(b))
    np.testing.assert_allclose(y.array.get(), a @ b, rtol=1e-5, atol=1e-5)
