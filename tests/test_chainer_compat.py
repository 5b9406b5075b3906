"""Each repair: the failure without it, and that it is gone with it."""

import subprocess
import sys

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.functions.connection.deconvolution_2d import Deconvolution2DFunction

import starvox  # noqa: F401


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_without_the_environment_check_chainer_needs_pkg_resources():
    # what a machine with setuptools 81 or later has
    setup = "import sys, numpy; sys.modules['pkg_resources'] = None\n"
    bare = run(setup + "numpy.sctypes = {'int': [numpy.int64], 'float': []}\nimport chainer")
    assert "numpy.distutils" in bare.stderr or "pkg_resources" in bare.stderr
    assert run(setup + "import starvox, chainer").returncode == 0


def test_without_sctypes_chainer_does_not_import():
    setup = "import sys, types; m = types.ModuleType('chainer._environment_check'); m.check = lambda: None\n"
    bare = run(setup + "sys.modules['chainer._environment_check'] = m\nimport chainer")
    assert "np.sctypes" in bare.stderr


def test_numpys_namespace_is_left_as_it_was():
    done = run("import numpy; before = set(vars(numpy)); import starvox; print(set(vars(numpy)) - before)")
    assert not {name for name in eval(done.stdout) if name == "sctypes"}


def test_as_strided_has_a_gradient():
    x = chainer.Variable(np.arange(6, dtype=np.float32))
    y = F.as_strided(x, (3, 2), (1, 1))
    F.sum(y).backward()
    np.testing.assert_array_equal(x.grad, [1, 2, 2, 1, 0, 0])


def penalize_a_convolution():
    """Returns W's gradient of |d/dx sum(conv(x, W))|^2, taken at x."""
    x = chainer.Variable(np.ones((1, 1, 3, 3), np.float32))
    W = chainer.Parameter(np.full((1, 1, 3, 3), 2, np.float32))
    y = F.convolution_2d(x, W)
    (gradient,) = chainer.grad([y], [x], enable_double_backprop=True)
    F.sum(gradient**2).backward()
    return W.grad


def test_the_gradient_of_a_gradient_of_a_convolution():
    # one output only, so the gradient is W itself: d|W|^2/dW = 2 W
    np.testing.assert_allclose(penalize_a_convolution(), 4)


def test_without_the_repair_that_gradient_fails(monkeypatch):
    original = Deconvolution2DFunction._set_cover_all.__wrapped__
    monkeypatch.setattr(Deconvolution2DFunction, "_set_cover_all", original)
    with pytest.raises(ValueError, match="not enough values"):
        penalize_a_convolution()
