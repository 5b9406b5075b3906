"""The ladder's table and figure, of real runs."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from starvox.cli import main
from starvox.kept.keep import write_card

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "ladder_report.py"
README = "# The ladder\n\n| rung | what |\n|---|---|\n| two | |\n| one | |\n\nWhat it does not show.\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory, make_manifest):
    """A project with three rungs: two that are trained to their end, one that was stopped."""
    folder = tmp_path_factory.mktemp("project")
    clips = make_manifest(["a,scotland,F", "b,wales,M", "c,,F", "a,,F", "b,wales,"], "clips.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for rung, epochs in (("one", 1), ("two", 1), ("stopped", 5)):
            experiment = Path("experiments/ladder", rung)
            experiment.mkdir(parents=True)
            text = f'extends = "smoke"\ntitle = "{rung}"\n[training]\nepochs = {epochs}\n'
            (experiment / "config.toml").write_text(text)
            options = ["--data", str(clips), "--held-out", str(clips), "--out", f"results/ladder/{rung}-s0"]
            options += ["--iterations", "1"] if rung == "stopped" else []
            assert (
                main(["train", f"ladder/{rung}", *options, "--store", "data/store", "--device", "cpu"]) == 0
            )
        Path("experiments/ladder/README.md").write_text(README)
        report()
    return folder


@pytest.fixture
def ladder(project, tmp_path, monkeypatch):
    """The ladder's folder in a copy of that project, where the test is."""
    monkeypatch.chdir(shutil.copytree(project, tmp_path / "project"))
    return Path("experiments/ladder")


def report():
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(ladder):
    lines = (ladder / "README.md").read_text().split("made by")[1].splitlines()
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]
    return {row[0]: dict(zip(cells[0], row, strict=True)) for row in cells[2:]}


def test_every_rung_has_a_row_in_the_order_in_which_the_page_tells_them(ladder):
    found = rows(ladder)
    assert list(found)[:2] == ["two", "one"]
    assert found["stopped"]["seeds"] == found["drawn"]["seeds"] == "not run"
    for rung in ("one", "two"):
        (kept,) = (ladder / rung / "runs").iterdir()
        assert found[rung]["seeds"] == f"1: [0]({rung}/runs/{kept.name}/README.md)"
        (path,) = kept.glob("evaluation_iter_*.json")
        e = json.loads(path.read_text())
        unit = e["distances"]["different_clips"]["mean"]
        assert found[rung]["verdict"] == f"{e['verdict']} (1)"
        assert found[rung]["copy error"] == f"{e['errors']['copy']['mean'] / unit:.2f}"
        assert found[rung]["response: sex"] == f"{e['response']['sex']['mean'] / unit:.3f}"
        assert found[rung]["judged as the target"] == f"{e['judge']['speaker']['converted']['mean']:.0%}"
        assert found[rung]["energy"] == f"{e['words']['energy']['converted']['mean']:.2f}"
        assert found[rung]["D on converted"] == f"{e['accuracy']['speaker']['converted']['mean']:.0%}"
    assert (ladder / "ladder.png").stat().st_size > 10_000
    assert "What it does not show." in (ladder / "README.md").read_text()


def test_a_second_seed_gives_mean_and_deviation_and_nothing_is_evaluated_again(ladder):
    """The second is a kept run alone, as after git clone."""

    def files():
        return {path: path.read_bytes() for path in Path().glob("*/ladder/*/*/**/*.*") if path.is_file()}

    (first,) = (ladder / "one/runs").iterdir()
    second = shutil.copytree(first, first.with_name(first.name[:-1] + "1"))
    for folder, copy_error in ((first, 0.2), (second, 0.4)):
        (path,) = folder.glob("evaluation_iter_*.json")
        e = json.loads(path.read_text())
        e["judged_by"]["copy"] = copy_error
        path.write_text(json.dumps(e))
        write_card(folder)
    before, other = files(), rows(ladder)["two"]
    report()
    found = rows(ladder)
    assert files() == before
    assert list(found)[:2] == ["two", "one"]
    assert found["two"] == other
    assert found["one"]["seeds"].startswith("2: [0](one/runs/")
    assert found["one"]["copy error"] == "0.30 ± 0.14"
