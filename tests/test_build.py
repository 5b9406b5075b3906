"""From an experiment to its networks."""

from types import SimpleNamespace

import chainer
import numpy as np
import pytest

from starvox import build, build_models, load_experiment
from starvox.build import count_least_weights


def weights(seed):
    return [
        param.array for network in build_models(load_experiment("smoke"), seed) for param in network.params()
    ]


def test_the_seed_decides_the_weights():
    for first, again in zip(weights(0), weights(0), strict=True):
        np.testing.assert_array_equal(first, again)
        assert first.dtype == np.float32
    differ = [not np.array_equal(a, b) for a, b in zip(weights(0), weights(1), strict=True) if a.ndim == 4]
    assert all(differ)


def test_compiling_is_told_as_long_as_nothing_is_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("CUPY_CACHE_DIR", str(tmp_path))
    kernels = SimpleNamespace(relu=SimpleNamespace(stats=SimpleNamespace(cache_path=str(tmp_path))))
    monkeypatch.setattr(build.fast_cpu, "kernels", kernels)
    cpu, gpu = chainer.get_device("@numpy"), SimpleNamespace(xp="cupy")
    assert build.describe_compiling(cpu) == "the first iteration takes longer: compiling (once)\n"
    assert "compiling about 110 kernels (once, about 40 s)\n" in build.describe_compiling(gpu)
    (tmp_path / "kernels.relu-1.py311.nbi").touch()
    assert build.describe_compiling(cpu) == build.describe_compiling(gpu) == ""


def test_the_initializer_is_lecun_normal():
    # conv of 128 x 3 x 3 inputs: variance 1 / 1152
    gen, _ = build_models(load_experiment("47c97768"))
    W = gen.bottleneck1.conv1.W.array
    np.testing.assert_allclose(W.var(), 1 / 1152, rtol=0.02)
    np.testing.assert_allclose(W.mean(), 0, atol=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"generator.labels": "conditional", "generator.blocks": 1, "generator.block_kernel": (1, 1)},
        {"generator.depth": 4, "generator.filters": 8, "generator.merge_kernel": (5, 3)},
        {"discriminator.filters": 32},
    ],
)
def test_the_least_number_of_weights_is_a_little_below_the_true_one(changes):
    exp = load_experiment("smoke", changes)
    gen, dis = build_models(exp)
    assert 0.5 * gen.count_params() < count_least_weights(exp) <= gen.count_params()
    both = gen.count_params() + dis.count_params()
    assert 0.5 * both < count_least_weights(exp, with_dis=True) <= both
