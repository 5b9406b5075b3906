"""Chainer's operations on the CPU without needless copies; see docs/performance.md.

What the networks call stays ``chainer.functions``: the inner functions are
replaced, and can be put back.
"""

from starvox.fast_cpu import convolution, elementwise, normalization

_REPLACEMENTS = convolution.REPLACEMENTS | elementwise.REPLACEMENTS | normalization.REPLACEMENTS
_ORIGINALS = {(cls, name): getattr(cls, name) for cls, name in _REPLACEMENTS}


def enable() -> None:
    """Puts the faster functions in the place of Chainer's."""
    for (cls, name), function in _REPLACEMENTS.items():
        setattr(cls, name, function)


def disable() -> None:
    """Gives Chainer its own functions back."""
    for (cls, name), function in _ORIGINALS.items():
        setattr(cls, name, function)
