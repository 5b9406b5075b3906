"""The spectrogram of a crop, one at a time on the CPU, beside librosa's STFT alone."""

import librosa
import numpy as np

from benchmarks import open_clips
from starvox import load_experiment
from starvox.audio import spectrogram


def build(job) -> tuple:
    """See `benchmarks.training.build`."""
    exp, rng = load_experiment(job.experiment), np.random.default_rng(0)
    clips, _ = open_clips(exp, job.data, job.store)
    crops = [clips.draw(number % len(clips), rng).crop for number in range(job.count)]
    settings = {"n_fft": exp.audio.n_fft, "hop_length": exp.audio.hop_length, "window": exp.audio.window}
    if job.contender == "librosa":
        return lambda: [librosa.stft(crop, center=False, **settings) for crop in crops], None, None
    return lambda: [spectrogram(crop, exp.audio) for crop in crops], None, None
