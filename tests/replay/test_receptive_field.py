"""The computed reach against what an impulse does in the real generator."""

import chainer
import numpy as np
import pytest

from starvox import load_experiment
from starvox.config import Generator as Table
from starvox.models import Generator
from starvox.replay.receptive_field import AXES, Reach, cell_reach, pixel_reach

N_LABELS = 3
CHANGES = {
    "record": {},
    "one halving": {"depth": 1},
    "three halvings": {"depth": 3, "blocks": 1},
    "one convolution a block": {"block_convolutions": 1},
    "wide blocks, 31f31449": {"depth": 3, "blocks": 6, "merge_kernel": (3, 5), "block_kernel": (3, 5)},
    "merge and blocks differ": {"blocks": 2, "merge_kernel": (5, 1), "block_kernel": (1, 3)},
}


@pytest.fixture(scope="module", params=CHANGES)
def table(request):
    """The record's generator, one channel wide, with other numbers."""
    record = load_experiment("47c97768").generator.model_dump()
    return Table.model_validate(record | {"filters": 1} | CHANGES[request.param])


@pytest.fixture(scope="module")
def gen(table):
    """All weights 1: nothing cancels, so the support of the output is exactly what is reached."""
    one = chainer.initializers.One()
    return Generator(n_labels=N_LABELS, **table.model_dump(exclude={"statistics"}) | {"initializer": one})


def support(y):
    """Returns axis -> first and last px that an impulse changed; without it the sigmoid gives 1/2."""
    changed = y.array[0, 0] != 0.5
    places = [np.flatnonzero(changed.any(1 - side)) for side in (0, 1)]
    assert changed.sum() == len(places[0]) * len(places[1])  # a full rectangle
    return {axis: (place[0], place[-1]) for axis, place in zip(AXES, places, strict=True)}


def size_of_map(table):
    """Returns a map in whose middle no reach meets the border, in px."""
    cell = 2**table.depth
    return [(max(r.size for r in reaches) // cell + 3) * cell for reaches in pixel_reach(table).values()]


@pytest.fixture(autouse=True)
def running_statistics():
    """Those of a new network: mean 0, variance 1."""
    with chainer.using_config("train", False), chainer.no_backprop_mode():
        yield


def test_a_merged_cell(gen, table):
    cell = 2**table.depth
    shape = [size // cell for size in size_of_map(table)]
    place = [size // 2 for size in shape]
    h = np.zeros((1, table.filters * cell, *shape), np.float32)
    h[0, 0, place[0], place[1]] = 1
    y = gen.merge(gen.merge.conv.convolve_map(h), np.zeros((1, N_LABELS), np.float32))
    for name in [f"bottleneck{n + 1}" for n in range(table.blocks)]:
        y = gen[name](y)
    for name in [f"upsamp{n + 1}" for n in range(table.depth + 1)]:
        y = gen[name](y)
    found = support(chainer.functions.sigmoid(y))
    for axis, number in zip(AXES, place, strict=True):
        reach = cell_reach(table)[axis]
        assert found[axis] == (number * cell - reach.before, number * cell + reach.after)


def test_an_input_px_at_every_phase(gen, table):
    cell, shape = 2**table.depth, size_of_map(table)
    for phase in range(cell):
        place = [size // cell // 2 * cell + phase for size in shape]
        x = np.zeros((1, 1, *shape), np.float32)
        x[0, 0, place[0], place[1]] = 1
        found = support(gen(x, np.zeros((1, N_LABELS), np.float32)))
        for axis, number in zip(AXES, place, strict=True):
            reach = pixel_reach(table)[axis][phase]
            assert found[axis] == (number - reach.before, number + reach.after)


def test_the_record():
    table = load_experiment("47c97768").generator
    assert cell_reach(table) == {"bins": Reach(34, 37), "frames": Reach(34, 37)}
    assert [reach.size for reach in cell_reach(table).values()] == [72, 72]
    assert pixel_reach(table)["frames"] == (Reach(42, 41), Reach(43, 40), Reach(40, 43), Reach(41, 42))
    assert {reach.size for reach in pixel_reach(table)["bins"]} == {84}
