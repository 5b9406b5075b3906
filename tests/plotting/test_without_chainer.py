"""A log can be plotted where only matplotlib and numpy are installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import starvox

SCRIPTS = Path(__file__).parents[2] / "scripts"
BLOCKED = ["chainer", "cupy", "librosa", "pydantic", "soundfile", "espeakng_loader"]
HIDE = f"""
import sys
from importlib.machinery import PathFinder
class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {BLOCKED} else PathFinder.find_spec(name, path, target)
sys.meta_path = [Hiding if finder is PathFinder else finder for finder in sys.meta_path]
"""


def test_plots_where_chainer_cannot_be_imported_and_without_pyplot(tmp_path):
    (tmp_path / "log").write_text(
        json.dumps([{"iteration": 1, "epoch": 0, "dis/loss": 0.5, "gen/loss": 1.0}])
    )
    code = HIDE + (
        "import runpy\n"
        "from starvox.plotting import plot_curves, read_log\n"
        "plot_curves([read_log('.')], 'curves')\n"
        f"runpy.run_path({str(SCRIPTS / 'plot_log.py')!r})\n"
        "assert not {'matplotlib.pyplot', 'chainer'} & set(sys.modules)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(starvox.__file__).parents[1])}
    command = [sys.executable, "-c", code, "."]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "curves").iterdir())) == 10
    assert (tmp_path / "losses.png").stat().st_size > 1000
