"""Where things are, seen from the project's folder."""

from pathlib import Path

DEMO = Path("data/demo")
STORE = Path("data/store")
RESULTS = Path("results")


def run_folder(run: str) -> Path:
    """Returns the results folder of that path, or of the experiment of that id."""
    by_id = RESULTS / run
    return (
        by_id if (by_id / "config.json").is_file() and not Path(run, "config.json").is_file() else Path(run)
    )
