"""The default corpus, made once for all tests here."""

import wave

import numpy as np
import pytest

from starvox.corpus.demo import make_demo


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return make_demo(tmp_path_factory.mktemp("default") / "data" / "demo", progress=False)


@pytest.fixture(scope="session")
def read_wav():
    """Returns a function: path -> int16 samples."""

    def read_wav(path):
        with wave.open(str(path)) as file:
            assert file.getparams()[:3] == (1, 2, 22050)
            return np.frombuffer(file.readframes(file.getnframes()), "<i2")

    return read_wav
