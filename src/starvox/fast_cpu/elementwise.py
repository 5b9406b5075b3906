"""ReLU, leaky ReLU and RMSprop, shared among threads."""

from collections.abc import Callable
from typing import Any

import numpy as np
from chainer import FunctionNode
from chainer.functions.activation.leaky_relu import LeakyReLU, _LeakyReLUGrad
from chainer.functions.activation.relu import ReLU, ReLUGrad2
from chainer.optimizers.rmsprop import RMSpropRule

from starvox.fast_cpu import kernels, workers

_rmsprop_update = RMSpropRule.update_core_cpu


def _piecewise(kernel: Callable[..., None], *arguments: Any) -> None:
    """Calls a kernel with pieces, one-dimensional views, of the arrays among its arguments."""
    flat = [value.reshape(-1) if isinstance(value, np.ndarray) else value for value in arguments]
    n = flat[0].size

    def one(start: int, stop: int) -> None:
        kernel(*(value[start:stop] if isinstance(value, np.ndarray) else value for value in flat))

    workers.share(one, workers.split(n, workers.count()), n)


def _replace(cls: type[FunctionNode], kernel: Callable[..., None], sign: str | None = None) -> Callable:
    """Returns what takes the place of ``cls.forward_cpu``: ``kernel(x[, sign][, slope], y)``.

    Args:
        cls: an activation function, or the gradient of one.
        kernel: of `kernels`.
        sign: where a gradient keeps the array whose sign decides.
    """
    original = cls.forward_cpu

    def forward_cpu(self: Any, inputs: tuple) -> tuple:
        given = [*inputs[:1], *([getattr(self, sign)] if sign else [])]
        slope = getattr(self, "slope", 0)
        if not kernels.takes(*given) or slope < 0:
            return original(self, inputs)
        y = np.empty_like(inputs[0])
        _piecewise(kernel, *given, *([np.float32(slope)] if hasattr(self, "slope") else []), y)
        if not sign:
            self.retain_outputs((0,))
        return (y,)

    return forward_cpu


def rmsprop_update(self: RMSpropRule, param: Any) -> None:
    """Replaces ``RMSpropRule.update_core_cpu``."""
    hyper = self.hyperparam
    grad, data, ms = param.grad, param.data, self.state["ms"]
    if hyper.eps_inside_sqrt or not kernels.takes(grad, data, ms):
        _rmsprop_update(self, param)
    else:
        rate, alpha, eps = (np.float32(value) for value in (hyper.lr, hyper.alpha, hyper.eps))
        _piecewise(kernels.rmsprop, grad, rate, alpha, eps, data, ms)


REPLACEMENTS = {
    (ReLU, "forward_cpu"): _replace(ReLU, kernels.relu),
    (ReLUGrad2, "forward_cpu"): _replace(ReLUGrad2, kernels.relu_backward, "b"),
    (LeakyReLU, "forward_cpu"): _replace(LeakyReLU, kernels.leaky_relu),
    (_LeakyReLUGrad, "forward_cpu"): _replace(_LeakyReLUGrad, kernels.leaky_relu_backward, "cond"),
    (RMSpropRule, "update_core_cpu"): rmsprop_update,
}
