"""The commands: they parse, call and print."""

import argparse
import sys
from pathlib import Path

from starvox.errors import UserError

_DEMO = Path("data/demo")
_STORE = Path("data/store")


def main(argv: list[str] | None = None) -> int:
    """Runs one command; returns the exit code (2 for a mistake the user can mend)."""
    args = _parser().parse_args(argv)
    try:
        return args.run(args) or 0
    except UserError as error:
        if args.debug:
            raise
        print(f"starvox: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("starvox: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="starvox",
        description="StarGAN voice conversion 47c97768 (2019), reproduced in Chainer.",
        epilog="Start with: starvox train smoke",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_train(commands)
    _add_show(commands)
    _add_data(commands)
    _add_plot(commands)
    return parser


def _add_train(commands) -> None:
    for name, resume, text in (
        ("train", False, "train an experiment from the start"),
        ("resume", True, "go on with a training from its newest snapshot"),
    ):
        command = _add(commands, name, text)
        _add_experiment(command)
        command.add_argument(
            "--data",
            type=Path,
            help="manifest of the training clips (default: made of synthetic speech, in data/demo)",
        )
        command.add_argument(
            "--held-out",
            type=Path,
            help="manifest of the clips to sample (default: held_out.csv beside the manifest, if there)",
        )
        command.add_argument("--out", type=Path, help="results folder (default: results/EXP)")
        command.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
        command.add_argument(
            "--iterations", type=_count, help="stop after so many (default: the experiment's epochs)"
        )
        command.add_argument(
            "--seed", type=_natural, help="of everything random (default: 0, or the run's own)"
        )
        command.add_argument(
            "--jobs", type=_count, help="threads that decode the corpus (default: one a core)"
        )
        command.add_argument(
            "--store", type=Path, default=_STORE, help=f"decoded clips are kept here (default: {_STORE})"
        )
        for what, share in (("log", "a 500th"), ("snapshot", "a 20th"), ("sample", "a 10th")):
            command.add_argument(
                f"--{what}-every",
                type=_count,
                metavar="N",
                help=f"iterations (default: {share} of the experiment's)",
            )
        if not resume:
            command.add_argument(
                "--overwrite", action="store_true", help="remove the run that is in the results folder"
            )
        command.set_defaults(run=_train, resume=resume, overwrite=False)


def _add_show(commands) -> None:
    command = _add(commands, "show", "print every value of an experiment with the file that set it")
    _add_experiment(command)
    command.set_defaults(run=_show)


def _add_data(commands) -> None:
    command = _add(commands, "data", "make the default corpus, of synthetic speech")
    command.add_argument("--out", type=Path, default=_DEMO, help=f"folder (default: {_DEMO})")
    command.set_defaults(run=_data)


def _add_plot(commands) -> None:
    command = _add(commands, "plot", "draw the record's five figures from one or more logs")
    command.add_argument(
        "logs", nargs="+", type=Path, metavar="LOG", help="a log, or the results folder that holds it"
    )
    command.add_argument("-o", "--out", type=Path, required=True, help="folder of the figures")
    command.add_argument("--loglog", action="store_true", help="logarithmic axes")
    command.set_defaults(run=_plot)


def _add(commands, name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")


def _add_experiment(command) -> None:
    command.add_argument(
        "experiment", metavar="EXP", help="id, for example 47c97768, or the path of a config.toml"
    )


def _count(text: str) -> int:
    value = _natural(text)
    if value == 0:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(text)


def _train(args) -> int:
    from starvox.config import load_experiment
    from starvox.training.run import Options, train

    exp = load_experiment(args.experiment)
    data = args.data
    if data is None:
        from starvox.corpus.demo import make_demo

        data = make_demo(_DEMO) / "train.csv"
    beside = data.parent / "held_out.csv"
    options = Options(
        data=data,
        held_out=args.held_out or (beside if beside.is_file() else None),
        out=args.out or Path("results") / exp.id,
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


def _show(args) -> None:
    from starvox.config import load_experiment

    exp = load_experiment(args.experiment)
    for key, value in exp.flatten().items():
        print(f"{key} = {value!r}  # {exp.sources[key]}")


def _data(args) -> None:
    from starvox.corpus.demo import make_demo

    print(f"the default corpus is in {make_demo(args.out)}")


def _plot(args) -> None:
    from starvox.plotting import plot_curves, read_log

    names = [(path.parent if path.is_file() else path).name for path in args.logs]
    for path in plot_curves([read_log(path) for path in args.logs], args.out, names, args.loglog):
        print(path)
