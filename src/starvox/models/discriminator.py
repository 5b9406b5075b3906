"""The discriminator D of the record's drawing "Discriminator のモデル"."""

import chainer
import chainer.functions as F
import chainer.links as L


class Discriminator(chainer.Chain):
    """Tells real from converted spectrograms, and which labels they carry.

    The links are ``conv1..``, ``clazz`` and ``discriminate``, as drawn. All have
    a bias: D has no normalisation (its gradient penalty is taken sample by sample).

    Args:
        n_classes (int): size of the output labels, 1476 in the record.
        filters (int): of the first convolution; doubled at every layer.
        layers (int): convolutions that halve the bins.
        time_layers (int): the first so many of them halve the frames too.
        slope (float): of LeakyReLU below 0.
        class_kernel (int): side of the classification head's kernel.
        class_pad (int): its padding. With 0 the head sees the map whole; with
            more, its outputs are averaged over the map.
        initializer (initializer): of every convolution's weights.
    """

    def __init__(
        self, *, n_classes, filters, layers, time_layers, slope, class_kernel, class_pad, initializer
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

    def forward(self, x):
        """Judges a minibatch.

        Args:
            x (ndarray or Variable of shape (B, 1, bins, frames), float32): log
                magnitude in [0, 1].

        Returns:
            tuple of Variable, float32, for the record's size: feature
            (B, 1024, 4, 4), classification (B, 1476) before the sigmoid, and
            adversarial (B, 1, 4, 4), larger where x looks real.
        """
        h = self.extract(x)
        return h, self.classify(h), self.judge(h)

    def extract(self, x):
        """Returns the feature of a minibatch: the map before the two heads."""
        h = x
        for name in self._names:
            h = F.leaky_relu(self[name](h), slope=self._slope)
        return h

    def classify(self, h):
        """Returns the classification of a feature, before the sigmoid."""
        return F.mean(self.clazz(h), axis=(2, 3))

    def judge(self, h):
        """Returns the adversarial map of a feature."""
        return self.discriminate(h)
