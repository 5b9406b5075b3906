"""What a process measures does what its name says."""

import importlib
from types import SimpleNamespace

import pytest

from benchmarks.worker import MEASUREMENTS
from starvox import load_experiment

EXP = load_experiment("smoke")


@pytest.fixture
def run(manifest, store):
    """Returns a function: measurement, contender -> what a run of it returns."""

    def run(measurement, contender):
        module, count, _ = MEASUREMENTS[measurement]
        job = SimpleNamespace(measurement=measurement, contender=contender, count=count, device="cpu")
        job.experiment, job.config, job.data, job.store = EXP.id, EXP.dumps(), str(manifest), str(store)
        return importlib.import_module(f"benchmarks.{module}").build(job)[0]()

    return run


def test_features_are_of_one_crop_each(run):
    ours, librosas = run("features", "starvox"), run("features", "librosa")
    assert {s.shape for s in ours} == {(EXP.audio.bins, EXP.audio.frames)}
    assert len(ours) == len(librosas) == 20
    assert {stft.shape[1] for stft in librosas} == {EXP.audio.frames}


@pytest.mark.parametrize("phase", ["griffin-lim", "source"])
def test_replay_is_of_ten_seconds(run, phase):
    assert len(run(phase, "starvox")) == 10 * EXP.audio.sample_rate
