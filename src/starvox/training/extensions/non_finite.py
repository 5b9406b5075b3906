"""A guard against silent divergence."""

import numbers
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from chainer.training import Extension, Trainer

from starvox.errors import UserError
from starvox.run.run import Run
from starvox.training.state import trained_arrays


class StopOnNonFinite(Extension):
    """Ends the training when a loss, a parameter, its optimizer's state or a running statistic is not finite.

    Chainer's own FailOnNonNumber looks at parameters alone. The losses are
    looked at in every iteration; the networks, which takes longer, when
    `look_closer` says so, and always before a snapshot is written, so that no
    snapshot holds such a value. Losses on a GPU, which would have to be waited
    for, are kept until then.

    Args:
        look_closer: trigger of the closer look.
    """

    priority = 400  # before anything writes or shows the iteration

    def __init__(self, look_closer: Callable[[Trainer], bool]):
        self._look_closer = look_closer
        self._kept: list[tuple[int, dict[str, Any]]] = []  # (iteration, losses) not looked at yet

    def __call__(self, trainer: Trainer) -> None:
        iteration, closer = trainer.updater.iteration, self._look_closer(trainer)
        self._kept.append((iteration, dict(trainer.observation)))
        if closer or are_on_host(trainer.observation):
            kept, self._kept = self._kept, []
            for at, losses in kept:
                values = list(losses.items())
                if closer and at == iteration:
                    values += trained_arrays(trainer.updater.get_all_optimizers())
                if bad := [key for key, value in values if not _is_finite(value)]:
                    raise UserError(_describe(at, bad, Run(trainer.out).snapshots()))


def are_on_host(observation: dict[str, Any]) -> bool:
    """Returns whether all values of an observation are numbers or NumPy's arrays: no GPU is waited for."""
    return all(isinstance(value, (numbers.Number, np.ndarray)) for value in observation.values())


def _describe(iteration: int, bad: list[str], snapshots: dict[int, Path]) -> str:
    last = "No snapshot was written yet"
    if snapshots:
        last = f"The last snapshot, {snapshots[max(snapshots)]}, is from before"
    return (
        f"iteration {iteration}: {', '.join(bad[:3])} {'is' if len(bad) == 1 else 'are'} not finite; "
        f"stopped. {last}; a smaller training.learning_rate may help."
    )


def _is_finite(value: Any) -> bool:
    # The sum is not finite if a term is not; a NumPy scalar has no large temporary.
    total = value.sum() if hasattr(value, "sum") else value
    return bool(abs(total) < float("inf"))
