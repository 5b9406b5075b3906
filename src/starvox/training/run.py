"""One training from its command line to its results folder."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from starvox import snapshots
from starvox.config import Experiment
from starvox.corpus import Corpus, CropDataset, LabelEncoder
from starvox.device import describe, find_device
from starvox.errors import UserError
from starvox.training import results
from starvox.training.assemble import Intervals, build_trainer, build_updater, count_iterations
from starvox.training.extensions.samples import SampleClip, Voice
from starvox.training.triggers import Stop

_SAMPLE_CLIPS = 4
_SAMPLE_TARGETS = 3


@dataclass(frozen=True)
class Options:
    """What does not change the experiment; see ``starvox train --help``.

    Attributes:
        data: manifest of the training clips.
        held_out: manifest of the clips to sample; None takes training clips.
        out: the results folder.
        store: where decoded clips are kept.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        iterations: stop after so many; None for the experiment's epochs.
        seed: of everything random; None for 0, or, resuming, for the run's own.
        jobs: decoding threads; None for one a core.
        log_every, snapshot_every, sample_every: iterations; None for a 500th,
            a 20th and a 10th of the experiment's.
        overwrite: a run in ``out`` may be removed.
    """

    data: Path
    held_out: Path | None
    out: Path
    store: Path
    device: str = "auto"
    iterations: int | None = None
    seed: int | None = None
    jobs: int | None = None
    log_every: int | None = None
    snapshot_every: int | None = None
    sample_every: int | None = None
    overwrite: bool = False


def train(exp: Experiment, options: Options, resume: bool = False) -> int:
    """Trains, or goes on with a run; prints what it does.

    Returns:
        int: 0, or 128 + the number of the signal that ended it.

    Raises:
        UserError: if something is wrong that the user can mend.
    """
    device = find_device(options.device)
    device.use()
    if resume and not snapshots.find(options.out, snapshots.TRAINER):
        raise UserError(f"{options.out} holds no snapshot to go on from; start with `make train`")
    if not resume:
        results.check_free(options.out, options.overwrite)
    corpus = Corpus.open(options.data, exp.audio, options.store, options.jobs)
    print(f"corpus: {corpus.summary()}", flush=True)
    encoder = LabelEncoder.from_clips(corpus.clips, exp.labels.model_dump())
    seed = _seed(options, resume)
    _record(exp, options, corpus, encoder, describe(device), seed, resume)

    updater = build_updater(exp, CropDataset(corpus, encoder), device, seed)
    planned = count_iterations(exp, len(corpus.clips))
    stop = Stop(options.iterations or planned)
    every = Intervals(
        log=options.log_every or max(1, planned // 500),
        snapshot=options.snapshot_every or max(1, planned // 20),
        sample=options.sample_every or max(1, planned // 10),
    )
    samples = _choose_samples(exp, options, corpus, encoder)
    trainer = build_trainer(exp, updater, stop, options.out, every, samples)
    if resume:
        iteration, path = list(snapshots.find(options.out, snapshots.TRAINER).items())[-1]
        snapshots.load(path, trainer)
        print(f"resuming from iteration {iteration}", flush=True)
    _announce(exp, len(corpus.clips), planned, stop, describe(device), every)
    return _run(trainer, stop, exp, options.out)


def _seed(options: Options, resume: bool) -> int:
    if not resume:
        return options.seed or 0
    seed = results.read_environment(options.out)["seed"]
    if options.seed not in (None, seed):
        raise UserError(f"{options.out}: this run has seed {seed}, not {options.seed}; leave SEED out")
    return seed


def _record(exp, options: Options, corpus: Corpus, encoder, device: str, seed: int, resume: bool) -> None:
    """Writes what the run is made of; resuming, checks that it still is."""
    labels = encoder.dumps()
    if resume:
        results.check_same(options.out, "config.json", exp.dumps(), "the experiment's configuration")
        results.check_same(options.out, "labels.json", labels, "the set of label names")
        return
    results.make(options.out)
    results.write(options.out, "config.json", exp.dumps())
    results.write(options.out, "labels.json", labels)
    results.write(
        options.out, "environment.json", results.environment(device, seed, options.data, options.held_out)
    )
    corpus.write_rejected(options.out / "rejected.csv")


def _choose_samples(exp, options: Options, corpus: Corpus, encoder) -> tuple[list[SampleClip], list[Voice]]:
    """Chooses the clips to sample and the voices to convert them to: the same in every run."""
    source = corpus
    if options.held_out is not None:
        source = Corpus.open(options.held_out, exp.audio, options.store, options.jobs)
        # a held-out speaker whom the networks have never met is unlabelled
        source.clips = [
            replace(
                clip,
                **{group: None for group, name in clip.labels.items() if name not in encoder.classes[group]},
            )
            for clip in source.clips
        ]
    else:
        print("samples: training clips, for want of a held-out manifest (--held-out)", flush=True)
    dataset = CropDataset(source, encoder)
    clips = [
        SampleClip(
            dataset.draw(index, np.random.default_rng(0)).crop,
            _voice(source.clips[index], encoder),
        )
        for index in _spread(range(len(source.clips)), _SAMPLE_CLIPS)
    ]
    speakers = {clip.speaker: clip for clip in corpus.clips if all(clip.labels.values())}
    voices = {
        voice.title: voice for voice in (_voice(clip, encoder) for clip in speakers.values() or corpus.clips)
    }
    return clips, _spread(list(voices.values()), _SAMPLE_TARGETS, offset=0.5)


def _voice(clip, encoder) -> Voice:
    title = " ".join(name for name in clip.labels.values() if name) or "unlabelled"
    return Voice(title, encoder.input(**clip.labels))


def _spread(items, count: int, offset: float = 0.0) -> list:
    """Returns at most ``count`` items at even distances, ``offset`` of a distance from the start."""
    count = min(count, len(items))
    return [items[int((k + offset) * len(items) / count)] for k in range(count)]


def _announce(exp, n_clips: int, planned: int, stop: Stop, device: str, every: Intervals) -> None:
    table = exp.training
    until = "" if stop.iterations == planned else f"; stopping at {stop.iterations}"
    print(
        f"{exp.id}: {table.epochs} epochs of {n_clips} clips, {table.n_dis} D steps and 1 G step of "
        f"{table.batchsize} an iteration: {planned} iterations{until}\n"
        f"device: {device}; log every {every.log}, snapshot every {every.snapshot}, "
        f"samples every {every.sample} iterations",
        flush=True,
    )


def _run(trainer, stop: Stop, exp: Experiment, out: Path) -> int:
    with stop:
        trainer.run(show_loop_exception_msg=False)
    iteration = trainer.updater.iteration
    if stop.requested is not None:
        print(f"stopped at iteration {iteration}, saved; go on with: make resume EXP={exp.id}")
        return 128 + stop.requested
    print(f"done: {iteration} iterations. Look at {out}/curves and {out}/samples, and listen there.")
    return 0
