"""The two networks, the labels as maps."""

from collections import OrderedDict

import torch
from torch import nn


def conv_block(conv: nn.Module, norm: nn.Module) -> nn.Module:
    """Returns convolution, normalisation, ReLU."""
    return nn.Sequential(OrderedDict(conv=conv, norm=norm, relu=nn.ReLU(inplace=True)))


class ResBlock(nn.Sequential):
    """A residual block of one or two convolutions."""

    def forward(self, x):
        return x + super().forward(x)


class Generator(nn.Module):
    """Converts (B, 1, bins, frames) to the voice of the labels (B, n_labels)."""

    def __init__(self, config, n_labels: int):
        super().__init__()
        filters, wide = config.filters, config.filters * 2**config.depth

        def norm(channels=wide):
            if config.normalization == "batch":
                return nn.BatchNorm2d(channels, eps=config.bn_eps, momentum=1 - config.bn_decay)
            return nn.InstanceNorm2d(channels, eps=config.bn_eps, affine=True)

        def same(n_in, kernel):
            return nn.Conv2d(n_in, wide, kernel, padding=[k // 2 for k in kernel], bias=False)

        def block():
            layers = {
                "conv1": same(wide, config.block_kernel),
                "norm1": norm(),
                "relu": nn.ReLU(inplace=True),
            }
            if config.block_convolutions == 2:
                layers |= {"conv2": same(wide, config.block_kernel), "norm2": norm()}
            return ResBlock(OrderedDict(layers))

        down = [conv_block(nn.Conv2d(1, filters, 7, padding=3, bias=False), norm(filters))]
        up = [nn.ConvTranspose2d(filters, 1, 7, padding=3)]
        for level in range(config.depth):
            n = filters * 2**level
            down.append(conv_block(nn.Conv2d(n, 2 * n, 4, 2, 1, bias=False), norm(2 * n)))
            up.insert(0, conv_block(nn.ConvTranspose2d(2 * n, n, 4, 2, 1, bias=False), norm(n)))
        self.downsampling = nn.Sequential(*down)
        self.merge = conv_block(same(wide + n_labels, config.merge_kernel), norm())
        self.bottleneck = nn.Sequential(*(block() for _ in range(config.blocks)))
        self.upsampling = nn.Sequential(*up)

    def forward(self, x, c):
        h = self.downsampling(x)
        labels = c[:, :, None, None].expand(-1, -1, *h.shape[2:])
        h = self.merge(torch.cat([h, labels], dim=1))
        return torch.sigmoid(self.upsampling(self.bottleneck(h)))


class Discriminator(nn.Module):
    """Returns feature, classification (before the sigmoid) and adversarial of (B, 1, bins, frames)."""

    def __init__(self, config, n_classes: int):
        super().__init__()
        layers, n = [], 1
        for level in range(config.layers):
            n_in, n = n, config.filters * 2**level
            layers += [nn.Conv2d(n_in, n, 4, 2, 1), nn.LeakyReLU(config.slope, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.clazz = nn.Conv2d(n, n_classes, config.class_kernel, padding=config.class_pad)
        self.discriminate = nn.Conv2d(n, 1, 3, padding=1)

    def forward(self, x):
        h = self.layers(x)
        return h, self.clazz(h).mean((2, 3)), self.discriminate(h)
