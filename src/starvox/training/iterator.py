"""The order in which clips are visited."""

import chainer
import numpy as np

from starvox.training.prefetch import Prefetch
from starvox.training.random import Stream, generator


class ClipIterator(chainer.dataset.Iterator):
    """Visits every clip once an epoch, in a new order each epoch, with a new crop.

    The visit at position p (counted from the start of the training) is a
    function of (seed, p) alone, and p of (iteration, step, slot): nothing but
    the position has to be saved. Of several processes, each takes its share of
    the same visits: the slots of all their minibatches follow each other.

    Args:
        dataset (CropDataset): has ``len()`` and ``draw(index, rng)``.
        batchsize (int): clips in a minibatch, in each process.
        seed (int): of the run.
        order (Stream): of the epochs' orders.
        crop (Stream): of the crops.
        rank (int): number of this process, from 0.
        size (int): how many there are.
        prepare (callable): makes a minibatch of a list of examples, in the
            thread that draws them ahead of time.
    """

    def __init__(self, dataset, batchsize, seed, order, crop, rank=0, size=1, prepare=list):
        self.batch_size = batchsize
        self._dataset = dataset
        self._seed = seed
        self._order_stream = order
        self._crop_stream = crop
        self._order = (None, None)  # the last epoch asked for, and its order
        self._prepare = prepare
        self._rank = rank
        self._stride = batchsize * size  # positions that a minibatch of all processes takes
        self._ahead = Prefetch(self._draw, self._stride)
        self.position = 0

    @classmethod
    def pair(cls, dataset, batchsize, seed, rank=0, size=1, prepare=list):
        """Returns the iterators of batches A (``main``) and B (``orig``), independent of each other."""
        return {
            "main": cls(dataset, batchsize, seed, Stream.ORDER_A, Stream.CROP_A, rank, size, prepare),
            "orig": cls(dataset, batchsize, seed, Stream.ORDER_B, Stream.CROP_B, rank, size, prepare),
        }

    def __next__(self):
        batch = self._ahead.take(self.position)
        self.position += self._stride
        return batch

    def finalize(self):
        self._ahead.close()

    @property
    def waited(self):
        """Seconds that the training has waited for minibatches."""
        return self._ahead.waited

    def _draw(self, position):
        first = position + self._rank * self.batch_size
        return self._prepare([self._visit(first + slot) for slot in range(self.batch_size)])

    def _visit(self, position):
        epoch, place = divmod(position, len(self._dataset))
        order = self._order  # the thread of an earlier position may be at its end still
        if order[0] != epoch:
            rng = generator(self._seed, self._order_stream, epoch)
            order = self._order = (epoch, rng.permutation(len(self._dataset)))
        rng = generator(self._seed, self._crop_stream, position)
        return self._dataset.draw(int(order[1][place]), rng)

    @property
    def epoch_detail(self):
        return self.position / len(self._dataset)

    @property
    def epoch(self):
        return self.position // len(self._dataset)

    @property
    def previous_epoch_detail(self):
        return max(0, self.position - self._stride) / len(self._dataset)

    @property
    def is_new_epoch(self):
        return self.epoch > int(self.previous_epoch_detail)

    def serialize(self, serializer):
        self.position = int(serializer("position", np.int64(self.position)))
