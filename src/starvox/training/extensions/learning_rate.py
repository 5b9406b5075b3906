"""The learning rate of each epoch."""

from chainer.training import Extension, Trainer

from starvox.config import Training


class LearningRate(Extension):
    """Sets both optimizers' learning rate: the table's, times its factor once every so many epochs.

    Chainer's ExponentialShift counts its own firings and keeps the rate as a state; this is a
    function of the iteration alone, so that a resumed run cannot differ from one never stopped.

    Args:
        table: the experiment's table ``training``.
    """

    def __init__(self, table: Training):
        self._name = {"rmsprop": "lr", "adam": "alpha"}[table.optimizer]
        self._table = table

    def initialize(self, trainer: Trainer) -> None:
        self(trainer)

    def __call__(self, trainer: Trainer) -> None:
        falls = trainer.updater.epoch // self._table.learning_rate_epochs
        rate = self._table.learning_rate * self._table.learning_rate_factor**falls
        for optimizer in trainer.updater.get_all_optimizers().values():
            setattr(optimizer, self._name, rate)
