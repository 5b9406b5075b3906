"""Many products at once: what cuBLAS is told, by a BLAS that is told the same."""

import itertools

import numpy as np
import pytest

from starvox.fast_gpu.product import multiply

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
        multiply(np.zeros(a, np.float32), np.zeros(b, np.float32))


@pytest.mark.gpu
@pytest.mark.parametrize(("transa", "transb"), list(itertools.product([False, True], repeat=2)))
def test_cublas_multiplies_every_pair(transa, transb, cupy):
    rng = np.random.default_rng(0)
    for pairs in (1, 3):
        a = rng.random((3, 7, 5) if transa else (3, 5, 7), np.float32)
        b = rng.random((pairs, 4, 7) if transb else (pairs, 7, 4), np.float32)
        y = multiply(cupy.asarray(a), cupy.asarray(b), transa, transb)
        expected = (a.swapaxes(1, 2) if transa else a) @ (b.swapaxes(1, 2) if transb else b)
        np.testing.assert_allclose(y.get(), expected, rtol=1e-5)
