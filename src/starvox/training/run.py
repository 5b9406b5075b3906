"""One training from its command line to its results folder."""

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import chainer
import numpy as np

from starvox.build import describe_compiling
from starvox.config import Experiment
from starvox.corpus import Corpus, CropDataset, LabelEncoder
from starvox.device import describe, require_gpu, use_tf32
from starvox.errors import UserError, WriteError
from starvox.files import remove_leftovers, write_text
from starvox.run import snapshots
from starvox.run.environment import Environment, machine
from starvox.run.lock import Lock
from starvox.run.run import Run
from starvox.training.assemble import Intervals, build_trainer, build_updater, count_iterations
from starvox.training.choose_samples import choose_samples
from starvox.training.cuda_graph import use_cuda_graphs
from starvox.training.output import best_effort_output
from starvox.training.processes import Processes
from starvox.training.triggers import StopTrigger

_OF_STORE = r"starvox-index\.json|(?:\d+/)?[0-9a-f]{2}/[0-9a-f]{64}\.npy"


@dataclass(frozen=True)
class Options:
    """What does not change the experiment; see ``starvox train --help``.

    None stands for a default, or, resuming, for what the run was started with.

    Attributes:
        out: the results folder.
        data: manifest of the training clips.
        held_out: manifest of the clips to sample; without one training clips are.
        store: where decoded clips are kept.
        device: ``auto`` (the default), ``cpu`` or ``cuda:N``.
        iterations: stop after so many; None for the experiment's epochs.
        seed: of everything random; by default 0.
        jobs: decoding threads; None for one a core.
        log_every, snapshot_every, sample_every: iterations; by default a 500th,
            a 20th and a 10th of the experiment's.
        overwrite: a run in ``out`` may be removed.
        cuda_graph: replay the steps as CUDA graphs.
        tf32: let products of float32 use TF32.
        processes: how many train together.
        resume_command: what the user types to resume this run, to be printed.
    """

    out: Path
    data: Path | None = None
    held_out: Path | None = None
    store: Path | None = None
    device: str | None = None
    iterations: int | None = None
    seed: int | None = None
    jobs: int | None = None
    log_every: int | None = None
    snapshot_every: int | None = None
    sample_every: int | None = None
    overwrite: bool = False
    cuda_graph: bool | None = None
    tf32: bool | None = None
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
    run = Run(options.out)
    recorded = run.read_environment() if resume else None  # a folder without a run is left alone
    if recorded:
        options = _with_own(options, run, recorded)
    device = processes.find_device(options.device or "auto")
    device.use()
    options = _on_device(exp, options, recorded, device)
    stop = StopTrigger(processes.largest, tell=processes.is_first)
    try:
        with stop, ExitStack() as until_the_end:
            return _train(exp, options, run, recorded, device, stop, processes, until_the_end)
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
    device: chainer.backend.Device,
    stop: StopTrigger,
    processes: Processes,
    until_the_end: ExitStack,
) -> int:
    assert options.data  # the command sees to it, and to the store
    assert options.store
    lock = None
    with processes.first_alone():  # it decodes, and the others find the clips decoded
        if processes.is_first:
            lock = until_the_end.enter_context(Lock(run.folder))
        if recorded:
            _refuse_others(exp, options, run, recorded)
        else:
            run.check_free(options.overwrite)
        if processes.is_first:
            run.remove_leftovers()
            remove_leftovers(options.store, _OF_STORE, seconds=3600)  # others may be decoding into it
        corpus, held_out = _open_corpora(exp, options, processes)
        encoder = LabelEncoder.from_clips(corpus.clips, exp.labels.sizes)
        known = map(encoder.without_unknown, held_out.clips if held_out else ())
        if held_out and not any(clip.speaker or clip.birthplace for clip in known):  # all corpora share sexes
            what = f"no speaker and no birthplace of {options.held_out} is one of {options.data}"
            print(f"warning: {what}: of another corpus?")
        if recorded:
            same = run.encoder(exp) == encoder
            run.refuse_if_changed(run.labels, same, "the set of label names")
            same = recorded.corpus == corpus.fingerprint()
            what = "the corpus" if same else f"the corpus ({corpus.difference(run.clips)})"
            run.refuse_if_changed(run.environment, same, what)

        seed = recorded.seed if recorded else options.seed or 0
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
    processes.refuse_if_different(
        corpus=corpus.fingerprint(), iteration=updater.iteration, end=stop.iterations
    )
    if recorded and stop.is_end(updater.iteration):
        print(f"nothing to do: {run.folder} is at iteration {updater.iteration} of {stop.iterations}")
        return 0
    if processes.is_first and recorded:
        recorded.resumed = [*recorded.resumed, machine(describe(device))]
        run.write_environment(recorded)
    elif processes.is_first:
        run.clear()
        made_of = Environment(
            seed=seed,
            data=str(options.data),
            held_out=options.held_out and str(options.held_out),
            corpus=corpus.fingerprint(),
            store=str(options.store),
            every=every._asdict(),
            processes=options.processes,
            asked_device=options.device or "auto",
            cuda_graph=bool(options.cuda_graph),
            tf32=bool(options.tf32),
            **machine(describe(device)),
        )
        run.write_environment(made_of)  # first: it says that what follows is a run's
        write_text(run.config, exp.dumps())
        write_text(run.labels, encoder.dumps())
        corpus.write_rejected(run.rejected, held_out.rejected if held_out else ())
        corpus.write_clips(run.clips)
    processes.broadcast_weights(updater.gen, updater.dis)  # and nobody goes on before the folder is made

    table, n = exp.training, processes.size
    print(
        f"{exp.id}: {table.epochs} epochs of {len(corpus.clips)} clips, {table.n_dis} D steps and 1 G step "
        f"of {table.batchsize} an iteration{f' in each of {n} processes' * (n > 1)}: {planned} iterations"
        f"{f'; stopping at {stop.iterations}' * (stop.iterations != planned)}\n"
        f"device: {describe(device)}; log every {every.log}, snapshot every {every.snapshot}, "
        f"samples every {every.sample} iterations; figures in {run.folder}/curves, up to date\n"
        f"{describe_compiling(device)}",
        flush=True,
        end="",
    )
    try:
        trainer.run(show_loop_exception_msg=False)
    except WriteError:
        if lock:
            lock.check()  # it says so if the folder was moved just then
        raise
    if changes := corpus.changes():
        print(changes)
    if not stop.is_end(updater.iteration) and stop.requested:
        print(f"stopped at iteration {updater.iteration}, saved; go on with: {_resume_command(options)}")
        return 128 + stop.requested
    out = run.folder
    print(f"done: {updater.iteration} iterations. Look at {out}/curves and {out}/samples, and listen there.")
    if updater.iteration < planned:
        print(f"resume it, up to iteration {planned}, with: {options.resume_command}")
    return 0


