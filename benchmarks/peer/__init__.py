"""The same networks and training step in PyTorch, written the usual way.

It is what starvox is measured against, so it is plain and decent: labels tiled
to maps and concatenated, one forward a use, nothing shared and nothing fused;
but no graph where no gradient is needed either. It imports nothing of starvox.
"""

from benchmarks.peer.discriminator import Discriminator
from benchmarks.peer.generator import Generator
from benchmarks.peer.trainer import Trainer
from benchmarks.peer.weights import from_chainer

__all__ = ["Discriminator", "Generator", "Trainer", "from_chainer"]
