"""The peer knows nothing of starvox, and starvox nothing of the benchmark."""

import ast
from pathlib import Path

import pytest

import benchmarks
import starvox

BENCHMARKS, STARVOX = (Path(package.__file__).parent for package in (benchmarks, starvox))


def imported(path):
    """The packages that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    ("files", "forbidden"),
    [
        (sorted(BENCHMARKS.glob("peer/*.py")), {"starvox", "chainer"}),
        ([BENCHMARKS / "contenders/pytorch_side.py", BENCHMARKS / "plain.py"], {"starvox", "chainer"}),
        ([BENCHMARKS / "contenders/chainer_side.py"], {"torch"}),
        (sorted(STARVOX.rglob("*.py")), {"benchmarks", "torch"}),
    ],
)
def test_who_imports_whom(files, forbidden):
    assert files
    for path in files:
        assert not forbidden & set(imported(path)), path
