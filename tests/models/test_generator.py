"""G against the record's drawing."""

import chainer
import chainer.functions as F
import numpy as np
import pytest

import starvox
from starvox.models import Generator
from starvox.models.blocks import ConditionalNorm

# name in the drawing -> the shape it hands on, (channels, bins, frames)
DRAWN = {
    "downsamp1": (32, 256, 256),
    "downsamp2": (64, 128, 128),
    "downsamp3": (128, 64, 64),
    "merge": (128, 64, 64),
    "bottleneck1": (128, 64, 64),
    "bottleneck2": (128, 64, 64),
    "bottleneck3": (128, 64, 64),
    "upsamp1": (64, 128, 128),
    "upsamp2": (32, 256, 256),
    "upsamp3": (1, 256, 256),
}


def small(**changes):
    values = {
        "n_labels": 5,
        "labels": "merge",
        "filters": 2,
        "depth": 2,
        "blocks": 1,
        "block_convolutions": 2,
        "merge_kernel": (3, 3),
        "block_kernel": (3, 3),
        "normalization": "batch",
        "bn_decay": 0.9,
        "bn_eps": 2e-5,
        "initializer": chainer.initializers.LeCunNormal(rng=np.random.RandomState(0)),
    }
    return Generator(**values | changes)


@pytest.fixture(scope="module")
def recorded():
    return starvox.build_models(starvox.load_experiment("47c97768"))[0]


def test_every_shape_of_the_drawing(recorded, shapes_of):
    x = np.random.default_rng(0).random((1, 1, 256, 256), dtype=np.float32)
    c = np.zeros((1, 1479), np.float32)
    with shapes_of(DRAWN) as shapes, chainer.no_backprop_mode():
        y = recorded(x, c)
    assert shapes.seen == DRAWN
    assert list(shapes.seen) == list(DRAWN)
    assert y.shape == (1, 1, 256, 256)
    assert y.dtype == np.float32


def test_the_output_is_a_sigmoid():
    gen = small()
    gen.upsamp3.W.array[...] = 0
    gen.upsamp3.b.array[...] = np.log(3)
    y = gen(np.zeros((1, 1, 16, 16), np.float32), np.zeros((1, 5), np.float32))
    np.testing.assert_allclose(y.array, 3 / 4, rtol=1e-6)


def test_kernels_of_the_drawing(recorded):
    assert recorded.downsamp1.conv.W.shape == (32, 1, 7, 7)
    assert recorded.downsamp2.conv.W.shape == (64, 32, 4, 4)
    assert recorded.merge.conv.W.shape == (128, 1607, 3, 3)
    assert recorded.bottleneck3.conv1.W.shape == (128, 128, 3, 3)
    assert recorded.upsamp1.conv.W.shape == (128, 64, 4, 4)
    assert recorded.upsamp3.W.shape == (32, 1, 7, 7)
    strides = [recorded[name].conv.stride for name in ("downsamp1", "downsamp2", "upsamp2")]
    assert strides == [(1, 1), (2, 2), (2, 2)]


def test_count_of_parameters(recorded):
    down = 7 * 7 * 32 + 4 * 4 * 32 * 64 + 4 * 4 * 64 * 128
    merge = 3 * 3 * 1607 * 128
    bottleneck = 3 * 2 * 3 * 3 * 128 * 128
    up = 4 * 4 * 128 * 64 + 4 * 4 * 64 * 32 + (7 * 7 * 32 + 1)
    normalised = 32 + 64 + 128 + 128 + 3 * 2 * 128 + 64 + 32
    assert recorded.count_params() == down + merge + bottleneck + up + 2 * normalised == 3_069_249


def test_no_bias_before_a_normalisation(recorded):
    biases = [name for name, _ in recorded.namedparams() if name.endswith("/b")]
    assert biases == ["/upsamp3/b"]


def test_every_normalisation_is_of_the_batch(recorded):
    kinds = [type(link) for name, link in recorded.namedlinks() if "norm" in name.rpartition("/")[2]]
    assert kinds == [chainer.links.BatchNormalization] * (3 + 1 + 6 + 2)


