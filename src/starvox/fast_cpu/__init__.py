"""Chainer's operations on the CPU without needless copies; see docs/performance.md.

What the networks call stays ``chainer.functions``: the inner functions are
replaced, and can be put back.
"""

from starvox.fast_cpu import convolution, elementwise, normalization
from starvox.replacements import Replacements

replacements = Replacements(
    {**convolution.REPLACEMENTS, **elementwise.REPLACEMENTS, **normalization.REPLACEMENTS}
)
enable, disable = replacements.enable, replacements.disable
