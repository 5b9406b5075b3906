import numpy as np
import pytest
import soundfile

from starvox import load_experiment


@pytest.fixture(scope="session")
def small():
    """The pipeline of the smoke experiment: crops of 4288 samples, 0.27 s."""
    return load_experiment("smoke").audio


@pytest.fixture
def make(tmp_path, speech):
    """Writes sound files and a manifest that lists them."""

    def make(files, name="manifest.csv"):
        lines = ["path,speaker,birthplace,sex"]
        for file, wave in files.items():
            if wave is not None:
                soundfile.write(
                    tmp_path / file, wave, 16000, subtype=None if file.endswith("ogg") else "PCM_16"
                )
            lines.append(f"{file},{file[0]},,")
        path = tmp_path / name
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    return make


@pytest.fixture(scope="session")
def click():
    """A click in silence: after min-max, an RMS of nearly 1."""
    wave = np.zeros(8000)
    wave[4000] = 0.5
    return wave
