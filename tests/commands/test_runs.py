"""``starvox list`` and ``starvox compare``, of a short training and of the kept run of the repository."""

import re
import shutil
from pathlib import Path

import pytest

from starvox.cli import main
from starvox.run.lock import Lock

KEPT = Path(__file__).parents[2] / "experiments/47c97768/runs/demo-s0"


@pytest.fixture(scope="module")
def trained(tmp_path_factory, make_manifest):
    folder = tmp_path_factory.mktemp("project") / "project"
    clips = str(make_manifest(["a,scotland,F", "b,wales,M", "c,,F"], "clips.csv"))
    options = ["--data", clips, "--store", f"{folder}/store", "--out", f"{folder}/results/mine"]
    options += ["--set", "loss.identity_weight=0.0", "--iterations", "1", "--device", "cpu"]
    assert main(["train", "smoke", *options]) == 0
    return folder


@pytest.fixture(autouse=True)
def project(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(shutil.copytree(trained, tmp_path / "project"))


def listed(capsys):
    assert main(["list", "results", str(KEPT.parent)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    starts = [match.start() for match in re.finditer(r"(?:^|  )\S", head)]
    cells = [[line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)] for line in lines]
    names = re.split(r"  +", head)
    return {Path(row[0]).name: dict(zip(names, row, strict=True)) for row in cells}


def test_runs_are_listed_with_what_they_are(capsys):
    found = listed(capsys)
    mine, kept = found["mine"], found["demo-s0"]
    assert (mine["experiment"], mine["iteration"]) == ("smoke", "1")
    assert (mine["epochs"], mine["state"]) == ("4/8", "stopped")
    assert (mine["verdict"], mine["differs in"]) == ("", "loss.identity_weight")
    assert (kept["iteration"], kept["epochs"], kept["state"]) == ("2030", "203/203", "finished")
    assert (kept["verdict"], kept["rec"]) == ("neither", "0.002117")


def test_a_run_that_is_trained_now_is_told_by_its_lock_which_stays(capsys):
    with Lock("results/mine"):
        before = Path("results/mine/.lock").read_text()
        assert listed(capsys)["mine"]["state"] == "training"
        assert Path("results/mine/.lock").read_text() == before != ""
    Path("results/mine/.lock").touch()  # what a killed one leaves
    assert listed(capsys)["mine"]["state"] == "stopped"


def test_a_damaged_run_does_not_hide_the_others(capsys):
    Path("results/a").mkdir()
    Path("results/a/config.json").write_text("{")
    assert main(["list", "results"]) == 0
    assert re.search(r"results/a +results/a/config.json: .*\nresults/mine +smoke", capsys.readouterr().out)


def test_runs_side_by_side_on_one_page(capsys):
    shutil.copytree(KEPT, "other/demo-s1")
    assert main(["compare", "mine", str(KEPT), "other/demo-s1"]) == 0
    page = Path("results/compare.html").read_text(encoding="utf-8")
    assert "<title>smoke, mine · 47c97768, demo-s0 · 47c97768, demo-s1</title>" in page
    assert re.search(r"loss.identity_weight</th>\s*<td>0.0</td>\s*<td>10.0</td>\s*<td>10.0</td>", page)
    assert re.search(r"copy error</th>\s*<td>-</td>\s*<td>0.34</td>\s*<td>0.34</td>", page)
    assert page.count("data:audio/ogg;base64,") == 2 * 28  # mine has no such clips
    assert page.count('<img src="data:image/svg+xml;base64,') == 5
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_one_run_is_not_compared(capsys):
    assert main(["compare", "mine"]) == 2
    assert "2 to 6 runs are compared, not 1" in capsys.readouterr().err
