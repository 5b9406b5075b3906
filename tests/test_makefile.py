"""The Makefile, run by make in a project of its own whose Python tells what it is called with."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NASTY = [
    "my file (1).wav",
    "$(touch pwned)`touch pwned`",
    "$(shell touch pwned)$5 $$HOME",
    "\"; touch pwned; \" '; touch pwned; '",
    "it's 100 % #1 \\ ~ * ?",
    "日本語, =1+1 & | > pwned",
]
# stands in the place of .venv/bin/python
FAKE = f"""#!{sys.executable} -IS
import json, os, signal, sys, time
from pathlib import Path

def stop(*_):
    time.sleep(0.5)
    Path("saved").touch()
    sys.exit(143)

if sys.argv[1:3] == ["-m", "pip"]:
    with open("log", "a") as log:
        print("pip", *sys.argv[3:4], file=log)
elif "--wait" in sys.argv:
    signal.signal(signal.SIGTERM, stop)
    print("ready", flush=True)
    time.sleep(60)
else:
    print(json.dumps(sys.argv[1:]))
"""
# stands in the place of PYTHON: it makes a .venv in half a second
MAKER = f"""#!{sys.executable} -IS
import os, sys, time
from pathlib import Path

if sys.argv[1] == "-c":
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
assert sys.argv[1:] == ["-m", "venv", "--clear", ".venv"]
with open("log", "a") as log:
    print("venv", file=log)
