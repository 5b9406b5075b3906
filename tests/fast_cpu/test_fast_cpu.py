"""The switch: on once networks are built, and off without a trace."""

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


def test_it_is_on_once_networks_are_built_and_can_be_left_off():
    code = (
        "from starvox import build_models, fast_cpu, load_experiment;"
        "from chainer.functions.activation.relu import ReLU;"
        "where = lambda: ReLU.forward_cpu.__module__;"
        "found = [where()];"
        "build_models(load_experiment('smoke'));"
        "found.append(where());"
        "fast_cpu.disable();"
        "print(*found, where())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    chainers = "chainer.functions.activation.relu"
    assert done.stdout.split() == [chainers, "starvox.fast_cpu.elementwise", chainers]
