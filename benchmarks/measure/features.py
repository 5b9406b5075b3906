"""Crop -> spectrogram, a clip at a time on the CPU, beside librosa's STFT alone."""

from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.prepare import open_prepared
from starvox.audio import spectrogram
from starvox.corpus import CropDataset


def run(job) -> dict[str, float]:
    exp, corpus, encoder = open_prepared(Path(job.folder))
    audio = exp.audio
    dataset, rng = CropDataset(corpus, encoder), np.random.default_rng(0)
    crops = [dataset.draw(int(index), rng).crop for index in rng.integers(len(dataset), size=job.repeats)]
    compute = _stft(audio) if job.contender == "librosa" else lambda crop: spectrogram(crop, audio)
    compute(crops[0])
    seconds = []
    for crop in crops:
        start = perf_counter()
        compute(crop)
        seconds.append(perf_counter() - start)
    return {"clip": median(seconds)}


def _stft(audio):
    import librosa

    settings = {"n_fft": audio.n_fft, "hop_length": audio.hop_length, "window": audio.window}
    return lambda crop: librosa.stft(crop, center=False, **settings)
