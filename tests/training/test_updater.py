"""The wiring of one iteration, held against the record's two drawings.

The networks are small ones of the real kind. Their learning rate is 0 where a
test works the losses out a second time, from the same weights.
"""

import chainer
import chainer.functions as F
import numpy as np
import pytest

from starvox import load_experiment
from starvox.models import Discriminator, Generator
from starvox.training.random import Stream, generator
from starvox.training.updater import StarGANUpdater

N_CLASSES, N_LABELS, SEED = 4, 5, 9


def make_networks():
    initializer = chainer.initializers.LeCunNormal(rng=np.random.RandomState(0))
    gen = Generator(
        n_labels=N_LABELS,
        filters=2,
        depth=1,
        blocks=1,
        block_convolutions=2,
        merge_kernel=(3, 3),
        block_kernel=(3, 3),
        normalization="batch",
        bn_decay=0.9,
        bn_eps=2e-5,
        initializer=initializer,
    )
    dis = Discriminator(
        n_classes=N_CLASSES,
        filters=3,
        layers=1,
        slope=0.01,
        class_kernel=4,
        class_pad=0,
        initializer=initializer,
    )
    return gen, dis


class Minibatches(chainer.dataset.Iterator):
    """Hands out minibatches of random spectrograms and labels, and keeps them."""

    epoch = 0

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.drawn = []

    def __next__(self):
        x = self.rng.random((2, 1, 8, 8), dtype=np.float32)
        c = (self.rng.random((2, N_LABELS)) < 0.5).astype(np.float32)
        t = self.rng.integers(-1, 2, (2, N_CLASSES)).astype(np.int32)
        self.drawn.append((x, c, t))
        return self.drawn[-1]


def make_updater(loss=None, learning_rate=0.0, n_dis=5, share_minibatch=False):
    gen, dis = make_networks()
    return StarGANUpdater(
        {"main": Minibatches(1), "orig": Minibatches(2)},
        {
            name: chainer.optimizers.RMSprop(learning_rate).setup(network)
            for name, network in (("gen", gen), ("dis", dis))
        },
        loss=loss or load_experiment("47c97768").loss,
        n_dis=n_dis,
        share_minibatch=share_minibatch,
        seed=SEED,
        converter=lambda batch, device: batch,
        device=chainer.get_device("@numpy"),
    )


def update(updater):
    """Runs one iteration; returns what it reported and the minibatches (A, B) of its steps."""
    reporter, report = chainer.Reporter(), {}
    with reporter.scope(report):
        updater.update()
    drawn = [updater.get_iterator(name).drawn for name in ("main", "orig")]
    return report, list(zip(*drawn, strict=True))


def penalty(dis, x):
    x = chainer.Variable(x)
    (gradient,) = chainer.grad([F.sum(dis(x)[2])], [x])
    return np.mean((np.sqrt((gradient.array**2).sum((1, 2, 3))) - 1) ** 2)


def entropy(logits, t):
    """Sigmoid cross entropy of every entry, 0 where t is -1; and where it is not."""
    known = t >= 0
    values = np.logaddexp(0, logits) - logits * t
    return np.where(known, values, 0), known


def mse(a, b):
    return np.mean((a - b) ** 2)


def expected_dis(gen, dis, batch_a, batch_b, step, loss):
    """The drawing "Discriminator の学習", in plain words, from the networks as they are."""
    (x_real, _, t_real), (x_orig, c_fake, _) = batch_a, batch_b
    x_fake = gen(x_real, c_fake).array
    fake, real = ([out.array for out in dis(x)] for x in (x_fake, x_real))
    values, known = entropy((fake if loss.classify == "x_fake" else real)[1], t_real)
    ratio = generator(SEED, Stream.MIX, 0, step).random((2, 1, 1, 1), dtype=np.float32)
    other = x_orig if loss.penalty == "x_orig" else x_real
    return {
        "dis/wasserstein": fake[2].mean() - real[2].mean(),
        "dis/gradient_penalty": penalty(dis, other * ratio + x_fake * (1 - ratio)),
        "dis/classification": values.sum() / (known.sum() if loss.classification_reduction == "mean" else 2),
    }


def expected_gen(gen, dis, batch_a, batch_b, loss):
    """The drawing "Generator の学習"."""
    (x_real, c_real, _), (x_orig, c_fake, t_fake) = batch_a, batch_b
    x_fake = gen(x_real, c_fake).array
    feature, classified, adversarial = (out.array for out in dis(x_fake))
    values, known = entropy(classified, t_fake)
    return {
        "gen/adversarial": -adversarial.mean(),
        "gen/classification": values.sum() / (known.sum() if loss.classification_reduction == "mean" else 2),
        "gen/reconstruction": mse(gen(x_fake, c_real).array, x_real),
        "gen/identity": mse(gen(x_real, c_real).array, x_real),
        "gen/feature_matching": mse(feature, dis(x_orig)[0].array),
    }


