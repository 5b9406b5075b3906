"""Steps as CUDA graphs: one launch instead of thousands.

At the record's batch of 2 a GPU waits for Python to launch its kernels. A graph
holds them with all their arguments, addresses included.
"""

import gc
import sys
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

from starvox.device import require_gpu
from starvox.fast_gpu.cublas import Cublas
from starvox.fast_gpu.product import through
from starvox.training.recorded_step import Losses
from starvox.training.updater import StarGANUpdater

_WARM_UP = 2


class CudaGraphRecorder:
    """Records functions as CUDA graphs; see `RecordedStep`.

    From its making on, this thread works on one non-blocking stream, the only
    kind that can be captured. What a function allocates comes from a pool that
    nothing else uses and that stays: a graph goes on writing to it.

    Args:
        cupy: the module.
    """

    def __init__(self, cupy: ModuleType):
        self._cupy = cupy
        cupy.cuda.Device().synchronize()  # nothing waits for the default stream any more
        self._stream = cupy.cuda.Stream(non_blocking=True).use()
        self._pool = cupy.cuda.MemoryPool()
        self._cublas = Cublas(cupy, self._stream)

    def record(self, function: Callable[[], Losses]) -> Callable[[], Losses]:
        """Returns a function that does what ``function`` did; calls that a few times.

        Args:
            function: its kernels depend on no value that the host has to wait for.
        """
        with (
            self._cupy.cuda.using_allocator(self._pool.malloc),
            through(self._cublas.gemm, self._cublas.handle),
        ):
            for _ in range(_WARM_UP):  # compiles the kernels and fills the pool
                function()
            self._stream.synchronize()
            graph, result = self._capture(function)

        def replay() -> Losses:
            graph.launch(self._stream)
            return result

        return replay

    def _capture(self, function: Callable[[], Losses]) -> tuple[Any, Losses]:
        gc.collect()  # what is freed during a capture should be the function's own
        gc.disable()
        try:
            self._stream.begin_capture()
            try:
                result = function()
            except BaseException:
                # what broke the capture says why; ending it only says that it is broken
                with suppress(self._cupy.cuda.runtime.CUDARuntimeError):
                    self._stream.end_capture()
                raise
            graph = self._stream.end_capture()
        finally:
            gc.enable()
        return graph, result


def use_cuda_graphs(updater: StarGANUpdater) -> None:
    """Lets an updater replay its steps as CUDA graphs, wherever that does the same.

    Raises:
        UserError: if it is not on a GPU.
    """
    require_gpu(updater.device, "--cuda-graph")
    try:
        recorder = CudaGraphRecorder(updater.device.xp)
    except Exception as error:
        print(f"no CUDA graphs: {error!r}; every step is launched kernel by kernel", file=sys.stderr)
    else:
        updater.record_steps(recorder)
