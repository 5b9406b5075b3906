"""The two networks; plain keyword arguments, nothing of the package but Chainer."""

from starvox.models.discriminator import Discriminator
from starvox.models.generator import Generator

__all__ = ["Discriminator", "Generator"]
