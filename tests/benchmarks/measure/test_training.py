from time import sleep

import pytest

from benchmarks.measure.training import time_iterations


class Sleeper:
    """A contender whose D step takes 20 ms and whose G step takes 50 ms, 30 of them on its device."""

    def __init__(self):
        self.queued = 0.0

    def iterate(self, mark):
        for _ in range(2):
            sleep(0.02)
            mark("dis")
        sleep(0.02)
        self.queued += 0.03
        mark("gen")

    def synchronize(self):
        sleep(self.queued)
        self.queued = 0.0


@pytest.mark.parametrize(("wait", "gen_step"), [(False, 0.02), (True, 0.05)])
def test_steps_and_iterations(wait, gen_step):
    whole, steps = time_iterations(Sleeper(), 2, wait)
    assert [name for name, _ in steps] == ["dis", "dis", "gen"] * 2
    assert 0.09 <= whole < 0.2  # 2 x 20 + 50 ms, whether or not each step was waited for
    for name, seconds in steps:
        expected = gen_step if name == "gen" else 0.02
        assert expected <= seconds < expected + 0.02, name
