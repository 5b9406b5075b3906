"""Where to compute."""

import os
import re
import subprocess
import sys

import chainer
import pytest

from starvox import UserError
from starvox.device import describe, find_device, use_tf32


def test_the_cpu():
    device = find_device("cpu")
    assert device == chainer.get_device("@numpy")
    assert describe(device) == "cpu"


@pytest.mark.parametrize("name", ["gpu", "cuda", "cuda:", "cuda:-1", "CPU", ""])
def test_unknown_names(name):
    with pytest.raises(UserError, match="use auto, cpu or cuda:N"):
        find_device(name)


def test_a_driver_that_cannot_be_used_is_named():
    """In a process of its own, which sees no GPU."""
    pytest.importorskip("cupy", reason="CuPy is not installed")
    code = (
        "import starvox; from starvox.device import find_device; find_device('auto'); find_device('cuda:0')"
    )
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    why = r"the driver says cudaError\w+: .*; see whether `nvidia-smi` runs"
    assert re.search(f"CuPy is installed, but no GPU can be used: {why}", done.stderr)
    assert re.search(f"no GPU for cuda:0: {why}", done.stderr)


@pytest.mark.gpu
def test_auto_takes_the_gpu(cupy):
    device = find_device("auto")
    assert device.xp is cupy
    assert describe(device).startswith("cuda:0 (")


def test_the_cpu_has_no_tf32():
    with pytest.raises(UserError, match=r"--tf32 needs a GPU; leave it out, or take the device cuda:0"):
        use_tf32(find_device("cpu"))


@pytest.mark.gpu
def test_tf32_shortens_every_product(cupy):
    """In a process of its own: it cannot be switched off again."""
    code = (
        "import numpy as np, cupy, starvox;"
        "from starvox.device import describe, find_device, use_tf32;"
        "from starvox.fast_gpu.product import multiply;"
        "device = find_device('cuda:0');"
        "a = cupy.asarray(np.random.default_rng(0).random((2, 64, 64), np.float32));"
        "products = lambda: [cupy.dot(a[0], a[1]), multiply(a, a)];"
        "exact = products();"
        "use_tf32(device);"
        "print(describe(device));"
        "print(*(float(abs(x - y).max() / y.max()) for x, y in zip(products(), exact)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    name, errors = done.stdout.splitlines()
    assert name.endswith(", TF32)")
    assert all(1e-6 < float(error) < 1e-2 for error in errors.split())
