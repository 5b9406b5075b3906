"""A training step that is recorded once and replayed, as long as a replay does what the step does."""

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import chainer
from numpy.typing import NDArray

from starvox.training.state import trained_arrays

Losses = dict[str, Any]  # arrays of shape ()

# Replays that are compared with the step: the first ones, and then every so many.
CHECKED, CHECK_EVERY = 3, 1000
# Of a step's change. The same kernels may round differently, and RMSprop makes a whole step of a
# gradient that is nothing but rounding.
TOLERANCE = 0.05


class RecordedStep:
    """Runs a step by replaying a recording of it.

    A step may read nothing but its arguments and the networks' and optimizers'
    arrays, must change those in place, and must not depend on the host. What it
    does on the host, counting the updates, is done here at every replay.

    The first call is the step itself, which makes the optimizers' arrays; the
    second one records it. The first `CHECKED` replays, and every
    `CHECK_EVERY`-th, are compared with the step from the same state. If they
    differ, or one fails, a line says so, and the step itself runs from then on.
    A checked call leaves what the step made, not the replay.

    Args:
        step: arrays -> losses.
        optimizers: all whose networks the step reads.
        name: of the optimizer that the step updates.
        recorder: ``record(function)`` returns a function that does, with the same
            arrays, what ``function`` did, and returns the same arrays.
    """

    def __init__(
        self,
        step: Callable[..., Losses],
        optimizers: dict[str, chainer.Optimizer],
        name: str,
        recorder: Any,
    ):
        self._step = step
        self._optimizers = optimizers
        self._name = name
        self._recorder = recorder
        self._calls = 0
        self._buffers: list[Any] = []  # what the recording reads
        self._replay: Callable[[], Losses] | None = None

    def __call__(self, *arrays: NDArray[Any]) -> Losses:
        self._calls += 1
        if self._calls == 1 or self._recorder is None:
            return self._step(*arrays)
        if self._replay is None or self._calls <= 1 + CHECKED or self._calls % CHECK_EVERY == 0:
            return self._run_checked(arrays)
        return self._run(arrays, self._replay)

    def _run(self, arrays: tuple[Any, ...], replay: Callable[[], Losses]) -> Losses:
        for buffer, array in zip(self._buffers, arrays, strict=True):
            buffer[...] = array
        counts = [(counter, counter.t) for counter in self._counters([self._name])]
        losses = replay()
        for counter, t in counts:
            counter.t = t + 1
        # the next replay writes to the same arrays
        return {key: value.copy() for key, value in losses.items()}

    def _run_checked(self, arrays: tuple[Any, ...]) -> Losses:
        before = self._save()
        after = None
        try:
            if self._replay is None:
                self._buffers = [array.copy() for array in arrays]
                self._replay = self._recorder.record(lambda: self._step(*self._buffers))
                self._restore(before)
            replayed = {key: float(value) for key, value in self._run(arrays, self._replay).items()}
            after = self._save()
        except Exception as error:
            self._give_up(f"failed ({error!r})")
        self._restore(before)
        losses = self._step(*arrays)
        if after and (different := self._compare(before, after, replayed, losses)):
            self._give_up(f"differs in {different}")
        return losses

    def _give_up(self, why: str) -> None:
        print(f"the replayed step of {self._name} {why}; it is not replayed any more", file=sys.stderr)
        self._recorder = self._replay = None
        self._buffers = []

    def _counters(self, names: Iterable[str]) -> Iterator[Any]:
        """Yields all that counts updates of the named optimizers."""
        for name in names:
            yield self._optimizers[name]
            yield from (param.update_rule for param in self._optimizers[name].target.params())

    def _save(self) -> tuple[list[Any], list[int]]:
        arrays = [array.copy() for _, array in trained_arrays(self._optimizers)]
        return arrays, [counter.t for counter in self._counters(self._optimizers)]

    def _restore(self, saved: tuple[list[Any], list[int]]) -> None:
        for (_, array), value in zip(trained_arrays(self._optimizers), saved[0], strict=True):
            array[...] = value
        for counter, t in zip(self._counters(self._optimizers), saved[1], strict=True):
            counter.t = t

    def _compare(self, before: Any, after: Any, replayed: dict[str, float], losses: Losses) -> str | None:
        """Returns the name of what the replay made different from the step, or None."""
        for key, value in losses.items():
            if not abs(replayed[key] - float(value)) <= 1e-5 + 1e-3 * abs(float(value)):
                return key
        for (name, expected), old, found in zip(
            trained_arrays(self._optimizers), before[0], after[0], strict=True
        ):
            allowed = TOLERANCE * _norm(expected - old) + 1e-6 * _norm(expected)
            if not _norm(found - expected) <= allowed:
                return name
        if after[1] != [counter.t for counter in self._counters(self._optimizers)]:
            return "the number of updates"
        return None


def _norm(array: Any) -> float:
    return float((array * array).sum()) ** 0.5
