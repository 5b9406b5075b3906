"""``starvox keep``: what it keeps of a real run, and that it is used as a results folder is."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from starvox import Replay, UserError
from starvox.cli import main
from starvox.kept.card import make_card
from starvox.kept.keep import SMALL, WHOLE, folder_size, sums, thin
from starvox.kept.keep import keep as keep_run
from starvox.plotting import read_log

ROWS = ["a,scotland,F", "b,wales,M", "c,,F", "a,,F", "b,wales,"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, make_manifest):
    """A project's folder with a run of two iterations of smoke that was evaluated twice."""
    folder = tmp_path_factory.mktemp("project")
    manifest = make_manifest(ROWS, "train.csv")
    run = folder / "results/smoke"
    options = ["--device", "cpu", "--store", str(folder / "store")]
    command = ["train", "smoke", "--data", str(manifest), "--held-out", str(manifest), "--out", str(run)]
    assert main([*command, "--iterations", "2", "--snapshot-every", "1", *options]) == 0
    assert main(["evaluate", str(run), "--all", "--clips", "2", *options]) == 0
    (folder / "experiments/smoke").mkdir(parents=True)
    (folder / "experiments/smoke/config.toml").touch()
    return folder


@pytest.fixture(scope="module")
def cloned(trained, tmp_path_factory):
    """A project whose results are gone, as after git clone, with the kept run and its weights."""
    folder = tmp_path_factory.mktemp("cloned") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained)
        assert main(["keep", "smoke", "--weights", "--device", "cpu"]) == 0
        shutil.move("experiments/smoke/runs", folder / "experiments/smoke/runs")
    return folder


@pytest.fixture
def kept(cloned, tmp_path, monkeypatch):
    """The kept run, in a copy of that project where the test is."""
    monkeypatch.chdir(shutil.copytree(cloned, tmp_path / "project"))
    (kept,) = Path("experiments/smoke/runs").iterdir()
    return kept


def test_what_is_kept(kept):
    names = {path.relative_to(kept).as_posix() for path in kept.rglob("*") if path.is_file()}
    curves = {name for name in names if name.startswith("curves/")}
    sounds = {name for name in names if name.startswith("replay/")}
    (weights,) = kept.glob("gen_iter_2-*.npz")
    assert names - curves - sounds == {
        *("README.md", "SHA256SUMS", "config.json", "environment.json", "labels.json", "log"),
        *("evaluation_iter_1.json", "evaluation_iter_2.json", weights.name),
    }
    assert len(curves) == 5 + 1
    assert len(sounds) == 4 * 5
    assert folder_size(kept) < WHOLE.max_bytes
    for name in sounds:
        info = soundfile.info(kept / name)
        assert (info.samplerate, info.channels, info.frames) == (16000, 1, 32000)


def test_no_path_of_this_machine_is_kept(kept, tmp_path):
    for path in kept.rglob("*"):
        if path.suffix in (".json", ".md"):
            assert str(tmp_path.parent) not in path.read_text(encoding="utf-8")


def test_the_card_is_made_of_the_files_beside_it(kept):
    card = (kept / "README.md").read_text(encoding="utf-8")
    assert card == make_card(kept)
    log = read_log(kept)
    assert f"| `gen/loss` | {log['gen/loss'][0]:.4g} | {log['gen/loss'][-1]:.4g} |" in card
    evaluation = json.loads((kept / "evaluation_iter_2.json").read_text(encoding="utf-8"))
    assert f"**{evaluation['verdict']}** at iteration 2" in card
    assert f"the output is {evaluation['judged_by']['copy']:.2f} from its input" in card
    assert re.search(r"`make train EXP=smoke DATA=\S+/train.csv ITERATIONS=2 SEED=0`", card)
    evaluation["judged_by"]["copy"] += 0.01
    (kept / "evaluation_iter_2.json").write_text(json.dumps(evaluation), encoding="utf-8")
    assert card != make_card(kept)


def test_half_the_weights_convert_nearly_alike(trained, kept, speech):
    half, whole = Replay.load(kept), Replay.load(trained / "results/smoke")
    assert half.iteration == whole.iteration == 2
    (weights,) = kept.glob("gen_iter_*.npz")
    assert weights.stat().st_size < 0.7 * (trained / "results/smoke/gen_iter_2.npz").stat().st_size
    for mine, theirs in zip(half.gen.params(), whole.gen.params(), strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine.array, theirs.array, rtol=1e-3, atol=1e-7)
    s = half.source(speech[:16000]).spectrogram
    np.testing.assert_allclose(half.generate(s, "a"), whole.generate(s, "a"), atol=0.01)