def _with_own(options: Options, run: Run, recorded: Environment) -> Options:
    """Returns options, what was not asked for taken from the run; refuses one with nothing to resume from."""
    if not run.snapshots():
        raise UserError(f"{run.folder} holds no snapshot to resume from", "overwrite")
    data, held_out = options.data, options.held_out
    if data is None:
        data, held_out = Path(recorded.data), held_out or (recorded.held_out and Path(recorded.held_out))
    store = options.store or (recorded.store and Path(recorded.store))
    if not store:
        raise UserError(f"{run.environment}: does not say where decoded clips are kept", "store")
    indices = (store / "starvox-index.json", store / "index.json")  # the latter of earlier versions
    foreign = store.is_dir() and any(store.iterdir()) and not any(path.is_file() for path in indices)
    if options.store is None and foreign:
        raise UserError(f"{run.environment}: {store} holds other things than decoded clips", "store")
    device = options.device or recorded.asked_device
    return replace(options, data=data, held_out=held_out or None, store=store, device=device)


def _on_device(
    exp: Experiment, options: Options, own: Environment | None, device: chainer.backend.Device
) -> Options:
    """Switches on what was asked for, or on a GPU what the run was started with; returns that."""
    own = own if device.xp is not np else None
    tf32, graph = (
        asked if asked is not None else bool(own and getattr(own, name))
        for name, asked in (("tf32", options.tf32), ("cuda_graph", options.cuda_graph))
    )
    if tf32:  # now that each process has its own GPU
        use_tf32(device)
    if graph:
        require_gpu(device, "--cuda-graph")
        if options.processes > 1:
            raise UserError("--cuda-graph is for one process; leave it out, or NP")
        if exp.training.optimizer == "adam" or exp.training.learning_rate_factor != 1:
            raise UserError(
                "--cuda-graph replays one learning rate, and this experiment's changes; leave it out"
            )
    return replace(options, tf32=tf32, cuda_graph=graph)


def _refuse_others(exp: Experiment, options: Options, run: Run, recorded: Environment) -> None:
    """Refuses to resume a run otherwise than it was started."""
    if options.seed not in (None, recorded.seed):
        raise UserError(f"{run.folder}: this run has seed {recorded.seed}, not {options.seed}", "seed")
    if options.processes != recorded.processes:
        raise UserError(
            f"{run.folder}: this run is trained by {recorded.processes} processes, not {options.processes}",
            "processes",
        )
    # a run older than a key has the root's value of it
    old, new = ({"id": each.id} | each.flatten() for each in (run.experiment(), exp))
    different = [f"{key} {new[key]!r}, not {old[key]!r}" for key in new if new[key] != old[key]]
    run.refuse_if_changed(run.config, not different, f"the experiment ({'; '.join(different[:3])})")


def _choose_intervals(options: Options, own: dict[str, int], planned: int) -> Intervals:
    """Returns the intervals asked for, else those of the run to resume, else parts of the whole."""
    return Intervals(
        log=options.log_every or own.get("log") or max(1, planned // 500),
        snapshot=options.snapshot_every or own.get("snapshot") or max(1, planned // 20),
        sample=options.sample_every or own.get("sample") or max(1, planned // 10),
    )


def _open_corpora(exp: Experiment, options: Options, processes: Processes) -> tuple[Corpus, Corpus | None]:
    """Opens the training clips and the held-out ones, if there are any."""
    corpora = []
    for name, manifest in (("corpus", options.data), ("held-out", options.held_out)):
        if manifest:
            assert options.store
            corpora.append(
                Corpus.open(manifest, exp.audio, options.store, options.jobs, progress=processes.is_first)
            )
            print(f"{name}: {corpora[-1].summary()}; of {manifest}", flush=True)
    return corpora[0], corpora[1] if corpora[1:] else None


def _load_newest(trainer: chainer.training.Trainer, run: Run, seed: int) -> None:
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


def _resume_command(options: Options) -> str:
    """Returns the command that resumes a run that was stopped, up to where it was to go."""
    return options.resume_command + (f" ITERATIONS={options.iterations}" if options.iterations else "")


def _where_it_stands(options: Options, stop: StopTrigger) -> str:
    """Returns what there is to resume from after a training that ended without saving."""
    if not stop.has_begun:
        return "before the training began"
    if not (found := Run(options.out).snapshots()):
        return "before the first snapshot: nothing is saved"
    return f"after {found[max(found)].name} was saved; go on from there with: {_resume_command(options)}"
