"""From an experiment and a corpus to a trainer."""

from math import ceil
from pathlib import Path
from typing import NamedTuple

import chainer
import numpy as np

from starvox.audio import spectrogram
from starvox.build import build_models
from starvox.config import Experiment
from starvox.corpus import CropDataset
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
from starvox.training.iterator import ClipIterator
from starvox.training.processes import Processes
from starvox.training.triggers import Every, EverySeconds, Stop
from starvox.training.updater import StarGANUpdater

SNAPSHOT_SECONDS = 600.0  # the most that a kill can cost, where the planned ones are further apart


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


def make_prepare(audio, device):
    """Returns what makes a minibatch (x, c, t) of examples, all on the host.

    c is float32 of shape (B, n_labels), t int32 of (B, n_classes). x is what
    `make_converter` makes its spectrograms of: crops, float32 of (B,
    crop_samples), for a GPU, which computes them; on the CPU the spectrograms
    themselves, so that the training does not wait for them.
    """

    def prepare(batch):
        crops, c, t = (np.stack(column) for column in zip(*batch, strict=True))
        return (spectrogram(crops, audio)[:, None] if device.xp is np else crops), c, t

    return prepare


def make_converter(audio):
    """Returns a converter of a minibatch from `make_prepare` to (x, c, t) on the device.

    x is float32 of shape (B, 1, bins, frames).
    """

    @chainer.dataset.converter()
    def convert(batch, device):
        x, c, t = (device.send(array) for array in batch)
        return (spectrogram(x, audio)[:, None] if x.ndim == 2 else x), c, t

    return convert


def build_updater(
    exp: Experiment, dataset: CropDataset, device, seed: int, processes: Processes | None = None
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
            processes.rank,
            processes.size,
            make_prepare(exp.audio, device),
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


def _make_optimizer(table) -> chainer.optimizer.GradientMethod:
    if table.optimizer == "adam":
        return chainer.optimizers.Adam(
            table.learning_rate, beta1=table.adam_beta1, beta2=table.adam_beta2, eps=table.adam_eps
        )
    return chainer.optimizers.RMSprop(table.learning_rate, alpha=table.rmsprop_alpha, eps=table.rmsprop_eps)


def build_trainer(
    exp: Experiment,
    updater: StarGANUpdater,
    stop: Stop,
    out: Path,
    every: Intervals,
    samples: tuple,
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
    log, planned = Every(every.log, stop), Every(every.snapshot, stop)
    snapshot = EverySeconds(SNAPSHOT_SECONDS, stop, also=planned)
    trainer.extend(
        StopOnNonFinite(lambda trainer: log(trainer) or snapshot(trainer)), trigger=(1, "iteration")
    )
    trainer.extend(LearningRate(exp.training), trigger=(1, "iteration"))
    if lock is None:
        return trainer
    # first, and with no trigger of Chainer's, whose state older snapshots lack
    trainer.extend(lambda _: lock.check(), name="lock", trigger=lambda _: True, priority=500)
    trainer.extend(Log(LOG_KEYS, log), name="LogReport", trigger=(1, "iteration"))
    trainer.extend(Progress(stop.iterations, log), trigger=(1, "iteration"))
    extension = Samples(updater.gen, *samples, exp.audio, 2**exp.generator.depth)
    trainer.extend(extension, trigger=Every(every.sample, stop))
    trainer.extend(Curves(exp.id), trigger=EverySeconds(60, stop))
    saved = Snapshots(lambda trainer: planned(trainer) or stop(trainer), seed, lock.check)
    trainer.extend(saved, trigger=snapshot)
    return trainer
