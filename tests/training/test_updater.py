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
from starvox.training import recorded_step
from starvox.training.random import Stream, generator
from starvox.training.updater import StarGANUpdater

N_CLASSES, N_LABELS, SEED = 4, 5, 9


def make_networks():
    initializer = chainer.initializers.LeCunNormal(rng=np.random.RandomState(0))
    gen = Generator(
        n_labels=N_LABELS,
        labels="merge",
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
        time_layers=1,
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


def make_updater(loss=None, learning_rate=0.0, n_dis=5, device="@numpy", **readings):
    gen, dis = make_networks()
    return StarGANUpdater(
        {"main": Minibatches(1), "orig": Minibatches(2)},
        {
            name: chainer.optimizers.RMSprop(learning_rate).setup(network)
            for name, network in (("gen", gen), ("dis", dis))
        },
        loss=loss or load_experiment("47c97768").loss,
        n_dis=n_dis,
        **readings,
        seed=SEED,
        converter=lambda batch, device: tuple(device.send(array) for array in batch),
        device=chainer.get_device(device),
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
    (gradient,) = chainer.grad([F.sum(dis(x)[2])], [x], enable_double_backprop=True)
    return F.mean((F.sqrt(F.sum(gradient**2, axis=(1, 2, 3))) - 1) ** 2)


def entropy(logits, t, loss):
    """Sigmoid cross entropy of every entry, 0 where t is -1."""
    known = (t >= 0).astype(np.float32)
    values = (F.softplus(logits) - logits * t.astype(np.float32)) * known
    return F.sum(values) / (known.sum() if loss.classification_reduction == "mean" else 2)


def expected_dis(gen, dis, batch_a, batch_b, place, loss):
    """The drawing "Discriminator の学習", in plain words, from the networks as they are."""
    (x_real, _, t_real), (x_orig, c_fake, _) = batch_a, batch_b
    x_fake = gen(x_real, c_fake).array
    fake, real = dis(x_fake), dis(x_real)
    ratio = generator(SEED, Stream.MIX, *place).random((2, 1, 1, 1), dtype=np.float32)
    other = x_orig if loss.penalty == "x_orig" else x_real
    return {
        "dis/wasserstein": F.mean(fake[2]) - F.mean(real[2]),
        "dis/gradient_penalty": penalty(dis, other * ratio + x_fake * (1 - ratio)),
        "dis/classification": entropy((fake if loss.classify == "x_fake" else real)[1], t_real, loss),
    }


def expected_gen(gen, dis, batch_a, batch_b, loss):
    """The drawing "Generator の学習"."""
    (x_real, c_real, _), (x_orig, c_fake, t_fake) = batch_a, batch_b
    x_fake = gen(x_real, c_fake)
    feature, classified, adversarial = dis(x_fake)
    return {
        "gen/adversarial": -F.mean(adversarial),
        "gen/classification": entropy(classified, t_fake, loss),
        "gen/reconstruction": F.mean((gen(x_fake, c_real) - x_real) ** 2),
        "gen/identity": F.mean((gen(x_real, c_real) - x_real) ** 2),
        "gen/feature_matching": F.mean((feature - dis(x_orig)[0].array) ** 2),
    }


def arrays(link):
    """Every array of a network: parameters and running statistics."""
    found = {f"{name}.data": p.array.copy() for name, p in link.namedparams()}
    for name, child in link.namedlinks():
        found |= {f"{name}/{key}": np.array(getattr(child, key)) for key in child._persistent}
    return found


def changed(before, after):
    return [key for key in before if not np.array_equal(before[key], after[key], equal_nan=True)]


@pytest.mark.parametrize("experiment", ["47c97768", "47c97768-paper"])
def test_the_losses_are_wired_as_drawn(experiment):
    loss = load_experiment(experiment).loss
    updater = make_updater(loss)
    for iteration in range(2):
        report, batches = update(updater)
        steps = [
            expected_dis(updater.gen, updater.dis, a, b, (iteration, step), loss)
            for step, (a, b) in enumerate(batches[-6:-1])
        ]
        expected = {key: np.mean([step[key].array for step in steps]) for key in steps[0]}
        last = expected_gen(updater.gen, updater.dis, *batches[-1], loss)
        expected |= {key: value.array for key, value in last.items()}
        for key, value in expected.items():
            np.testing.assert_allclose(report[key], value, rtol=1e-4, atol=1e-6, err_msg=key)


WEIGHTED = {
    "dis/classification": "classification_weight",
    "gen/classification": "classification_weight",
    "dis/gradient_penalty": "gradient_penalty_weight",
    "gen/reconstruction": "reconstruction_weight",
    "gen/identity": "identity_weight",
    "gen/feature_matching": "feature_matching_weight",
}


def without_weights(experiment, keep):
    """The experiment's losses with every weight 0 but that of the log key ``keep``."""
    loss = load_experiment(experiment).loss
    kept = WEIGHTED.get(keep)
    changes = {name: 0.0 for name in WEIGHTED.values() if name != kept}
    return loss.model_copy(update=changes | ({kept: 10.0} if kept else {}))


@pytest.mark.parametrize("experiment", ["47c97768", "47c97768-paper"])
@pytest.mark.parametrize("keep", [None, *WEIGHTED])
def test_the_gradients_are_those_of_the_drawn_losses(experiment, keep):
    """One weighted term at a time, beside the unweighted ones, so that none can hide another."""
    loss = without_weights(experiment, keep)
    updater = make_updater(loss)
    a, b = next(updater._draw(1))
    steps = {
        "dis": (
            lambda: updater._update_dis(0, a, b),
            expected_dis(updater.gen, updater.dis, a, b, (0, 0), loss),
        ),
        "gen": (lambda: updater._update_gen(a, b), expected_gen(updater.gen, updater.dis, a, b, loss)),
    }
    for name, (step, terms) in steps.items():
        step()
        total = sum(
            (10 if key in WEIGHTED else 1) * value
            for key, value in terms.items()
            if WEIGHTED.get(key) in (None, WEIGHTED.get(keep))
        )
        params = dict(getattr(updater, name).namedparams())
        gradients = chainer.grad([total], list(params.values()))
        for (path, param), gradient in zip(params.items(), gradients, strict=True):
            expected = 0 if gradient is None else gradient.array  # of a head whose loss has no weight
            scale = max(np.abs(expected).max(), 1e-3)
            np.testing.assert_allclose(
                param.grad, expected, atol=1e-4 * scale, rtol=1e-3, err_msg=name + path
            )


def test_the_weights_of_the_losses():
    report, _ = update(make_updater())
    dis = report["dis/wasserstein"] + 10 * report["dis/gradient_penalty"] + report["dis/classification"]
    np.testing.assert_allclose(report["dis/loss"], dis, rtol=1e-5)
    means = report["gen/reconstruction"] + report["gen/identity"] + report["gen/feature_matching"]
    gen = report["gen/adversarial"] + report["gen/classification"] + 10 * means
    np.testing.assert_allclose(report["gen/loss"], gen, rtol=1e-5)


def test_the_identity_loss_ends_at_its_iteration():
    loss = load_experiment("47c97768").loss.model_copy(update={"identity_iterations": 2})
    updater = make_updater(loss, n_dis=1)
    weights = []
    for _ in range(4):
        report, _ = update(updater)
        others = report["gen/adversarial"] + report["gen/classification"]
        others += 10 * (report["gen/reconstruction"] + report["gen/feature_matching"])
        weights.append((report["gen/loss"] - others) / report["gen/identity"])
    np.testing.assert_allclose(weights, [10, 10, 0, 0], atol=1e-3)


def test_five_steps_of_d_then_one_of_g_each_with_its_own_minibatches():
    updater = make_updater()
    steps = []
    for name in ("gen", "dis"):
        updater.get_optimizer(name).add_hook(lambda optimizer, name=name: steps.append(name), name=name)
    _, batches = update(updater)
    assert steps == ["dis"] * 5 + ["gen"]
    assert updater.get_optimizer("dis").t == 5
    assert updater.get_optimizer("gen").t == 1
    assert len(batches) == 6
    assert len({a[0].tobytes() for a, _ in batches} | {b[0].tobytes() for _, b in batches}) == 12


def test_the_other_reading_shares_one_minibatch():
    updater = make_updater(share_minibatch=True)
    _, batches = update(updater)
    assert len(batches) == 1
    assert updater.get_optimizer("dis").t == 5


@pytest.mark.parametrize("statistics", ["every forward", "generator steps"])
def test_a_d_step_leaves_all_of_g_but_its_running_statistics(statistics):
    updater = make_updater(learning_rate=0.01, statistics=statistics)
    a, b = next(updater._draw(1))
    gen, dis = arrays(updater.gen), arrays(updater.dis)
    updater._update_dis(0, a, b)
    running = [key for key in gen if "/avg_" in key]
    assert changed(gen, arrays(updater.gen)) == (running if statistics == "every forward" else [])
    moved = {f"{name}.data" for name, _ in updater.dis.namedparams()}
    moved.remove("/discriminate/b.data")  # cancels: D is asked for a difference
    assert moved <= set(changed(dis, arrays(updater.dis)))


def test_a_g_step_leaves_d_untouched():
    updater = make_updater(learning_rate=0.01)
    a, b = next(updater._draw(1))
    gen, dis = arrays(updater.gen), arrays(updater.dis)
    updater._update_gen(a, b)
    assert changed(dis, arrays(updater.dis)) == []
    assert set(changed(gen, arrays(updater.gen))) == {
        key for key in gen if not key.endswith("/N")
    }  # N: of fine-tuning


@pytest.mark.parametrize("statistics", ["every forward", "generator steps"])
def test_the_running_statistics_are_those_of_the_drawing(statistics):
    """One conversion a D step and three a G step, though the part that sees no labels runs twice there."""
    updater, (plain, _) = make_updater(statistics=statistics), make_networks()
    for _ in range(3):
        (x_real, c_real, _), (_, c_fake, _) = a, b = next(updater._draw(1))
        updater._update_dis(0, a, b)
        updater._update_gen(a, b)
        if statistics == "every forward":
            plain(x_real, c_fake)
        x_fake = plain(x_real, c_fake)
        plain(x_fake, c_real)
        plain(x_real, c_real)
    found, expected = arrays(updater.gen), arrays(plain)
    running = [key for key in expected if "/avg_" in key]
    assert len(running) == 2 * 6
    for key in running:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-5, atol=1e-6, err_msg=key)


def test_the_gradients_of_a_step_are_freed_before_the_next():
    updater = make_updater()
    a, b = next(updater._draw(1))
    updater._update_dis(0, a, b)
    assert all(param.grad is not None for param in updater.dis.params())
    updater._update_gen(a, b)
    assert all(param.grad is None for param in updater.dis.params())


def test_d_sees_g_as_in_training():
    """In a D step too, batch normalisation takes the minibatch's own statistics."""
    updater = make_updater()
    a, b = next(updater._draw(1))
    converted = updater._convert(a[0], b[1])
    np.testing.assert_array_equal(converted, updater.gen(a[0], b[1]).array)


def test_a_d_step_descends():
    updater = make_updater(learning_rate=1e-5)
    a, b = next(updater._draw(1))
    first, second = (updater._update_dis(0, a, b)["dis/loss"] for _ in range(2))
    assert second < first


def test_a_g_step_descends():
    updater = make_updater(learning_rate=1e-5)
    a, b = next(updater._draw(1))
    first, second = (updater._update_gen(a, b)["gen/loss"] for _ in range(2))
    assert second < first


def test_the_running_statistics_change_nothing_of_the_training():
    def train(statistics):
        updater = make_updater(learning_rate=0.01, n_dis=2, statistics=statistics)
        reports = [update(updater)[0] for _ in range(3)]
        found = arrays(updater.gen) | arrays(updater.dis)
        return reports, {key: value.tobytes() for key, value in found.items() if "/avg_" not in key}

    assert train("every forward") == train("generator steps")


def test_the_same_seed_trains_the_same_networks():
    def train():
        updater = make_updater(learning_rate=0.01)
        for _ in range(2):
            with chainer.Reporter().scope({}):
                updater.update()
        return arrays(updater.gen) | arrays(updater.dis)

    assert changed(train(), train()) == []


class Again:
    """Records a function by remembering it, after some calls of it, and writes to the same arrays."""

    replaying = False

    def record(self, function):
        for _ in range(2):
            function()
        result = function()

        def replay():
            self.replaying = True
            for key, value in function().items():
                result[key][...] = value
            self.replaying = False
            return result

        return replay


def test_a_step_is_a_function_of_its_arrays_and_the_networks(monkeypatch, capsys):
    """Replayed it trains the same networks to the last bit; this is what a CUDA graph relies on."""
    monkeypatch.setattr(recorded_step, "CHECKED", 1)
    recorder = Again()

    def draw(*place):
        assert not recorder.replaying, "a recording would draw the same again"
        return generator(*place)

    monkeypatch.setattr("starvox.training.updater.generator", draw)

    def train(prepare):
        updater = make_updater(learning_rate=0.01, n_dis=3)
        prepare(updater)
        found = []
        for _ in range(4):
            found.append({key: float(value) for key, value in update(updater)[0].items()})
        for name, optimizer in updater.get_all_optimizers().items():
            rules = [param.update_rule for param in optimizer.target.params()]
            found += [name, optimizer.t, [rule.t for rule in rules]]
            found += [rule.state["ms"].tobytes() for rule in rules]
        state = arrays(updater.gen) | arrays(updater.dis)
        return found, {key: value.tobytes() for key, value in state.items()}

    assert train(lambda updater: updater.record_steps(recorder)) == train(lambda updater: None)
    assert capsys.readouterr().err == ""


def test_a_step_changes_arrays_in_place():
    """A replay goes on writing to the arrays that it was recorded with."""

    def places():
        found = {key: value.ctypes.data for network in networks for key, value in raw(network)}
        for optimizer in updater.get_all_optimizers().values():
            states = [(name, param.update_rule.state["ms"]) for name, param in optimizer.target.namedparams()]
            found |= {f"{name}:ms": state.ctypes.data for name, state in states}
        return found

    def raw(network):
        yield from ((f"{type(network)}{name}", param.array) for name, param in network.namedparams())
        for path, link in network.namedlinks():
            persistent = [(f"{path}/{key}", getattr(link, key)) for key in link._persistent]
            yield from ((key, value) for key, value in persistent if isinstance(value, np.ndarray))

    updater = make_updater(learning_rate=0.01)
    networks = updater.gen, updater.dis
    update(updater)
    before = places()
    assert any("avg_mean" in key for key in before)
    update(updater)
    assert places() == before


@pytest.mark.gpu
@pytest.mark.parametrize("statistics", ["every forward", "generator steps"])
def test_a_gpu_computes_what_the_cpu_does(statistics, cupy):
    """The first iteration: later ones drift apart, RMSprop makes whole steps of rounding."""

    def run(device):
        updater = make_updater(learning_rate=0.0, statistics=statistics, device=device)
        found = {}
        for name, optimizer in updater.get_all_optimizers().items():
            optimizer.add_hook(
                lambda optimizer, name=name: found.update(
                    {f"{name}{path}.grad": param.grad for path, param in optimizer.target.namedparams()}
                )
            )
        report, _ = update(updater)
        networks = {"gen": updater.gen, "dis": updater.dis}
        for name, network in networks.items():
            for path, link in network.namedlinks():
                found |= {
                    f"{name}{path}/{key}": getattr(link, key) for key in link._persistent if key[:4] == "avg_"
                }
        return {key: chainer.cuda.to_cpu(value) for key, value in (report | found).items()}

    expected, found = run("@numpy"), run("@cupy:0")
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        scale = max(np.abs(value).max(), 1e-3)
        np.testing.assert_allclose(found[key], value, rtol=1e-3, atol=1e-4 * scale, err_msg=key)


@pytest.mark.gpu
def test_an_iteration_does_not_wait_for_the_gpu(cupy):
    import cupyx

    updater = make_updater(learning_rate=0.01, device="@cupy:0")
    update(updater)  # kernels are compiled
    with cupyx.allow_synchronize(False):
        update(updater)


@pytest.mark.gpu
def test_cuda_graphs_do_what_the_steps_do(cupy, capsys):
    from starvox.training.cuda_graph import use_cuda_graphs

    updater = make_updater(learning_rate=0.01, n_dis=2, device="@cupy:0")
    use_cuda_graphs(updater)
    for _ in range(8):
        update(updater)
    cupy.cuda.Stream.null.use()
    assert capsys.readouterr().err == ""
    assert updater._step_dis._replay is not None
    assert updater._step_gen._replay is not None
