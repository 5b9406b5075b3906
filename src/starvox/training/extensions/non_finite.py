"""A guard against silent divergence."""

from chainer.training import Extension

from starvox.errors import UserError


class StopOnNonFinite(Extension):
    """Ends the training when a loss, a parameter or a running statistic is not finite.

    Chainer's own FailOnNonNumber looks at parameters alone. The losses are
    looked at in every iteration; the networks, which takes longer, when
    `look_closer` says so, and always before a snapshot is written, so that no
    snapshot holds such a value.

    Args:
        look_closer (callable): trigger of the closer look.
    """

    priority = 400  # before anything writes or shows the iteration

    def __init__(self, look_closer):
        self._look_closer = look_closer

    def __call__(self, trainer):
        bad = [key for key, value in trainer.observation.items() if not _is_finite(value)]
        if self._look_closer(trainer):
            bad += self._look(trainer.updater)
        if bad:
            raise UserError(
                f"iteration {trainer.updater.iteration}: {', '.join(bad[:3])} "
                f"{'is' if len(bad) == 1 else 'are'} not finite; stopped. "
                "The snapshots in the results folder are from before; a smaller "
                "training.learning_rate may help."
            )

    @staticmethod
    def _look(updater):
        for name, optimizer in updater.get_all_optimizers().items():
            for path, parameter in optimizer.target.namedparams():
                if not _is_finite(parameter.array):
                    yield name + path
            for path, link in optimizer.target.namedlinks():
                for persistent in link._persistent:
                    if not _is_finite(getattr(link, persistent)):
                        yield f"{name}{path}/{persistent}"


def _is_finite(value):
    # The sum is not finite if a term is not; a NumPy scalar has no large temporary.
    total = value.sum() if hasattr(value, "sum") else value
    return bool(abs(total) < float("inf"))
