"""The order in which clips are visited."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import chainer
import numpy as np
from numpy.typing import NDArray

from starvox.corpus import CropDataset, Example
from starvox.errors import UserError
from starvox.training.randomness import Stream, rng_for

MAX_AHEAD = 4  # minibatches that are kept ready
TIMEOUT = 300.0  # s after which a minibatch is given up


class ClipIterator(chainer.dataset.Iterator):
    """Visits every clip once an epoch, in a new order each epoch, with a new crop.

    The visit at position p (counted from the start of the training) is a
    function of (seed, p) alone, and p of (iteration, step, slot): nothing but
    the position has to be saved, and a thread draws ahead: Chainer's MultithreadIterator
    draws from a random state. Of several processes, each takes its share of
    the same visits: the slots of all their minibatches follow each other.

    Args:
        dataset: the clips.
        batchsize: clips in a minibatch, in each process.
        seed: of the run.
        order: stream of the epochs' orders.
        crop: stream of the crops.
        rank: number of this process, from 0.
        size: how many there are.
        prepare: makes a minibatch of a list of examples, in the thread.

    Attributes:
        position (int): of the next minibatch.
    """

    def __init__(
        self,
        dataset: CropDataset,
        batchsize: int,
        seed: int,
        order: Stream,
        crop: Stream,
        rank: int = 0,
        size: int = 1,
        prepare: Callable[[list[Example]], Any] = list,
    ):
        self.batch_size = batchsize
        self._dataset = dataset
        self._seed = seed
        self._order_stream = order
        self._crop_stream = crop
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.array([]))  # the last epoch's, and which it is
        self._prepare = prepare
        self._rank = rank
        self._stride = batchsize * size  # positions that a minibatch of all processes takes
        self._thread = ThreadPoolExecutor(1, "clips")
        self._ahead: deque[Future] = deque()
        self._expected = self.position = 0

    @classmethod
    def pair(cls, dataset: CropDataset, batchsize: int, seed: int, **more: Any) -> dict[str, "ClipIterator"]:
        """Returns the iterators of batches A (``main``) and B (``orig``), independent of each other."""
        streams = {"main": (Stream.ORDER_A, Stream.CROP_A), "orig": (Stream.ORDER_B, Stream.CROP_B)}
        return {name: cls(dataset, batchsize, seed, *both, **more) for name, both in streams.items()}

    def __next__(self) -> Any:
        if self.position != self._expected:  # it was set by a snapshot
            self._ahead.clear()
        while len(self._ahead) <= MAX_AHEAD:
            position = self.position + len(self._ahead) * self._stride
            self._ahead.append(self._thread.submit(self._draw, position))
        try:
            batch = self._ahead.popleft().result(TIMEOUT)
        except TimeoutError:
            raise UserError(
                f"no clip could be read for {TIMEOUT:.0f} s; is the disk with the decoded clips "
                "still there? Resume when it is"
            ) from None
        self.position += self._stride
        self._expected = self.position
        return batch

    def finalize(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)  # Python waits for it at its end

    def _draw(self, position: int) -> Any:
        first = position + self._rank * self.batch_size
        return self._prepare([self._visit(first + slot) for slot in range(self.batch_size)])

    def _visit(self, position: int) -> Example:
        epoch, place = divmod(position, len(self._dataset))
        order = self._order  # the thread of an earlier position may be at its end still
        if order[0] != epoch:
            rng = rng_for(self._seed, self._order_stream, epoch)
            order = self._order = (epoch, rng.permutation(len(self._dataset)))
        rng = rng_for(self._seed, self._crop_stream, position)
        return self._dataset.draw(int(order[1][place]), rng)

    @property
    def epoch_detail(self) -> float:
        return self.position / len(self._dataset)

    @property
    def epoch(self) -> int:
        return self.position // len(self._dataset)

    def serialize(self, serializer: Callable[[str, Any], Any]) -> None:
        self.position = int(serializer("position", np.int64(self.position)))
