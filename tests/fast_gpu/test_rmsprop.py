"""RMSprop on a GPU, against the CPU's."""

import chainer
import numpy as np
import pytest

from starvox.fast_gpu import rmsprop

SIZES = [1, 1000, 70_003, *range(1, 130)]  # more parameters than a launch takes


def train(device):
    """Returns the parameters and their mean squares after three updates."""
    rng = np.random.default_rng(0)
    link = chainer.Link()
    with link.init_scope():
        for number, size in enumerate(SIZES):
            setattr(link, f"w{number}", chainer.Parameter(rng.standard_normal(size, dtype=np.float32)))
    optimizer = chainer.optimizers.RMSprop(0.01, alpha=0.9, eps=1e-6).setup(link)
    link.to_device(device)
    params = [getattr(link, f"w{number}") for number in range(len(SIZES))]
    for _ in range(3):
        for param in params:
            param.grad = link.xp.asarray(rng.standard_normal(param.shape, dtype=np.float32))
        optimizer.update()
    return [chainer.cuda.to_cpu(a) for p in params for a in (p.array, p.update_rule.state["ms"])]


@pytest.mark.gpu
def test_equals_the_cpus(cupy, monkeypatch):
    launches, raw = [], rmsprop.cuda.raw
    monkeypatch.setattr(rmsprop.cuda, "raw", lambda *args: (launches.append(args[1]), raw(*args))[1])
    found = train("@cupy:0")
    assert launches == ["rmsprop"] * 2 * 3
    for mine, expected in zip(found, train("@numpy"), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-5, atol=1e-6)
