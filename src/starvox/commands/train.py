"""``starvox train`` and ``starvox resume``."""

from pathlib import Path

from starvox.commands.options import add_command, add_experiment, count, natural
from starvox.commands.paths import DEMO, STORE


def add(commands) -> None:
    for name, resume, text in (
        ("train", False, "train an experiment from the start"),
        ("resume", True, "go on with a training from its newest snapshot"),
    ):
        command = add_command(commands, name, text)
        add_experiment(command)
        command.add_argument(
            "--data",
            type=Path,
            help="manifest of the training clips (default: "
            + ("the run's own)" if resume else f"synthetic speech, made in {DEMO})"),
        )
        command.add_argument(
            "--held-out",
            type=Path,
            help="manifest of the clips to sample (default: held_out.csv beside the manifest, if there)",
        )
        command.add_argument("--out", type=Path, help="results folder (default: results/EXP)")
        command.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
        command.add_argument(
            "--iterations", type=count, help="stop after so many (default: the experiment's epochs)"
        )
        command.add_argument(
            "--seed", type=natural, help="of everything random (default: 0, or the run's own)"
        )
        command.add_argument(
            "--jobs", type=count, help="threads that decode the corpus (default: one a core)"
        )
        command.add_argument(
            "--store", type=Path, default=STORE, help=f"decoded clips are kept here (default: {STORE})"
        )
        for what, share in (("log", "a 500th"), ("snapshot", "a 20th"), ("sample", "a 10th")):
            command.add_argument(
                f"--{what}-every",
                type=count,
                metavar="N",
                help=f"iterations (default: {share} of the experiment's)",
            )
        if not resume:
            command.add_argument(
                "--overwrite", action="store_true", help="remove the run that is in the results folder"
            )
        command.set_defaults(run=_run, resume=resume, overwrite=False)


def _run(args) -> int:
    from starvox.config import load_experiment
    from starvox.training.results import read_environment
    from starvox.training.run import Options, train

    exp = load_experiment(args.experiment)
    out = args.out or Path("results") / exp.id
    data, held_out = args.data, args.held_out
    if args.resume and data is None:
        recorded = read_environment(out)
        data = Path(recorded["data"])
        held_out = held_out or (recorded["held_out"] and Path(recorded["held_out"]))
    elif data is None:
        from starvox.corpus.demo import make_demo

        data = make_demo(DEMO) / "train.csv"
    if held_out is None and (data.parent / "held_out.csv").is_file():
        held_out = data.parent / "held_out.csv"
    options = Options(
        name=args.experiment,
        data=data,
        held_out=held_out,
        out=out,
        store=args.store,
        device=args.device,
        iterations=args.iterations,
        seed=args.seed,
        jobs=args.jobs,
        log_every=args.log_every,
        snapshot_every=args.snapshot_every,
        sample_every=args.sample_every,
        overwrite=args.overwrite,
    )
    return train(exp, options, args.resume)
