"""One training from its command line to its results folder."""

from dataclasses import dataclass
from pathlib import Path

from starvox import snapshots
from starvox.config import Experiment
from starvox.corpus import Corpus, CropDataset, LabelEncoder
from starvox.device import describe, find_device
from starvox.errors import UserError
from starvox.files import write_text
from starvox.training import results
from starvox.training.assemble import Intervals, build_trainer, build_updater, count_iterations
from starvox.training.choose_samples import choose_samples
from starvox.training.triggers import Stop


@dataclass(frozen=True)
class Options:
    """What does not change the experiment; see ``starvox train --help``.

    Attributes:
        name: of the experiment, as the user gave it.
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

    name: str
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

    Nothing of an old run is removed before all that can fail at the start has passed.

    Returns:
        int: 0, or 128 + the number of the signal that ended it.

    Raises:
        UserError: if something is wrong that the user can mend.
    """
    device = find_device(options.device)
    device.use()
    seed = _check_folder(options, resume)
    corpus = _open_corpus("corpus", options.data, exp, options)
    held_out = options.held_out and _open_corpus("held-out", options.held_out, exp, options)
    encoder = LabelEncoder.from_clips(corpus.clips, exp.labels.model_dump())
    if resume:
        _check_same(exp, options.out, corpus, encoder)

    updater = build_updater(exp, CropDataset(corpus, encoder), device, seed)
    planned = count_iterations(exp, len(corpus.clips))
    stop = Stop(options.iterations or planned)
    every = Intervals(
        log=options.log_every or max(1, planned // 500),
        snapshot=options.snapshot_every or max(1, planned // 20),
        sample=options.sample_every or max(1, planned // 10),
    )
    samples = choose_samples(corpus, held_out, encoder)
    trainer = build_trainer(exp, updater, stop, options.out, every, samples)
    if resume:
        _load_newest(trainer, options.out)
        if stop(trainer):
            at = trainer.updater.iteration
            print(f"nothing to do: {options.out} is at iteration {at} of {stop.iterations}")
            return 0
        environment = results.read_environment(options.out)
        environment.setdefault("resumed", []).append(results.machine(describe(device)))
        results.write_environment(options.out, environment)
    else:
        _record(exp, options, corpus, held_out, encoder, describe(device), seed)
    _announce(exp, len(corpus.clips), planned, stop, describe(device), every)
    return _run(trainer, stop, exp, options)


def _check_folder(options: Options, resume: bool) -> int:
    """Refuses a folder that cannot be used; returns the seed of the run."""
    if not resume:
        results.check_free(options.out, options.overwrite)
        return options.seed or 0
    seed = results.read_environment(options.out)["seed"]
    if not snapshots.find(options.out, snapshots.TRAINER):
        raise UserError(
            f"{options.out} holds no snapshot to go on from; start anew by `make train` with ARGS=--overwrite"
        )
    if options.seed not in (None, seed):
        raise UserError(f"{options.out}: this run has seed {seed}, not {options.seed}; leave SEED out")
    return seed


def _open_corpus(name: str, manifest: Path, exp: Experiment, options: Options) -> Corpus:
    corpus = Corpus.open(manifest, exp.audio, options.store, options.jobs)
    print(f"{name}: {corpus.summary()}", flush=True)
    return corpus


def _check_same(exp: Experiment, out: Path, corpus: Corpus, encoder: LabelEncoder) -> None:
    for name, text, what in (
        ("config.json", exp.dumps(), "the experiment's configuration"),
        ("labels.json", encoder.dumps(), "the set of label names"),
    ):
        path = out / name
        same = path.is_file() and path.read_text(encoding="utf-8") == text
        results.check_same(out, name, same, what)
    same = results.read_environment(out).get("corpus") == corpus.fingerprint()
    results.check_same(out, "environment.json", same, "the corpus (its clips, their labels or their order)")


def _load_newest(trainer, out: Path) -> None:
    """Loads the newest snapshot that is whole; names those that are not."""
    for iteration, path in reversed(snapshots.find(out, snapshots.TRAINER).items()):
        try:
            snapshots.load(path, trainer)
        except UserError as error:
            print(f"skipped: {error}", flush=True)
            continue
        print(f"resuming from iteration {iteration}", flush=True)
        return
    raise UserError(f"{out}: no snapshot can be loaded; start anew by `make train` with ARGS=--overwrite")


def _record(exp, options: Options, corpus: Corpus, held_out, encoder, device: str, seed: int) -> None:
    """Makes the results folder and writes what the run is made of."""
    out = options.out
    results.make(out)
    write_text(out / "config.json", exp.dumps())
    write_text(out / "labels.json", encoder.dumps())
    made_of = {
        "seed": seed,
        "data": str(options.data),
        "held_out": options.held_out and str(options.held_out),
        "corpus": corpus.fingerprint(),
    }
    results.write_environment(out, results.machine(device) | made_of)
    corpus.write_rejected(out / "rejected.csv", held_out.rejected if held_out else ())


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


def _run(trainer, stop: Stop, exp: Experiment, options: Options) -> int:
    with stop:
        trainer.run(show_loop_exception_msg=False)
    iteration, out = trainer.updater.iteration, options.out
    if stop.requested is not None:
        where = "" if out == Path("results") / exp.id else f" OUT={out}"
        print(f"stopped at iteration {iteration}, saved; go on with: make resume EXP={options.name}{where}")
        return 128 + stop.requested
    print(f"done: {iteration} iterations. Look at {out}/curves and {out}/samples, and listen there.")
    return 0
