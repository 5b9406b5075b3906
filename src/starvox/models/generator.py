"""The generator G of the record's drawing "Generator のモデル"."""

from functools import partial
from typing import Any

import chainer
import chainer.functions as F
import chainer.links as L
from chainer import Initializer, Link, Variable

from starvox.models.blocks import Array, ConditionalNorm, ConvBlock, MergeBlock, ResBlock
from starvox.models.label_merge import LabelMerge


class Generator(chainer.Chain):
    """Converts a spectrogram to the voice that the labels name.

    The links carry the names of the drawing: ``downsamp1..``, ``merge``,
    ``bottleneck1..``, ``upsamp1..``. A convolution before a normalisation has
    no bias, which the normalisation would remove; the last one has one.

    Args:
        n_labels: size of the input labels, 1479 in the record.
        labels: where they enter: ``merge``, as maps before the bottleneck, as drawn; or
            ``conditional``, after every normalisation from there on (see `ConditionalNorm`).
        filters: of the first convolution; doubled at every halving.
        depth: halvings of the map before the merge, doublings after.
        blocks: residual blocks of the bottleneck.
        block_convolutions: convolutions in a residual block, 1 or 2.
        merge_kernel: (bins, frames), odd.
        block_kernel: (bins, frames), odd.
        normalization: ``batch`` or ``instance``.
        bn_decay: of the running statistics.
        bn_eps: added to the variance.
        initializer: of every convolution's weights.
    """

    def __init__(
        self,
        *,
        n_labels: int,
        labels: str,
        filters: int,
        depth: int,
        blocks: int,
        block_convolutions: int,
        merge_kernel: tuple[int, int],
        block_kernel: tuple[int, int],
        normalization: str,
        bn_decay: float,
        bn_eps: float,
        initializer: Initializer,
    ):
        super().__init__()
        self._conditional = labels == "conditional"

        def norm(channels: int) -> Link:
            if normalization == "batch":
                return L.BatchNormalization(channels, decay=bn_decay, eps=bn_eps)
            return L.GroupNormalization(channels, channels, eps=bn_eps)  # one channel a group

        def label_norm(channels: int) -> Link:
            plain = norm(channels)
            return ConditionalNorm(plain, n_labels, channels, initializer) if self._conditional else plain

        conv = partial(L.Convolution2D, nobias=True, initialW=initializer)
        deconv = partial(L.Deconvolution2D, nobias=True, initialW=initializer)
        wide = filters * 2**depth
        same = tuple(k // 2 for k in block_kernel)

        # what each hands on, in the record: (32, 256, 256)
        downsampling: list[Link] = [ConvBlock(conv(1, filters, 7, 1, 3), norm(filters))]
        upsampling: list[Link] = []
        for level in range(depth):
            n = filters * 2**level
            # (64, 128, 128), then (128, 64, 64); and back
            downsampling.append(ConvBlock(conv(n, 2 * n, 4, 2, 1), norm(2 * n)))
            upsampling.insert(0, ConvBlock(deconv(2 * n, n, 4, 2, 1), label_norm(n)))
        upsampling.append(L.Deconvolution2D(filters, 1, 7, 1, 3, initialW=initializer))  # (1, 256, 256)
        keep = partial(conv, wide, wide, block_kernel, 1, same)  # (128, 64, 64)
        bottleneck: list[Link] = [
            ResBlock(keep, partial(label_norm, wide), block_convolutions) for _ in range(blocks)
        ]
        if self._conditional:
            convolution = conv(wide, wide, merge_kernel, 1, tuple(k // 2 for k in merge_kernel))
        else:
            convolution = LabelMerge(wide, n_labels, wide, merge_kernel, initializer)
        with self.init_scope():
            self._downsampling = self._name("downsamp", downsampling)
            self.merge = MergeBlock(convolution, label_norm(wide))  # (128, 64, 64)
            self._bottleneck = self._name("bottleneck", bottleneck)
            self._upsampling = self._name("upsamp", upsampling)

    def _name(self, stem: str, links: list[Link]) -> list[str]:
        names = [f"{stem}{number}" for number in range(1, len(links) + 1)]
        for name, link in zip(names, links, strict=True):
            setattr(self, name, link)
        return names

    def forward(self, x: Array | Variable, c: Array) -> Variable:
        """Converts a minibatch.

        Args:
            x (B, 1, bins, frames): float32, log magnitude in [0, 1]. Any size that is a multiple of 2^depth.
            c (B, n_labels): float32, input labels in {0, 1}.

        Returns:
            (B, 1, bins, frames), float32: log magnitude in (0, 1).
        """
        return self.decode(self.encode(x), c)

    @property
    def downsampling(self) -> list[Link]:
        """The links of `encode` with a normalisation, in their order."""
        return [self[name] for name in self._downsampling]

    def encode(self, x: Array | Variable) -> Variable:
        """Returns what `decode` starts from: the part of G that sees no labels.

        That is the downsampling and the map's part of the merge's convolution, a map of
        shape (B, filters * 2^depth, bins / 2^depth, frames / 2^depth).
        """
        h = self._through(self._downsampling, x)  # (B, 128, 64, 64) in the record
        return self.merge.encode(h)  # of the same shape

    def decode(self, h: Variable, c: Array) -> Variable:
        """Returns `forward`'s output for ``h = encode(x)``."""
        labels = (c,) if self._conditional else ()
        h = self.merge(h, c)  # (B, 128, 64, 64)
        h = self._through(self._bottleneck, h, *labels)  # of the same shape
        *inner, last = self._upsampling
        h = self._through(inner, h, *labels)  # (B, 32, 256, 256)
        return F.sigmoid(self[last](h))  # (B, 1, 256, 256)

    def _through(self, names: list[str], h: Any, *labels: Array) -> Variable:
        for name in names:
            h = self[name](h, *labels)
        return h
