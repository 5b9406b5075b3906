"""``starvox report``."""

import argparse
from pathlib import Path

from starvox.commands.options import add_command
from starvox.commands.paths import run_folder, writable_folder


def add(commands: argparse._SubParsersAction) -> None:
    command = add_command(commands, "report", "put a run on one HTML page that needs nothing else")
    command.add_argument("run_name", metavar="RUN", help="results folder, or the id of an experiment")
    command.add_argument("-o", "--out", type=Path, metavar="HTML", help="the page (default: RUN/report.html)")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    from starvox.report import write_report
    from starvox.run.run import Run

    run = run_folder(args.run_name)
    report = write_report(run, args.out or Run(writable_folder(run)).report)
    size = report.path.stat().st_size / 1e6
    print(f"{report.path}: {size:.1f} MB; open it in a browser")
    if report.left_out:
        print(f"left out, damaged or for want of room: {len(report.left_out)} files; the page names them")
