"""Many products at once: what cuBLAS is told, by a BLAS that is told the same."""

import itertools

import numpy as np
import pytest

from starvox.fast_gpu.product import multiply, plan

SHAPES = [
    (1, 1, 1, 1, 1),
    (3, 3, 5, 7, 4),
    (1, 3, 5, 7, 4),
    (3, 1, 5, 7, 4),
    (2, 2, 64, 1, 3),
    (4, 4, 1, 9, 1),
]


@pytest.mark.parametrize(("transa", "transb"), list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("shape", SHAPES)
def test_every_pair_is_multiplied(shape, transa, transb, library):
    pairs_a, pairs_b, rows, depth, columns = shape
    rng = np.random.default_rng(0)
    a = rng.standard_normal((pairs_a, depth, rows) if transa else (pairs_a, rows, depth), np.float32)
    b = rng.standard_normal((pairs_b, columns, depth) if transb else (pairs_b, depth, columns), np.float32)
    y = multiply(a, b, transa, transb)
    letters = "nki" if transa else "nik", "njk" if transb else "nkj"
    pairs = max(pairs_a, pairs_b)
    whole = (np.broadcast_to(array, (pairs, *array.shape[1:])) for array in (a, b))
    np.testing.assert_allclose(y, np.einsum(f"{','.join(letters)}->nij", *whole), rtol=1e-5, atol=1e-5)
    assert y.dtype == np.float32


def test_operands_need_not_be_contiguous(library):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((5, 2, 6), np.float32), rng.standard_normal((2, 6, 8), np.float32)
    y = multiply(a.swapaxes(0, 1), b[:, :, ::2])
    np.testing.assert_allclose(y, a.swapaxes(0, 1) @ b[:, :, ::2], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("a", "b"), [((2, 3, 4), (2, 5, 6)), ((2, 3, 4), (3, 4, 6))])
def test_shapes_that_do_not_fit(a, b):
    with pytest.raises(ValueError, match="cannot multiply"):
        plan(a, b, False, False)


@pytest.mark.gpu
def test_cublas_is_told_right(cupy):
    from starvox.fast_gpu import product

    assert product._agrees(cupy)
