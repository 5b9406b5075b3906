"""A small corpus of real speech."""

import pytest

from benchmarks import open_clips


@pytest.fixture(scope="session")
def manifest(make_manifest):
    """Of three clips of five seconds."""
    return make_manifest(["a,scotland,F", "b,wales,M", "a,,F"], "train.csv", step=70000, length=80000)


@pytest.fixture(scope="session")
def store(manifest):
    """Where their waveforms are kept."""
    return manifest.parent / "store"


@pytest.fixture(scope="session")
def make_dataset(manifest, store):
    """Returns a function: experiment -> dataset of these clips."""
    return lambda exp: open_clips(exp, manifest, store)[0]
