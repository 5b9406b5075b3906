"""What a wheel holds: the package works where there is no checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import starvox

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The command of the wheel, installed into an empty venv, which borrows its dependencies from the tests'."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("src", "experiments"):  # a build writes beside its sources
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / name, folder / "project" / name, ignore=ignored)
    for name in ("setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / "project")
    pip, alone = [sys.executable, "-m", "pip"], ["--quiet", "--no-deps", "--no-index"]
    build = [*pip, "wheel", *alone, "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*build, str(folder / "project")], check=True)
    (wheel,) = folder.glob("starvox-*.whl")
    assert wheel.name.startswith(f"starvox-{starvox.__version__}-")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    python = str(folder / "venv/bin/python")
    subprocess.run([*pip, "--python", python, "install", *alone, str(wheel)], check=True)
    (site,) = folder.glob("venv/lib/python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib"))  # a checkout that it names is not used
    return folder / "venv/bin/starvox"


def run(installed, folder, *arguments):
    """Runs the command outside of the checkout."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([installed, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_wheel_has_the_experiments(installed, tmp_path):
    assert "generator.filters = 8  # " in run(installed, tmp_path, "show", "ladder/sum")
    assert str(installed.parents[1]) in run(installed, tmp_path, "show", "47c97768")
    assert run(installed, tmp_path, "--version") == f"starvox {starvox.__version__}\n"
    (package,) = installed.parents[1].glob("lib/python*/site-packages/starvox")
    assert (package / "py.typed").is_file()
    assert not list(package.rglob("runs"))


def test_a_wheel_trains(installed, tmp_path):
    assert "done: 2 iterations" in run(installed, tmp_path, "train", "smoke", "--iterations", "2")
