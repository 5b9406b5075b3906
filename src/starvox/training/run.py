"""One training from its command line to its results folder."""

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from starvox.config import Experiment
from starvox.corpus import Corpus, CropDataset, LabelEncoder
from starvox.device import describe, use_tf32
from starvox.errors import UserError, WriteError
from starvox.files import remove_leftovers, write_text
from starvox.run import snapshots
from starvox.run.environment import Environment, machine
from starvox.run.lock import Lock
from starvox.run.run import Run
from starvox.training.assemble import Intervals, build_trainer, build_updater, count_iterations
from starvox.training.choose_samples import choose_samples
from starvox.training.common_stop import CommonStop
from starvox.training.cuda_graph import use_cuda_graphs
from starvox.training.output import best_effort_output
from starvox.training.processes import Processes
from starvox.training.triggers import Stop

_OF_STORE = r"starvox-index\.json|(?:\d+/)?[0-9a-f]{2}/[0-9a-f]{64}\.npy"


@dataclass(frozen=True)
class Options:
    """What does not change the experiment; see ``starvox train --help``.

    Attributes:
        data: manifest of the training clips; None for the run's own, and its held-out clips, resuming.
        held_out: manifest of the clips to sample; None takes training clips.
        out: the results folder.
        store: where decoded clips are kept; None for the run's own, resuming.
        device: ``auto``, ``cpu`` or ``cuda:N``.
        iterations: stop after so many; None for the experiment's epochs.
        seed: of everything random; None for 0, or, resuming, for the run's own.
        jobs: decoding threads; None for one a core.
        log_every, snapshot_every, sample_every: iterations; None for a 500th,
            a 20th and a 10th of the experiment's.
        overwrite: a run in ``out`` may be removed.
        cuda_graph: replay the steps as CUDA graphs.
        tf32: let products of float32 use TF32.
        processes: how many train together.
        resume_command: what the user types to resume this run, to be printed.
    """

    data: Path | None
    held_out: Path | None
    out: Path
    store: Path | None
    device: str = "auto"
    iterations: int | None = None
    seed: int | None = None
    jobs: int | None = None
    log_every: int | None = None
    snapshot_every: int | None = None
    sample_every: int | None = None
    overwrite: bool = False
    cuda_graph: bool = False
    tf32: bool = False
    processes: int = 1
    resume_command: str = ""


@best_effort_output()
def train(exp: Experiment, options: Options, resume: bool = False, processes: Processes | None = None) -> int:
    """Trains, or resumes a run; prints what it does.

    Nothing of an old run is removed before all that can fail at the start has passed.

    Args:
        exp: the experiment.
        options: of this run.
        resume: whether to resume the run in ``options.out``.
        processes: those that train together; by default this one alone.

    Returns:
        int: 0, or 128 + the number of the signal that ended it.

    Raises:
        UserError: if something is wrong that the user can mend.
    """
    processes = processes or Processes()
    device = processes.find_device(options.device)
    device.use()
    if options.tf32:  # now that each process has its own GPU
        use_tf32(device)
    run = Run(options.out)
    stop = Stop() if processes.size == 1 else CommonStop(processes)
    try:
        lock = None
        with stop, ExitStack() as until_the_end:
            with processes.first_alone():
                recorded = run.read_environment() if resume else None  # a folder without a run is left alone
                if processes.is_first:
                    lock = until_the_end.enter_context(Lock(run.folder))
            return _train(exp, options, run, recorded, device, stop, processes, lock)
    except KeyboardInterrupt:
        if stop.requested is None:
            raise
        print(f"stopped {_where_it_stands(options, stop)}", flush=True)
        if processes.size > 1:  # one that has not heard of it must not wait for this one
            raise SystemExit(128 + stop.requested) from None
        return 128 + stop.requested
    except (WriteError, OSError) as error:
        reason = str(error)
        if not isinstance(error, WriteError):  # which names its file and what to do
            reason = f"{error.filename or options.out}: {error.strerror or error}"
        stands = f". Stopped {_where_it_stands(options, stop)}" if stop.has_begun else ""
        raise UserError(f"{reason}{stands}", *getattr(error, "arguments", ())) from error


