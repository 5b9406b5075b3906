"""The convolution in which the labels enter the generator."""

import functools
from typing import Any

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer import Initializer, Variable
from numpy.typing import NDArray

from starvox.models.merge_weights import label_taps, map_weights


class LabelMerge(L.Convolution2D):
    """``conv(concat(h, repeat(c)))``, without ever building the repeated labels.

    A label's map is constant in space, so its part of the convolution is, at
    every cell, the sum of those taps of its filter that fall inside the map
    (zero padding cuts the others off at the border). That is one small matrix
    product a sample instead of a ``(B, labels, H, W)`` tensor: the same
    weights, the same result, half of G's arithmetic.

    Args:
        in_channels: channels of ``h``; the first input channels of ``W``.
        n_labels: size of ``c``; the last input channels of ``W``.
        out_channels: filters.
        ksize: odd kernel, (bins, frames); the map keeps its size.
        initialW: of ``W``, ``(out, in + n_labels, kh, kw)``.
    """

    def __init__(
        self,
        in_channels: int,
        n_labels: int,
        out_channels: int,
        ksize: tuple[int, int],
        initialW: Initializer,
    ):
        pad = tuple(k // 2 for k in ksize)
        super().__init__(in_channels + n_labels, out_channels, ksize, pad=pad, nobias=True, initialW=initialW)
        self._split = in_channels

    def convolve_map(self, h: Variable) -> Variable:
        """Returns the map's part, (B, out_channels, H, W), of ``h`` (B, in_channels, H, W).

        It is the same whatever labels follow in `forward`.
        """
        return F.convolution_2d(h, map_weights(self.W, self._split), pad=self.pad)

    def forward(  # type: ignore[override]  # the labels come beside the map
        self, map_part: Variable, c: NDArray[np.float32]
    ) -> Variable:
        """Adds the labels' part to the map's.

        Args:
            map_part (B, out_channels, H, W): float32, from `convolve_map`.
            c (B, n_labels): float32, input labels in {0, 1}.

        Returns:
            (B, out_channels, H, W), float32.
        """
        taps = label_taps(self.W, self._split, c)  # (B, out, kh, kw)
        size, ksize = map_part.shape[2:], taps.shape[2:]
        rows, columns = (_tap_inside(n, k, self.device.name) for n, k in zip(size, ksize, strict=True))
        inside = rows[:, None, :, None] * columns[:, None]  # (kh, kw, H, W)
        taps = F.reshape(taps, (-1, ksize[0] * ksize[1]))
        label_part = F.matmul(taps, inside.reshape(taps.shape[1], -1))  # (B * out, H * W)
        return map_part + F.reshape(label_part, map_part.shape)


@functools.cache  # for good: a CUDA graph goes on reading them
def _tap_inside(n: int, k: int, device: str) -> Any:
    """Returns (k, n), float32: 1 where a tap, at a cell of an axis, falls inside the axis."""
    reached = np.arange(n) + np.arange(k)[:, None] - k // 2
    return chainer.get_device(device).send(((reached >= 0) & (reached < n)).astype(np.float32))
