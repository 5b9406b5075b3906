"""CUDA graphs are for a GPU; what they are compared with is in test_recorded_step.py and test_updater.py."""

from operator import attrgetter
from types import SimpleNamespace

import chainer
import pytest

from starvox import UserError
from starvox.training.cuda_graph import use_cuda_graphs


def test_the_cpu_is_refused():
    updater = SimpleNamespace(device=chainer.get_device("@numpy"))
    with pytest.raises(UserError, match=r"--cuda-graph needs a GPU; leave it out"):
        use_cuda_graphs(updater)


@pytest.mark.parametrize(
    "name",
    [
        "cuda.Device.synchronize",
        "cuda.Graph.launch",
        "cuda.MemoryPool.malloc",
        "cuda.Stream.begin_capture",
        "cuda.Stream.end_capture",
        "cuda.Stream.use",
        "cuda.device.get_cublas_handle",
        "cuda.runtime.runtimeGetVersion",
        "cuda.using_allocator",
        "_core.get_compute_type",
        "_core.set_compute_type",
        "_core._routines_linalg.COMPUTE_TYPE_TF32",
    ],
)
def test_cupy_has_what_is_used_of_it(name):
    """With CuPy alone: most of it is used only with a GPU."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    assert attrgetter(name)(cupy) is not None
