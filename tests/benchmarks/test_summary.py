import pytest

from benchmarks import flops
from benchmarks.summary import bound, label_growth, spread_warnings, summarize
from starvox import load_experiment


def samples(measurement, contender, **quantities):
    rounds = zip(*quantities.values(), strict=True)
    return [
        {
            "round": number,
            "measurement": measurement,
            "contender": contender,
            "values": dict(zip(quantities, values, strict=True)),
        }
        for number, values in enumerate(rounds, 1)
    ]


def test_medians_by_hand():
    found = summarize(
        [
            *samples("training", "starvox", iteration=[3.0, 1.0, 2.5]),
            *samples("data", "starvox", minibatch=[4, 2]),
        ]
    )
    assert found == {
        "training": {"starvox": {"iteration": {"median": 2.5, "min": 1.0, "max": 3.0, "count": 3}}},
        "data": {"starvox": {"minibatch": {"median": 3, "min": 2, "max": 4, "count": 2}}},
    }


def test_a_failure_has_no_median():
    sample = {"round": 1, "measurement": "training", "contender": "pytorch", "error": "killed"}
    assert summarize([sample]) == {}


def test_label_growth_by_hand():
    found = label_growth(
        summarize(
            [
                *samples("training", "starvox", gen_step=[4.0], gen_share=[0.4]),
                *samples("labels", "starvox", gen_step=[5.0], gen_share=[0.3]),
                *samples("labels", "pytorch", gen_step=[9.0], gen_share=[0.3]),  # nothing to compare it with
            ]
        )
    )
    assert list(found) == ["starvox"]
    assert found["starvox"]["gen_step"] == [4.0, 5.0]
    assert found["starvox"]["gen_step_ratio"] == 1.25
    assert found["starvox"]["gen_share_growth"] == pytest.approx(-0.25)


def test_the_bound_takes_the_better_rate():
    exp = load_experiment("smoke")
    needed = flops.count(exp).iteration
    found = bound(
        summarize(
            [
                *samples(
                    "sgemm", "starvox", flops=[needed / 2, needed]
                ),  # median: 3/4 of an iteration a second
                *samples("sgemm", "pytorch", flops=[needed / 8]),
                *samples("training", "starvox", iteration=[4.0]),
            ]
        ),
        exp,
    )
    assert found["seconds"] == pytest.approx(4 / 3)
    assert found["times_bound"] == pytest.approx(3)
    assert found["needed"]["iteration"] == needed
    assert found["tiled"]["iteration"] > needed


def test_without_a_rate_there_is_only_the_count():
    assert set(bound({}, load_experiment("smoke"))) == {"needed", "tiled"}


@pytest.mark.parametrize(("rates", "warned"), [([100e9, 104e9, 109e9], False), ([100e9, 100e9, 111e9], True)])
def test_a_busy_machine_is_told(rates, warned):
    warnings = spread_warnings(summarize(samples("sgemm", "pytorch", flops=rates)))
    assert bool(warnings) == warned
    assert not warned or "between 100 and 111 GFLOP/s" in warnings[0]
