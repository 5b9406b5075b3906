"""``starvox plot``."""

import argparse
import csv
import io
from pathlib import Path

from starvox.commands.options import add_command
from starvox.files import write_text


def add(commands: argparse._SubParsersAction) -> None:
    command = add_command(commands, "plot", "draw the record's five figures from one or more logs")
    command.add_argument(
        "logs", nargs="+", type=Path, metavar="LOG", help="a log, or the results folder that holds it"
    )
    command.add_argument("-o", "--out", type=Path, required=True, help="folder of the figures")
    command.add_argument("--loglog", action="store_true", help="logarithmic axes")
    command.add_argument("--csv", action="store_true", help="also the logs as one table, log.csv")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from starvox.plotting import plot_curves
    from starvox.run.log import read_log
    from starvox.run.run import Run

    for folder in args.out.parents:
        if Run(folder).is_there():
            Run(folder).inside(args.out)
    names = [(path.parent if path.is_file() else path).name for path in args.logs]
    logs = [read_log(path) for path in args.logs]
    for path in plot_curves(logs, args.out, names, args.loglog):
        print(path)
    if args.csv:
        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(["run", *(keys := dict.fromkeys(key for log in logs for key in log))])
        for name, log in zip(names, logs, strict=True):
            for i in range(len(log["iteration"])):
                writer.writerow([name, *(f"{log[key][i]:.9g}" if key in log else "nan" for key in keys)])
        write_text(args.out / "log.csv", table.getvalue())
        print(args.out / "log.csv")
