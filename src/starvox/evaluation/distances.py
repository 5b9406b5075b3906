"""How far apart real clips are: what the errors of a generator are compared with."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

PAIRS = 100  # of each kind; their mean is then known to 2 % or so on the default corpus


def measure_distances(
    speakers: Sequence[str | None],
    draw: Callable[[int, np.random.Generator], np.ndarray],
    rng: np.random.Generator,
) -> dict[str, list[float]]:
    """Measures mean |x_i - x_j| over crops of two different clips.

    Two crops are of different moments of speech, so a distance holds the
    difference of the words as well as that of the voices.

    Args:
        speakers: of every clip; None where not labelled.
        draw: index of a clip, random generator -> spectrogram (bins, frames).
        rng: the result is a function of its state and the other arguments.

    Returns:
        dict: ``same_speaker``, ``different_speakers`` (empty where there are no
        such two clips) and ``different_clips`` (whoever speaks) -> distances.
    """
    members = defaultdict(list)
    for index, speaker in enumerate(speakers):
        if speaker is not None:
            members[speaker].append(index)
    groups = list(members.values())
    large = [group for group in groups if len(group) > 1]
    kinds = {
        "same_speaker": (bool(large), lambda: _two(large[rng.integers(len(large))], rng)),
        "different_speakers": (
            len(groups) > 1,
            lambda: [group[rng.integers(len(group))] for group in _two(groups, rng)],
        ),
        "different_clips": (len(speakers) > 1, lambda: _two(range(len(speakers)), rng)),
    }

    def measure(pair):
        first, second = (draw(index, rng) for index in pair)
        return float(abs(first - second).mean())

    return {
        kind: [measure(choose()) for _ in range(PAIRS if possible else 0)]
        for kind, (possible, choose) in kinds.items()
    }


def _two(items: Sequence, rng: np.random.Generator) -> list:
    return [items[index] for index in rng.choice(len(items), 2, replace=False)]
