"""Who is measured: starvox, Chainer's own convolutions, and the PyTorch peer."""

import importlib

_HOMES = {
    "starvox": "chainer_side",
    "chainer": "chainer_side",
    "chainer-tiled": "chainer_side",
    "pytorch": "pytorch_side",
}


def build(job):
    """Builds a contender that trains; imports nothing of the others.

    Returns:
        an object with ``iterate(mark)``, which takes one iteration and calls
        ``mark(name)`` at the end of every step, ``dis`` or ``gen``;
        ``synchronize()``; ``waited()``, the seconds that it has waited for data;
        ``device_memory()`` in bytes; ``limit_memory(n)``; and ``close()``.
    """
    home = importlib.import_module(f"benchmarks.contenders.{_HOMES[job.contender]}")
    return home.build(job)
