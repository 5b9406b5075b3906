"""D against the record's drawing."""

import itertools

import chainer
import chainer.functions as F
import numpy as np
import pytest

import starvox
from starvox.models import Discriminator

DRAWN = {
    "conv1": (32, 128, 128),
    "conv2": (64, 64, 64),
    "conv3": (128, 32, 32),
    "conv4": (256, 16, 16),
    "conv5": (512, 8, 8),
    "conv6": (1024, 4, 4),
    "clazz": (1476, 1, 1),
    "discriminate": (1, 4, 4),
}


@pytest.fixture(scope="module")
def recorded():
    return starvox.build_models(starvox.load_experiment("47c97768"))[1]


def test_every_shape_of_the_drawing(recorded, shapes_of):
    x = np.random.default_rng(0).random((2, 1, 256, 256), dtype=np.float32)
    with shapes_of(DRAWN) as shapes, chainer.no_backprop_mode():
        feature, classification, adversarial = recorded(x)
    assert shapes.seen == DRAWN
    assert feature.shape == (2, 1024, 4, 4)
    assert classification.shape == (2, 1476)
    assert adversarial.shape == (2, 1, 4, 4)


def test_count_of_parameters(recorded):
    widths = [1, 32, 64, 128, 256, 512, 1024]
    body = sum(4 * 4 * n_in * n + n for n_in, n in itertools.pairwise(widths))
    heads = (4 * 4 * 1024 * 1476 + 1476) + (3 * 3 * 1024 * 1 + 1)
    assert recorded.count_params() == body + heads == 35_369_893


def small(**changes):
    values = {
        "n_classes": 3,
        "filters": 2,
        "layers": 2,
        "time_layers": 2,
        "slope": 0.01,
        "class_kernel": 4,
        "class_pad": 0,
        "initializer": chainer.initializers.LeCunNormal(rng=np.random.RandomState(0)),
    }
    return Discriminator(**values | changes)


def test_layers_that_keep_the_frames():
    dis = small(time_layers=1, class_kernel=4)
    kernels = [(link.W.shape[2:], link.stride, link.pad) for link in (dis.conv1, dis.conv2)]
    assert kernels == [((4, 4), (2, 2), (1, 1)), ((4, 3), (2, 1), (1, 1))]
    feature, classification, _ = dis(np.zeros((2, 1, 16, 8), np.float32))
    assert feature.shape == (2, 4, 4, 4)
    assert classification.shape == (2, 3)


@pytest.mark.parametrize(("x", "expected"), [(1, 1e-6), (-1, -1e-6)])
def test_each_of_the_six_convolutions_has_its_leaky_relu(x, expected):
    """Each convolution turns the sign, so three of the six shrink the value by 0.01: the odd or the even."""
    dis = small(layers=6, time_layers=6, filters=1)
    for link in (dis[f"conv{number}"] for number in range(1, 7)):
        link.W.array[...] = 0
        link.W.array[:, 0, 1, 1] = -1  # the tap that reads every second cell, never the border
    feature, _, _ = dis(np.full((1, 1, 256, 256), x, np.float32))
    np.testing.assert_allclose(feature.array, expected, rtol=1e-5)


def test_the_heads_have_no_activation():
    dis = small()
    x = np.random.default_rng(0).random((2, 1, 16, 16), dtype=np.float32)
    feature, classification, adversarial = dis(x)
    np.testing.assert_allclose(adversarial.array, dis.discriminate(feature).array)
    flat = F.reshape(dis.clazz.W, (3, -1))
    expected = F.linear(F.reshape(feature, (2, -1)), flat, dis.clazz.b)
    np.testing.assert_allclose(classification.array, expected.array, rtol=1e-4, atol=1e-5)


def test_a_padded_class_head_is_averaged_over_its_map():
    dis = small(class_pad=1)
    x = np.random.default_rng(0).random((2, 1, 16, 16), dtype=np.float32)
    feature, classification, _ = dis(x)
    outputs = dis.clazz(feature).array
    assert outputs.shape == (2, 3, 3, 3)
    np.testing.assert_allclose(classification.array, outputs.mean((2, 3)), rtol=1e-5)
