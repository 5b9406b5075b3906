"""The command line: what it prints, and one line with exit code 2 for a mistake."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from starvox import UserError, build_models, launch, load_experiment
from starvox.cli import main
from starvox.run import snapshots


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("arguments", [["--debug", "show", "47c9"], ["show", "47c9", "--debug"]])
def test_debug_shows_where(arguments):
    with pytest.raises(UserError, match="no experiment"):
        main(arguments)


def test_show_prints_every_value_with_its_file(capsys):
    main(["show", "47c97768-paper"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("loss.classify = 'x_real'  # ") and "47c97768-paper" in line for line in lines)
    assert any(
        line.startswith("training.epochs = 203  # ") and "47c97768-paper" not in line for line in lines
    )


@pytest.fixture
def run(speech):
    """A run called smoke with one snapshot, in the current folder, and a recording."""
    exp = load_experiment("smoke")
    folder = Path("results/smoke")
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(exp.dumps())
    (folder / "labels.json").write_text('{"speaker": ["anna", "bert"], "birthplace": [], "sex": ["F", "M"]}')
    environment = '{"seed": 0, "data": "gone.csv", "held_out": null, "corpus": "a"}'
    (folder / "environment.json").write_text(environment)
    (folder / "log").write_text('[{"iteration": 1}]')
    soundfile.write("in.wav", speech[:4000], 16000)
    Path("file").write_text("no folder")
    Path("m.csv").write_text("path,speaker,birthplace,sex\nin.wav,,,\n")
    return folder


# name -> arguments, and what the one line must say
OF_A_RUN = {
    "train: no experiment": ("train 47c9", "no experiment '47c9'; there are: 31f31449"),
    "train: no manifest": ("train smoke --data none.csv --out x", "none.csv"),
    "train: no such device": (
        "train smoke --data m.csv --device gpu",
        "unknown device 'gpu'; use auto, cpu or cuda:N",
    ),
    "train: no GPU": ("train smoke --data m.csv --device cuda:99", "no GPU for cuda:99"),
    "train: TF32 on the CPU": (
        "train smoke --data m.csv --device cpu --tf32",
        "--tf32 needs a GPU; leave it out, or take the device cuda:0",
    ),
    "train: CUDA graphs on the CPU": (
        "train smoke --data m.csv --device cpu --cuda-graph",
        "--cuda-graph needs a GPU; leave it out, or take the device cuda:0",
    ),
    "train: manifest of nothing": ("train smoke --data file --out x", "file: line 1: the header must be"),
    "train: no clip": (
        "train smoke --data none/m.csv --out x",
        "none/m.csv: No such file or directory; give",
    ),
    "train: a folder": ("train smoke --data . --out x", ".: Is a directory; give the path of a manifest"),
    "train: all too short": ("train smoke --data m.csv --out x", "m.csv: no clip can be used: 1 shorter"),
    "train: store": ("train smoke --data m.csv --out x --store file/x", "cannot be written ("),
    "train: out": ("train smoke --data m.csv --out file/x", "file/x"),
    "train: broken config": ("train file --data m.csv", "file: "),
    "train: not free": (
        "train smoke --data m.csv",
        "already; start anew by `make train` with ARGS=--overwrite, or choose another OUT=",
    ),
    "resume: no snapshot": (
        "resume smoke",
        "no snapshot to resume from; start anew by `make train` with",
    ),
    "resume: no run": ("resume smoke --out none", "no whole run; train first: make train EXP=..."),
    "data: out": ("data --out file/x", "; make room, or name another folder"),
    "data: foreign": ("data --out results", "not of the default corpus; move it"),
    "plot: no log": ("plot none -o x", "none: no such log"),
    "plot: no log but": ("plot in.wav -o x", "in.wav: not a log"),
    "plot: out": ("plot smoke/none results/smoke -o x", "no such log"),
    "plot: file for a folder": ("plot results/smoke -o file/x", "cannot be written ("),
    "replay: no snapshot": ("replay smoke in.wav", "has no snapshot yet"),
    "replay: no run": ("replay nothing in.wav", "no run nothing; there are: smoke"),
    "replay: no sound": ("replay smoke none.wav", "no sound file at 'none.wav'"),
    "replay: no GPU": ("replay smoke in.wav --device cuda:7", "no GPU for cuda:7"),
    "replay: no such device": ("replay smoke in.wav --device tpu", "unknown device 'tpu'; use auto, cpu or"),
    "replay: label": ("replay smoke in.wav --speaker ana", "no speaker 'ana'; the nearest: anna"),
    "replay: other label": ("replay smoke in.wav --sex X", "no sex 'X'; known: F, M"),
    "replay: no label known": ("replay smoke in.wav --birthplace x", "no birthplace 'x'; known: none"),
    "replay: out": ("replay smoke in.wav --phase source -o file/x", "file/x"),
    "evaluate: no snapshot": ("evaluate smoke --data m.csv --training m.csv", "has no snapshot yet"),
    "evaluate: clips gone": (
        "evaluate smoke",
        "gone.csv: the clips that results/smoke was made with are gone",
    ),
    "evaluate: no run": ("evaluate .", "no run .; there are: smoke"),
    "evaluate: no GPU": (
        "evaluate smoke --data m.csv --training m.csv --device cuda:7",
        "no GPU for cuda:7",
    ),
    "report: no run": ("report nothing", "no run nothing; there are: smoke"),
    "report: out": ("report smoke -o file/x.html", "file/x.html: cannot be written ("),
    "manifest: no corpus": ("manifest vctk none -o x.csv", "none: no speaker-info.txt in it"),
    "manifest: out": ("manifest jvs . -o m.csv", "m.csv is there already"),
}
WITH_SNAPSHOT = ("label", "replay: no GPU", "replay: no such device", "evaluate: no GPU", "replay: out")


@pytest.mark.parametrize("case", OF_A_RUN)
def test_every_command_tells_a_mistake_on_one_line(case, run, capsys):
    arguments, message = OF_A_RUN[case]
    if any(word in case for word in WITH_SNAPSHOT):
        snapshots.save(run / "gen_iter_5.npz", build_models(load_experiment("smoke"))[0])
    assert main(arguments.split()) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("starvox: ")
    assert message in line
    assert line.isprintable()
    assert "Traceback" not in line


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("replay smoke in.wav", "replay"),
        ("plot results/smoke -o results/smoke/curves", "curves"),
        ("plot results/smoke/log -o results/smoke/curves", "curves"),
    ],
)
def test_a_link_in_a_run_makes_no_command_write_elsewhere(command, name, run, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (run / name).symlink_to(tmp_path / "elsewhere")
    assert main(command.split()) == 2
    assert f"{name} is a link" in capsys.readouterr().err
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ("train", "EXP"),
        ("train smoke --jobs many", "--jobs"),
        *((f"train smoke --iterations {value}", "--iterations") for value in ("0", "-3", "x", "1.5")),
        *((f"train smoke --np {value}", "--np") for value in ("0", "two")),
        ("train smoke --seed -1", "--seed"),
        ("train smoke --seed 4294967296", "--seed"),
        ("replay smoke", "WAV"),
        ("replay smoke a.wav --phase none", "--phase"),
        ("replay smoke a.wav --speaker a --all-speakers", "--all-speakers"),
        ("evaluate smoke --clips 0.5", "--clips"),
        ("plot log", "--out"),
        ("nothing", "COMMAND"),
        ("", "COMMAND"),
    ],
)
def test_wrong_options_are_named(arguments, word, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments.split())
    assert caught.value.code == 2
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith("usage: starvox")
    assert "error: " in error[-1]
    assert word in error[-1]


def test_a_mistake_in_a_process_of_its_own():
    """With a name of two lines, which must not become two."""
    command = [sys.executable, "-m", "starvox", "train", "smoke", "--data", "a\nb\x1b[31m.csv"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "starvox: a\\nb\\x1b[31m.csv: No such file or directory; give the path of a manifest (CSV)\n"
    )


def test_ctrl_c_while_it_is_imported_is_no_traceback():
    code = "import os, signal, sys; sys.argv[0] = '-m'; import starvox; os.kill(os.getpid(), signal.SIGINT)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, "")
    code = "import sys; sys.argv = ['-m', 'show', 'smoke']; import starvox; from starvox.cli import main\n"
    code += "import os, signal, starvox.config\n"
    code += (
        "starvox.config.load_experiment = lambda name: os.kill(os.getpid(), signal.SIGINT)\nsys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "starvox: interrupted\n")


def test_a_terminal_that_lacks_a_letter(run):
    """Its encoding cannot print the name of the folder; the work is done all the same."""
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "starvox", "plot", "results/smoke", "-o", "図"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "\\u56f3/wasserstein.png" in done.stdout
    assert Path("図/wasserstein.png").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds what a process may map")
def test_want_of_memory_is_one_line(run):
    """A network whose widest layer takes 512 MB, where 256 MB are to be had."""
    Path("wide").mkdir()
    Path("wide/config.toml").write_text('extends = "smoke"\n[discriminator]\nfilters = 512\n')
    soundfile.write("noise.wav", np.random.default_rng(0).normal(0, 0.1, 9000), 16000)
    Path("noise.csv").write_text("path,speaker,birthplace,sex\nnoise.wav,a,,\n")
    code = (
        "import resource, sys, starvox.training.run\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**28,) * 2)\n"
        "sys.exit(starvox.cli.main(sys.argv[1:]))"
    )
    arguments = ["train", "wide", "--data", "noise.csv", "--out", "x", "--device", "cpu", "--jobs", "1"]
    command = [sys.executable, "-c", f"import starvox.cli\n{code}", *arguments]
    environment = os.environ | dict.fromkeys(launch._THREADS, "1")  # the stack of each thread counts
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("starvox: not enough memory; make the minibatch or")
