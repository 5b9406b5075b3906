"""Batch normalisation in as few passes as it takes, the channels shared among threads."""

from typing import Any

import numpy as np
from chainer.functions.normalization.batch_normalization import GeneralBatchNormalizationImpl

from starvox.fast_cpu import kernels, workers
from starvox.fast_cpu.workers import share, split

_forward = GeneralBatchNormalizationImpl.forward
_backward = GeneralBatchNormalizationImpl.backward


def forward(self, axis, gamma, x, x_layout, xp, expander, beta, eps, decay, running_mean, running_var):
    """Replaces ``GeneralBatchNormalizationImpl.forward``."""
    if not _fits(axis, gamma, x):
        return _forward(
            self, axis, gamma, x, x_layout, xp, expander, beta, eps, decay, running_mean, running_var
        )
    y = np.empty_like(x)
    mean, var, inv_std = (np.empty_like(gamma) for _ in range(3))

    def one(first, last):
        kernels.normalize(_rows(x), first, last, gamma, beta, np.float32(eps), _rows(y), mean, var, inv_std)

    share(one, split(len(gamma), workers.count()), 2 * x.size)
    if running_mean is not None:
        cells = x.size // gamma.size
        running_mean *= decay
        running_mean += (1 - decay) * mean
        running_var *= decay
        running_var += (1 - decay) * (cells / max(cells - 1, 1)) * var
    return y, x_layout, running_mean, running_var, mean, var, inv_std, None


def backward(self, axis, gamma, gy, x, x_layout, xp, expander, mean, inv_std, eps, var, forward_data):
    """Replaces ``GeneralBatchNormalizationImpl.backward``."""
    if not _fits(axis, gamma, x) or not _fits(axis, gamma, gy):
        return _backward(
            self, axis, gamma, gy, x, x_layout, xp, expander, mean, inv_std, eps, var, forward_data
        )
    gx = np.empty_like(x)
    ggamma, gbeta = np.empty_like(gamma), np.empty_like(gamma)

    def one(first, last):
        kernels.normalize_backward(
            _rows(x), _rows(gy), first, last, gamma, mean, inv_std, _rows(gx), ggamma, gbeta
        )

    share(one, split(len(gamma), workers.count()), 2 * x.size)
    return gx, None, ggamma, gbeta


def _rows(x):
    """Returns x (B, C, H, W) as a view of shape (B, C, H * W)."""
    return x.reshape(*x.shape[:2], -1)


def _fits(axis, gamma, x):
    return x.ndim == 4 and x.size > 0 and axis == (0, 2, 3) and kernels.takes(gamma, x)


REPLACEMENTS: dict[tuple[type, str], Any] = {
    (GeneralBatchNormalizationImpl, "forward"): forward,
    (GeneralBatchNormalizationImpl, "backward"): backward,
}