def arrays(link):
    """Every array of a network: parameters, their gradients and running statistics."""
    found = {f"{name}.data": p.array.copy() for name, p in link.namedparams()}
    found |= {f"{name}.grad": p.grad.copy() for name, p in link.namedparams()}
    for name, child in link.namedlinks():
        found |= {f"{name}/{key}": np.array(getattr(child, key)) for key in child._persistent}
    return found


def changed(before, after):
    return [key for key in before if not np.array_equal(before[key], after[key], equal_nan=True)]


@pytest.mark.parametrize("experiment", ["47c97768", "47c97768-paper"])
def test_the_losses_are_wired_as_drawn(experiment):
    loss = load_experiment(experiment).loss
    updater = make_updater(loss)
    report, batches = update(updater)
    steps = [
        expected_dis(updater.gen, updater.dis, a, b, step, loss) for step, (a, b) in enumerate(batches[:-1])
    ]
    expected = {key: np.mean([step[key] for step in steps]) for key in steps[0]}
    expected |= expected_gen(updater.gen, updater.dis, *batches[-1], loss)
    for key, value in expected.items():
        np.testing.assert_allclose(report[key], value, rtol=1e-4, atol=1e-6, err_msg=key)


def test_the_weights_of_the_losses():
    report, _ = update(make_updater())
    dis = report["dis/wasserstein"] + 10 * report["dis/gradient_penalty"] + report["dis/classification"]
    np.testing.assert_allclose(report["dis/loss"], dis, rtol=1e-5)
    means = report["gen/reconstruction"] + report["gen/identity"] + report["gen/feature_matching"]
    gen = report["gen/adversarial"] + report["gen/classification"] + 10 * means
    np.testing.assert_allclose(report["gen/loss"], gen, rtol=1e-5)


def test_five_steps_of_d_and_one_of_g_each_with_its_own_minibatches():
    updater = make_updater()
    _, batches = update(updater)
    assert updater.get_optimizer("dis").t == 5
    assert updater.get_optimizer("gen").t == 1
    assert len(batches) == 6
    assert len({a[0].tobytes() for a, _ in batches} | {b[0].tobytes() for _, b in batches}) == 12


def test_the_other_reading_shares_one_minibatch():
    updater = make_updater(share_minibatch=True)
    _, batches = update(updater)
    assert len(batches) == 1
    assert updater.get_optimizer("dis").t == 5


def test_a_d_step_leaves_g_untouched():
    updater = make_updater(learning_rate=0.01)
    a, b = updater._draw()
    gen, dis = arrays(updater.gen), arrays(updater.dis)
    updater._update_dis(0, a, b)
    assert changed(gen, arrays(updater.gen)) == []
    moved = {f"{name}.data" for name, _ in updater.dis.namedparams()}
    moved.remove("/discriminate/b.data")  # cancels: D is asked for a difference
    assert moved <= set(changed(dis, arrays(updater.dis)))


def test_a_g_step_leaves_d_untouched():
    updater = make_updater(learning_rate=0.01)
    a, b = updater._draw()
    gen, dis = arrays(updater.gen), arrays(updater.dis)
    updater._update_gen(a, b)
    assert changed(dis, arrays(updater.dis)) == []
    assert set(changed(gen, arrays(updater.gen))) == {
        key for key in gen if not key.endswith("/N")
    }  # N: of fine-tuning


def test_d_sees_g_as_in_training():
    """In a D step too, batch normalisation takes the minibatch's own statistics."""
    updater = make_updater()
    a, b = updater._draw()
    converted = updater._convert(a[0], b[1])
    np.testing.assert_array_equal(converted, updater.gen(a[0], b[1]).array)


def test_a_d_step_descends():
    updater = make_updater(learning_rate=1e-5)
    a, b = updater._draw()
    first, second = (updater._update_dis(0, a, b)["dis/loss"] for _ in range(2))
    assert second < first


def test_a_g_step_descends():
    updater = make_updater(learning_rate=1e-5)
    a, b = updater._draw()
    first, second = (updater._update_gen(a, b)["gen/loss"] for _ in range(2))
    assert second < first


def test_the_same_seed_trains_the_same_networks():
    def train():
        updater = make_updater(learning_rate=0.01)
        for _ in range(2):
            with chainer.Reporter().scope({}):
                updater.update()
        return arrays(updater.gen) | arrays(updater.dis)

    assert changed(train(), train()) == []
