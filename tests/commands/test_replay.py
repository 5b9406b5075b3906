"""``starvox replay``: what it writes, what it leaves alone, and its mistakes."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from starvox import LabelEncoder, build_models, load_experiment
from starvox.cli import main
from starvox.replay import files
from starvox.run import snapshots

CLASSES = {"speaker": ["a", "b/c"], "birthplace": ["wales"], "sex": ["F", "M"]}
SCRIPT = Path(__file__).parents[2] / "scripts" / "replay_snapshot.py"


@pytest.fixture(autouse=True)
def workplace(tmp_path, monkeypatch, speech):
    """A run called smoke, and recordings of several formats and rates below ``in``."""
    monkeypatch.chdir(tmp_path)
    exp = load_experiment("smoke")
    run = Path("results/smoke")
    run.mkdir(parents=True)
    (run / "config.json").write_text(exp.dumps(), encoding="utf-8")
    labels = LabelEncoder(CLASSES, exp.labels.model_dump()).dumps()
    (run / "labels.json").write_text(labels, encoding="utf-8")
    snapshots.save(str(run / "gen_iter_5.npz"), build_models(exp)[0])
    for folder in ("in/x", "in/y"):
        Path(folder).mkdir(parents=True)
    soundfile.write("in/x/one.wav", speech[:9000], 16000)
    soundfile.write("in/y/one.flac", np.stack([speech[:22050]] * 2, 1), 44100)
    Path("in/notes.txt").write_text("no sound")


def written(capsys):
    return capsys.readouterr().out.split()


def test_one_file(capsys):
    assert main(["replay", "smoke", "in/x/one.wav", "--speaker", "a", "--sex", "F"]) == 0
    names = ["one_input.wav", "one_copy-synthesis.wav", "one_to_a_F.wav", "one_to_a_F.png"]
    assert written(capsys) == [f"results/smoke/replay/{name}" for name in names]
    for name in names[:3]:
        info = soundfile.info(f"results/smoke/replay/{name}")
        assert (info.samplerate, info.subtype, info.channels, info.frames) == (16000, "PCM_16", 1, 9000)
    recording, _ = soundfile.read("results/smoke/replay/one_input.wav", dtype="int16")
    np.testing.assert_array_equal(recording, soundfile.read("in/x/one.wav", dtype="int16")[0])
    assert Path("results/smoke/replay/one_to_a_F.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("given", [["in"], ["in/*"], ["in/**/*.wav", "in/y", "in/x/one.wav"]])
def test_folders_patterns_and_all_speakers(capsys, given):
    main(["replay", "results/smoke", *given, "--all-speakers", "--phase", "source", "-o", "out"])
    suffixes = ["_input.wav", "_copy-synthesis_source-phase.wav"]
    suffixes += [f"_to_{name}_source-phase.{end}" for name in ("a", "b_c") for end in ("wav", "png")]
    expected = [f"out/{name}{suffix}" for name in ("x_one", "y_one") for suffix in suffixes]
    assert written(capsys) == expected
    assert soundfile.info("out/y_one_to_a_source-phase.wav").frames == 8000
    assert sorted(map(str, Path("out").iterdir())) == sorted(expected)  # and nothing half written


def test_a_list_of_speakers_without_other_labels(capsys):
    main(["replay", "smoke", "in/x/one.wav", "--speakers", "b/c, a", "--phase", "source", "-o", "out"])
    results = re.findall(r"_to_(\S+)_source-phase\.wav", capsys.readouterr().out)
    assert results == ["b_c", "a"]


def test_sounds_alone_of_an_iteration_that_was_asked_for(capsys):
    command = ["replay", "smoke", "in/x/one.wav", "--speaker", "a", "--phase", "source", "-o", "out"]
    assert main([*command, "--no-figure", "--iteration", "5"]) == 0
    names = ["one_input.wav", "one_copy-synthesis_source-phase.wav", "one_to_a_source-phase_iteration-5.wav"]
    assert written(capsys) == [f"out/{name}" for name in names]
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(names)


def test_the_figure_says_what_it_is_of(capsys, monkeypatch):
    drawn = []
    draw = files.draw_spectrograms
    monkeypatch.setattr(
        files, "draw_spectrograms", lambda *given, **words: drawn.append(given) or draw(*given, **words)
    )
    main(["replay", "smoke", "in/x/one.wav", "--speaker", "a", "--sex", "F", "--phase", "source"])
    ((rows, titles, _, labels),) = drawn
    assert titles == ["one.wav to a, F\nsmoke, iteration 5"]
    assert labels == ["input", "output", "difference"]
    (x,), (y,), (change,) = rows
    np.testing.assert_array_equal(change, y - x)


def test_no_label_is_said(capsys):
    main(["replay", "smoke", "in/x/one.wav", "--statistics", "clip", "--band", "source", "-o", "out"])
    out, err = capsys.readouterr()
    assert "out/one_to_unlabelled_source-band_clip-statistics.wav" in out
    assert "unlabelled" in err


def test_results_are_not_overwritten(capsys):
    command = ["replay", "smoke", "in/x/one.wav", "--phase", "source", "-o", "out", "--speaker"]
    main([*command, "a"])
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    assert main([*command, "a"]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "b/c"]) == 0  # beside what is there; the copy-synthesis serves both
    assert len(written(capsys)) == 2
    assert {path: path.read_bytes() for path in before} == before
    assert main([*command, "a", "--overwrite"]) == 0
    assert len(written(capsys)) == 4


@pytest.mark.parametrize("length", [9000, 8000], ids=["of the same length", "of another"])
def test_another_recording_of_the_same_name(capsys, speech, length):
    command = ["replay", "smoke", "-o", "out"]
    main([*command, "--phase", "source", "in/x/one.wav", "--speaker", "a"])
    soundfile.write("in/y/one.wav", speech[20000:][:length], 16000)
    for phase in ("source", "griffin-lim"):
        for more in ([], ["--overwrite"]):  # which replaces what was made of the same recording
            assert main([*command, "--phase", phase, "in/y/one.wav", "--speaker", "b/c", *more]) == 2
            assert "out/one_input.wav is another recording, beside" in capsys.readouterr().err


def test_an_unreadable_file_does_not_stop_the_others(capsys):
    Path("in/x/broken.wav").write_bytes(b"no sound")
    assert main(["replay", "smoke", "in", "--speaker", "a", "--phase", "source"]) == 2
    out, err = capsys.readouterr()
    assert out.count(".png") == 2
    assert "broken.wav: unreadable" in err


def test_a_loud_result_is_not_clipped(speech):
    soundfile.write("in/loud.wav", np.sign(speech[:9000]) * 0.999, 16000)
    main(["replay", "smoke", "in/loud.wav", "--phase", "source", "-o", "out"])
    sound, _ = soundfile.read("out/loud_copy-synthesis_source-phase.wav", dtype="int16")
    assert (np.abs(sound.astype(int)) >= 32767).sum() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["smoke", "none.wav"], "no sound file at 'none.wav'"),
        (["smoke", "results"], "no sound file at 'results'"),
        (["none", "in"], "no run none; there are: smoke; train first"),
        (["smoke", "in", "--speaker", "z"], "no speaker 'z'"),
        (["smoke", "in", "--speakers", "a,a"], "would be written twice"),
        (["smoke", "in", "--iteration", "9"], "no snapshot of iteration 9; it has: 5"),
        (["smoke", "in", "in/x/one.flac"], "no sound file at 'in/x/one.flac'"),
        (["smoke", "in", "-o", "in/notes.txt"], "in/notes.txt/"),
    ],
)
def test_mistakes(arguments, message, capsys):
    assert main(["replay", *arguments]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("starvox: ")
    assert message in error


def test_two_files_of_one_name(capsys, speech):
    soundfile.write("in/x/one.flac", speech[:9000], 16000)
    assert main(["replay", "smoke", "in", "--speaker", "a"]) == 2
    assert "give results of one name" in capsys.readouterr().err


def test_the_script():
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) < 30
    done = subprocess.run(
        [sys.executable, SCRIPT, "results/smoke", "in/x/one.wav"], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["converted_1.wav: a", "converted_2.wav: b/c"]
    assert soundfile.info("converted_2.wav").frames == 9000
