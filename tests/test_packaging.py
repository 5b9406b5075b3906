"""What a wheel holds: the package works where there is no checkout."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import starvox

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the package alone, as pip unpacks its wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("src", "experiments"):  # a build writes beside its sources
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, folder / "project" / name, ignore=ignored)
    for name in ("setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / "project")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(folder / "project")], check=True)
    (wheel,) = folder.glob("starvox-*.whl")
    assert wheel.name.startswith(f"starvox-{starvox.__version__}-")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(installed, folder, *arguments):
    """Runs a command outside of the checkout, with the package of the wheel."""
    command = [sys.executable, "-m", "starvox", *arguments]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_wheel_has_the_experiments(installed, tmp_path):
    assert "generator.filters = 8  # " in run(installed, tmp_path, "show", "ladder/sum")
    assert str(installed) in run(installed, tmp_path, "show", "47c97768")
    assert run(installed, tmp_path, "--version") == f"starvox {starvox.__version__}\n"
    assert (installed / "starvox" / "py.typed").is_file()
    assert not list(installed.rglob("runs"))


def test_a_wheel_trains(installed, tmp_path):
    assert "done: 2 iterations" in run(installed, tmp_path, "train", "smoke", "--iterations", "2")
