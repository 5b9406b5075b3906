"""How often the discriminator names the right class."""

from collections import Counter

import numpy as np

from starvox.corpus import GROUPS, LabelEncoder
from starvox.replay.plan import Labels


class Accuracy:
    """Counts D's answers, group by group.

    D's answer in a group is the largest of the outputs of the classes that have
    a name; those that the networks hold beyond them are never right.

    Args:
        encoder: of the run.
    """

    def __init__(self, encoder: LabelEncoder):
        self._encoder = encoder
        self._right: dict[str, list[bool]] = {group: [] for group in GROUPS}
        self._asked: dict[str, Counter] = {group: Counter() for group in GROUPS}

    def add(self, classification: np.ndarray, labels: Labels, source: Labels | None = None) -> None:
        """Counts one answer.

        Args:
            classification (ndarray of shape (n_classes,), float32): from D.
            labels: the right ones; a group that is None is not counted.
            source: of a converted clip, the labels that it had. A group is then
                counted only if it had another label there: one that it had
                already is no merit of the generator's.
        """
        start = 0
        for place, group in enumerate(GROUPS):
            names = self._encoder.classes[group]
            outputs = classification[start : start + len(names)]
            start += self._encoder.sizes[group]
            name = labels[place]
            if name is None or (source is not None and source[place] in (None, name)):
                continue
            self._right[group].append(names[int(outputs.argmax())] == name)
            self._asked[group][name] += 1

    def result(self) -> dict[str, dict | None]:
        """Returns group -> its accuracy, or None where nothing was counted.

        ``mean`` is the share of right answers of ``n``; ``commonest`` is what
        always giving the commonest right answer would reach.
        """
        return {
            group: {
                "mean": float(np.mean(right)),
                "commonest": max(self._asked[group].values()) / len(right),
                "n": len(right),
            }
            if right
            else None
            for group, right in self._right.items()
        }
