import pytest

from starvox import fast_cpu


@pytest.fixture
def chainers_own():
    """Calls a function with Chainer's own operations, for a reference."""

    def compute(function, *args):
        fast_cpu.disable()
        try:
            return function(*args)
        finally:
            fast_cpu.enable()

    return compute
