"""From an experiment and a corpus to a trainer."""

from math import ceil
from pathlib import Path
from typing import NamedTuple

import chainer
import numpy as np
from chainer.training import extensions as chainer_extensions

from starvox import snapshots
from starvox.audio import spectrogram
from starvox.build import build_models
from starvox.config import Experiment
from starvox.corpus import CropDataset
from starvox.plotting import LOG_KEYS
from starvox.training.extensions import Curves, Progress, Samples, StopOnNonFinite
from starvox.training.iterator import ClipIterator
from starvox.training.triggers import Every, EverySeconds, Stop
from starvox.training.updater import StarGANUpdater


class Intervals(NamedTuple):
    """How often, in iterations, to write the log, the snapshots and the samples."""

    log: int
    snapshot: int
    sample: int


def count_iterations(exp: Experiment, n_clips: int) -> int:
    """Returns the iterations of the whole training: an epoch is one pass of batch A over the corpus."""
    steps = 1 if exp.training.minibatch == "iteration" else exp.training.n_dis + 1
    return ceil(exp.training.epochs * n_clips / (steps * exp.training.batchsize))


def make_converter(audio):
    """Returns a converter of examples to (x, c, t) that computes spectrograms on the device.

    x is float32 of shape (B, 1, bins, frames), c float32 of (B, n_labels), t
    int32 of (B, n_classes).
    """

    @chainer.dataset.converter()
    def convert(batch, device):
        crops, c, t = (device.send(np.stack(column)) for column in zip(*batch, strict=True))
        return spectrogram(crops, audio)[:, None], c, t

    return convert


def build_updater(exp: Experiment, dataset: CropDataset, device, seed: int) -> StarGANUpdater:
    """Builds the networks, their optimizers and the updater, on the device."""
    gen, dis = build_models(exp, seed)
    table = exp.training
    optimizers = {
        name: chainer.optimizers.RMSprop(
            table.learning_rate, alpha=table.rmsprop_alpha, eps=table.rmsprop_eps
        ).setup(network)
        for name, network in (("gen", gen), ("dis", dis))
    }
    return StarGANUpdater(
        ClipIterator.pair(dataset, table.batchsize, seed),
        optimizers,
        loss=exp.loss,
        n_dis=table.n_dis,
        share_minibatch=table.minibatch == "iteration",
        seed=seed,
        converter=make_converter(exp.audio),
        device=device,
    )


def build_trainer(
    exp: Experiment, updater: StarGANUpdater, stop: Stop, out: Path, every: Intervals, samples: tuple
) -> chainer.training.Trainer:
    """Builds the trainer with all its extensions.

    Args:
        exp: the experiment.
        updater: from `build_updater`.
        stop: when the training ends.
        out: the results folder.
        every: the intervals.
        samples: clips and targets for `Samples`.
    """
    trainer = chainer.training.Trainer(updater, stop, out)
    log, snapshot = Every(every.log, stop), Every(every.snapshot, stop)
    trainer.extend(
        StopOnNonFinite(lambda trainer: log(trainer) or snapshot(trainer)), trigger=(1, "iteration")
    )
    trainer.extend(chainer_extensions.LogReport(LOG_KEYS, trigger=log))
    trainer.extend(Progress(stop.iterations), trigger=(1, "iteration"))
    trainer.extend(Samples(updater.gen, *samples, exp.audio), trigger=Every(every.sample, stop))
    trainer.extend(Curves(exp.id), trigger=EverySeconds(60, stop))
    trainer.extend(
        chainer_extensions.snapshot(
            snapshots.save, snapshots.TRAINER + "_{.updater.iteration}.npz", n_retains=2
        ),
        trigger=snapshot,
    )
    trainer.extend(
        chainer_extensions.snapshot_object(
            updater.gen, snapshots.GENERATOR + "_{.updater.iteration}.npz", snapshots.save
        ),
        trigger=snapshot,
    )
    return trainer
