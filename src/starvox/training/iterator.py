"""The order in which clips are visited."""

import chainer
import numpy as np

from starvox.training.random import Stream, generator


class ClipIterator(chainer.dataset.Iterator):
    """Visits every clip once an epoch, in a new order each epoch, with a new crop.

    The visit at position p (counted from the start of the training) is a
    function of (seed, p) alone, and p of (iteration, step, slot): nothing but
    the position has to be saved.

    Args:
        dataset (CropDataset): has ``len()`` and ``draw(index, rng)``.
        batchsize (int): clips in a minibatch.
        seed (int): of the run.
        order (Stream): of the epochs' orders.
        crop (Stream): of the crops.
    """

    def __init__(self, dataset, batchsize, seed, order, crop):
        self.batch_size = batchsize
        self._dataset = dataset
        self._seed = seed
        self._order_stream = order
        self._crop_stream = crop
        self._order = (None, None)  # the last epoch asked for, and its order
        self.position = 0

    @classmethod
    def pair(cls, dataset, batchsize, seed):
        """Returns the iterators of batches A (``main``) and B (``orig``), independent of each other."""
        return {
            "main": cls(dataset, batchsize, seed, Stream.ORDER_A, Stream.CROP_A),
            "orig": cls(dataset, batchsize, seed, Stream.ORDER_B, Stream.CROP_B),
        }

    def __next__(self):
        batch = [self._visit(self.position + slot) for slot in range(self.batch_size)]
        self.position += self.batch_size
        return batch

    def _visit(self, position):
        epoch, place = divmod(position, len(self._dataset))
        if self._order[0] != epoch:
            rng = generator(self._seed, self._order_stream, epoch)
            self._order = (epoch, rng.permutation(len(self._dataset)))
        rng = generator(self._seed, self._crop_stream, position)
        return self._dataset.draw(int(self._order[1][place]), rng)

    @property
    def epoch_detail(self):
        return self.position / len(self._dataset)

    @property
    def epoch(self):
        return self.position // len(self._dataset)

    @property
    def previous_epoch_detail(self):
        return max(0, self.position - self.batch_size) / len(self._dataset)

    @property
    def is_new_epoch(self):
        return self.epoch > int(self.previous_epoch_detail)

    def serialize(self, serializer):
        self.position = int(serializer("position", np.int64(self.position)))
