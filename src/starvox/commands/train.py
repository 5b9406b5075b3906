"""``starvox train`` and ``starvox resume``, and `starvox.train` in Python."""

import argparse
import dataclasses
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starvox.commands.options import add_command, add_experiment, count, seed, setting
from starvox.commands.paths import DEMO, RESULTS, STORE, SYNTHETIC
from starvox.launch import is_launched, launch

if TYPE_CHECKING:
    from starvox.training.processes import Processes
    from starvox.training.run import Options


def add(commands: Any) -> None:
    for name, resume, text in (
        ("train", False, "train an experiment from the start"),
        ("resume", True, "resume a training from its newest snapshot"),
    ):
        command = add_command(commands, name, text)
        add_experiment(command)
        own = "the run's own" if resume else ""
        switch = argparse.BooleanOptionalAction

        def option(flag: str, text: str, otherwise: str = "", to: Any = command, **more: Any) -> None:
            to.add_argument(flag, help=text + (f" (default: {otherwise})" if otherwise else ""), **more)

        made = own or f"synthetic speech, made in {DEMO}"
        option("--data", "manifest of the training clips", made, type=Path)
        option("--held-out", "manifest of the clips to sample", "held_out.csv beside the manifest", type=Path)
        option("--out", "results folder", "results/EXP", type=Path)
        option("--np", "processes that train together, by MPI", own or "1", type=count, metavar="N")
        option("--device", "auto, cpu or cuda:N", own or "auto")
        option("--iterations", "stop after so many", "the experiment's epochs", type=count)
        option("--seed", "of everything random", own or "0", type=seed)
        option("--jobs", "threads that decode the corpus", "one a core", type=count)
        option("--store", "decoded clips are kept here", own or str(STORE), type=Path)
        for what, part in (("log", "a 500th"), ("snapshot", "a 20th"), ("sample", "a 10th")):
            part = own or f"{part} of the experiment's"
            option(f"--{what}-every", "iterations", part, type=count, metavar="N")
        option("--cuda-graph", "replay the steps as CUDA graphs (docs/performance.md)", own, action=switch)
        option("--tf32", "let products of float32 use TF32, on a GPU that has it", own, action=switch)
        text = "a value of the experiment for this run alone, for example loss.identity_weight=0; repeatable"
        option("--set", text, own, type=setting, action="append", default=[], metavar="KEY=VALUE")
        if not resume:
            text = "the synthetic speech that is used without --data"
            option("--corpus", text, "demo", choices=SYNTHETIC, default="demo")
            option("--overwrite", "remove the run that is in the results folder", action="store_true")
        command.set_defaults(run=_run, resume=resume)


def train(
    experiment: str | Path,
    *,
    resume: bool = False,
    changes: Mapping[str, Any] | None = None,
    corpus: str = "demo",
    **options: Any,
) -> Path:
    """Trains in this process as ``starvox train`` and ``starvox resume`` do; prints what it does.

    Args:
        experiment: an id, or the path of a config.toml.
        resume: whether to resume the run in ``out``.
        changes: dotted key -> value of the experiment, for this run alone.
        corpus: the synthetic speech that is used without ``data``: ``demo`` or ``record``.
        options: ``out``, ``data``, ``iterations``, ``device``, ``seed`` and the other attributes of
            `starvox.training.run.Options`.

    Returns:
        Path: the results folder, which `starvox.Replay.load` takes.

    Raises:
        UserError: if something is wrong that the user can mend.
        KeyboardInterrupt: if Ctrl-C stopped it, when all is saved.
    """
    from starvox.training.processes import Processes

    synthetic = None if resume else corpus
    code, out = _train(experiment, resume, dict(changes or {}), synthetic, Processes(), options)
    if code:
        raise KeyboardInterrupt
    return out


def _run(args: argparse.Namespace) -> int:
    from starvox.config import load_experiment
    from starvox.run.run import Run

    if args.np is None:
        folder = args.out or RESULTS / load_experiment(args.experiment).id
        args.np = Run(folder).read_environment().processes if args.resume else 1
    if args.np > 1 and not is_launched():
        launch(args.np, [*args.argv, f"--np={args.np}"])
    from starvox.training.processes import Processes
    from starvox.training.run import Options

    options = {key: value for key, value in vars(args).items() if key in Options.__dataclass_fields__}
    options |= {"processes": args.np}
    with Processes.join(args.np) as processes:
        corpus = None if args.resume else args.corpus
        return _train(args.experiment, args.resume, dict(args.set), corpus, processes, options)[0]


def _train(
    experiment: str | Path,
    resume: bool,
    changes: dict[str, Any],
    corpus: str | None,
    processes: "Processes",
    options: dict[str, Any],
) -> tuple[int, Path]:
    """Returns the exit code and the results folder; ``corpus`` is made where there is no ``data``."""
    from starvox.config import load_experiment
    from starvox.run.run import Run
    from starvox.training.run import Options
    from starvox.training.run import train as train_run

    exp = load_experiment(experiment, changes)
    out = Path(options.get("out") or RESULTS / exp.id)
    paths = {key: Path(options[key]) for key in ("data", "held_out", "store") if options.get(key)}
    asked = Options(**options | paths | {"out": out})
    if resume and not changes and Run(out).is_there():
        exp = load_experiment(experiment, Run(out).experiment().changes())
    data, held_out = asked.data, asked.held_out
    if data is None and corpus:
        from starvox.corpus.demo import make_demo

        with processes.first_alone():
            data = make_demo(SYNTHETIC[corpus], corpus) / "train.csv"
    if held_out is None and data and os.path.isfile(data.parent / "held_out.csv"):
        held_out = data.parent / "held_out.csv"
    store = asked.store or (None if resume else STORE)
    command = _resume_command(experiment, asked, elsewhere=out != RESULTS / exp.id)
    asked = dataclasses.replace(asked, data=data, held_out=held_out, store=store, resume_command=command)
    return train_run(exp, asked, resume, processes), out


def _resume_command(experiment: str | Path, options: "Options", elsewhere: bool) -> str:
    """Returns the command that resumes a run as it was asked for; the run knows the rest."""
    command = ["make", "resume", f"EXP={experiment}"]
    if elsewhere:
        command.append(f"OUT={options.out}")
    if options.device:
        command.append(f"DEVICE={options.device}")
    if options.processes > 1:
        command.append(f"NP={options.processes}")
    more = [flag for flag, on in (("--cuda-graph", options.cuda_graph), ("--tf32", options.tf32)) if on]
    if options.jobs:
        more.append(f"--jobs={options.jobs}")
    if more:
        command.append(f"ARGS={' '.join(more)}")
    return shlex.join(command)
