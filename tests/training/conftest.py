"""A corpus of real speech and an experiment small enough to train within a test."""

import pytest
import soundfile

from starvox import load_experiment

TINY = """extends = "smoke"
title = "The smoke experiment with still fewer channels"
[generator]
filters = 2
[discriminator]
filters = 2
[training]
epochs = 4
"""
ROWS = ["a,scotland,F", "a,,F", "b,wales,M", "b,wales,", ",scotland,", "c,,M"]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiments") / "tiny"
    folder.mkdir()
    (folder / "config.toml").write_text(TINY, encoding="utf-8")
    return load_experiment(folder)


@pytest.fixture(scope="session")
def manifest(tmp_path_factory, speech):
    """Six clips of two seconds, some labels missing, and the same as held-out clips."""
    folder = tmp_path_factory.mktemp("corpus")
    lines = ["path,speaker,birthplace,sex"]
    for number, row in enumerate(ROWS):
        soundfile.write(folder / f"{number}.wav", speech[number * 32000 :][:32000], 16000)
        lines.append(f"{number}.wav,{row}")
    for name in ("train.csv", "held_out.csv"):
        (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder / "train.csv"
