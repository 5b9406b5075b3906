"""The peer knows nothing of starvox, and starvox nothing of the benchmark."""

import ast
from pathlib import Path

import benchmarks
import starvox

BENCHMARKS, STARVOX = (Path(package.__file__).parent for package in (benchmarks, starvox))


def imported(folder):
    """The packages that the files of a folder import."""
    nodes = [node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name.partition(".")[0] for name in names}


def test_who_imports_whom():
    assert imported(BENCHMARKS / "peer") == {"benchmarks", "collections", "torch"}
    assert not imported(STARVOX) & {"benchmarks", "torch"}
