"""Sentences in the voices of the default corpus."""

import librosa
import numpy as np
import pytest
import soundfile

from starvox.corpus.demo import SPEAKERS
from starvox.corpus.demo.espeak import SAMPLE_RATE
from starvox.corpus.demo.speakers import say

SENTENCES = (
    "Seven geese crossed the frozen pond before breakfast, and my neighbour mends clocks in the attic.",
    "A thin path runs behind the chapel to the shore, where we counted the boats twice and went home.",
    "Fresh bread, sharp cheese and cold water were all that they carried up the mountain on Sunday.",
)


@pytest.fixture(scope="session")
def utter():
    """Returns a function: number of a sentence, voice of the default corpus -> waveform, float32, 16 kHz."""

    def utter(number, speaker):
        wave = say(SENTENCES[number], speaker)
        return librosa.resample(wave.astype(np.float32), orig_sr=SAMPLE_RATE, target_sr=16000) / 32768

    return utter


@pytest.fixture(scope="session")
def corpora(tmp_path_factory, utter):
    """Manifests of six voices: (training: two sentences each, held-out: a third one)."""
    folder = tmp_path_factory.mktemp("voices")
    manifests = []
    for name, sentences in (("train", (0, 1)), ("held_out", (2,))):
        lines = ["path,speaker,birthplace,sex"]
        for speaker in SPEAKERS[::4]:
            for number in sentences:
                path = f"{name}_{speaker.name}_{number}.wav"
                soundfile.write(folder / path, utter(number, speaker), 16000)
                lines.append(f"{path},{speaker.name},{speaker.birthplace},{speaker.sex}")
        manifests.append(folder / f"{name}.csv")
        manifests[-1].write_text("\n".join(lines), encoding="utf-8")
    return manifests
