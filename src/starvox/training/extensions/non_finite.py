"""A guard against silent divergence."""

from chainer.training import Extension

from starvox.errors import UserError
from starvox.run.run import Run
from starvox.training.extensions.on_host import are_on_host


class StopOnNonFinite(Extension):
    """Ends the training when a loss, a parameter, its optimizer's state or a running statistic is not finite.

    Chainer's own FailOnNonNumber looks at parameters alone. The losses are
    looked at in every iteration; the networks, which takes longer, when
    `look_closer` says so, and always before a snapshot is written, so that no
    snapshot holds such a value. Losses on a GPU, which would have to be waited
    for, are kept until then.

    Args:
        look_closer (callable): trigger of the closer look.
    """

    priority = 400  # before anything writes or shows the iteration

    def __init__(self, look_closer):
        self._look_closer = look_closer
        self._kept = []  # (iteration, losses) not looked at yet

    def __call__(self, trainer):
        iteration, closer = trainer.updater.iteration, self._look_closer(trainer)
        self._kept.append((iteration, dict(trainer.observation)))
        if closer or are_on_host(trainer.observation):
            kept, self._kept = self._kept, []
            for at, losses in kept:
                bad = [key for key, value in losses.items() if not _is_finite(value)]
                if closer and at == iteration:
                    bad += self._look(trainer.updater)
                if bad:
                    raise UserError(_describe(at, bad, trainer.out))

    @staticmethod
    def _look(updater):
        for name, optimizer in updater.get_all_optimizers().items():
            for path, parameter in optimizer.target.namedparams():
                if not _is_finite(parameter.array):
                    yield name + path
                for key, value in (parameter.update_rule.state or {}).items():
                    if not _is_finite(value):
                        yield f"{name}{path}/{key}"
            for path, link in optimizer.target.namedlinks():
                for persistent in link._persistent:
                    if not _is_finite(getattr(link, persistent)):
                        yield f"{name}{path}/{persistent}"


def _describe(iteration, bad, out):
    return (
        f"iteration {iteration}: {', '.join(bad[:3])} {'is' if len(bad) == 1 else 'are'} not finite; "
        f"stopped. {_describe_last(out)}; a smaller training.learning_rate may help."
    )


def _describe_last(out):
    found = Run(out).snapshots()
    if not found:
        return "No snapshot was written yet"
    return f"The last snapshot, {found[max(found)]}, is from before"


def _is_finite(value):
    # The sum is not finite if a term is not; a NumPy scalar has no large temporary.
    total = value.sum() if hasattr(value, "sum") else value
    return bool(abs(total) < float("inf"))
