"""CUDA graphs are for a GPU; what they are compared with is in test_recorded_step.py and test_updater.py."""

from operator import attrgetter
from types import SimpleNamespace

import chainer
import pytest

from starvox import UserError
from starvox.fast_gpu.cublas import Cublas
from starvox.training.cuda_graph import CudaGraphRecorder, use_cuda_graphs


def test_the_cpu_is_refused():
    updater = SimpleNamespace(device=chainer.get_device("@numpy"))
    with pytest.raises(UserError, match=r"--cuda-graph needs a GPU; leave it out"):
        use_cuda_graphs(updater)


@pytest.mark.gpu
def test_an_invalid_capture_shows_what_broke_it(cupy):
    recorder = CudaGraphRecorder(cupy)

    def wait():
        recorder._stream.synchronize()  # refused while it is captured, and the capture is broken

    try:
        with pytest.raises(cupy.cuda.runtime.CUDARuntimeError, match="StreamCaptureUnsupported"):
            recorder._capture(wait)
    finally:
        cupy.cuda.Stream.null.use()


@pytest.mark.gpu
def test_products_have_a_workspace_of_their_own_after_their_stream(cupy, monkeypatch):
    """Setting a stream takes the workspace away; without one a replay may write to another's."""
    calls, call = [], Cublas._call
    monkeypatch.setattr(Cublas, "_call", lambda self, *args: (calls.append(args), call(self, *args)))
    cublas = Cublas(cupy, cupy.cuda.Stream(non_blocking=True))
    names = [name for name, *_ in calls]
    assert names.index("cublasSetStream_v2") < names.index("cublasSetWorkspace_v2")
    _, handle, address, size = calls[names.index("cublasSetWorkspace_v2")]
    workspace = cublas._workspace
    assert (handle.value, address.value, size.value) == (
        cublas.handle,
        workspace.data.ptr,
        workspace.nbytes,
    )
    assert workspace.nbytes >= 32 << 20


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