def _train(
    exp: Experiment,
    options: Options,
    run: Run,
    recorded: Environment | None,
    device,
    stop: Stop,
    processes: Processes,
    lock: Lock | None,
) -> int:
    with processes.first_alone():  # it decodes, and the others find the clips decoded
        if recorded:
            _check_own(exp, options, run, recorded)
            options = _with_own(options, run, recorded)
        else:
            run.check_free(options.overwrite)
        seed = recorded.seed if recorded else options.seed or 0
        if processes.is_first:
            run.remove_leftovers()
            remove_leftovers(options.store, _OF_STORE, seconds=3600)  # others may be decoding into it
        corpus = _open_corpus("corpus", options.data, exp, options, processes)
        held_out = options.held_out and _open_corpus("held-out", options.held_out, exp, options, processes)
        encoder = LabelEncoder.from_clips(corpus.clips, exp.labels.sizes)
        known = map(encoder.without_unknown, held_out.clips if held_out else ())
        if held_out and not any(clip.speaker or clip.birthplace for clip in known):  # all corpora share sexes
            what = f"no speaker and no birthplace of {options.held_out} is one of {options.data}"
            print(f"warning: {what}: of another corpus?")
        if recorded:
            _check_same(run, recorded, corpus, encoder)

        dataset = CropDataset(corpus, encoder, exp.labels.drop_probability)
        updater = build_updater(exp, dataset, device, seed, processes)
        if options.cuda_graph:
            use_cuda_graphs(updater)
        planned = count_iterations(exp, len(corpus.clips), processes.size)
        stop.iterations = options.iterations or planned
        every = _choose_intervals(options, recorded.every if recorded else {}, planned)
        samples = choose_samples(corpus, held_out, encoder)
        trainer = build_trainer(exp, updater, stop, run.folder, every, samples, seed, lock)
        if recorded:
            _load_newest(trainer, run, seed)
    processes.check_same(corpus=corpus.fingerprint(), iteration=updater.iteration, end=stop.iterations)
    if recorded and stop.is_end(updater.iteration):
        print(f"nothing to do: {run.folder} is at iteration {updater.iteration} of {stop.iterations}")
        return 0
    if processes.is_first and recorded:
        recorded.resumed = [*recorded.resumed, machine(describe(device))]
        run.write_environment(recorded)
    elif processes.is_first:
        _record(exp, options, run, corpus, held_out, encoder, describe(device), seed, every)
    processes.share_weights(updater.gen, updater.dis)  # and nobody goes on before the folder is made
    _announce(exp, len(corpus.clips), planned, stop, describe(device), every, options.processes)
    code = _run(trainer, stop, options)
    if changes := corpus.changes():
        print(changes)
    return code


def _with_own(options: Options, run: Run, recorded: Environment) -> Options:
    """Returns options, what was not asked for taken from the run; refuses one with nothing to resume from."""
    if not run.snapshots():
        raise UserError(f"{run.folder} holds no snapshot to resume from", "overwrite")
    data, held_out = options.data, options.held_out
    if data is None:
        data, held_out = Path(recorded.data), held_out or (recorded.held_out and Path(recorded.held_out))
    store = options.store or (recorded.store and Path(recorded.store))
    if store is None:
        raise UserError(f"{run.environment}: does not say where decoded clips are kept", "store")
    indices = (store / "starvox-index.json", store / "index.json")  # the latter of earlier versions
    foreign = store.is_dir() and any(store.iterdir()) and not any(path.is_file() for path in indices)
    if options.store is None and foreign:
        raise UserError(f"{run.environment}: {store} holds other things than decoded clips", "store")
    return replace(options, data=data, held_out=held_out, store=store)


def _check_own(exp: Experiment, options: Options, run: Run, recorded: Environment) -> None:
    """Refuses to resume a run otherwise than it was started."""
    if options.seed not in (None, recorded.seed):
        raise UserError(f"{run.folder}: this run has seed {recorded.seed}, not {options.seed}", "seed")
    if options.processes != recorded.processes:
        raise UserError(
            f"{run.folder}: this run is trained by {recorded.processes} processes, not {options.processes}",
            "processes",
        )
    # a run older than a key has the root's value of it
    own = run.experiment()
    old, new = ({"id": each.id} | each.flatten() for each in (own, exp))
    different = [f"{key} {new[key]!r}, not {old[key]!r}" for key in new if new[key] != old[key]]
    run.refuse_if_changed(run.config, not different, f"the experiment ({'; '.join(different[:3])})")


