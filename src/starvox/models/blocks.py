"""The building blocks of the generator: convolution, normalisation, ReLU."""

import chainer
import chainer.functions as F
import chainer.links as L


def make_norm(kind, channels, decay, eps):
    """Returns the normalisation link that follows a convolution.

    Args:
        kind (str): ``batch``, as drawn in the record, or ``instance``, the paper's.
        channels (int): of the map to normalise.
        decay (float): of batch normalisation's running statistics.
        eps (float): added to the variance.
    """
    if kind == "batch":
        return L.BatchNormalization(channels, decay=decay, eps=eps)
    return L.GroupNormalization(channels, channels, eps=eps)  # one channel a group


class ConvBlock(chainer.Chain):
    """Convolution (or transposed convolution), normalisation, ReLU.

    Args:
        conv (chainer.Link): maps ``(B, C, H, W)``, and whatever else it takes, to a map.
        norm (chainer.Link): keeps the shape.
    """

    def __init__(self, conv, norm):
        super().__init__()
        with self.init_scope():
            self.conv = conv
            self.norm = norm

    def forward(self, *inputs):
        return F.relu(self.norm(self.conv(*inputs)))


class ResBlock(chainer.Chain):
    """A residual block: its input plus one or two convolutions of it.

    With two, the paper's block: ``x + norm(conv(relu(norm(conv(x)))))``. With
    one: ``x + relu(norm(conv(x)))``.

    Args:
        make_conv (callable): returns a convolution that keeps the shape.
        make_norm (callable): returns its normalisation.
        convolutions (int): 1 or 2.
    """

    def __init__(self, make_conv, make_norm, convolutions):
        super().__init__()
        with self.init_scope():
            self.conv1 = make_conv()
            self.norm1 = make_norm()
            if convolutions == 2:
                self.conv2 = make_conv()
                self.norm2 = make_norm()
        self._convolutions = convolutions

    def forward(self, x):
        h = F.relu(self.norm1(self.conv1(x)))
        if self._convolutions == 2:
            h = self.norm2(self.conv2(h))
        return x + h
