import importlib

import pytest

from benchmarks.plan import MEASUREMENTS, plan
from benchmarks.table import ROWS, TITLES


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_every_measurement_is_there_and_in_the_page(name):
    assert callable(importlib.import_module(f"benchmarks.measure.{MEASUREMENTS[name].module}").run)
    assert name == "labels" or (ROWS[name] and TITLES[name])


def test_a_round_on_the_cpu_and_on_a_gpu():
    cpu, gpu = (plan([], ["starvox", "pytorch"], device) for device in ("cpu", "cuda:0"))
    assert cpu == [
        ("sgemm", "starvox"),
        ("sgemm", "pytorch"),
        ("training", "starvox"),
        ("training", "pytorch"),
        ("labels", "starvox"),
        ("labels", "pytorch"),
        ("features", "starvox"),
        ("features", "librosa"),
        ("data", "starvox"),
        ("replay", "starvox"),
    ]
    assert set(cpu) - set(gpu) == {("features", "starvox"), ("features", "librosa")}
    assert set(gpu) - set(cpu) == {("fit", "starvox"), ("fit", "pytorch")}


def test_only_what_was_asked_for():
    assert plan(["data", "replay"], ["starvox", "chainer"], "cpu") == [
        ("data", "starvox"),
        ("replay", "starvox"),
        ("replay", "chainer"),
    ]
    assert plan(["features"], ["pytorch"], "cpu") == []