def test_every_command_takes_a_kept_run_in_place_of_one_that_is_not_there(
    kept, speech, make_manifest, capsys
):
    other = shutil.copytree(kept, kept.with_name("a-s1"))
    next(other.glob("gen_iter_*.npz")).unlink()  # of several the one with weights is taken
    before = sums(kept)
    soundfile.write("in.wav", speech[:16000], 16000)
    assert main(["replay", "results/smoke", "in.wav", "--speaker", "a", "--device", "cpu"]) == 0
    assert f"results/smoke holds no run; taking the kept run {kept}\n" in capsys.readouterr().err
    assert main(["plot", str(kept), "-o", "curves"]) == 0
    assert main(["report", "smoke"]) == 0
    clips = str(make_manifest(ROWS, "clips.csv"))
    options = ["--data", clips, "--training", clips, "--clips", "2", "--store", "store", "--device", "cpu"]
    assert main(["evaluate", "smoke", *options]) == 0
    assert sums(kept) == before  # nothing is written into it
    for name in ("replay/in_to_a.wav", "evaluation_iter_2.json"):
        assert Path(f"results/kept/smoke/{kept.name}", name).is_file()


def test_a_kept_run_is_replaced_only_when_asked(trained, kept, capsys):
    command = ["keep", str(trained / "results/smoke"), "--device", "cpu", "--out"]
    Path("folder").mkdir()
    for arguments in ([str(kept)], ["folder"], ["folder", "--overwrite"]):  # the last is no kept run
        assert main([*command, *arguments]) == 2
        assert f"{arguments[0]} is there; replace a kept run with --overwrite" in capsys.readouterr().err
    assert main([*command, str(kept), "--overwrite"]) == 0
    assert not list(kept.glob("gen_iter_*"))
    assert main(["keep", str(kept)]) == 2
    assert "is a kept run already; give a results folder" in capsys.readouterr().err


def test_a_small_one_has_one_clip_and_no_figures(trained, tmp_path):
    out = tmp_path / "small"
    run = str(trained / "results/smoke")
    assert main(["keep", run, "--small", "--device", "cpu", "--out", str(out)]) == 0
    kinds = sorted(path.stem.split("_")[-1] for path in out.glob("replay/1_a_scotland_F_*.ogg"))
    assert len(kinds) == len(list(out.glob("replay/*"))) == 4
    assert {"input", "copy-synthesis", "reconstruction"} < set(kinds)
    assert not (out / "curves").exists()
    assert (out / "README.md").read_text(encoding="utf-8") == make_card(out)
    assert folder_size(out) < SMALL.max_bytes


def test_what_is_too_large_is_refused_and_leaves_nothing(trained, tmp_path):
    run = trained / "results/smoke"
    manifest = Path(json.loads((run / "environment.json").read_text(encoding="utf-8"))["data"])
    with pytest.raises(UserError, match="to keep it takes 0"):
        keep_run(run, tmp_path / "kept/x", manifest, weights=False, size=SMALL._replace(max_bytes=1000))
    assert not list((tmp_path / "kept").iterdir())


@pytest.mark.parametrize("n", [1, 2, 199, 200, 201, 399, 4000])
def test_a_thinned_log_has_every_kth_entry_and_both_ends(n):
    rows = thin(n, 200)
    assert len(rows) <= 200
    assert (rows[0], rows[-1]) == (0, n - 1)
    assert len(set(np.diff(rows[:-1]))) <= 1
    assert len(rows) == n or n > 200


def test_the_listening_page_holds_two_clips_of_each_kept_run_and_needs_no_network(kept):
    script = Path(__file__).parents[2] / "scripts" / "listen.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = Path("docs/listen/index.html").read_text(encoding="utf-8")
    captions = [caption.split()[0] for caption in re.findall(r"<figcaption>([^:<]*)", page)]
    assert captions == 2 * ["input", "copy-synthesis", "converted", "converted", "reconstruction"]
    assert page.count("data:audio/ogg;base64,") == page.count("data:image/jpeg;base64,") == 2 * 5
    assert f"smoke, {kept.name}" in page
    assert re.search(r"verdict: \w+", page)
    assert not re.search(r"https?://|<script", page)
