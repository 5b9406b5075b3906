"""How far a place in the generator reaches in its output, by the shape of its convolutions.

Every step carries an interval of places along one axis to the interval of all
places that it can change. What crosses the map by other ways is left out: the
statistics of a minibatch while training, and those of instance normalisation.
At the border of the map the reach ends with the map.
"""

from typing import NamedTuple

from starvox.config import Generator

AXES = ("bins", "frames")


class Reach(NamedTuple):
    """How far something reaches along one axis, in px of the output.

    Attributes:
        before (int): px before the place it is counted from.
        after (int): px after that place.
    """

    before: int
    after: int

    @property
    def size(self) -> int:
        """All px that are reached, that of the place itself among them."""
        return self.before + 1 + self.after


def cell_reach(generator: Generator) -> dict[str, Reach]:
    """Computes what one cell of the merge's input reaches.

    Returns:
        dict: axis (``bins``, ``frames``) -> Reach, counted from the first of
        the cell's 2^depth px.
    """
    return {axis: _from_cells(0, 0, generator, side) for side, axis in enumerate(AXES)}


def pixel_reach(generator: Generator) -> dict[str, tuple[Reach, ...]]:
    """Computes what one px of the input reaches.

    It depends on the px's place within its cell (its phase), because a kernel of
    4 with stride 2 does not lie alike around all of them.

    Returns:
        dict: axis -> a Reach for each of the 2^depth phases, counted from the
        px itself.
    """
    phases = range(2**generator.depth)
    return {axis: tuple(_pixel(p, generator, side) for p in phases) for side, axis in enumerate(AXES)}


def _pixel(phase: int, generator: Generator, side: int) -> Reach:
    first, last = phase - 3, phase + 3  # kernel 7
    for _ in range(generator.depth):
        # kernel 4, stride 2, pad 1: place o sees 2 o - 1 .. 2 o + 2
        first, last = -((2 - first) // 2), (last + 1) // 2
    before, after = _from_cells(first, last, generator, side)
    return Reach(before + phase, after - phase)


def _from_cells(first: int, last: int, generator: Generator, side: int) -> Reach:
    """Carries an interval of cells of the merge's input to px of the output, counted from px 0."""
    convolutions = generator.blocks * generator.block_convolutions
    spread = generator.merge_kernel[side] // 2 + convolutions * (generator.block_kernel[side] // 2)
    first, last = first - spread, last + spread
    for _ in range(generator.depth):
        # transposed, kernel 4, stride 2, pad 1: place i is seen in 2 i - 1 .. 2 i + 2
        first, last = 2 * first - 1, 2 * last + 2
    return Reach(3 - first, last + 3)  # kernel 7
