"""``starvox list``."""

from pathlib import Path
from typing import TYPE_CHECKING

from starvox.commands.options import add_command
from starvox.commands.paths import EXPERIMENTS, RESULTS
from starvox.errors import UserError

if TYPE_CHECKING:
    from starvox.run.run import Run

_LOSSES = {
    "dis/wasserstein": "W",
    "dis/classification": "D class",
    "gen/classification": "G class",
    "gen/reconstruction": "rec",
}
_HEAD = ("run", "experiment", "iteration", "epochs", "state", *_LOSSES.values(), "verdict", "differs in")


def add(commands) -> None:
    command = add_command(commands, "list", "list runs, kept ones too: how far, the last losses, the verdict")
    command.add_argument(
        "folders",
        nargs="*",
        type=Path,
        default=[RESULTS, EXPERIMENTS],
        metavar="FOLDER",
        help=f"below which runs are looked for (default: {RESULTS} and {EXPERIMENTS})",
    )
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.run.run import Run

    runs = [Run(path.parent) for folder in args.folders for path in sorted(folder.rglob("config.json"))]
    if not runs:
        raise UserError(f"no run below {', '.join(map(str, args.folders))}", "train")
    rows = [_HEAD, *map(_describe, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _describe(run: "Run") -> tuple[str, ...]:
    from starvox.config import load_experiment
    from starvox.evaluation.evaluate import read_evaluations
    from starvox.run.log import read_log

    name, empty = run.folder.as_posix(), ("",) * (len(_HEAD) - 2)
    try:
        exp, state = run.experiment(), run.state()
        verdict = next((e["verdict"] for e in reversed(read_evaluations(run.folder))), "")
    except UserError as error:  # one damaged run does not hide the others
        return (name, str(error), *empty)
    try:
        theirs = load_experiment(exp.id).flatten()
        changed = [key for key, value in exp.flatten().items() if key != "title" and value != theirs[key]]
    except UserError:
        changed = ["no such experiment here"]
    try:
        log = read_log(run.folder)
    except UserError:
        return (name, exp.id, "0", f"0/{exp.training.epochs}", state, *empty[5:], verdict, ", ".join(changed))
    iteration, epoch = (f"{log[key][-1]:.0f}" for key in ("iteration", "epoch"))
    losses = [f"{log[key][-1]:.4g}" for key in _LOSSES]
    epochs = f"{epoch}/{exp.training.epochs}"
    return (name, exp.id, iteration, epochs, state, *losses, verdict, ", ".join(changed))
