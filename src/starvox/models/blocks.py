"""The building blocks of the generator: convolution, normalisation, ReLU."""

from collections.abc import Callable

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer import Initializer, Link, Variable
from numpy.typing import NDArray

from starvox.models.label_merge import LabelMerge

Array = NDArray[np.float32]


class ConditionalNorm(chainer.Chain):
    """A normalisation, then a scale and a shift of each channel that the labels choose.

    ``norm(h) * (1 + scale c) + shift c``: what a label says comes after what a
    normalisation would take away. Dumoulin et al. 2017 (a learned representation
    for artistic style); in voice conversion, StarGAN-VC2 (Kaneko et al. 2019).

    Args:
        norm: keeps the shape.
        n_labels: size of the input labels.
        channels: of the map to normalise.
        initializer: of the two matrices, (channels, n_labels).
    """

    def __init__(self, norm: Link, n_labels: int, channels: int, initializer: Initializer):
        super().__init__()
        with self.init_scope():
            self.norm = norm
            self.scale = L.Linear(n_labels, channels, nobias=True, initialW=initializer)
            self.shift = L.Linear(n_labels, channels, nobias=True, initialW=initializer)

    def forward(self, h: Variable, c: Array) -> Variable:
        """Normalises h (B, channels, H, W) as the input labels c (B, n_labels) choose."""
        scale, shift = (F.reshape(link(c), (*h.shape[:2], 1, 1)) for link in (self.scale, self.shift))
        h = self.norm(h)  # (B, channels, H, W); scale and shift are (B, channels, 1, 1)
        return h * F.broadcast_to(1 + scale, h.shape) + F.broadcast_to(shift, h.shape)


class ConvBlock(chainer.Chain):
    """Convolution (or transposed convolution), normalisation, ReLU.

    Args:
        conv: keeps the batch axis.
        norm: keeps the shape.
    """

    def __init__(self, conv: Link, norm: Link):
        super().__init__()
        with self.init_scope():
            self.conv = conv
            self.norm = norm

    def forward(self, x: Array | Variable, *c: Array) -> Variable:
        """Takes the input labels c (B, n_labels) where the normalisation does."""
        return F.relu(self.norm(self.conv(x), *c))


class MergeBlock(ConvBlock):
    """The block in which the labels enter: by a `LabelMerge`, as drawn, or by a `ConditionalNorm`."""

    def encode(self, h: Variable) -> Variable:
        """Returns the part that no label has a share in."""
        return self.conv.convolve_map(h) if isinstance(self.conv, LabelMerge) else self.conv(h)

    def forward(self, map_part: Variable, c: Array) -> Variable:  # type: ignore[override]  # it needs c
        """Returns the block's output for ``map_part = encode(h)`` and input labels c (B, n_labels)."""
        if isinstance(self.conv, LabelMerge):
            return F.relu(self.norm(self.conv(map_part, c)))
        return F.relu(self.norm(map_part, c))


class ResBlock(chainer.Chain):
    """A residual block: its input plus one or two convolutions of it.

    With two, the paper's block: ``x + norm(conv(relu(norm(conv(x)))))``. With
    one: ``x + relu(norm(conv(x)))``.

    Args:
        make_conv: returns a convolution that keeps the shape.
        make_norm: returns its normalisation.
        convolutions: 1 or 2.
    """

    def __init__(self, make_conv: Callable[[], Link], make_norm: Callable[[], Link], convolutions: int):
        super().__init__()
        with self.init_scope():
            self.conv1 = make_conv()
            self.norm1 = make_norm()
            if convolutions == 2:
                self.conv2 = make_conv()
                self.norm2 = make_norm()
        self._convolutions = convolutions

    def forward(self, x: Variable, *c: Array) -> Variable:
        """Takes the input labels c (B, n_labels) where the normalisations do."""
        h = F.relu(self.norm1(self.conv1(x), *c))  # of x's shape, as all that follows
        if self._convolutions == 2:
            h = self.norm2(self.conv2(h), *c)
        return x + h
