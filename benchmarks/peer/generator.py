"""The generator, with the labels as maps."""

import torch
from torch import nn


class ConvBlock(nn.Module):
    """Convolution, normalisation, ReLU."""

    def __init__(self, conv: nn.Module, norm: nn.Module):
        super().__init__()
        self.conv = conv
        self.norm = norm
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.norm(self.conv(x)))


class ResBlock(nn.Module):
    """A residual block of one or two convolutions."""

    def __init__(self, make_conv, make_norm, convolutions: int):
        super().__init__()
        self.conv1 = make_conv()
        self.norm1 = make_norm()
        self.relu = nn.ReLU(inplace=True)
        self.two = convolutions == 2
        if self.two:
            self.conv2 = make_conv()
            self.norm2 = make_norm()

    def forward(self, x):
        h = self.relu(self.norm1(self.conv1(x)))
        if self.two:
            h = self.norm2(self.conv2(h))
        return x + h


class Generator(nn.Module):
    """Converts (B, 1, bins, frames) to the voice of the labels (B, n_labels).

    Args:
        config: the experiment's table ``generator``.
        n_labels: size of the input labels.
    """

    def __init__(self, config, n_labels: int):
        super().__init__()
        filters, wide = config.filters, config.filters * 2**config.depth

        def norm(channels):
            if config.normalization == "batch":
                return nn.BatchNorm2d(channels, eps=config.bn_eps, momentum=1 - config.bn_decay)
            return nn.InstanceNorm2d(channels, eps=config.bn_eps, affine=True)

        def same(n_in, kernel):
            pad = tuple(k // 2 for k in kernel)
            return nn.Conv2d(n_in, wide, tuple(kernel), padding=pad, bias=False)

        down = [ConvBlock(nn.Conv2d(1, filters, 7, padding=3, bias=False), norm(filters))]
        up = []
        for level in range(config.depth):
            n = filters * 2**level
            down.append(ConvBlock(nn.Conv2d(n, 2 * n, 4, 2, 1, bias=False), norm(2 * n)))
            up.insert(0, ConvBlock(nn.ConvTranspose2d(2 * n, n, 4, 2, 1, bias=False), norm(n)))
        up.append(nn.ConvTranspose2d(filters, 1, 7, padding=3))
        blocks = [
            ResBlock(lambda: same(wide, config.block_kernel), lambda: norm(wide), config.block_convolutions)
            for _ in range(config.blocks)
        ]
        self.downsampling = nn.Sequential(*down)
        self.merge = ConvBlock(same(wide + n_labels, config.merge_kernel), norm(wide))
        self.bottleneck = nn.Sequential(*blocks)
        self.upsampling = nn.Sequential(*up)

    def forward(self, x, c):
        h = self.downsampling(x)
        labels = c[:, :, None, None].expand(-1, -1, *h.shape[2:])
        h = self.merge(torch.cat([h, labels], dim=1))
        return torch.sigmoid(self.upsampling(self.bottleneck(h)))
