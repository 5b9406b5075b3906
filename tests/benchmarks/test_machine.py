import json
import platform

import pytest

from benchmarks import machine


@pytest.mark.parametrize(("load", "warned"), [(0.0, False), (0.3, False), (0.31, True)])
def test_load_on_two_cores(load, warned):
    assert len(machine.load_warnings(load, 2)) == warned


def test_the_description_names_no_host():
    found = machine.describe("cpu", 3)
    assert found["threads"] == 3
    assert found["processor"]
    assert 1 <= found["cores"] <= found["cpus"]
    assert 0.1 < found["memory_gib"] < 1e5
    assert "numpy" in found["packages"]
    assert any(name.split()[1][0].isdigit() for name in found["blas"])
    host = platform.node()
    assert not host or host not in json.dumps({**found, "packages": None, "git_commit": None})
