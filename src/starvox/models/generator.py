"""The generator G of the record's drawing "Generator のモデル"."""

from functools import partial

import chainer
import chainer.functions as F
import chainer.links as L

from starvox.models.blocks import (
    ConditionalMergeBlock,
    ConditionalNorm,
    ConvBlock,
    MergeBlock,
    ResBlock,
    make_norm,
)
from starvox.models.label_merge import LabelMerge


class Generator(chainer.Chain):
    """Converts a spectrogram to the voice that the labels name.

    The links carry the names of the drawing: ``downsamp1..``, ``merge``,
    ``bottleneck1..``, ``upsamp1..``. A convolution before a normalisation has
    no bias, which the normalisation would remove; the last one has one.

    Args:
        n_labels (int): size of the input labels, 1479 in the record.
        labels (str): where they enter: ``merge``, as maps before the bottleneck, as drawn; or
            ``conditional``, after every normalisation from there on (see `ConditionalNorm`).
        filters (int): of the first convolution; doubled at every halving.
        depth (int): halvings of the map before the merge, doublings after.
        blocks (int): residual blocks of the bottleneck.
        block_convolutions (int): convolutions in a residual block, 1 or 2.
        merge_kernel (tuple of int): (bins, frames), odd.
        block_kernel (tuple of int): (bins, frames), odd.
        normalization (str): ``batch`` or ``instance``.
        bn_decay (float): of the running statistics.
        bn_eps (float): added to the variance.
        initializer (initializer): of every convolution's weights.
    """

    def __init__(
        self,
        *,
        n_labels,
        labels,
        filters,
        depth,
        blocks,
        block_convolutions,
        merge_kernel,
        block_kernel,
        normalization,
        bn_decay,
        bn_eps,
        initializer,
    ):
        super().__init__()
        norm = partial(make_norm, normalization, decay=bn_decay, eps=bn_eps)
        self._conditional = labels == "conditional"

        def label_norm(channels):
            plain = norm(channels)
            return ConditionalNorm(plain, n_labels, channels, initializer) if self._conditional else plain

        conv = partial(L.Convolution2D, nobias=True, initialW=initializer)
        deconv = partial(L.Deconvolution2D, nobias=True, initialW=initializer)
        wide = filters * 2**depth
        same = tuple(k // 2 for k in block_kernel)

        downsampling = [ConvBlock(conv(1, filters, 7, 1, 3), norm(filters))]
        upsampling = []
        for level in range(depth):
            n = filters * 2**level
            downsampling.append(ConvBlock(conv(n, 2 * n, 4, 2, 1), norm(2 * n)))
            upsampling.insert(0, ConvBlock(deconv(2 * n, n, 4, 2, 1), label_norm(n)))
        upsampling.append(L.Deconvolution2D(filters, 1, 7, 1, 3, initialW=initializer))
        bottleneck = [
            ResBlock(
                partial(conv, wide, wide, block_kernel, 1, same),
                partial(label_norm, wide),
                block_convolutions,
            )
            for _ in range(blocks)
        ]
        if self._conditional:
            plain = conv(wide, wide, merge_kernel, 1, tuple(k // 2 for k in merge_kernel))
            merge = ConditionalMergeBlock(plain, label_norm(wide))
        else:
            merge = MergeBlock(LabelMerge(wide, n_labels, wide, merge_kernel, initializer), norm(wide))
        with self.init_scope():
            self._downsampling = self._name("downsamp", downsampling)
            self.merge = merge
            self._bottleneck = self._name("bottleneck", bottleneck)
            self._upsampling = self._name("upsamp", upsampling)

    def _name(self, stem, links):
        names = [f"{stem}{number}" for number in range(1, len(links) + 1)]
        for name, link in zip(names, links, strict=True):
            setattr(self, name, link)
        return names

    def forward(self, x, c):
        """Converts a minibatch.

        Args:
            x (ndarray or Variable of shape (B, 1, bins, frames), float32): log
                magnitude in [0, 1]. Any size that is a multiple of 2^depth.
            c (ndarray of shape (B, n_labels), float32): input labels in {0, 1}.

        Returns:
            Variable of shape (B, 1, bins, frames), float32: log magnitude in (0, 1).
        """
        return self.decode(self.encode(x), c)

    @property
    def downsampling(self):
        """The links of `encode` with a normalisation, in their order."""
        return [self[name] for name in self._downsampling]

    def encode(self, x):
        """Returns what `decode` starts from: the part of G that sees no labels.

        That is the downsampling and the map's part of the merge's convolution.

        Args:
            x: as for `forward`.

        Returns:
            Variable of shape (B, filters * 2^depth, bins / 2^depth, frames / 2^depth).
        """
        return self.merge.encode(self._through(self._downsampling, x))  # (B, 128, 64, 64) in the record

    def decode(self, h, c):
        """Returns `forward`'s output for ``h = encode(x)``."""
        labels = (c,) if self._conditional else ()
        h = self.merge(h, c)
        h = self._through(self._bottleneck, h, *labels)
        *inner, last = self._upsampling
        h = self._through(inner, h, *labels)
        return F.sigmoid(self[last](h))  # (B, 1, 256, 256)

    def _through(self, names, h, *labels):
        for name in names:
            h = self[name](h, *labels)
        return h
