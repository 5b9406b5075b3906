"""``starvox plot``: the figures, and the logs as a table."""

import csv
import json
from pathlib import Path

from starvox.cli import main

ENTRY = {"iteration": 1, "epoch": 0, "elapsed_time": 12.5, "dis/loss": 0.1}


def test_the_logs_of_several_runs_as_one_table(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, entries in {
        "a": [ENTRY, ENTRY | {"iteration": 2, "dis/loss": -1e-7}],
        "b": [ENTRY | {"own": 3}],
    }.items():
        Path(name).mkdir()
        Path(name, "log").write_text(json.dumps(entries))
    assert main(["plot", "a", "b", "-o", "out", "--csv"]) == 0
    *figures, table = capsys.readouterr().out.split()
    assert len(figures) == 10
    with open(table, newline="") as file:
        rows = list(csv.DictReader(file))
    shown = [[row[key] for key in ("run", "iteration", "dis/loss", "gen/loss", "own")] for row in rows]
    assert shown == [
        ["a", "1", "0.1", "nan", "nan"],
        ["a", "2", "-1e-07", "nan", "nan"],
        ["b", "1", "0.1", "nan", "3"],
    ]
