"""All contenders compute the same: the losses and the gradients, from the same weights and minibatches.

Float64 is the judge. Seen: all are off by about 1e-5 of an array's largest gradient.
"""

import pytest

from starvox import load_experiment

torch = pytest.importorskip("torch", reason="PyTorch is not installed (make bench installs it)")

from benchmarks.check import TOLERANCE, compare, compare_small  # noqa: E402
from benchmarks.peer.saving import SavingTrainer  # noqa: E402
from benchmarks.peer.trainer import Trainer  # noqa: E402

WEIGHTS = ("gradient_penalty", "reconstruction", "identity", "feature_matching")
COMPARED = {
    *("dis/wasserstein", "dis/gradient_penalty", "dis/classification", "dis/loss"),
    *("gen/adversarial", "gen/classification", "gen/reconstruction", "gen/identity"),
    *("gen/feature_matching", "gen/loss"),
    *("dis.grad/conv1/W", "dis.grad/clazz/b", "gen.grad/downsamp1/conv/W", "gen.grad/upsamp3/b"),
}


def changed(tables, exp="smoke"):
    exp = load_experiment(exp)
    return exp.model_copy(
        update={name: getattr(exp, name).model_copy(update=values) for name, values in tables.items()}
    )


def worst(deviations):
    return max((value, who, what) for (who, what), value in deviations.items())


@pytest.mark.parametrize("only", [None, *WEIGHTS])
def test_the_same_losses_and_gradients(make_dataset, only):
    """One weighted term at a time, large beside the others, so that none can hide in a sum."""
    weights = {f"{name}_weight": 100.0 if name == only else 0.0 for name in WEIGHTS} if only else {}
    exp = changed({"loss": weights})
    deviations = compare_small(exp, make_dataset(exp))
    assert {who for who, _ in deviations} == {"starvox", "torch", "torch-saving"}
    assert {what for _, what in deviations} > COMPARED
    assert worst(deviations)[0] < TOLERANCE, worst(deviations)


@pytest.mark.parametrize(
    "variant",
    [
        {"loss": {"classify": "x_real", "penalty": "x_real", "classification_reduction": "sum"}},
        {"loss": {"penalty_output": "mean"}, "discriminator": {"class_pad": 1}},
        {"generator": {"block_convolutions": 1, "merge_kernel": (1, 3), "block_kernel": (3, 5)}},
        {"generator": {"normalization": "instance"}},
    ],
)
def test_the_same_in_every_reading(make_dataset, variant):
    exp = changed(variant)
    deviations = compare_small(exp, make_dataset(exp))
    assert worst(deviations)[0] < TOLERANCE, worst(deviations)


@pytest.mark.parametrize("trainer", [Trainer, SavingTrainer])
def test_a_difference_is_seen(make_dataset, monkeypatch, trainer):
    monkeypatch.setattr(trainer, "_penalty", lambda self, x: 0 * self.dis(x)[2].mean())
    exp = load_experiment("smoke")
    deviations = compare(exp, make_dataset(exp))
    who = "starvox" if trainer is Trainer else "torch-saving"  # Trainer is the judge itself
    assert deviations[who, "dis/gradient_penalty"] > 0.01
    assert deviations[who, "dis.grad/conv1/W"] > 0.01
    assert deviations[who, "gen/reconstruction"] < 1e-4
