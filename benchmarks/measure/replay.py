"""Seconds that the conversion of a second of speech takes."""

from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.contenders.chainer_side import choose
from benchmarks.prepare import open_prepared
from starvox.build import build_models
from starvox.corpus import CropDataset
from starvox.device import find_device
from starvox.replay.replay import Replay


def run(job) -> dict[str, float]:
    choose(job.contender)
    exp, corpus, encoder = open_prepared(Path(job.folder))
    gen, _ = build_models(exp)
    gen.to_device(find_device(job.device))
    replay = Replay(exp, encoder, 0, gen)
    wave = _speech(CropDataset(corpus, encoder), round(job.seconds * exp.audio.sample_rate))
    labels = corpus.clips[0].labels
    replay.convert(wave[: exp.audio.crop_samples], **labels)
    found = {}
    for phase in ("griffin-lim", "source"):
        start = perf_counter()
        replay.convert(wave, **labels, phase=phase)
        found[phase] = (perf_counter() - start) * exp.audio.sample_rate / len(wave)
    return found


def _speech(dataset, samples: int) -> np.ndarray:
    """Returns crops of clips one after the other."""
    crops, rng = [], np.random.default_rng(0)
    while sum(map(len, crops)) < samples:
        crops.append(dataset.draw(len(crops) % len(dataset), rng).crop)
    return np.concatenate(crops)[:samples]
