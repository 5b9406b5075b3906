"""How often the right class is named."""

from collections import Counter

import numpy as np

from starvox.corpus import GROUPS, LabelEncoder
from starvox.evaluation.label_plan import LabelTuple


def name_classes(classification: np.ndarray, encoder: LabelEncoder) -> LabelTuple:
    """Returns D's answer: in every group the class with the largest output.

    Classes that have no name, which the networks hold beyond those of the corpus, are not
    looked at. A group without any name is None.

    Args:
        classification (ndarray of shape (n_classes,), float32): from D.
        encoder: of the run.
    """
    names, start = [], 0
    for group in GROUPS:
        known = encoder.classes[group]
        outputs = classification[start : start + len(known)]
        names.append(known[int(outputs.argmax())] if known else None)
        start += encoder.sizes[group]
    return tuple(names)


class Accuracy:
    """Counts right answers, group by group."""

    def __init__(self):
        self._right: dict[str, list[bool]] = {group: [] for group in GROUPS}
        self._asked: dict[str, Counter] = {group: Counter() for group in GROUPS}

    def add(self, answer: LabelTuple, labels: LabelTuple, source: LabelTuple | None = None) -> None:
        """Counts one answer.

        Args:
            answer: the labels that were named.
            labels: the right ones; a group that is None is not counted.
            source: of a converted clip, the labels that it had. A group is then
                counted only if it had another label there: one that it had
                already is no merit of the generator's.
        """
        for place, group in enumerate(GROUPS):
            name = labels[place]
            if name is None or (source is not None and source[place] in (None, name)):
                continue
            self._right[group].append(answer[place] == name)
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
