"""Where things are, seen from the project's folder."""

import sys
from pathlib import Path

from starvox.errors import UserError

DEMO = Path("data/demo")
SYNTHETIC = {"demo": DEMO, "record": Path("data/record")}  # by the names of starvox.corpus.demo
STORE = Path("data/store")
RESULTS = Path("results")
EXPERIMENTS = Path("experiments")


def run_folder(run: str) -> Path:
    """Returns the results folder of that path, or of the experiment of that id.

    Where there is none, it is the experiment's kept run: of several the one that was
    trained longest, first of those that hold weights. It is named on standard error.

    Raises:
        UserError: if there is no run in either.
    """
    from starvox.run.run import Run

    for folder in (Path(run), RESULTS / run):
        if Run(folder).is_there():
            return folder
    name = run.removeprefix(f"{RESULTS}/")
    if kept := list((EXPERIMENTS / name / "runs").glob("*/config.json")):
        from starvox.run.log import count_logged

        folders = [path.parent for path in sorted(kept, reverse=True)]
        folder = max(folders, key=lambda path: (bool(Run(path).generators()), count_logged(path)))
        print(f"{RESULTS / name} holds no run; taking the kept run {folder}", file=sys.stderr)
        return folder
    there = sorted(path.parent.relative_to(RESULTS) for path in RESULTS.glob("**/config.json"))
    runs = f"there are: {', '.join(map(str, there))}" if there else "there is none yet"
    raise UserError(f"no run {run}; {runs}", "train")


def writable_folder(run: Path) -> Path:
    """Returns where results made of a run go: its folder, but for a kept run one of its own in results/."""
    from starvox.run.run import Run

    if not Run(run).is_kept():
        return run
    path = run.absolute()
    return RESULTS / "kept" / path.parent.parent.name / path.name
