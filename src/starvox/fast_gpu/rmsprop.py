"""RMSprop on all parameters of a network in one launch, where Chainer's takes one for each."""

from typing import Any

import numpy as np
from chainer.backends import cuda
from chainer.optimizers.rmsprop import RMSprop, RMSpropRule

_MAX_PARAMS = 100  # of a launch: their addresses are its arguments, and those have 4 kB
_BLOCKS, _THREADS = 256, 256  # for each

_CODE = """
struct Params { long long data[MAX], grad[MAX], ms[MAX], size[MAX]; };

extern "C" __global__ void rmsprop(const Params params, float rate, float alpha, float eps) {
    float* data = (float*)params.data[blockIdx.y];
    const float* grad = (const float*)params.grad[blockIdx.y];
    float* ms = (float*)params.ms[blockIdx.y];
    const long long size = params.size[blockIdx.y], step = (long long)gridDim.x * blockDim.x;
    for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < size; i += step) {
        ms[i] = alpha * ms[i] + (1 - alpha) * grad[i] * grad[i];
        data[i] -= rate * grad[i] / (sqrtf(ms[i]) + eps);
    }
}
""".replace("MAX", str(_MAX_PARAMS))

_update, _update_one = RMSprop.update, RMSpropRule.update_core_gpu
_waiting: list[tuple[Any, ...]] | None = None  # the arrays of the parameters of an `update`


def update(self: RMSprop, *args: Any, **kwargs: Any) -> None:
    """Replaces ``RMSprop.update``."""
    global _waiting
    waiting: list[tuple[Any, ...]] = []
    _waiting = waiting
    try:
        _update(self, *args, **kwargs)
    finally:
        _waiting = None
    scalars = [np.float32(value) for value in (self.lr, self.alpha, self.eps)]
    for start in range(0, len(waiting), _MAX_PARAMS):
        group = waiting[start : start + _MAX_PARAMS]
        params = np.zeros((4, _MAX_PARAMS), np.int64)
        params[:3, : len(group)] = np.transpose([[array.data.ptr for array in arrays] for arrays in group])
        params[3, : len(group)] = [arrays[0].size for arrays in group]
        whole = params.reshape(-1).view(f"V{params.nbytes}")  # of one element, which goes by value
        cuda.raw(_CODE, "rmsprop")((_BLOCKS, len(group)), (_THREADS,), (whole, *scalars))


def update_one(self: RMSpropRule, param: Any) -> None:
    """Replaces ``RMSpropRule.update_core_gpu``."""
    arrays = param.data, param.grad, self.state["ms"]
    if (
        _waiting is None
        or self.hyperparam.eps_inside_sqrt
        or any(a is None or a.dtype != np.float32 or not a.flags.c_contiguous for a in arrays)
    ):
        _update_one(self, param)
    else:
        _waiting.append(arrays)


REPLACEMENTS: dict[tuple[type, str], Any] = {
    (RMSprop, "update"): update,
    (RMSpropRule, "update_core_gpu"): update_one,
}
