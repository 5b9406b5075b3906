"""The conversion of speech."""

import numpy as np

from benchmarks import open_clips
from starvox import fast_cpu, fast_gpu, load_experiment
from starvox.build import build_models
from starvox.device import find_device
from starvox.replay.replay import Replay


def build(job) -> tuple:
    """See `benchmarks.training.build`; the sound comes back to the host, so there is nothing to wait for."""
    exp, rng = load_experiment(job.experiment), np.random.default_rng(0)
    clips, encoder = open_clips(exp, job.data, job.store)
    gen, _ = build_models(exp)
    if job.contender == "chainer":
        fast_cpu.disable()
        fast_gpu.disable()
    gen.to_device(find_device(job.device))
    replay, samples = Replay(exp, encoder, 0, gen), job.count * exp.audio.sample_rate
    numbers = range(-(-samples // exp.audio.crop_samples))
    wave = np.concatenate([clips.draw(number % len(clips), rng).crop for number in numbers])[:samples]
    return lambda: replay.convert(wave, phase=job.measurement), None, None
