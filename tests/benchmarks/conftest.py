"""A small corpus of real speech, and a report."""

import pytest

from starvox.corpus import Corpus, CropDataset, LabelEncoder

ROWS = ["a,scotland,F", "b,wales,M", "a,,F"]


@pytest.fixture(scope="session")
def manifest(make_manifest):
    """Of three clips of five seconds."""
    return make_manifest(ROWS, "train.csv", step=70000, length=80000)


@pytest.fixture(scope="session")
def store(manifest):
    """Where their waveforms are kept."""
    return manifest.parent / "store"


@pytest.fixture(scope="session")
def make_dataset(manifest, store):
    """Returns a function: experiment -> dataset of these clips."""

    def make(exp):
        corpus = Corpus.open(manifest, exp.audio, store, progress=False)
        return CropDataset(corpus, LabelEncoder.from_clips(corpus.clips, exp.labels.model_dump()))

    return make


@pytest.fixture
def report():
    """A report of invented numbers, in the form of `benchmarks.command`."""
    return {
        "date": "2026-01-31",
        "experiment": "smoke",
        "batchsize": 2,
        "rounds": 3,
        "rounds_done": 2,
        "iterations": 1,
        "warmup": 1,
        "machine": {
            "device": "cpu",
            "processor": "Abacus 9",
            "cores": 2,
            "threads": 2,
            "memory_gib": 3.5,
            "platform": "Linux",
            "python": "3.12.0",
            "packages": {"numpy": "2.4.6", "torch": None},
            "blas": ["openblas 0.3"],
            "git_commit": "abc",
        },
        "check": {"gen/loss": 1e-7},
        "warnings": ["the machine was not quiet"],
        "summary": {
            "data": {"starvox": {"minibatch": {"median": 0.002, "min": 0.002, "max": 0.002, "count": 2}}}
        },
        "label_growth": {
            "starvox": {
                "gen_step": [4.0, 5.0],
                "gen_step_ratio": 1.25,
                "gen_share": [0.4, 0.3],
                "gen_share_growth": -0.25,
            }
        },
        "bound": {
            "needed": {"dis_step": 1e9, "gen_step": 3e9, "iteration": 8e9},
            "tiled": {"dis_step": 2e9, "gen_step": 6e9, "iteration": 16e9},
            "rate": 4e9,
            "seconds": 2.0,
            "times_bound": 3.0,
        },
    }
