"""The repairs Chainer 7.8.1 needs in 2026; imported before anything imports Chainer.

Chainer's last release is of January 2022. Each repair below names the failure
it prevents; tests/test_chainer_compat.py shows that failure without it.
Importing this module imports Chainer, if it is installed: plotting a log does
without.
"""

import functools
import importlib.util
import os
import sys
import types
import warnings

import numpy as np


def _skip_environment_check() -> None:
    """Replaces ``chainer._environment_check`` by one that checks nothing.

    Chainer's imports ``numpy.distutils`` (gone on Python 3.12) and
    ``pkg_resources`` (gone with setuptools 81) only to warn of versions that
    were too new in 2022.
    """
    stub = types.ModuleType("chainer._environment_check")
    vars(stub)["check"] = lambda: None
    sys.modules.setdefault(stub.__name__, stub)


def _import_chainer() -> None:
    """Imports Chainer while ``numpy.sctypes``, removed in NumPy 2, is there.

    Only ``chainer.functions.as_strided`` reads it: it keeps a copy, and NumPy's
    namespace is left as it was.
    """
    borrowed = {"int": [np.int8, np.int16, np.int32, np.int64], "float": [np.float16, np.float32, np.float64]}
    lacking = "sctypes" not in vars(np)
    if lacking:
        vars(np)["sctypes"] = borrowed
    try:
        with warnings.catch_warnings():
            # CuPy 14 warns at every start that it comes without NCCL, which one GPU does not need
            warnings.filterwarnings("ignore", message=r"\s*nccl library could not be loaded")
            import chainer.functions  # noqa: F401
    finally:
        if lacking:
            del vars(np)["sctypes"]
    as_strided = sys.modules["chainer.functions.array.as_strided"]
    vars(as_strided)["np"] = types.SimpleNamespace(**{**vars(np), "sctypes": borrowed})


def _accept_variables_in_set_cover_all() -> None:
    """Lets ``Deconvolution2DFunction.backward`` run twice when only W needs a gradient.

    It passes variables where ``_set_cover_all`` unpacks shapes. The gradient
    penalty's second backward pass meets this on the CPU.
    """
    from chainer.functions.connection.deconvolution_2d import Deconvolution2DFunction

    original = Deconvolution2DFunction._set_cover_all

    @functools.wraps(original)
    def _set_cover_all(self, x_shape, w_shape):
        original(self, getattr(x_shape, "shape", x_shape), getattr(w_shape, "shape", w_shape))

    Deconvolution2DFunction._set_cover_all = _set_cover_all


def _include_half_in_raw_kernels() -> None:
    """Lets raw CUDA kernels name the type ``half``, which CuPy's own header brought until CuPy 14.

    ChainerMN's two kernels that pack gradients for several GPUs do.
    """
    from chainer.backends import cuda

    original = cuda.raw

    @functools.wraps(original)
    def raw(code, name, *args, **kwargs):
        return original("#include <cuda_fp16.h>\n" + code, name, *args, **kwargs)

    cuda.raw = raw


if importlib.util.find_spec("chainer") is not None:
    # CuPy 14 has no cuDNN; without this Chainer warns of it at every start.
    os.environ.setdefault("CHAINER_CUDNN", "0")
    _skip_environment_check()
    _import_chainer()
    _accept_variables_in_set_cover_all()
    _include_half_in_raw_kernels()
