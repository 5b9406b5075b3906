"""Whether a value can be read without waiting for a GPU."""

import numbers

import numpy as np


def are_on_host(observation):
    """Says whether all values of an observation are numbers or NumPy's arrays."""
    return all(isinstance(value, (numbers.Number, np.ndarray)) for value in observation.values())
