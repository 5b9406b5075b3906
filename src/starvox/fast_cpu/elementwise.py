"""ReLU, leaky ReLU and RMSprop, shared among threads."""

import numpy as np
from chainer.functions.activation import leaky_relu, relu
from chainer.optimizers import rmsprop

from starvox.fast_cpu import kernels, workers
from starvox.fast_cpu.workers import share, split

_relu_forward = relu.ReLU.forward_cpu
_relu_backward = relu.ReLUGrad2.forward_cpu
_leaky_relu_forward = leaky_relu.LeakyReLU.forward_cpu
_leaky_relu_backward = leaky_relu._LeakyReLUGrad.forward_cpu
_rmsprop_update = rmsprop.RMSpropRule.update_core_cpu


def _piecewise(kernel, *arguments):
    """Calls a kernel with pieces, one-dimensional views, of the arrays among its arguments."""
    flat = [value.reshape(-1) if isinstance(value, np.ndarray) else value for value in arguments]
    n = flat[0].size

    def one(start, stop):
        kernel(*(value[start:stop] if isinstance(value, np.ndarray) else value for value in flat))

    share(one, split(n, workers.count()), n)


def relu_forward(self, inputs):
    """Replaces ``ReLU.forward_cpu``."""
    if not kernels.takes(*inputs):
        return _relu_forward(self, inputs)
    y = np.empty_like(inputs[0])
    _piecewise(kernels.relu, inputs[0], y)
    self.retain_outputs((0,))
    return (y,)


def relu_backward(self, inputs):
    """Replaces ``ReLUGrad2.forward_cpu``."""
    if not kernels.takes(self.b, *inputs):
        return _relu_backward(self, inputs)
    gx = np.empty_like(inputs[0])
    _piecewise(kernels.relu_backward, inputs[0], self.b, gx)
    return (gx,)


def leaky_relu_forward(self, inputs):
    """Replaces ``LeakyReLU.forward_cpu``."""
    if not kernels.takes(*inputs) or self.slope < 0:
        return _leaky_relu_forward(self, inputs)
    y = np.empty_like(inputs[0])
    _piecewise(kernels.leaky_relu, inputs[0], np.float32(self.slope), y)
    self.retain_outputs((0,))
    return (y,)


def leaky_relu_backward(self, inputs):
    """Replaces ``_LeakyReLUGrad.forward_cpu``."""
    if not kernels.takes(self.cond, *inputs):
        return _leaky_relu_backward(self, inputs)
    gx = np.empty_like(inputs[0])
    _piecewise(kernels.leaky_relu_backward, inputs[0], self.cond, np.float32(self.slope), gx)
    return (gx,)


def rmsprop_update(self, param):
    """Replaces ``RMSpropRule.update_core_cpu``."""
    hyper = self.hyperparam
    grad, data, ms = param.grad, param.data, self.state["ms"]
    if hyper.eps_inside_sqrt or not kernels.takes(grad, data, ms):
        return _rmsprop_update(self, param)
    rate, alpha, eps = (np.float32(value) for value in (hyper.lr, hyper.alpha, hyper.eps))
    _piecewise(kernels.rmsprop, grad, rate, alpha, eps, data, ms)
    return None


REPLACEMENTS = {
    (relu.ReLU, "forward_cpu"): relu_forward,
    (relu.ReLUGrad2, "forward_cpu"): relu_backward,
    (leaky_relu.LeakyReLU, "forward_cpu"): leaky_relu_forward,
    (leaky_relu._LeakyReLUGrad, "forward_cpu"): leaky_relu_backward,
    (rmsprop.RMSpropRule, "update_core_cpu"): rmsprop_update,
}
