"""Functions of Chainer's classes that can be replaced, and put back."""

from typing import Any


class Replacements:
    """Functions that stand in the place of others while they are enabled.

    Args:
        functions: (class, name) -> the function that takes its place.

    Attributes:
        functions (dict): as above.
        originals (dict): (class, name) -> what was there.
    """

    def __init__(self, functions: dict[tuple[type, str], Any]):
        self.functions = functions
        self.originals = {place: getattr(*place) for place in functions}

    def enable(self) -> None:
        """Puts the functions in the place of the originals."""
        for place, function in self.functions.items():
            setattr(*place, function)

    def disable(self) -> None:
        """Puts the originals back."""
        for place, function in self.originals.items():
            setattr(*place, function)
