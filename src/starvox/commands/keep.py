"""``starvox keep``."""

from pathlib import Path

from starvox.commands.evaluate import find_clips
from starvox.commands.options import add_command
from starvox.commands.paths import EXPERIMENTS, run_folder
from starvox.errors import UserError


def add(commands) -> None:
    command = add_command(commands, "keep", "put what should last of a finished run beside its experiment")
    command.add_argument("run_name", metavar="RUN", help="results folder, or the id of an experiment")
    command.add_argument("--weights", action="store_true", help="keep the newest generator too, as float16")
    command.add_argument(
        "--data", type=Path, help="manifest of clips to convert (default: the held-out ones)"
    )
    command.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
    command.add_argument(
        "-o", "--out", type=Path, metavar="DIR", help="folder (default: experiments/ID/runs/CORPUS-sSEED)"
    )
    command.add_argument("--overwrite", action="store_true", help="replace the kept run that is there")
    command.set_defaults(run=_run)


def _run(args) -> None:
    from starvox.config import experiment_folder
    from starvox.kept.keep import keep
    from starvox.run.run import Run

    run = Run(run_folder(args.run_name))
    if run.is_kept():
        raise UserError(f"{run.folder} is a kept run already; give a results folder")
    environment = run.read_environment()
    name = f"{Path(environment.data).absolute().parent.name}-s{environment.seed}"
    exp_id = run.experiment().id
    experiment = experiment_folder(exp_id)
    if not (args.out or experiment):
        raise UserError(f"{EXPERIMENTS} has no {exp_id}; name the folder to make with --out")
    out = args.out or experiment / "runs" / name
    data = args.data or find_clips(run.folder)[0]
    keep(run.folder, out, data, args.weights, args.device, args.overwrite)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {size / 1e6:.2f} MB; {out / 'README.md'} tells what it is")
