"""The discriminator."""

from torch import nn


class Discriminator(nn.Module):
    """Returns feature, classification (before the sigmoid) and adversarial of (B, 1, bins, frames).

    Args:
        config: the experiment's table ``discriminator``.
        n_classes: size of the output labels.
    """

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
