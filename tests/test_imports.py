"""The design's table of imports, held against the code."""

import ast
from pathlib import Path

import pytest

import starvox

ROOT = Path(starvox.__file__).parent

# package or module -> what of starvox it may import
ALLOWED = {
    "errors": (),
    "audio": ("audio", "config", "files"),
    "models": ("models",),
    "files": ("errors",),
    "plotting": ("plotting", "errors", "files", "run.log"),
    "config": ("errors", "files"),
    "corpus": ("corpus", "audio", "config", "errors", "files"),
    "device": ("errors", "fast_gpu"),
    "run.log": ("errors", "files"),
    "run.environment": (),
    "run.lock": ("errors", "files"),
    "run": ("run", "config", "corpus.labels", "errors", "files"),
    "cores": (),
    "replacements": (),
    "fast_cpu": ("fast_cpu", "cores", "replacements"),
    "fast_gpu": ("fast_gpu", "replacements"),
    "launch": ("cores", "errors"),
    "build": ("config", "models", "corpus.labels", "fast_cpu", "fast_gpu"),
    "replay": (
        *("replay", "audio", "corpus", "config", "models", "plotting"),
        *("errors", "files", "run", "build", "device"),
    ),
    "evaluation": (
        *("evaluation", "replay.networks", "replay.conversion"),
        *("replay.receptive_field", "audio", "config", "corpus", "device", "errors", "files", "run"),
    ),
    "report": ("report", "evaluation.table", "plotting", "run", "config", "errors", "files"),
    "kept": (
        *("kept", "evaluation", "replay.replay", "plotting"),
        *("audio", "config", "corpus", "errors", "files", "run"),
    ),
    "training.losses": (),
    "training.randomness": (),
    "training.triggers": (),
    "training.iterator": ("training.randomness", "corpus", "errors"),
    "training.processes": ("device", "errors"),
    "training.state": (),
    "training.recorded_step": ("training.state",),
    "training.statistics": (),
    "training.updater": (
        *("training.losses", "training.processes", "training.randomness"),
        *("training.recorded_step", "training.statistics", "training", "config"),
    ),
    "training.extensions": (
        *("training.extensions", "training.state", "audio", "config", "plotting", "errors", "files", "run"),
    ),
    "training": (
        *("training", "audio", "build", "config", "corpus", "device", "fast_gpu"),
        *("errors", "files", "plotting", "run"),
    ),
    "cli": ("__version__", "commands", "errors"),
}
NO_CHAINER = ("audio", "corpus", "plotting", "config", "errors", "files")


def module_name(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            if node.module in ("starvox", "starvox.training"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def is_in(name, packages):
    return any(name == package or name.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_go_one_way(package):
    files = [path for path in ROOT.rglob("*.py") if is_in(module_name(path), [package])]
    assert files
    for path in files:
        own = [name.removeprefix("starvox.") for name in imports(path) if is_in(name, ["starvox"])]
        wrong = [name for name in own if not is_in(name, ALLOWED[package])]
        assert not wrong, f"{module_name(path)} imports {wrong}"


@pytest.mark.parametrize("package", NO_CHAINER)
def test_no_chainer_outside_the_networks(package):
    for path in ROOT.rglob("*.py"):
        if is_in(module_name(path), [package]):
            assert not any(is_in(name, ["chainer"]) for name in imports(path)), path


def test_the_benchmarks_peer_and_starvox_know_nothing_of_each_other():
    def packages(folder):
        return {name.partition(".")[0] for path in folder.rglob("*.py") for name in imports(path)}

    assert packages(ROOT.parents[1] / "benchmarks" / "peer") == {"benchmarks", "collections", "torch"}
    assert not packages(ROOT) & {"benchmarks", "torch"}
