"""``starvox evaluate``."""

import json
import os
from pathlib import Path

from starvox.commands.options import add_command, count, natural
from starvox.commands.paths import STORE, run_folder, writable_folder
from starvox.errors import UserError


def add(commands) -> None:
    command = add_command(
        commands, "evaluate", "measure whether a generator copies, answers to the labels or converts"
    )
    command.add_argument(
        "run_name", metavar="RUN", help="results folder, kept run, or the id of an experiment"
    )
    command.add_argument("--data", type=Path, help="manifest (default: the run's held-out clips)")
    command.add_argument(
        "--training",
        type=Path,
        help="manifest that the judge is fitted on (default: the run's training clips)",
    )
    which = command.add_mutually_exclusive_group()
    which.add_argument("--iteration", type=count, metavar="N", help="of the snapshot (default: the newest)")
    which.add_argument(
        "--all", action="store_true", help="every generator that is kept, and a figure of them"
    )
    command.add_argument("--clips", type=count, metavar="N", help="crops to take (default: 24)")
    command.add_argument("--seed", type=natural, default=0, help="of the crops and the labels (default: 0)")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
    command.add_argument(
        "--store", type=Path, default=STORE, help=f"decoded clips are kept here (default: {STORE})"
    )
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.evaluation.evaluate import evaluate, read_evaluations
    from starvox.evaluation.table import format_evaluation
    from starvox.files import write_text
    from starvox.plotting import draw_evaluations, save_figure
    from starvox.run.run import Run

    folder = run_folder(args.run_name)
    data, training = find_clips(folder, args.data, args.training)
    iterations = list(Run(folder).generators()) if args.all else [args.iteration]
    if not iterations:
        raise UserError(f"{folder} has no snapshot of a generator yet; wait for the first")
    out = writable_folder(folder)
    for evaluation in evaluate(
        folder, iterations, data, args.store, args.device, args.clips, args.seed, training=training
    ):
        print(format_evaluation(evaluation), flush=True)  # first: the folder may be read-only
        path = Run(out).evaluation(evaluation["iteration"])
        write_text(path, json.dumps(evaluation, indent=2) + "\n")
        print(path, flush=True)
    if len(found := read_evaluations(out)) > 1:
        figure, curves = draw_evaluations(found), Run(out).inside(Run(out).curves)
        print(*(save_figure(figure, curves / f"evaluation.{ending}") for ending in ("png", "svg")), sep="\n")


def find_clips(folder: Path, data: Path | None = None, training: Path | None = None) -> tuple[Path, Path]:
    """Returns the manifests of a run's held-out clips (or else of its training's) and of its training's.

    Args:
        folder: of a run.
        data, training: those that the user named, if any.

    Raises:
        UserError: if the run does not say, or a manifest that it was made with is gone.
    """
    if data and training:
        return data, training
    from starvox.run.run import Run

    try:
        environment = Run(folder).read_environment()
    except UserError as error:
        raise UserError(f"{error}; name its clips: --data, and those of its training: --training") from None
    held_out, trained = environment.held_out, environment.data
    if not data and not held_out:
        print(
            f"{folder} knows no held-out clips; taking those of its training, {trained} (--data takes others)"
        )
    return data or _there(folder, held_out or trained, "--data"), training or _there(
        folder, trained, "--training"
    )


def _there(folder: Path, manifest: str, option: str) -> Path:
    if not os.path.isfile(manifest):
        make = "make the default corpus again by make data, or " if manifest.startswith("data/demo/") else ""
        raise UserError(
            f"{manifest}: the clips that {folder} was made with are gone; {make}name others with {option}"
        )
    return Path(manifest)
