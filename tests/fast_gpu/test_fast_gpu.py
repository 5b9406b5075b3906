"""The switch: on where networks are built if CuPy is there, and off without a trace."""

import chainer
import pytest

import starvox.build  # noqa: F401
from starvox import fast_gpu


def current():
    return {place: getattr(*place) for place in fast_gpu._REPLACEMENTS}


@pytest.fixture(autouse=True)
def as_before():
    was_on = current() == fast_gpu._REPLACEMENTS
    yield
    (fast_gpu.enable if was_on else fast_gpu.disable)()


def test_it_can_be_switched_on_and_off():
    fast_gpu.enable()
    assert current() == fast_gpu._REPLACEMENTS
    fast_gpu.disable()
    assert current() == fast_gpu._ORIGINALS
    assert all(fast_gpu._ORIGINALS[place] is not new for place, new in fast_gpu._REPLACEMENTS.items())


def test_it_is_on_where_cupy_is():
    assert (current() == fast_gpu._REPLACEMENTS) == chainer.backends.cuda.available
