"""From an experiment and a corpus to a trainer: counts, and the minibatch on the device."""

import chainer
import numpy as np
import pytest

from starvox import load_experiment, spectrogram
from starvox.training.assemble import build_updater, count_iterations, make_converter, make_prepare


def test_the_records_number_of_iterations():
    # an epoch is one pass of batch A: 1421 clips, (5 + 1) x 2 an iteration, 203 epochs
    assert count_iterations(load_experiment("47c97768"), 1421) == 24_039  # ceil(24038.58)


def test_with_one_minibatch_an_iteration_there_are_six_times_as_many(tmp_path):
    (tmp_path / "config.toml").write_text('extends = "47c97768"\n[training]\nminibatch = "iteration"\n')
    assert count_iterations(load_experiment(tmp_path), 1421) == 144_232  # ceil(203 * 1421 / 2)


class NoClips:
    """A dataset that is never drawn from."""

    def __len__(self):
        return 1421


def test_the_records_optimizer_and_schedule():
    updater = build_updater(load_experiment("47c97768"), NoClips(), chainer.get_device("@numpy"), seed=0)
    for name in ("gen", "dis"):
        optimizer = updater.get_optimizer(name)
        assert type(optimizer) is chainer.optimizers.RMSprop
        assert (optimizer.lr, optimizer.alpha, optimizer.eps) == (1e-5, 0.99, 1e-8)
    assert updater._n_dis == 5
    assert not updater._share_minibatch
    assert [updater.get_iterator(name).batch_size for name in ("main", "orig")] == [2, 2]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (chainer.optimizers.RMSprop, {"alpha": 0.5, "eps": 1e-4}),
        (chainer.optimizers.Adam, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}),
    ],
)
def test_the_optimizer_is_the_configurations(kind, values):
    name = kind.__name__.lower()
    changes = {f"training.{name}_{key}": value for key, value in values.items()}
    exp = load_experiment("smoke", changes | {"training.optimizer": name, "training.learning_rate": 0.1})
    for network in ("gen", "dis"):
        updater = build_updater(exp, NoClips(), chainer.get_device("@numpy"), seed=0)
        optimizer = updater.get_optimizer(network)
        assert type(optimizer) is kind
        assert {key: getattr(optimizer, key) for key in values} == values
        assert (optimizer.alpha if kind is chainer.optimizers.Adam else optimizer.lr) == 0.1


def examples(speech, audio):
    crops = [speech[start : start + audio.crop_samples] for start in (0, 9000)]
    return [(crop, np.full(5, i, np.float32), np.full(4, i, np.int32)) for i, crop in enumerate(crops)]


def minibatch(batch, audio, name):
    device = chainer.get_device(name)
    return make_converter(audio)(make_prepare(audio, device)(batch), device)


def test_a_minibatch(speech, audio):
    batch = examples(speech, audio)
    x, c, t = minibatch(batch, audio, "@numpy")
    assert (x.shape, x.dtype) == ((2, 1, 256, 256), np.float32)
    np.testing.assert_array_equal(x[1, 0], spectrogram(batch[1][0], audio))
    np.testing.assert_array_equal(c, [[0] * 5, [1] * 5])
    np.testing.assert_array_equal(t, [[0] * 4, [1] * 4])
    assert (c.dtype, t.dtype) == (np.float32, np.int32)


@pytest.mark.gpu
def test_spectrograms_are_computed_on_the_gpu(speech, audio, cupy):
    batch = examples(speech, audio)
    for value, reference in zip(
        minibatch(batch, audio, "@cupy:0"), minibatch(batch, audio, "@numpy"), strict=True
    ):
        assert isinstance(value, cupy.ndarray)
        np.testing.assert_allclose(value.get(), reference, atol=1e-4)
