"""Which labels the generator is tried with on a clip."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from starvox.corpus.labels import GROUPS

LabelTuple = tuple[str | None, ...]  # names in the order of GROUPS; None where not labelled


class LabelPlan(NamedTuple):
    """The labels to try on a clip.

    Attributes:
        own (LabelTuple): those that it has.
        targets (tuple of LabelTuple): the two voices that it is converted to.
        pairs (dict): what differs -> two LabelTuple. ``voice`` has the two targets;
            a group has two labels that differ in that group alone. What cannot
            differ, for want of names, is left out.
    """

    own: LabelTuple
    targets: tuple[LabelTuple, LabelTuple]
    pairs: dict[str, tuple[LabelTuple, LabelTuple]]

    def labels(self) -> list[LabelTuple]:
        """Returns all that is to be tried, each once."""
        return list(dict.fromkeys([self.own, *self.targets, *sum(self.pairs.values(), ())]))


def plan_labels(
    own: LabelTuple,
    voices: Sequence[LabelTuple],
    classes: Mapping[str, Sequence[str]],
    rng: np.random.Generator,
) -> LabelPlan:
    """Draws what to try on a clip.

    Args:
        own: the clip's labels, as far as the run knows them.
        voices: labels that occur together. Two are drawn of those that are not
            ``own``; where there are none, names are drawn group by group.
        classes: group -> names that the run knows.
        rng: the plan is a function of its state and the other arguments.
    """
    others = [voice for voice in voices if voice != own]
    if len(others) < 2:
        others = [tuple(_pick(classes[group] or [None], rng) for group in GROUPS) for _ in range(2)]
    one, other = rng.choice(len(others), 2, replace=False)
    targets = others[one], others[other]
    pairs = {"voice": targets} if targets[0] != targets[1] else {}
    for place, group in enumerate(GROUPS):
        if len(classes[group]) > 1:
            first = targets[0][place] or _pick(classes[group], rng)
            second = _pick([name for name in classes[group] if name != first], rng)
            pairs[group] = (_put(targets[0], place, first), _put(targets[0], place, second))
    return LabelPlan(own, targets, pairs)


def _pick(names: Sequence[Any], rng: np.random.Generator) -> Any:
    return names[int(rng.integers(len(names)))]


def _put(labels: LabelTuple, place: int, name: str) -> LabelTuple:
    return (*labels[:place], name, *labels[place + 1 :])
