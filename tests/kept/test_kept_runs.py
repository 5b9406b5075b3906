"""Every kept run of the repository: its README's numbers, its sums and its size."""

import hashlib
from pathlib import Path

import pytest

from starvox.kept.card import make_card
from starvox.kept.keep import MAX_BYTES_WITH_WEIGHTS, WHOLE, folder_size, sums

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
RUNS = sorted(path.parent for path in EXPERIMENTS.glob("**/runs/*/SHA256SUMS"))


@pytest.mark.parametrize("run", RUNS, ids=[run.relative_to(EXPERIMENTS).as_posix() for run in RUNS])
def test_a_kept_run_is_what_it_says(run):
    assert (run / "README.md").read_text(encoding="utf-8") == make_card(run)
    assert (run / "SHA256SUMS").read_text(encoding="utf-8") == sums(run)
    weights = list(run.glob("gen_iter_*.npz"))
    assert folder_size(run) <= (MAX_BYTES_WITH_WEIGHTS if weights else WHOLE.max_bytes)
    for path in weights:
        assert hashlib.sha256(path.read_bytes()).hexdigest()[:8] == path.stem[-8:]


def test_all_of_them_together_are_small():
    assert sum(map(folder_size, RUNS)) < 40_000_000


def test_no_folder_of_runs_holds_anything_else():
    assert set(EXPERIMENTS.glob("**/runs/*")) == set(RUNS)
