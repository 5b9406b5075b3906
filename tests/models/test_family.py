"""The siblings' networks, at full size, against what their records draw."""

import chainer
import numpy as np
import pytest

from starvox import build_models, load_experiment

DEEP = {
    "downsamp4": (256, 32, 32),
    "merge": (256, 32, 32),
    "bottleneck6": (256, 32, 32),
    "upsamp1": (128, 64, 64),
    "upsamp4": (1, 256, 256),
    "conv6": (1024, 4, 4),
    "clazz": (1476, 1, 1),
}
SHORT = {
    "downsamp4": (256, 32, 8),
    "merge": (256, 32, 8),
    "bottleneck6": (256, 32, 8),
    "upsamp4": (1, 256, 64),
    "conv4": (256, 16, 4),
    "conv5": (512, 8, 4),
    "conv6": (1024, 4, 4),
    "clazz": (1476, 1, 1),
    "discriminate": (1, 4, 4),
}
MINI = {
    "downsamp3": (32, 64, 16),
    "merge": (32, 64, 16),
    "bottleneck3": (32, 64, 16),
    "upsamp3": (1, 256, 64),
    "conv4": (64, 16, 4),
    "conv6": (256, 4, 4),
    "clazz": (1476, 1, 1),
}
FAMILY = {"31f31449": DEEP, "9ada9179": DEEP, "fbf548f6": DEEP, "cfcefd21": SHORT, "mini": MINI}


@pytest.mark.parametrize("name", FAMILY)
def test_the_shapes_of_a_sibling(name, shapes_of):
    exp = load_experiment(name)
    gen, dis = build_models(exp)
    x = np.zeros((1, 1, exp.audio.bins, exp.audio.frames), np.float32)
    with shapes_of(FAMILY[name]) as shapes, chainer.no_backprop_mode(), chainer.using_config("train", False):
        dis(gen(x, np.zeros((1, 1479), np.float32)))
    assert shapes.seen == FAMILY[name]


@pytest.mark.parametrize(("name", "kernel"), [("31f31449", (3, 5)), ("9ada9179", (3, 3))])
def test_the_kernels_of_a_sibling(name, kernel):
    gen, dis = build_models(load_experiment(name))
    assert gen.merge.conv.W.shape == (256, 256 + 1479, *kernel)
    assert gen.bottleneck6.conv2.W.shape == (256, 256, *kernel)
    assert dis.conv6.W.shape == (1024, 512, 4, 4)
