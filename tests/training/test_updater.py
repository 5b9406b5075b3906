"""The order and the effects of an iteration's steps; test_iteration.py works one out a second time.

The networks are small ones of the real kind.
"""

import chainer
import numpy as np
import pytest

from starvox import load_experiment
from starvox.training import recorded_step
from starvox.training.randomness import Stream, rng_for

SEED = 9


@pytest.fixture(scope="module")
def make_updater(small_updater):
    def make(**readings):
        return small_updater(filters=(2, 3), layers=1, seed=SEED, **readings)

    return make


def update(updater):
    """Runs one iteration; returns what it reported and the minibatches (A, B) of its steps."""
    reporter, report = chainer.Reporter(), {}
    with reporter.scope(report):
        updater.update()
    drawn = [updater.get_iterator(name).drawn for name in ("main", "orig")]
    return report, list(zip(*drawn, strict=True))


def arrays(link):
    """Every array of a network: parameters and running statistics."""
    found = {f"{name}.data": p.array.copy() for name, p in link.namedparams()}
    for name, child in link.namedlinks():
        found |= {f"{name}/{key}": np.array(getattr(child, key)) for key in child._persistent}
    return found


def test_each_d_step_has_a_ratio_of_its_place_and_the_log_their_mean(make_updater, monkeypatch):
    updater = make_updater(n_dis=3)
    step, ratios, values = updater._run_dis, [], []

    def watched(ratio, *batches):
        ratios.append(ratio)
        values.append(step(ratio, *batches))
        return values[-1]

    monkeypatch.setattr(updater, "_run_dis", watched)
    for iteration in range(2):
        report, _ = update(updater)
        for place, ratio in enumerate(ratios[-3:]):
            expected = rng_for(SEED, Stream.MIX, iteration, place).random((2, 1, 1, 1), dtype=np.float32)
            np.testing.assert_array_equal(ratio, expected)
        for key in values[0]:
            np.testing.assert_allclose(report[key], np.mean([value[key] for value in values[-3:]]), rtol=1e-6)


def test_the_identity_loss_ends_at_its_iteration(make_updater):
    loss = load_experiment("47c97768").loss.model_copy(update={"identity_iterations": 2})
    updater = make_updater(loss=loss, n_dis=1)
    weights = []
    for _ in range(4):
        report, _ = update(updater)
        others = report["gen/adversarial"] + report["gen/classification"]
        others += 10 * (report["gen/reconstruction"] + report["gen/feature_matching"])
        weights.append((report["gen/loss"] - others) / report["gen/identity"])
    np.testing.assert_allclose(weights, [10, 10, 0, 0], atol=1e-3)


def test_five_steps_of_d_then_one_of_g_each_with_its_own_minibatches(make_updater):
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


def test_the_other_reading_shares_one_minibatch(make_updater):
    updater = make_updater(share_minibatch=True)
    _, batches = update(updater)
    assert len(batches) == 1
    assert updater.get_optimizer("dis").t == 5


@pytest.mark.parametrize("statistics", ["every forward", "generator steps"])
def test_the_running_statistics_are_those_of_the_drawing(make_updater, statistics):
    """One conversion a D step and three a G step, though the part that sees no labels runs twice there."""
    updater, plain = make_updater(statistics=statistics), make_updater().gen
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


def test_the_gradients_of_a_step_are_freed_before_the_next(make_updater):
    updater = make_updater()
    a, b = next(updater._draw(1))
    updater._update_dis(0, a, b)
    assert all(param.grad is not None for param in updater.dis.params())
    updater._update_gen(a, b)
    assert all(param.grad is None for param in updater.dis.params())


def test_the_running_statistics_change_nothing_of_the_training(make_updater):
    def train(statistics):
        updater = make_updater(learning_rate=0.01, n_dis=2, statistics=statistics)
        reports = [update(updater)[0] for _ in range(3)]
        found = arrays(updater.gen) | arrays(updater.dis)
        return reports, {key: value.tobytes() for key, value in found.items() if "/avg_" not in key}

    assert train("every forward") == train("generator steps")


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


def test_a_step_is_a_function_of_its_arrays_and_the_networks(make_updater, monkeypatch, capsys):
    """Replayed it trains the same networks to the last bit; this is what a CUDA graph relies on."""
    monkeypatch.setattr(recorded_step, "CHECKED", 1)
    recorder = Again()

    def draw(*place):
        assert not recorder.replaying, "a recording would draw the same again"
        return rng_for(*place)

    monkeypatch.setattr("starvox.training.updater.rng_for", draw)

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


def test_a_step_changes_arrays_in_place(make_updater):
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
def test_a_gpu_computes_what_the_cpu_does(make_updater, statistics, cupy):
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
def test_an_iteration_does_not_wait_for_the_gpu(make_updater, cupy):
    import cupyx

    updater = make_updater(learning_rate=0.01, device="@cupy:0")
    update(updater)  # kernels are compiled
    with cupyx.allow_synchronize(False):
        update(updater)


@pytest.mark.gpu
def test_cuda_graphs_do_what_the_steps_do(make_updater, cupy, capsys):
    from starvox.training.cuda_graph import use_cuda_graphs

    updater = make_updater(learning_rate=0.01, n_dis=2, device="@cupy:0")
    use_cuda_graphs(updater)
    for _ in range(8):
        update(updater)
    cupy.cuda.Stream.null.use()
    assert capsys.readouterr().err == ""
    assert updater._run_dis._replay is not None
    assert updater._run_gen._replay is not None
