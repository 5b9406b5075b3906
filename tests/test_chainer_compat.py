"""Each repair: the failure without it, and that it is gone with it."""

import shutil
import subprocess
import sys

import chainer
import chainer.functions as F
import numpy as np
import pytest
from chainer.backends import cuda
from chainer.functions.connection.deconvolution_2d import Deconvolution2DFunction

from starvox import chainer_compat


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
    assert run("import starvox, numpy; assert 'sctypes' not in vars(numpy)").returncode == 0


AUDIT = """
import inspect, pathlib, sys
import starvox, starvox.build, starvox.replay.replay, starvox.training.run
import chainer.functions, chainer.links, chainer.optimizers, chainer.training.extensions

ours = str(pathlib.Path(starvox.__file__).parent)
modules = [module for name, module in sys.modules.items() if name.split(".")[0] == "chainer"]
classes = {value for module in modules for value in vars(module).values() if inspect.isclass(value)}
classes = [cls for cls in classes if cls.__module__.startswith("chainer")]
assert len(classes) > 500
for owner in [*modules, *classes]:
    for name, value in vars(owner).items():
        function = getattr(value, "__func__", value)
        if inspect.isfunction(function) and function.__code__.co_filename.startswith(ours):
            print(f"{owner.__name__}.{name}")
"""


@pytest.fixture
def compile_for_gpu():
    """Returns a function that compiles one of ChainerMN's kernels by NVRTC, which needs no GPU."""
    core = pytest.importorskip("cupy._core.core", reason="CuPy is not installed")
    pytest.importorskip("mpi4py.MPI", reason="MPI is not installed", exc_type=(ImportError, RuntimeError))
    from chainermn.communicators import _memory_utility
    from cupy.cuda.compiler import _NVRTCProgram

    def compile_for_gpu(name):
        kernel = getattr(_memory_utility, f"_cupy_batched_{name}_params")()
        options = core.assemble_cupy_compiler_options(kernel.options)
        return _NVRTCProgram(kernel.code).compile((*options, "-arch=compute_80"))[0]

    return compile_for_gpu


@pytest.mark.parametrize("name", ["pack", "unpack"])
def test_chainermns_kernels_compile(compile_for_gpu, name):
    assert f"cupy_batched_{name}_params".encode() in compile_for_gpu(name)


def test_without_the_header_they_do_not(compile_for_gpu, monkeypatch):
    monkeypatch.setattr(cuda, "raw", cuda.raw.__wrapped__)
    with pytest.raises(Exception, match='identifier "half" is undefined'):
        compile_for_gpu("pack")


def test_importing_starvox_changes_nothing_else_in_chainer():
    done = run(AUDIT)
    assert done.stderr == ""
    assert sorted(set(done.stdout.split())) == [
        "Deconvolution2DFunction._set_cover_all",
        "chainer._environment_check.check",
        "chainer.backends.cuda.raw",
    ]


PROGRAM = """
import sys
import chainer_compat
import chainer, chainer.functions as F, chainer.links as L, numpy as np

net = chainer.Sequential(L.Convolution2D(1, 2, 3), L.BatchNormalization(2), F.relu, L.Linear(None, 1))
optimizer = chainer.optimizers.Adam(0.1).setup(net)
x = np.random.default_rng(0).random((4, 1, 6, 6), np.float32)
losses = []
for _ in range(20):
    loss = F.mean_squared_error(net(x), x.mean((2, 3)))
    net.cleargrads()
    loss.backward()
    optimizer.update()
    losses.append(float(loss.array))
assert losses[-1] < losses[0] / 2, losses
assert "starvox" not in sys.modules
print(chainer_compat.__file__)
"""


def test_the_one_file_runs_chainer_by_itself(tmp_path):
    """Copied beside a program that knows nothing of starvox, which trains a network."""
    shutil.copy(chainer_compat.__file__, tmp_path)
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "chainer_compat.py")


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
