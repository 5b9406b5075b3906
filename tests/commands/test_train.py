"""``starvox train`` and ``resume`` when clips, decoded or not, change beside them."""

import json
from pathlib import Path

import pytest
import soundfile

import starvox
from starvox import UserError, load_experiment
from starvox.cli import main
from starvox.commands.train import _resume_command
from starvox.training.run import Options
from starvox.training.updater import StarGANUpdater


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch, speech):
    monkeypatch.chdir(tmp_path)
    lines = ["path,speaker,birthplace,sex"]
    for name, start in (("a", 0), ("b", 9000), ("c", 18000)):
        soundfile.write(f"{name}.wav", speech[start : start + 5000], 16000)
        lines.append(f"{name}.wav,{name},,")
    Path("m.csv").write_text("\n".join(lines))


def run(command, iterations, capsys):
    arguments = [command, "smoke", "--data", "m.csv", "--out", "run", "--store", "store", "--device", "cpu"]
    code = main([*arguments, "--iterations", str(iterations)])
    return code, *capsys.readouterr()


def test_from_python_a_run_stopped_early_says_how_to_resume_and_keeps_its_options(capsys):
    out = starvox.train("smoke", data="m.csv", out="run", store="store", device="cpu", iterations=1)
    assert out == Path("run")
    assert (out / "samples/iter_1").is_dir()
    told = capsys.readouterr().out
    assert "; figures in run/curves, up to date\n" in told
    assert told.endswith("resume it, up to iteration 2, with: make resume EXP=smoke OUT=run DEVICE=cpu\n")
    path = out / "environment.json"
    values = json.loads(path.read_text())
    assert (values["asked_device"], values["tf32"], values["cuda_graph"]) == ("cpu", False, False)
    # what a GPU was asked for is nothing to a CPU
    path.write_text(json.dumps(values | {"tf32": True, "cuda_graph": True}))
    assert main(["resume", "smoke", "--out", "run"]) == 0
    assert capsys.readouterr().out.endswith("listen there.\n")
    path.write_text(json.dumps(values | {"asked_device": "of the run"}))
    with pytest.raises(UserError, match="unknown device 'of the run'"):
        starvox.train("smoke", out="run", resume=True)
    with pytest.raises(TypeError, match="iteration"):
        starvox.train("smoke", out="run", iteration=3)


def test_the_resume_command_has_all_that_was_asked_for():
    options = Options(Path("a b"), device="cuda:0", tf32=True, cuda_graph=True, processes=2, jobs=3)
    assert _resume_command("smoke", options, elsewhere=True) == (
        "make resume EXP=smoke 'OUT=a b' DEVICE=cuda:0 NP=2 'ARGS=--cuda-graph --tf32 --jobs=3'"
    )
    assert _resume_command("smoke", Options(Path("x")), elsewhere=False) == "make resume EXP=smoke"


def test_values_set_for_one_run_stay_its_own(capsys):
    arguments = ["smoke", "--data", "m.csv", "--out", "run", "--store", "store", "--device", "cpu"]
    values = ["--set", "training.learning_rate_factor=0.5", "--set", "loss.classification_reduction=softmax"]
    assert main(["train", *arguments, *values, "--iterations", "1"]) == 0
    assert load_experiment("run").changes() == {
        "loss.classification_reduction": "softmax",
        "training.learning_rate_factor": 0.5,
    }
    other = ["--set", "training.learning_rate_factor=0.25", *values[2:]]
    assert main(["resume", *arguments, *other, "--iterations", "2"]) == 2
    assert "(training.learning_rate_factor 0.25, not 0.5) is not what this run" in capsys.readouterr().err
    assert main(["resume", *arguments, "--iterations", "2"]) == 0
    assert main(["resume", *arguments, *values, "--iterations", "3"]) == 0
    with pytest.raises(SystemExit):
        main(["train", *arguments, "--set", "epochs"])
    assert "--set: expected KEY=VALUE, got 'epochs'" in capsys.readouterr().err


def test_a_falling_learning_rate_is_resumed_bit_for_bit(capsys):
    arguments = ["--data", "m.csv", "--store", "store", "--device", "cpu"]
    # an epoch of three clips is a quarter of an iteration
    values = ["--set", "training.learning_rate_factor=0.5", "--set", "training.learning_rate_epochs=8"]

    def run(command, out, iterations):
        changes = values if command == "train" else []
        assert main([command, "smoke", *arguments, *changes, "--out", out, "--iterations", iterations]) == 0

    run("train", "whole", "5")
    run("train", "parts", "3")
    run("resume", "parts", "5")
    whole, parts = (Path(out, "gen_iter_5.npz").read_bytes() for out in ("whole", "parts"))
    assert whole == parts


def test_what_changes_beside_a_run(capsys, speech, monkeypatch):
    code, out, _ = run("train", 1, capsys)
    assert code == 0
    assert "changed since the start" not in out

    # a decoded clip is damaged between two runs: the next to draw from it ends, and says what to do
    files = sorted(Path("store").absolute().rglob("*.npy"))
    whole = {path: path.read_bytes() for path in files}
    for path, content in whole.items():
        path.write_bytes(content[:5000] + bytes([content[5000] ^ 1]) + content[5001:])
    code, _, error = run("resume", 2, capsys)
    assert code == 2
    assert error.splitlines()[-1].startswith("starvox: store")
    assert "a damaged decoded clip; delete it: at the next start it is made again" in error

    # deleted or cut short, it is made again
    files[0].unlink()
    files[1].write_bytes(b"")
    files[2].unlink()
    code, out, _ = run("resume", 2, capsys)
    assert code == 0
    assert {path: path.read_bytes() for path in files} == whole

    # a sound file changes while a training runs: it is told at the end
    update = StarGANUpdater.update_core

    def change(updater):
        update(updater)
        soundfile.write("b.wav", speech[30000:35000], 16000)

    monkeypatch.setattr(StarGANUpdater, "update_core", change)
    code, out, _ = run("resume", 3, capsys)
    monkeypatch.undo()
    monkeypatch.chdir(files[0].parents[3])
    assert code == 0
    assert "changed since the start, which used what they held then: b.wav\n" in out

    # the next resume refuses it, by its name
    code, _, error = run("resume", 4, capsys)
    assert code == 2
    assert (
        "run/environment.json: the corpus (its clip b.wav: changed, added or left out) is not what" in error
    )
