"""``starvox evaluate``."""

import json
import os
from pathlib import Path

from starvox.commands.options import add_command, count, natural
from starvox.commands.paths import STORE, run_folder
from starvox.errors import UserError
from starvox.files import write_text


def add(commands) -> None:
    command = add_command(commands, "evaluate", "measure whether a generator copies or answers to the labels")
    command.add_argument("run_name", metavar="RUN", help="results folder, or the id of an experiment")
    command.add_argument("--data", type=Path, help="manifest (default: the run's held-out clips)")
    command.add_argument("--iteration", type=count, metavar="N", help="of the snapshot (default: the newest)")
    command.add_argument("--clips", type=count, metavar="N", help="crops to take (default: 24)")
    command.add_argument("--seed", type=natural, default=0, help="of the crops and the labels (default: 0)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
    command.add_argument(
        "--store", type=Path, default=STORE, help=f"decoded clips are kept here (default: {STORE})"
    )
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.replay.evaluate import evaluate
    from starvox.replay.evaluation_table import format_evaluation

    folder = run_folder(args.run_name)
    evaluation = evaluate(
        folder,
        args.data or _recorded(folder),
        args.store,
        args.device,
        args.clips,
        args.seed,
        iteration=args.iteration,
    )
    path = folder / "evaluation.json"
    write_text(path, json.dumps(evaluation, indent=2) + "\n")
    print(f"{format_evaluation(evaluation)}\n{path}")


def _recorded(folder: Path) -> Path:
    """Returns the manifest of the clips that were held out, or else of those of the training."""
    environment = folder / "environment.json"
    try:
        values = json.loads(environment.read_text(encoding="utf-8"))
        held_out, data = values.get("held_out"), values["data"]
        if not isinstance(held_out, str | None) or not isinstance(data, str):
            raise TypeError
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError):
        raise UserError(
            f"{environment}: missing or damaged; give the folder of a run, and its clips with --data"
        ) from None
    if not held_out:
        print(f"{folder} knows no held-out clips; taking those of its training, {data} (--data takes others)")
    path = Path(held_out or data)
    if not os.path.isfile(path):
        raise UserError(f"{path}: the clips that {folder} was made with are gone; name others with --data")
    return path
