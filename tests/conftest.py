"""Fixtures for all tests: real speech, the experiment of the record, and CuPy."""

import ctypes
import signal

import espeakng_loader
import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import settings

from starvox import load_experiment
from starvox.build import use_fast_operations
from starvox.evaluation.verdict import give_verdict

# a shell's background job ignores Ctrl-C, and so would the processes that tests start and interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("unhurried", deadline=None)  # a machine may be busy with other things
settings.load_profile("unhurried")

TEXT = (
    "Seven geese crossed the frozen pond before breakfast. "
    "My neighbour mends clocks and sells them at the market. "
    "A thin path runs behind the chapel and down to the shore. "
    "We counted the boats twice, and nobody was missing. "
    "Fresh bread, sharp cheese and cold water were all that they carried."
)


def speak(text: str, voice: str) -> tuple[np.ndarray, int]:
    """Says ``text`` with eSpeak NG; returns float32 samples in [-1, 1] and their rate."""
    espeak = ctypes.CDLL(espeakng_loader.get_library_path())
    chunks = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
    def collect(samples, n, _events):
        if samples and n:
            chunks.append(np.ctypeslib.as_array(samples, (n,)).copy())
        return 0

    synchronous, utf8 = 2, 1
    rate = espeak.espeak_Initialize(synchronous, 0, espeakng_loader.get_data_path().encode(), 0)
    espeak.espeak_SetSynthCallback(collect)
    espeak.espeak_SetVoiceByName(voice.encode())
    data = text.encode() + b"\0"
    espeak.espeak_Synth(data, ctypes.c_size_t(len(data)), 0, 0, 0, utf8, None, None)
    espeak.espeak_Terminate()
    return np.concatenate(chunks) / np.float32(32768), rate


@pytest.fixture(scope="session", autouse=True)
def fast_operations():
    """As in every command; tests/fast_cpu and tests/fast_gpu hold them against Chainer's own."""
    use_fast_operations()


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """About 15 s of real speech, float32, 16 kHz."""
    wave, rate = speak(TEXT, "en")
    return librosa.resample(wave, orig_sr=rate, target_sr=16000)


@pytest.fixture(scope="session")
def make_manifest(tmp_path_factory, speech):
    """Returns a function that writes clips of real speech and manifests of them, and returns the first.

    A row of ``rows`` is a clip's labels; clips of ``length`` samples start ``step`` apart.
    """

    def make(rows, *names, step=32000, length=32000):
        folder = tmp_path_factory.mktemp("corpus")
        lines = ["path,speaker,birthplace,sex"]
        for number, row in enumerate(rows):
            soundfile.write(folder / f"{number}.wav", speech[number * step :][:length], 16000)
            lines.append(f"{number}.wav,{row}")
        for name in names:
            (folder / name).write_text("\n".join(lines), encoding="utf-8")
        return folder / names[0]

    return make


@pytest.fixture(scope="session")
def make_experiment(tmp_path_factory):
    """Returns a function: name, text of its config.toml -> experiment."""

    def make(name, text):
        folder = tmp_path_factory.mktemp("experiments") / name
        folder.mkdir()
        (folder / "config.toml").write_text(text, encoding="utf-8")
        return load_experiment(folder)

    return make


@pytest.fixture(scope="session")
def audio():
    """The ``[audio]`` table of the record."""
    return load_experiment("47c97768").audio


@pytest.fixture(scope="session")
def evaluation():
    """What ``evaluation_iter_N.json`` holds of a generator that copies."""
    row, near, unit = ({"mean": value, "db": 60 * value, "n": 4} for value in (0.004, 0.001, 0.2))
    real = row | {"commonest": 0.5}
    errors = dict.fromkeys(("copy", "identity", "reconstruction"), row)
    response = dict.fromkeys(("voice", "speaker", "birthplace", "sex"), near)
    distances = dict.fromkeys(("same_speaker", "different_speakers", "different_clips", "silence"), unit)
    tables = {
        **{"errors": errors, "response": response, "distances": distances, "judge": None},
        "words": {"stoi": None, "energy": None},
    }
    return {
        **{"experiment": "smoke", "iteration": 10, "manifest": "held_out.csv", "seed": 0},
        **{"crops": 4, "clips": 4, "whole_clips": 4, "judge_crops": None},
        "accuracy": {"speaker": {"real": real, "converted": None, "chance": 0.5}},
        "truth": {"mcd": None, "f0": None},
        "receptive_field": {
            "cell": {"bins": {"size": 62}, "frames": {"size": 62}},
            "pixel": {"bins": 84, "frames": 84},
        },
        **tables,
        **give_verdict(tables),
    }


@pytest.fixture(scope="session")
def cupy():
    """CuPy, where there is a device to run it on."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"no CUDA device: {error}")
    return cupy