@pytest.mark.parametrize("name", ["downsamp1", "downsamp3", "upsamp1"])
def test_convolution_then_normalisation_then_relu(name):
    block = small()[name]
    x = np.random.default_rng(0).standard_normal((2, {"downsamp1": 1, "downsamp3": 4}.get(name, 8), 8, 8))
    x = x.astype(np.float32)
    np.testing.assert_array_equal(block(x).array, F.relu(block.norm(block.conv(x))).array)


def test_labels_merge_before_normalisation_and_relu():
    block = small().merge
    h = np.random.default_rng(0).standard_normal((2, 8, 4, 4), dtype=np.float32)
    c = np.eye(2, 5, dtype=np.float32)
    np.testing.assert_array_equal(block(h, c).array, F.relu(block.norm(block.conv(h, c))).array)


def test_a_residual_block_of_two_convolutions():
    block = small().bottleneck1
    x = np.random.default_rng(0).standard_normal((2, 8, 3, 3), dtype=np.float32)
    inner = F.relu(block.norm1(block.conv1(x)))
    np.testing.assert_array_equal(block(x).array, x + block.norm2(block.conv2(inner)).array)


def test_one_convolution_in_a_residual_block():
    block = small(block_convolutions=1).bottleneck1
    x = np.random.default_rng(0).standard_normal((2, 8, 3, 3), dtype=np.float32)
    expected = x + F.relu(block.norm1(block.conv1(x))).array
    np.testing.assert_array_equal(block(x).array, expected)
    assert len(list(block.params())) == 3


def test_instance_normalisation_sees_one_sample():
    gen = small(normalization="instance")
    rng = np.random.default_rng(0)
    x, c = rng.random((2, 1, 16, 16), dtype=np.float32), np.zeros((2, 5), np.float32)
    np.testing.assert_allclose(gen(x, c).array[:1], gen(x[:1], c[:1]).array, rtol=1e-4, atol=1e-6)
    batch = small()
    assert abs(batch(x, c).array[:1] - batch(x[:1], c[:1]).array).max() > 1e-3


def test_conditional_labels_act_after_every_normalisation_from_the_merge_on():
    gen = small(labels="conditional")
    rng = np.random.default_rng(0)
    x = rng.random((2, 1, 16, 16), dtype=np.float32)
    c = np.eye(2, 5, dtype=np.float32)
    norms = [name for name, link in gen.namedlinks() if isinstance(link, ConditionalNorm)]
    places = ["bottleneck1/norm1", "bottleneck1/norm2", "merge/norm", "upsamp1/norm", "upsamp2/norm"]
    assert norms == [f"/{place}" for place in places]
    assert gen.merge.conv.W.shape == (8, 8, 3, 3)  # no map of labels any more
    down = gen.downsamp3(gen.downsamp2(gen.downsamp1(x)))
    np.testing.assert_array_equal(gen.encode(x).array, gen.merge.conv(down).array)
    with chainer.using_config("train", False):
        assert abs(gen(x, c).array - gen(x, np.zeros_like(c)).array).max() > 1e-3


def test_a_conditional_normalisation_scales_and_shifts_each_channel():
    norm = ConditionalNorm(lambda h: h, 2, 3, chainer.initializers.Zero())
    norm.scale.W.array[...] = [[1, 0], [0, 0], [0, 0]]
    norm.shift.W.array[...] = [[0, 0], [0, 5], [0, 0]]
    h = np.ones((2, 3, 1, 1), np.float32)
    y = norm(h, np.array([[1, 0], [0, 1]], np.float32)).array[:, :, 0, 0]
    assert y.tolist() == [[2, 1, 1], [1, 6, 1]]


def test_any_length_is_converted():
    x, c = np.zeros((1, 1, 16, 40), np.float32), np.zeros((1, 5), np.float32)
    assert small()(x, c).shape == x.shape


@pytest.mark.gpu
def test_the_gpu_gives_what_the_cpu_gives(cupy):
    rng = np.random.default_rng(0)
    x, c = rng.random((2, 1, 16, 16), dtype=np.float32), (rng.random((2, 5)) < 0.5).astype(np.float32)
    expected = small()(x, c).array
    gen = small()
    gen.to_device("@cupy:0")
    np.testing.assert_allclose(
        gen(cupy.asarray(x), cupy.asarray(c)).array.get(), expected, rtol=1e-3, atol=1e-4
    )