def _choose_intervals(options: Options, own: dict[str, int], planned: int) -> Intervals:
    """Returns the intervals asked for, else those of the run to resume, else shares of the whole."""
    return Intervals(
        log=options.log_every or own.get("log") or max(1, planned // 500),
        snapshot=options.snapshot_every or own.get("snapshot") or max(1, planned // 20),
        sample=options.sample_every or own.get("sample") or max(1, planned // 10),
    )


def _open_corpus(
    name: str, manifest: Path, exp: Experiment, options: Options, processes: Processes
) -> Corpus:
    corpus = Corpus.open(manifest, exp.audio, options.store, options.jobs, progress=processes.is_first)
    print(f"{name}: {corpus.summary()}; of {manifest}", flush=True)
    return corpus


def _check_same(run: Run, recorded: Environment, corpus: Corpus, encoder: LabelEncoder) -> None:
    same = run.labels.is_file() and run.labels.read_bytes() == encoder.dumps().encode()
    run.refuse_if_changed(run.labels, same, "the set of label names")
    same = recorded.corpus == corpus.fingerprint()
    what = "the corpus" if same else f"the corpus ({corpus.difference(run.clips)})"
    run.refuse_if_changed(run.environment, same, what)


def _load_newest(trainer, run: Run, seed: int) -> None:
    """Loads the newest snapshot that is whole; names those that are not."""
    for iteration, path in reversed(run.snapshots().items()):
        try:
            saved = snapshots.load(path, trainer)
            if trainer.updater.iteration != iteration:
                raise UserError(f"{path}: it is of iteration {trainer.updater.iteration}")
        except UserError as error:
            print(f"skipped: {error}", flush=True)
            continue
        # None: of an earlier version, where environment.json alone says it
        run.refuse_if_changed(run.environment, saved in (None, seed), f"the seed ({seed}, not {saved})")
        print(f"resuming from iteration {iteration}", flush=True)
        return
    raise UserError(f"{run.folder}: no snapshot can be loaded", "overwrite")


def _record(
    exp: Experiment,
    options: Options,
    run: Run,
    corpus: Corpus,
    held_out: Corpus | None,
    encoder: LabelEncoder,
    device: str,
    seed: int,
    every: Intervals,
) -> None:
    """Clears the results folder and writes what the run is made of."""
    run.clear()
    made_of = Environment(
        seed=seed,
        data=str(options.data),
        held_out=options.held_out and str(options.held_out),
        corpus=corpus.fingerprint(),
        store=str(options.store),
        every=every._asdict(),
        processes=options.processes,
        **machine(device),
    )
    run.write_environment(made_of)  # first: it says that what follows is a run's
    write_text(run.config, exp.dumps())
    write_text(run.labels, encoder.dumps())
    corpus.write_rejected(run.rejected, held_out.rejected if held_out else ())
    corpus.write_clips(run.clips)


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


def _run(trainer, stop: Stop, options: Options) -> int:
    stop.begin()
    started = time.monotonic()
    trainer.run(show_loop_exception_msg=False)
    waited = sum(trainer.updater.get_iterator(name).waited for name in ("main", "orig"))
    print(f"waiting for clips: {waited / (time.monotonic() - started):.1%} of the time")
    iteration, out = trainer.updater.iteration, options.out
    if not stop.is_end(iteration):
        print(f"stopped at iteration {iteration}, saved; go on with: {options.resume_command}")
        return 128 + stop.requested
    print(f"done: {iteration} iterations. Look at {out}/curves and {out}/samples, and listen there.")
    return 0


def _where_it_stands(options: Options, stop: Stop) -> str:
    """Returns what there is to resume from after a training that ended without saving."""
    if not stop.has_begun:
        return "before the training began"
    if not (found := Run(options.out).snapshots()):
        return "before the first snapshot: nothing is saved"
    return f"after {found[max(found)].name} was saved; go on from there with: {options.resume_command}"
