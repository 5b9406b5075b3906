"""Running statistics of a forward pass that stands for two."""

from collections.abc import Iterable

import chainer
import chainer.links as L
import numpy as np
from numpy.typing import NDArray


class RepeatedStatistics:
    """Counts one forward pass twice in the running statistics of batch normalisation.

    Two passes over one minibatch move them twice by the same rule,
    ``running = decay * running + (1 - decay) * statistic``. Where one pass does
    for both, what the first added is known from before and after, and is added
    again when the second would have come. Without batch normalisation nothing
    happens.

    Used as a context around the pass; then `repeat` is called.

    Args:
        links: what the pass goes through, in training mode.
    """

    def __init__(self, links: Iterable[chainer.Link]):
        children = [child for link in links for child in link.links()]
        self._links = [child for child in children if isinstance(child, L.BatchNormalization)]

    def __enter__(self) -> "RepeatedStatistics":
        self._before = [array.copy() for array in self._running()]
        return self

    def __exit__(self, *exc_info: object) -> None:
        moved = zip(self._running(), self._before, self._decays(), strict=True)
        self._added = [after - decay * before for after, before, decay in moved]

    def repeat(self) -> None:
        """Moves the statistics as the pass did."""
        for running, decay, added in zip(self._running(), self._decays(), self._added, strict=True):
            running *= decay
            running += added

    def _running(self) -> list[NDArray[np.float32]]:
        return [array for link in self._links for array in (link.avg_mean, link.avg_var)]

    def _decays(self) -> list[float]:
        return [link.decay for link in self._links for _ in range(2)]
