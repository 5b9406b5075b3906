"""One training from its command line to its results folder."""

import shlex
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from starvox import snapshots
from starvox.config import Experiment, load_experiment
from starvox.corpus import Corpus, CropDataset, LabelEncoder
from starvox.device import describe
from starvox.errors import UserError, WriteError
from starvox.files import remove_leftovers, write_text
from starvox.training import results
from starvox.training.assemble import Intervals, build_trainer, build_updater, count_iterations
from starvox.training.choose_samples import choose_samples
from starvox.training.common_stop import CommonStop
from starvox.training.cuda_graph import use_cuda_graphs
from starvox.training.lock import Lock
from starvox.training.processes import Processes
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
        cuda_graph: replay the steps as CUDA graphs.
        processes: how many train together.
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
    cuda_graph: bool = False
    processes: int = 1


def train(exp: Experiment, options: Options, resume: bool = False, processes: Processes | None = None) -> int:
    """Trains, or goes on with a run; prints what it does.

    Nothing of an old run is removed before all that can fail at the start has passed.

    Args:
        exp: the experiment.
        options: of this run.
        resume: whether to go on with the run in ``options.out``.
        processes: those that train together; by default this one alone.

    Returns:
        int: 0, or 128 + the number of the signal that ended it.

    Raises:
        UserError: if something is wrong that the user can mend.
    """
    processes = processes or Processes()
    device = processes.find_device(options.device)
    device.use()
    stop = Stop() if processes.size == 1 else CommonStop(processes)
    try:
        with stop, ExitStack() as until_the_end:
            with processes.first_alone():
                if resume:
                    results.read_environment(options.out)  # a folder without a run is left alone
                if processes.is_first:
                    until_the_end.enter_context(Lock(options.out))
            return _train(exp, options, resume, device, stop, processes)
    except KeyboardInterrupt:
        if stop.requested is None:
            raise
        print(f"stopped {_where_it_stands(exp, options, stop)}", flush=True)
        if processes.size > 1:  # one that has not heard of it must not wait for this one
            raise SystemExit(128 + stop.requested) from None
        return 128 + stop.requested
    except BrokenPipeError:
        raise
    except (WriteError, OSError) as error:
        reason = str(error)
        if not isinstance(error, WriteError):  # which names its file and what to do
            reason = f"{error.filename or options.out}: {error.strerror or error}"
        stands = f". Stopped {_where_it_stands(exp, options, stop)}" if stop.has_begun else ""
        raise UserError(f"{reason}{stands}") from error


def _train(exp: Experiment, options: Options, resume: bool, device, stop: Stop, processes: Processes) -> int:
    out = options.out
    with processes.first_alone():  # it decodes, and the others find the clips decoded
        recorded = _check_folder(exp, options, resume)
        seed = recorded.get("seed", options.seed or 0)
        if processes.is_first:
            results.remove_leftovers(out)
            remove_leftovers(options.store, seconds=3600)  # others may be decoding into it, elsewhere too
        corpus = _open_corpus("corpus", options.data, exp, options, processes)
        held_out = options.held_out and _open_corpus("held-out", options.held_out, exp, options, processes)
        encoder = LabelEncoder.from_clips(corpus.clips, exp.labels.sizes)
        if resume:
            _check_same(out, recorded, corpus, encoder)

        dataset = CropDataset(corpus, encoder, exp.labels.drop_probability)
        updater = build_updater(exp, dataset, device, seed, processes)
        if options.cuda_graph:
            use_cuda_graphs(updater)
        planned = count_iterations(exp, len(corpus.clips), processes.size)
        stop.iterations = options.iterations or planned
        every = _choose_intervals(options, recorded, planned)
        samples = choose_samples(corpus, held_out, encoder)
        trainer = build_trainer(exp, updater, stop, out, every, samples, processes.is_first)
        if resume:
            _load_newest(trainer, out)
    processes.check_same(corpus=corpus.fingerprint(), iteration=updater.iteration, end=stop.iterations)
    if resume and stop.is_end(updater.iteration):
        print(f"nothing to do: {out} is at iteration {updater.iteration} of {stop.iterations}")
        return 0
    if processes.is_first and resume:
        recorded.setdefault("resumed", []).append(results.machine(describe(device)))
        results.write_environment(out, recorded)
    elif processes.is_first:
        _record(exp, options, corpus, held_out, encoder, describe(device), seed, every)
    processes.share_weights(updater.gen, updater.dis)  # and nobody goes on before the folder is made
    _announce(exp, len(corpus.clips), planned, stop, describe(device), every, options.processes)
    code = _run(trainer, stop, exp, options)
    if changes := corpus.changes():
        print(changes)
    return code


