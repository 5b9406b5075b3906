"""The switch: on where networks are built, and off without a trace."""

import subprocess
import sys

from starvox import fast_cpu
from starvox.fast_cpu import replacements


def current():
    return {place: getattr(*place) for place in replacements.functions}


def test_it_can_be_switched_off_and_on():
    assert current() == replacements.functions
    fast_cpu.disable()
    try:
        assert current() == replacements.originals
    finally:
        fast_cpu.enable()
    assert current() == replacements.functions
    assert all(replacements.originals[place] is not new for place, new in replacements.functions.items())


def test_it_is_on_where_networks_are_built_and_not_before():
    code = (
        "import starvox, chainer.functions.activation.relu as r;"
        "before = r.ReLU.forward_cpu;"
        "import starvox.build;"
        "print(before.__module__, r.ReLU.forward_cpu.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["chainer.functions.activation.relu", "starvox.fast_cpu.elementwise"]
