"""Where to compute: ``auto``, ``cpu`` or ``cuda:N``."""

import importlib.util
import re
import sys

import chainer

from starvox.errors import UserError


def find_device(name: str = "auto"):
    """Returns the Chainer device of that name; ``auto`` is a GPU if there is one.

    Raises:
        UserError: if the name is unknown, or there is no such GPU.
    """
    if name == "cpu":
        return chainer.get_device("@numpy")
    if name == "auto":
        count = _count_gpus()
        if count == 0 and importlib.util.find_spec("cupy"):
            # whoever installed CuPy meant a GPU, and should not find out in the morning
            print(f"CuPy is installed, but no GPU can be used: {_why_not(count)}", file=sys.stderr)
        return chainer.get_device("@cupy:0" if count else "@numpy")
    match = re.fullmatch(r"cuda:(\d+)", name)
    if not match:
        raise UserError(f"unknown device {name!r}; use auto, cpu or cuda:N, for example cuda:0")
    number, count = int(match[1]), _count_gpus()
    if number >= count:
        raise UserError(f"no GPU for DEVICE={name}: {_why_not(count)}; or use DEVICE=cpu")
    return chainer.get_device(f"@cupy:{number}")


def describe(device) -> str:
    """Returns the device's name for people, for example ``cpu`` or ``cuda:0 (NVIDIA ...)``."""
    if device.xp is not chainer.backends.cuda.cupy:
        return "cpu"
    properties = device.xp.cuda.runtime.getDeviceProperties(device.device.id)
    return f"cuda:{device.device.id} ({properties['name'].decode()})"


def _count_gpus() -> int:
    # Chainer's `cuda.available` is also true where CuPy is installed without a GPU.
    if not chainer.backends.cuda.available:
        return 0
    runtime = chainer.backends.cuda.cupy.cuda.runtime
    try:
        return runtime.getDeviceCount()
    except runtime.CUDARuntimeError:
        return 0


def _why_not(count: int) -> str:
    if not chainer.backends.cuda.available:
        reason = str(chainer.backends.cuda._resolution_error).splitlines()[0]
        return f"CuPy cannot be loaded ({reason}); run `make train ... CUDA=12` (or CUDA=13) to install it"
    return f"CUDA finds {count} devices here"
