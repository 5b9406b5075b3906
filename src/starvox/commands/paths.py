"""Where things are, seen from the project's folder."""

import os
from pathlib import Path

from starvox.errors import UserError

DEMO = Path("data/demo")
SYNTHETIC = {"demo": DEMO, "record": Path("data/record")}  # by the names of starvox.corpus.demo
STORE = Path("data/store")
RESULTS = Path("results")


def run_folder(run: str) -> Path:
    """Returns the results folder of that path, or of the experiment of that id.

    Raises:
        UserError: if there is no run in either.
    """
    for folder in (Path(run), RESULTS / run):
        if os.path.isfile(folder / "config.json"):
            return folder
    raise UserError(
        f"no run in {run} nor in {RESULTS / run}: neither has a config.json; train first: make train EXP=..."
    )
