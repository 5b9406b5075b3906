"""``starvox plot``."""

from pathlib import Path

from starvox.commands.options import add_command


def add(commands) -> None:
    command = add_command(commands, "plot", "draw the record's five figures from one or more logs")
    command.add_argument(
        "logs", nargs="+", type=Path, metavar="LOG", help="a log, or the results folder that holds it"
    )
    command.add_argument("-o", "--out", type=Path, required=True, help="folder of the figures")
    command.add_argument("--loglog", action="store_true", help="logarithmic axes")
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.plotting import plot_curves
    from starvox.run.log import read_log
    from starvox.run.run import Run

    for folder in args.logs:
        if args.out.is_relative_to(folder):  # as in make plot
            Run(folder).inside(args.out)
    names = [(path.parent if path.is_file() else path).name for path in args.logs]
    for path in plot_curves([read_log(path) for path in args.logs], args.out, names, args.loglog):
        print(path)
