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


class ConditionalNorm(chainer.Chain):
    """A normalisation, then a scale and a shift of each channel that the labels choose.

    ``norm(h) * (1 + scale c) + shift c``: what a label says comes after what a
    normalisation would take away. Dumoulin et al. 2017 (a learned representation
    for artistic style); in voice conversion, StarGAN-VC2 (Kaneko et al. 2019).

    Args:
        norm (chainer.Link): keeps the shape.
        n_labels (int): size of the input labels.
        channels (int): of the map to normalise.
        initializer (initializer): of the two matrices, (channels, n_labels).
    """

    def __init__(self, norm, n_labels, channels, initializer):
        super().__init__()
        with self.init_scope():
            self.norm = norm
            self.scale = L.Linear(n_labels, channels, nobias=True, initialW=initializer)
            self.shift = L.Linear(n_labels, channels, nobias=True, initialW=initializer)

    def forward(self, h, c):
        scale, shift = (F.expand_dims(F.expand_dims(link(c), 2), 3) for link in (self.scale, self.shift))
        h = self.norm(h)  # (B, C, H, W); scale and shift are (B, C, 1, 1)
        return h * F.broadcast_to(1 + scale, h.shape) + F.broadcast_to(shift, h.shape)


class ConvBlock(chainer.Chain):
    """Convolution (or transposed convolution), normalisation, ReLU.

    Args:
        conv (chainer.Link): keeps the batch axis.
        norm (chainer.Link): keeps the shape.
    """

    def __init__(self, conv, norm):
        super().__init__()
        with self.init_scope():
            self.conv = conv
            self.norm = norm

    def forward(self, x, *c):
        """Takes the input labels c (B, n_labels) where the normalisation does."""
        return F.relu(self.norm(self.conv(x), *c))


class MergeBlock(ConvBlock):
    """The block in which the labels enter, as drawn: a `LabelMerge`, normalisation, ReLU."""

    def encode(self, h):
        """Returns the part that no label has a share in."""
        return self.conv.convolve_map(h)

    def forward(self, map_part, c):
        """Returns the block's output for ``map_part = encode(h)`` and input labels c (B, n_labels)."""
        return F.relu(self.norm(self.conv(map_part, c)))


class ConditionalMergeBlock(ConvBlock):
    """The same place where the labels act after the normalisation, a `ConditionalNorm`."""

    def encode(self, h):
        """Returns the part that no label has a share in."""
        return self.conv(h)

    def forward(self, map_part, c):
        """Returns the block's output for ``map_part = encode(h)`` and input labels c (B, n_labels)."""
        return F.relu(self.norm(map_part, c))


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

    def forward(self, x, *c):
        """Takes the input labels c (B, n_labels) where the normalisations do."""
        h = F.relu(self.norm1(self.conv1(x), *c))
        if self._convolutions == 2:
            h = self.norm2(self.conv2(h), *c)
        return x + h
