"""The discriminator D of the record's drawing "Discriminator のモデル"."""

from typing import Any

import chainer
import chainer.functions as F
import chainer.links as L
import numpy as np
from chainer import Initializer, Variable
from numpy.typing import NDArray


class Discriminator(chainer.Chain):
    """Tells real from converted spectrograms, and which labels they carry.

    The links are ``conv1..``, ``clazz`` and ``discriminate``, as drawn. All have
    a bias: D has no normalisation (its gradient penalty is taken sample by sample).

    Args:
        n_classes: size of the output labels, 1476 in the record.
        filters: of the first convolution; doubled at every layer.
        layers: convolutions that halve the bins.
        time_layers: the first so many of them halve the frames too.
        slope: of LeakyReLU below 0.
        class_kernel: side of the classification head's kernel.
        class_pad: its padding. With 0 the head sees the map whole; with
            more, its outputs are averaged over the map.
        initializer: of every convolution's weights.
    """

    def __init__(
        self,
        *,
        n_classes: int,
        filters: int,
        layers: int,
        time_layers: int,
        slope: float,
        class_kernel: int,
        class_pad: int,
        initializer: Initializer,
    ):
        super().__init__()
        self._slope = slope
        self._names = [f"conv{number}" for number in range(1, layers + 1)]
        n = 1
        with self.init_scope():
            for level, name in enumerate(self._names):
                n_in, n = n, filters * 2**level
                ksize, stride = (4, (2, 2)) if level < time_layers else ((4, 3), (2, 1))
                setattr(self, name, L.Convolution2D(n_in, n, ksize, stride, 1, initialW=initializer))
            self.clazz = L.Convolution2D(n, n_classes, class_kernel, 1, class_pad, initialW=initializer)
            self.discriminate = L.Convolution2D(n, 1, 3, 1, 1, initialW=initializer)

    def forward(self, x: NDArray[np.float32] | Variable) -> tuple[Variable, Variable, Variable]:
        """Judges a minibatch.

        Args:
            x (B, 1, bins, frames): float32, log magnitude in [0, 1].

        Returns:
            float32, of the record's size: feature (B, 1024, 4, 4), classification
            (B, 1476) before the sigmoid, and adversarial (B, 1, 4, 4), larger where x looks real.
        """
        h = self.extract(x)
        return h, self.classify(h), self.judge(h)

    def extract(self, x: NDArray[np.float32] | Variable) -> Variable:
        """Returns the feature of a minibatch: the map before the two heads."""
        h: Any = x  # (B, 1, 256, 256)
        for name in self._names:  # (B, 32, 128, 128), then twice the filters on half the map
            h = F.leaky_relu(self[name](h), slope=self._slope)
        return h  # (B, 1024, 4, 4)

    def classify(self, h: Variable) -> Variable:
        """Returns the classification of a feature, before the sigmoid."""
        return F.mean(self.clazz(h), axis=(2, 3))  # (B, 1476), of (B, 1476, 1, 1)

    def judge(self, h: Variable) -> Variable:
        """Returns the adversarial map of a feature."""
        return self.discriminate(h)  # (B, 1, 4, 4)