def _check_folder(exp: Experiment, options: Options, resume: bool) -> dict:
    """Refuses a folder that cannot be used; returns what the run to resume recorded."""
    if not resume:
        results.check_free(options.out, options.overwrite)
        return {}
    recorded = results.read_environment(options.out)
    seed, started_with = recorded["seed"], recorded.get("processes", 1)
    if not snapshots.find(options.out, snapshots.TRAINER):
        raise UserError(
            f"{options.out} holds no snapshot to go on from; start anew by `make train` with ARGS=--overwrite"
        )
    if options.seed not in (None, seed):
        raise UserError(f"{options.out}: this run has seed {seed}, not {options.seed}; leave SEED out")
    if options.processes != started_with:
        raise UserError(
            f"{options.out}: this run is trained by {started_with} processes, not {options.processes}; "
            f"go on with NP={started_with}"
        )
    # a run older than a key has the root's value of it
    own = load_experiment(options.out / "config.json")
    old, new = ({"id": each.id} | each.flatten() for each in (own, exp))
    different = [f"{key} {new[key]!r}, not {old[key]!r}" for key in new if new[key] != old[key]]
    what = f"the experiment ({'; '.join(different[:3])})"
    results.check_same(options.out, "config.json", not different, what)
    return recorded


def _choose_intervals(options: Options, recorded: dict, planned: int) -> Intervals:
    """Returns the intervals asked for, else those of the run to resume, else shares of the whole."""
    own = recorded.get("every", {})
    return Intervals(
        log=options.log_every or own.get("log") or max(1, planned // 500),
        snapshot=options.snapshot_every or own.get("snapshot") or max(1, planned // 20),
        sample=options.sample_every or own.get("sample") or max(1, planned // 10),
    )


def _open_corpus(
    name: str, manifest: Path, exp: Experiment, options: Options, processes: Processes
) -> Corpus:
    corpus = Corpus.open(manifest, exp.audio, options.store, options.jobs, progress=processes.is_first)
    print(f"{name}: {corpus.summary()}", flush=True)
    return corpus


def _check_same_text(out: Path, name: str, text: str, what: str) -> None:
    path = out / name
    results.check_same(out, name, path.is_file() and path.read_bytes() == text.encode(), what)


def _check_same(out: Path, recorded: dict, corpus: Corpus, encoder: LabelEncoder) -> None:
    _check_same_text(out, "labels.json", encoder.dumps(), "the set of label names")
    same = recorded.get("corpus") == corpus.fingerprint()
    what = "the corpus" if same else f"the corpus ({corpus.difference(out / 'clips.csv')})"
    results.check_same(out, "environment.json", same, what)


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


def _record(
    exp,
    options: Options,
    corpus: Corpus,
    held_out,
    encoder,
    device: str,
    seed: int,
    every: Intervals,
) -> None:
    """Clears the results folder and writes what the run is made of."""
    out = options.out
    results.clear(out)
    write_text(out / "config.json", exp.dumps())
    write_text(out / "labels.json", encoder.dumps())
    made_of = {
        "seed": seed,
        "data": str(options.data),
        "held_out": options.held_out and str(options.held_out),
        "corpus": corpus.fingerprint(),
        "store": str(options.store),
        "every": every._asdict(),
        "processes": options.processes,
    }
    results.write_environment(out, results.machine(device) | made_of)
    corpus.write_rejected(out / "rejected.csv", held_out.rejected if held_out else ())
    corpus.write_clips(out / "clips.csv")


def _announce(
    exp, n_clips: int, planned: int, stop: Stop, device: str, every: Intervals, n_processes: int
) -> None:
    table = exp.training
    together = f" in each of {n_processes} processes" if n_processes > 1 else ""
    until = "" if stop.iterations == planned else f"; stopping at {stop.iterations}"
    print(
        f"{exp.id}: {table.epochs} epochs of {n_clips} clips, {table.n_dis} D steps and 1 G step of "
        f"{table.batchsize} an iteration{together}: {planned} iterations{until}\n"
        f"device: {device}; log every {every.log}, snapshot every {every.snapshot}, "
        f"samples every {every.sample} iterations",
        flush=True,
    )


def _run(trainer, stop: Stop, exp: Experiment, options: Options) -> int:
    stop.begin()
    started = time.monotonic()
    trainer.run(show_loop_exception_msg=False)
    waited = sum(trainer.updater.get_iterator(name).waited for name in ("main", "orig"))
    print(f"waiting for clips: {waited / (time.monotonic() - started):.1%} of the time")
    iteration, out = trainer.updater.iteration, options.out
    if not stop.is_end(iteration):
        print(f"stopped at iteration {iteration}, saved; go on with: {_resume_command(exp, options)}")
        return 128 + stop.requested
    print(f"done: {iteration} iterations. Look at {out}/curves and {out}/samples, and listen there.")
    return 0


def _where_it_stands(exp: Experiment, options: Options, stop: Stop) -> str:
    """Says how to go on after a training that ended without saving."""
    if not stop.has_begun:
        return "before the training began"
    found = snapshots.find(options.out, snapshots.TRAINER)
    if not found:
        return "before the first snapshot; start anew with: make train"
    command = _resume_command(exp, options)
    return f"after {found[max(found)].name} was saved; go on from there with: {command}"


def _resume_command(exp: Experiment, options: Options) -> str:
    """Returns the command that goes on with a run as it was asked for; the run knows the rest."""
    command = ["make", "resume", f"EXP={options.name}"]
    if options.out != Path("results") / exp.id:
        command.append(f"OUT={options.out}")
    if options.device != "auto":
        command.append(f"DEVICE={options.device}")
    if options.iterations:
        command.append(f"ITERATIONS={options.iterations}")
    if options.processes > 1:
        command.append(f"NP={options.processes}")
    return shlex.join(command)
