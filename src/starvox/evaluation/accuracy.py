"""How often the right class is named."""

from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from starvox.corpus import GROUPS, LabelEncoder
from starvox.evaluation.label_plan import LabelTuple


def name_classes(classification: NDArray[np.float32], encoder: LabelEncoder) -> LabelTuple:
    """Returns D's answer: in every group the class with the largest output.

    Classes that have no name, which the networks hold beyond those of the corpus, are not
    looked at. A group without any name is None.

    Args:
        classification (ndarray of shape (n_classes,), float32): from D.
        encoder: of the run.
    """
    names: list[str | None] = []
    start = 0
    for group in GROUPS:
        known = encoder.classes[group]
        outputs = classification[start : start + len(known)]
        names.append(known[int(outputs.argmax())] if known else None)
        start += encoder.sizes[group]
    return tuple(names)


def count_right(
    answers: Sequence[LabelTuple], labels: Sequence[LabelTuple], sources: Sequence[LabelTuple] | None = None
) -> dict[str, dict[str, Any] | None]:
    """Counts right answers, group by group.

    Args:
        answers: the labels that were named.
        labels: the right ones; a group that is None is not counted.
        sources: of converted clips, the labels that they had. A group is then counted only if it
            had another label there: one that it had already is no merit of the generator's.

    Returns:
        dict: group -> its accuracy, or None where nothing was counted. ``mean`` is the share of right
        answers of ``n``; ``commonest`` is what always giving the commonest right answer would reach.
    """
    found: dict[str, dict[str, Any] | None] = {}
    for place, group in enumerate(GROUPS):
        asked = [
            (answer[place], label[place])
            for answer, label, source in zip(answers, labels, sources or repeat(None), strict=False)
            if label[place] and (source is None or source[place] not in (None, label[place]))
        ]
        commonest = max(Counter(label for _, label in asked).values(), default=0)
        right = sum(answer == label for answer, label in asked)
        n = len(asked)
        found[group] = {"mean": right / n, "commonest": commonest / n, "n": n} if asked else None
    return found