time.sleep(0.5)
Path(".venv/bin").mkdir(parents=True, exist_ok=True)
Path(".venv/bin/python").write_bytes(Path("fake").read_bytes())
Path(".venv/bin/python").chmod(0o755)
"""


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def project(tmp_path):
    """A folder with the Makefile, and no .venv."""
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for name in ("setup.py", "constraints.txt", "experiments/smoke/config.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    write_program(tmp_path / "fake", FAKE)
    write_program(tmp_path / "python3", MAKER)
    return tmp_path


@pytest.fixture
def ready(project):
    """The same with a .venv."""
    write_program(project / ".venv/bin/python", FAKE)
    (project / ".venv/.ready").touch()
    return project


def outside_make():
    """Returns the environment as it is where no make runs the tests with values of its own."""
    names = re.findall(r"^TEXTS := (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)[0].split()
    return {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k not in (*names, "ARGS")}


def start(folder, *arguments):
    return subprocess.Popen(
        ["make", *arguments],
        cwd=folder,
        env=outside_make() | {"PYTHON": "./python3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def make(folder, *arguments):
    """Returns the arguments that Python is called with."""
    process = start(folder, *arguments)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def test_a_target_is_one_call_with_the_options_that_are_named(ready):
    plain = ["-m", "starvox", "train", "smoke"]
    assert make(ready, "train", "EXP=smoke") == plain
    assert make(ready, "train", "EXP=smoke", "CORPUS=record", "ARGS=--jobs 3 --store 'a b'") == [
        *plain,
        "--corpus=record",
        *("--jobs", "3", "--store", "a b"),
    ]
    assert make(ready, "data", "CORPUS=record") == ["-m", "starvox", "data", "--corpus=record"]
    assert make(ready, "show", "EXP=smoke") == ["-m", "starvox", "show", "smoke"]
    assert make(ready, "evaluate", "EXP=smoke", "DEVICE=cuda:1") == [
        *("-m", "starvox", "evaluate", "results/smoke", "--device=cuda:1")
    ]


@pytest.mark.parametrize("text", NASTY)
def test_values_are_text_and_never_run(ready, text):
    names = ("DATA", "HELD_OUT", "OUT", "DEVICE", "ITERATIONS", "SEED")
    found = make(ready, "train", f"EXP={text}", f"CORPUS={text}", *(f"{name}={text}" for name in names))
    options = {f"--{name.lower().replace('_', '-')}={text}" for name in (*names, "CORPUS")}
    assert found[:4] == ["-m", "starvox", "train", text]
    assert set(found[4:]) == options

    names = ("SPEAKER", "BIRTHPLACE", "SEX")
    found = make(ready, "replay", f"EXP={text}", f"WAV={text}", *(f"{name}={text}" for name in names))
    assert found[3:5] == [f"results/{text}", text]
    assert set(found[5:]) == {f"--{name.lower()}={text}" for name in names}
    assert make(ready, "plot", "EXP=smoke", f"OUT={text}")[3:] == [text, "-o", f"{text}/curves"]
    assert not (ready / "pwned").exists()


def test_values_of_the_environment_are_text_too(ready):
    environment = outside_make() | {
        "EXP": "$(touch pwned)`touch pwned`$(shell touch pwned)",
        "OUT": "",
        "PYTHON": "./python3",
    }
    process = subprocess.run(["make", "report"], cwd=ready, env=environment, capture_output=True, text=True)
    assert json.loads(process.stdout)[3:] == ["results/$(touch pwned)`touch pwned`$(shell touch pwned)"]
    assert not (ready / "pwned").exists()


def test_set_holds_an_option_a_word(ready):
    values = ["loss.identity_weight=0", "a=[1,2]", "b=$(touch pwned)*"]
    (ready / "b=1").touch()  # what the last would find as a pattern
    found = make(ready, "train", "EXP=smoke", f"SET={values[0]}  {values[1]}")
    assert found[4:] == [f"--set={value}" for value in values[:2]]
    assert make(ready, "resume", "EXP=smoke", "SET=b=*")[4:] == ["--set=b=*"]
    assert not (ready / "pwned").exists()


def test_what_is_missing_is_told(ready):
    for arguments, words in (
        (["train"], "EXP= is missing; the experiments are: smoke"),
        (["replay", "EXP=smoke"], "WAV= is missing: a sound file, a folder or a pattern"),
        (["train", "EXP=smoke", "CUDA=$(shell touch pwned)"], "CUDA= is 12 or 13"),
    ):
        process = start(ready, *arguments)
        assert words in process.communicate()[1]
        assert process.returncode == 2
    assert not (ready / "pwned").exists()


@pytest.mark.parametrize("target", ["train", "resume", "test"])
def test_sigterm_to_make_reaches_the_program_and_make_waits_for_its_end(ready, target):
    (ready / ".venv/.ready-test").touch()
    process = start(ready, target, "EXP=smoke", "ARGS=--wait")
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert (ready / "saved").exists()


def log(folder):
    return (folder / "log").read_text(encoding="utf-8").splitlines()


def test_a_venv_is_made_once_and_completed_when_more_is_asked_for(project):
    make(project, "train", "EXP=smoke")
    assert log(project) == ["venv", "pip install"]
    make(project, "train", "EXP=smoke")
    assert len(log(project)) == 2
    make(project, "train", "EXP=smoke", "NP=2")
    assert log(project)[2:] == ["pip --version", "pip install"]
    process = start(project, "test")
    process.communicate(timeout=60)
    assert log(project)[4:] == ["pip --version", "pip install"]


@pytest.mark.parametrize("half", ["exit 1", None])
def test_a_venv_that_a_kill_left_half_made_is_made_anew(project, half):
    if half:
        write_program(project / ".venv/bin/python", f"#!/bin/sh\n{half}\n")  # No module named pip
    else:
        (project / ".venv/bin").mkdir(parents=True)
    make(project, "train", "EXP=smoke")
    assert log(project) == ["venv", "pip install"]


def test_two_makes_at_once_make_one_venv(project):
    processes = [start(project, "train", "EXP=smoke") for _ in range(2)]
    ends = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    assert log(project) == ["venv", "pip install"]


def test_another_python_is_refused_before_anything_is_made(project):
    newer = MAKER.replace("*sys.argv[1:]]", "*(text.replace('(3, 14)', '(3, 1)') for text in sys.argv[1:])]")
    write_program(project / "python3", newer)
    process = start(project, "train", "EXP=smoke")
    assert "Python 3.11 to 3.13 is needed" in process.communicate()[1]
    assert process.returncode == 2
    assert not (project / ".venv").exists()
