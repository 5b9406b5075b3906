"""``starvox train`` and ``starvox resume``."""

import os
import shlex
from pathlib import Path

from starvox.commands.options import add_command, add_experiment, count, seed, setting
from starvox.commands.paths import DEMO, RESULTS, STORE, SYNTHETIC
from starvox.errors import UserError
from starvox.launch import is_launched, launch


def add(commands) -> None:
    for name, resume, text in (
        ("train", False, "train an experiment from the start"),
        ("resume", True, "go on with a training from its newest snapshot"),
    ):
        command = add_command(commands, name, text)
        add_experiment(command)
        own = "the run's own" if resume else ""
        command.add_argument(
            "--data",
            type=Path,
            help="manifest of the training clips (default: "
            + (f"{own})" if resume else f"synthetic speech, made in {DEMO})"),
        )
        command.add_argument(
            "--held-out",
            type=Path,
            help="manifest of the clips to sample (default: held_out.csv beside the manifest, if there)",
        )
        command.add_argument("--out", type=Path, help="results folder (default: results/EXP)")
        command.add_argument(
            "--np",
            type=count,
            default=1,
            metavar="N",
            help="processes that train together, by MPI (default: 1)",
        )
        command.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
        command.add_argument(
            "--iterations", type=count, help="stop after so many (default: the experiment's epochs)"
        )
        command.add_argument("--seed", type=seed, help="of everything random (default: 0, or the run's own)")
        command.add_argument(
            "--jobs", type=count, help="threads that decode the corpus (default: one a core)"
        )
        command.add_argument(
            "--store",
            type=Path,
            help=f"decoded clips are kept here (default: {own or STORE})",
        )
        for what, share in (("log", "a 500th"), ("snapshot", "a 20th"), ("sample", "a 10th")):
            command.add_argument(
                f"--{what}-every",
                type=count,
                metavar="N",
                help=f"iterations (default: {share} of the experiment's)",
            )
        command.add_argument(
            "--cuda-graph", action="store_true", help="replay the steps as CUDA graphs (docs/performance.md)"
        )
        command.add_argument(
            "--tf32", action="store_true", help="let products of float32 use TF32, on a GPU that has it"
        )
        command.add_argument(
            "--set",
            type=setting,
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="a value of the experiment for this run alone, for example loss.identity_weight=0; "
            "repeatable" + ("; default: the run's own" if resume else ""),
        )
        if not resume:
            command.add_argument(
                "--corpus",
                choices=SYNTHETIC,
                default="demo",
                help="the synthetic speech that is used without --data (default: demo)",
            )
            command.add_argument(
                "--overwrite", action="store_true", help="remove the run that is in the results folder"
            )
        command.set_defaults(run=_run, resume=resume, overwrite=False)


def _run(args) -> int:
    if args.np > 1 and not is_launched():
        launch(args.np, args.argv)
    from starvox.training.processes import Processes

    with Processes.join(args.np) as processes:
        return _train(args, processes)


def _train(args, processes) -> int:
    from starvox.config import load_experiment
    from starvox.run.run import Run
    from starvox.training.run import Options, train

    changes = dict(args.set)
    exp = load_experiment(args.experiment, changes)
    if args.cuda_graph and args.np > 1:
        raise UserError("--cuda-graph is for one process; leave it out, or NP")
    if args.cuda_graph and (exp.training.optimizer == "adam" or exp.training.learning_rate_factor != 1):
        raise UserError("--cuda-graph replays one learning rate, and this experiment's changes; leave it out")
    if args.tf32 or args.cuda_graph:
        from starvox.device import find_device, require_gpu

        require_gpu(find_device(args.device), "--tf32" if args.tf32 else "--cuda-graph")
    out = args.out or RESULTS / exp.id
    data, held_out = args.data, args.held_out
    if args.resume and not changes and Run(out).is_there():
        exp = load_experiment(args.experiment, Run(out).experiment().changes())
    if data is None and not args.resume:
        from starvox.corpus.demo import make_demo

        with processes.first_alone():
            data = make_demo(SYNTHETIC[args.corpus], args.corpus) / "train.csv"
    if held_out is None and data and os.path.isfile(data.parent / "held_out.csv"):
        held_out = data.parent / "held_out.csv"
    options = Options(
        data=data,
        held_out=held_out,
        out=out,
        store=args.store or (None if args.resume else STORE),
        device=args.device,
        iterations=args.iterations,
        seed=args.seed,
        jobs=args.jobs,
        log_every=args.log_every,
        snapshot_every=args.snapshot_every,
        sample_every=args.sample_every,
        overwrite=args.overwrite,
        cuda_graph=args.cuda_graph,
        tf32=args.tf32,
        processes=args.np,
        resume_command=_resume_command(args, out != RESULTS / exp.id),
    )
    return train(exp, options, args.resume, processes)


def _resume_command(args, elsewhere: bool) -> str:
    """Returns the command that resumes a run as it was asked for; the run knows the rest."""
    command = ["make", "resume", f"EXP={args.experiment}"]
    if elsewhere:
        command.append(f"OUT={args.out}")
    if args.device != "auto":
        command.append(f"DEVICE={args.device}")
    if args.iterations:
        command.append(f"ITERATIONS={args.iterations}")
    if args.np > 1:
        command.append(f"NP={args.np}")
    return shlex.join(command)
