"""Where to compute: ``auto``, ``cpu`` or ``cuda:N``."""

import importlib.util
import re
import sys
from typing import Any

import chainer
import numpy as np

from starvox.errors import UserError
from starvox.fast_gpu import tf32


def find_device(name: str = "auto") -> Any:
    """Returns the Chainer device (chainer.backend.Device) of a name; ``auto`` is a GPU if there is one.

    Raises:
        UserError: if the name is unknown, or there is no such GPU.
    """
    if name == "cpu":
        return chainer.get_device("@numpy")
    if name == "auto":
        count, why_not = _count_gpus()
        if count == 0 and importlib.util.find_spec("cupy"):
            # whoever installed CuPy meant a GPU, and should not find out in the morning
            print(f"CuPy is installed, but no GPU can be used: {why_not}", file=sys.stderr)
        return chainer.get_device("@cupy:0" if count else "@numpy")
    match = re.fullmatch(r"cuda:(\d+)", name)
    if not match:
        raise UserError(f"unknown device {name!r}; use auto, cpu or cuda:N, for example cuda:0")
    count, why_not = _count_gpus()
    if int(match[1]) >= count:
        raise UserError(f"no GPU for {name}: {why_not}", "device")
    return chainer.get_device(f"@cupy:{int(match[1])}")


def require_gpu(device: Any, option: str) -> None:
    """Refuses an option that means nothing on the CPU.

    Raises:
        UserError: if the device is the CPU.
    """
    if device.xp is np:
        raise UserError(f"{option} needs a GPU; leave it out, or take the device cuda:0")


def use_tf32(device: Any) -> None:
    """Lets matrix products of float32 use TF32 from now on.

    Raises:
        UserError: if the device has no TF32.
    """
    require_gpu(device, "--tf32")
    if int(device.device.compute_capability) < 80:
        raise UserError(f"{describe(device)} has no TF32, which came with capability 8.0; leave out --tf32")
    tf32.use_tf32(device.xp)


def describe(device: Any) -> str:
    """Returns the device's name for people, for example ``cpu`` or ``cuda:0 (NVIDIA ..., TF32)``."""
    if device.xp is np:
        return "cpu"
    properties = device.xp.cuda.runtime.getDeviceProperties(device.device.id)
    shortened = ", TF32" if tf32.is_tf32(device.xp) else ""
    return f"cuda:{device.device.id} ({properties['name'].decode()}{shortened})"


def _count_gpus() -> tuple[int, str]:
    """Returns how many GPUs there are, and why there are no more."""
    # Chainer's `cuda.available` is also true where CuPy is installed without a GPU.
    if not chainer.backends.cuda.available:
        reason = str(chainer.backends.cuda._resolution_error).splitlines()[0]
        return 0, f"CuPy cannot be loaded ({reason}); install it by `pip install -e .[cuda12]` (or cuda13)"
    runtime = chainer.backends.cuda.cupy.cuda.runtime
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        return 0, f"the driver says {error}; see whether `nvidia-smi` runs, and install a newer driver if so"
    return count, f"CUDA finds {count} devices here"
