"""The switch: on once networks are built if CuPy is there, and off without a trace."""

import chainer
import pytest

from starvox import fast_gpu
from starvox.fast_gpu import replacements


def current():
    return {place: getattr(*place) for place in replacements.functions}


@pytest.fixture(autouse=True)
def as_before():
    was_on = current() == replacements.functions
    yield
    (fast_gpu.enable if was_on else fast_gpu.disable)()


def test_it_can_be_switched_on_and_off():
    fast_gpu.enable()
    assert current() == replacements.functions
    fast_gpu.disable()
    assert current() == replacements.originals
    assert all(replacements.originals[place] is not new for place, new in replacements.functions.items())


def test_it_is_on_where_cupy_is():
    assert (current() == replacements.functions) == chainer.backends.cuda.available
