"""The command line: what it prints, and one line with exit code 2 for a mistake."""

import subprocess
import sys

import pytest

from starvox import UserError
from starvox.cli import main

MISTAKES = {
    "unknown experiment": (["train", "47c9"], "no experiment '47c9'; there are: 47c97768"),
    "missing manifest": (["train", "smoke", "--data", "none.csv"], "none.csv"),
    "unknown device": (
        ["train", "smoke", "--device", "gpu"],
        "unknown device 'gpu'; use auto, cpu or cuda:N",
    ),
    "absent GPU": (["train", "smoke", "--device", "cuda:99"], "no GPU for DEVICE=cuda:99"),
    "nothing to resume": (["resume", "smoke"], "no run to go on with"),
    "no log": (["plot", "none", "-o", "curves"], "none"),
}


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line(case, capsys):
    arguments, message = MISTAKES[case]
    if "--data" not in arguments and arguments[0] == "train":
        arguments = [*arguments, "--data", "m.csv"]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert "Traceback" not in error


@pytest.mark.parametrize("arguments", [["--debug", "show", "47c9"], ["show", "47c9", "--debug"]])
def test_debug_shows_where(arguments):
    with pytest.raises(UserError, match="no experiment"):
        main(arguments)


@pytest.mark.parametrize("value", ["0", "-3", "x", "1.5"])
def test_counts_are_checked(value, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", "smoke", "--iterations", value])
    assert caught.value.code == 2
    assert "--iterations" in capsys.readouterr().err


def test_show_prints_every_value_with_its_file(capsys):
    main(["show", "47c97768-paper"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("loss.classify = 'x_real'  # ") and "47c97768-paper" in line for line in lines)
    assert any(
        line.startswith("training.epochs = 203  # ") and "47c97768-paper" not in line for line in lines
    )


def test_help_teaches():
    done = subprocess.run(
        [sys.executable, "-m", "starvox", "--help"], capture_output=True, text=True, check=True
    )
    for command in ("train", "resume", "show", "data", "plot", "replay", "evaluate", "report", "manifest"):
        assert f"\n    {command} " in done.stdout
