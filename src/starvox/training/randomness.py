"""Randomness without hidden state: every draw is a function of where it is used."""

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What a draw is for. The numbers are part of a run's reproducibility."""

    ORDER_A = 0
    CROP_A = 1
    ORDER_B = 2
    CROP_B = 3
    MIX = 4


def rng_for(seed: int, stream: Stream, *place: int) -> np.random.Generator:
    """Returns the host's random number generator for one place in the training.

    Args:
        seed: of the run.
        stream: what the draw is for.
        place: the indices that say where, for example iteration and step.
    """
    return np.random.default_rng([seed, stream, *place])
