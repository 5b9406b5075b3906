"""``starvox keep``."""

from pathlib import Path
from typing import TYPE_CHECKING

from starvox.commands.evaluate import find_clips
from starvox.commands.options import add_command
from starvox.commands.paths import EXPERIMENTS, run_folder
from starvox.errors import UserError

if TYPE_CHECKING:
    from starvox.run.run import Run


def add(commands) -> None:
    command = add_command(commands, "keep", "put what should last of a finished run beside its experiment")
    command.add_argument("run_name", metavar="RUN", help="results folder, or the id of an experiment")
    command.add_argument("--weights", action="store_true", help="keep the newest generator too, as float16")
    command.add_argument(
        "--small", action="store_true", help="keep a shorter log, no figures, and one clip's sounds: 150 kB"
    )
    command.add_argument(
        "--data", type=Path, help="manifest of clips to convert (default: the held-out ones)"
    )
    command.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
    command.add_argument(
        "-o", "--out", type=Path, metavar="DIR", help="folder (default: experiments/ID/runs/CORPUS-sSEED)"
    )
    command.add_argument("--overwrite", action="store_true", help="replace the kept run that is there")
    command.set_defaults(run=_run)


def default_folder(run: "Run") -> Path:
    """Returns where a run is kept: ``experiments/ID/runs/CORPUS-sSEED``.

    Raises:
        UserError: if its experiment is not in ``experiments/``, or the run is damaged.
    """
    from starvox.config import experiment_folder

    environment, exp_id = run.read_environment(), run.experiment().id
    if not (experiment := experiment_folder(exp_id)):
        raise UserError(f"{EXPERIMENTS} has no {exp_id}; name the folder to make with --out")
    corpus = Path(environment.data).absolute().parent.name
    return experiment / "runs" / f"{corpus}-s{environment.seed}"


def _run(args) -> None:
    from starvox.kept.keep import SMALL, WHOLE, folder_size, keep
    from starvox.run.run import Run

    run = Run(run_folder(args.run_name))
    if run.is_kept():
        raise UserError(f"{run.folder} is a kept run already; give a results folder")
    out = args.out or default_folder(run)
    data = args.data or find_clips(run.folder)[0]
    size = SMALL if args.small else WHOLE
    keep(run.folder, out, data, args.weights, args.device, args.overwrite, size)
    print(f"{out}: {folder_size(out) / 1e6:.2f} MB; {out / 'README.md'} tells what it is")
