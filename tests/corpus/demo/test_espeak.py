import subprocess
import sys
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest

from starvox.corpus.demo import espeak
from starvox.corpus.demo.espeak import SAMPLE_RATE, synthesize
from starvox.errors import UserError

# Voices with what eSpeak NG carries from one text into the next: flutter, echo, breath.
JOBS = [
    ("The kettle sings and the cat sleeps on.", "en-us+f1"),
    ("A wide road runs along the shore.", "en-gb-scotland+m2"),
    ("Fresh bread is cooling on the shelf.", "en+f5"),
    ("Six ships shook in the stiff breeze.", "en-029+sandro"),
]


@pytest.fixture(scope="module")
def said():
    return [synthesize(*job).tobytes() for job in JOBS]


def test_the_same_in_any_order_and_every_time(said):
    assert [synthesize(*job).tobytes() for job in JOBS[::-1]] == said[::-1]
    assert len(set(said)) == len(said)


def test_rate_and_pitch_are_obeyed():
    text = "All along the long lane they met nobody at all."

    def fundamental(pitch):
        samples = synthesize(text, "en+m7", pitch=pitch).astype(float)
        power = np.abs(np.fft.rfft(samples, 2**18)) ** 2
        lags = np.fft.irfft(power)[SAMPLE_RATE // 300 : SAMPLE_RATE // 60]
        return SAMPLE_RATE / (np.argmax(lags) + SAMPLE_RATE // 300)

    assert len(synthesize(text, "en", rate=100)) > 1.3 * len(synthesize(text, "en", rate=180))
    assert fundamental(70) > 1.2 * fundamental(30)


@pytest.mark.parametrize("voice", ["en-us+nobody", "nowhere+f2", "en-us+../!v/f2"])
def test_an_unknown_voice_is_refused(voice):
    with pytest.raises(UserError, match=r"eSpeak NG: .*voice"):
        synthesize("Nothing.", voice)


def program(library, data, environment=None):
    command = [sys.executable, "-I", "-S", espeak._PROGRAM, library, data, JOBS[0][1], "160", "50", "50"]
    return subprocess.run(command, input=JOBS[0][0].encode(), capture_output=True, env=environment)


def test_a_long_path_with_signs_and_spaces(said, tmp_path):
    folder = tmp_path / ("環境 " + "a" * 120) / ("b" * 120)
    folder.mkdir(parents=True)
    for path in (espeakng_loader.get_library_path(), espeakng_loader.get_data_path()):
        (folder / Path(path).name).symlink_to(path)
    library = folder / Path(espeakng_loader.get_library_path()).name
    done = program(str(library), str(folder / "espeak-ng-data"))
    assert done.stdout == said[0], done.stderr


def test_no_other_data_is_taken(tmp_path):
    """The library alone would look in ESPEAK_DATA_PATH, HOME and /usr."""
    empty = tmp_path / "empty" / "espeak-ng-data"
    empty.mkdir(parents=True)
    elsewhere = {"ESPEAK_DATA_PATH": espeakng_loader.get_data_path()}
    for data in (empty, tmp_path / "empty" / "missing"):
        done = program(espeakng_loader.get_library_path(), str(data), elsewhere)
        assert done.returncode != 0
        assert not done.stdout


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", "eSpeak NG: ended with -9"),
        ("import sys; sys.exit('no voice')", "eSpeak NG: no voice"),
        ("raise MemoryError", "eSpeak NG: MemoryError"),
        ("pass", "eSpeak NG: ended with 0"),
        ("import time; time.sleep(60)", "timed out after 0.5 seconds; try again"),
    ],
)
def test_a_process_that_dies_or_hangs(tmp_path, monkeypatch, program, words):
    """What the library does when it crashes, done by a process that has nothing else to do."""
    (tmp_path / "program.py").write_text(program)
    monkeypatch.setattr(espeak, "_PROGRAM", tmp_path / "program.py")
    if "sleep" in program:
        monkeypatch.setattr(espeak, "_TIMEOUT", 0.5)
    with pytest.raises(UserError) as caught:
        synthesize("Nothing.", "en")
    assert words in str(caught.value)
