"""Chainer's operations on a GPU in fewer and larger launches; see docs/performance.md.

What the networks call stays ``chainer.functions``: the inner functions are
replaced, and can be put back.
"""

from starvox.fast_gpu import convolution, matrix, normalization, rmsprop
from starvox.replacements import Replacements

replacements = Replacements(
    {
        **convolution.REPLACEMENTS,
        **matrix.REPLACEMENTS,
        **normalization.REPLACEMENTS,
        **rmsprop.REPLACEMENTS,
    }
)
enable, disable = replacements.enable, replacements.disable
