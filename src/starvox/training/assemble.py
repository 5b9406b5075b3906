"""From an experiment and a corpus to a trainer."""

from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import chainer
import numpy as np

from starvox.audio import spectrogram
from starvox.build import build_models
from starvox.config import Audio, Experiment, Training
from starvox.corpus import CropDataset, Example
from starvox.run.lock import Lock
from starvox.run.log import LOG_KEYS
from starvox.training.extensions import (
    Curves,
    LearningRate,
    Log,
    Progress,
    Samples,
    Snapshots,
    StopOnNonFinite,
)
from starvox.training.extensions.samples import SampleClip, Voice
from starvox.training.iterator import ClipIterator
from starvox.training.processes import Processes
from starvox.training.triggers import IterationTrigger, SecondsTrigger, StopTrigger
from starvox.training.updater import Batch, StarGANUpdater

MAX_SNAPSHOT_SECONDS = 600.0  # the most that a kill can cost, where the planned ones are further apart
EARLY_SAMPLES = (1, 10, 50)  # iterations at which there is something to see before the first planned samples


class Intervals(NamedTuple):
    """How often, in iterations, to write the log, the snapshots and the samples."""

    log: int
    snapshot: int
    sample: int


def count_iterations(exp: Experiment, n_clips: int, n_processes: int = 1) -> int:
    """Returns the iterations of the whole training.

    An epoch is one pass of batch A over the corpus; the passes are shared by the processes.
    """
    steps = 1 if exp.training.minibatch == "iteration" else exp.training.n_dis + 1
    return ceil(exp.training.epochs * n_clips / (steps * exp.training.batchsize * n_processes))


def make_prepare(audio: Audio, device: chainer.backend.Device) -> Callable[[list[Example]], Batch]:
    """Returns what makes a minibatch (x, c, t) of examples, all on the host.

    c is float32 of shape (B, n_labels), t int32 of (B, n_classes). x is what
    `make_converter` makes its spectrograms of: crops, float32 of (B,
    crop_samples), for a GPU, which computes them; on the CPU the spectrograms
    themselves, so that the training does not wait for them.
    """

    def prepare(batch: list[Example]) -> Batch:
        crops, c, t = (np.stack(column) for column in zip(*batch, strict=True))
        return (spectrogram(crops, audio)[:, None] if device.xp is np else crops), c, t

    return prepare


def make_converter(audio: Audio) -> Callable[[Any, chainer.backend.Device], Batch]:
    """Returns a converter of a minibatch from `make_prepare` to (x, c, t) on the device.

    x is float32 of shape (B, 1, bins, frames).
    """

    @chainer.dataset.converter()
    def convert(batch: Batch, device: chainer.backend.Device) -> Batch:
        x, c, t = (device.send(array) for array in batch)
        return (spectrogram(x, audio)[:, None] if x.ndim == 2 else x), c, t

    return convert


def build_updater(
    exp: Experiment,
    dataset: CropDataset,
    device: chainer.backend.Device,
    seed: int,
    processes: Processes | None = None,
) -> StarGANUpdater:
    """Builds the networks, their optimizers and the updater, on the device."""
    processes = processes or Processes()
    gen, dis = build_models(exp, seed)
    table = exp.training
    optimizers = {
        name: _make_optimizer(table).setup(network) for name, network in (("gen", gen), ("dis", dis))
    }
    return StarGANUpdater(
        ClipIterator.pair(
            dataset,
            table.batchsize,
            seed,
            rank=processes.rank,
            size=processes.size,
            prepare=make_prepare(exp.audio, device),
        ),
        optimizers,
        loss=exp.loss,
        sizes=tuple(exp.labels.sizes.values()),
        n_dis=table.n_dis,
        share_minibatch=table.minibatch == "iteration",
        statistics=exp.generator.statistics,
        seed=seed,
        converter=make_converter(exp.audio),
        device=device,
        processes=processes,
    )


def _make_optimizer(table: Training) -> chainer.optimizer.GradientMethod:
    if table.optimizer == "adam":
        return chainer.optimizers.Adam(
            table.learning_rate, beta1=table.adam_beta1, beta2=table.adam_beta2, eps=table.adam_eps
        )
    return chainer.optimizers.RMSprop(table.learning_rate, alpha=table.rmsprop_alpha, eps=table.rmsprop_eps)


def build_trainer(
    exp: Experiment,
    updater: StarGANUpdater,
    stop: StopTrigger,
    out: Path,
    every: Intervals,
    samples: tuple[list[SampleClip], list[Voice]],
    seed: int = 0,
    lock: Lock | None = None,
) -> chainer.training.Trainer:
    """Builds the trainer with all its extensions.

    Args:
        exp: the experiment.
        updater: from `build_updater`.
        stop: when the training ends.
        out: the results folder.
        every: the intervals.
        samples: clips and targets for `Samples`.
        seed: of the run, for its snapshots.
        lock: of the results folder, in the process that writes the run's files and its progress.
    """
    trainer = chainer.training.Trainer(updater, stop, out)
    log, planned = IterationTrigger(every.log, stop), IterationTrigger(every.snapshot, stop)
    snapshot = SecondsTrigger(MAX_SNAPSHOT_SECONDS, stop, also=planned)
    trainer.extend(
        StopOnNonFinite(lambda trainer: log(trainer) or snapshot(trainer)), trigger=(1, "iteration")
    )
    trainer.extend(LearningRate(exp.training), trigger=(1, "iteration"))
    if lock is None:
        return trainer
    # first, and with no trigger of Chainer's, whose state older snapshots lack
    trainer.extend(lambda _: lock.check(), name="lock", trigger=lambda _: True, priority=500)
    trainer.extend(Log(LOG_KEYS, log), name="LogReport", trigger=(1, "iteration"))
    planned_sample = IterationTrigger(every.sample, stop, early=EARLY_SAMPLES)
    curves = SecondsTrigger(60, stop)

    def sample(trainer: chainer.training.Trainer) -> bool:
        return planned_sample(trainer) or stop(trainer)

    def pauses(trainer: chainer.training.Trainer) -> bool:
        return any([sample(trainer), curves(trainer), snapshot(trainer)])

    trainer.extend(Progress(stop.iterations, log, pauses), trigger=(1, "iteration"))
    clips, targets = samples
    multiple = 2**exp.generator.depth
    trainer.extend(Samples(updater.gen, clips, targets, exp.audio, multiple, lock.check), trigger=sample)
    trainer.extend(Curves(exp.id), trigger=curves)
    saved = Snapshots(lambda trainer: planned(trainer) or stop(trainer), seed, lock.check)
    trainer.extend(saved, trigger=snapshot)
    return trainer
