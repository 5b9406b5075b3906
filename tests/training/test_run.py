"""Whole trainings of a tiny network on real speech: files, log, resuming, refusals."""

import json
import os
import shutil
import signal
import sys

import numpy as np
import pytest
import soundfile

from starvox import UserError, load_experiment
from starvox.run.lock import Lock
from starvox.run.log import read_log
from starvox.run.run import Run
from starvox.training import assemble
from starvox.training.extensions import Progress
from starvox.training.extensions.samples import Samples
from starvox.training.run import train
from starvox.training.updater import StarGANUpdater

LOG_KEYS = {
    *("dis/wasserstein", "dis/gradient_penalty", "dis/classification", "dis/loss"),
    *("gen/adversarial", "gen/classification", "gen/reconstruction", "gen/identity"),
    *("gen/feature_matching", "gen/loss", "epoch", "iteration", "elapsed_time"),
}


@pytest.fixture(scope="module")
def finished(tiny, options, tmp_path_factory):
    """The results folder of four iterations."""
    out = tmp_path_factory.mktemp("results") / "tiny"
    assert train(tiny, options(out)) == 0
    return out


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of that folder, to do something to."""
    return shutil.copytree(finished, tmp_path / "tiny")


def weights(out, iteration):
    with np.load(out / f"snapshot_iter_{iteration}.npz", allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files if key.startswith("updater/")}


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_the_files_of_a_run(finished, tiny):
    names = {path.name for path in finished.iterdir()}
    assert names == {
        *("config.json", "labels.json", "environment.json", "rejected.csv", "clips.csv"),
        *("log", "curves", "samples"),
        *("snapshot_iter_2.npz", "snapshot_iter_4.npz", "gen_iter_2.npz", "gen_iter_4.npz"),
    }
    assert load_experiment(finished).flatten() == tiny.flatten()
    labels = {"speaker": ["a", "b", "c"], "birthplace": ["scotland", "wales"], "sex": ["F", "M"]}
    assert read_json(finished / "labels.json") == labels
    values = read_json(finished / "environment.json")
    assert values["packages"]["chainer"] == "7.8.1"
    assert set(values) == {  # no environment variables
        *("python", "platform", "cpus", "device", "packages", "git_commit", "seed", "processes", "data"),
        *("held_out", "corpus", "store", "every", "asked_device", "tf32", "cuda_graph"),
    }
    log = read_json(finished / "log")
    assert [entry["iteration"] for entry in log] == [1, 2, 3, 4]
    assert all(set(entry) == LOG_KEYS for entry in log)
    assert [entry["epoch"] for entry in log] == [2, 4, 6, 8]  # 12 clips an iteration of a corpus of 6
    assert sorted(path.stem for path in (finished / "curves").iterdir()) == [
        *("classification", "feature_matching", "gradient_penalty"),
        *("identity_reconstruction", "wasserstein"),
    ]


def test_the_samples_can_be_heard_early_and_at_the_end(finished, tiny):
    assert sorted(path.name for path in (finished / "samples").iterdir()) == ["iter_1", "iter_4"]
    folder = finished / "samples" / "iter_4"
    sounds = sorted(folder.glob("*.wav"))
    clips, columns = 4, 2 + 2 + 1  # input and copy-synthesis, the speakers with all labels, reconstruction
    assert len(sounds) == clips * columns
    for path in sounds:
        wave, rate = soundfile.read(path)
        assert (len(wave), rate) == (tiny.audio.crop_samples, 16000)
        assert wave.std() > 1e-4, path
    assert (folder / "spectrograms.png").stat().st_size > 10_000


def test_samples_and_snapshots_are_left_out_of_the_pace(tiny, options, tmp_path, monkeypatch):
    left_out = {}

    class Watched(Progress):
        def __init__(self, iterations, look, pauses):
            def watched(trainer):
                left_out[trainer.updater.iteration] = pauses(trainer)
                return left_out[trainer.updater.iteration]

            super().__init__(iterations, look, watched)

    monkeypatch.setattr(assemble, "Progress", Watched)
    train(tiny, options(tmp_path / "tiny", iterations=6, snapshot_every=3, sample_every=5))
    assert left_out == {1: True, 2: False, 3: True, 4: False, 5: True, 6: True}


def check_equal(one, other, iteration):
    """Holds two runs against each other, bit by bit: networks, optimizers, iterators and log."""
    expected, got = weights(one, iteration), weights(other, iteration)
    assert expected.keys() == got.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(got[key], value, err_msg=key)
    logs = [read_log(out) for out in (one, other)]
    for key in LOG_KEYS - {"elapsed_time"}:
        np.testing.assert_array_equal(logs[0][key], logs[1][key], err_msg=key)


def test_a_run_resumed_between_two_entries_of_the_log(tiny, options, tmp_path):
    whole, parts = tmp_path / "whole" / "tiny", tmp_path / "parts" / "tiny"
    every = {"log_every": 3, "snapshot_every": 2, "sample_every": 9}
    train(tiny, options(whole, iterations=6, **every))
    train(tiny, options(parts, iterations=6, **every))
    for name in ("snapshot_iter_6.npz", "log"):  # as if killed after the snapshot of iteration 4
        (parts / name).unlink()
    train(tiny, options(parts, iterations=6, **every), resume=True)
    check_equal(whole, parts, 6)


def test_a_run_resumed_after_a_damaged_snapshot_ends_as_one_never_stopped(
    finished, tiny, options, copy, capsys
):
    damaged = copy / "snapshot_iter_4.npz"
    damaged.write_bytes(damaged.read_bytes()[:-1000])
    train(tiny, options(copy), resume=True)
    printed = capsys.readouterr().out
    assert f"skipped: {damaged}" in printed
    assert "resuming from iteration 2" in printed
    check_equal(finished, copy, 4)
    assert [entry["device"] for entry in read_json(copy / "environment.json")["resumed"]] == ["cpu"]


def test_ctrl_c_saves_and_says_how_to_resume(tiny, options, tmp_path, monkeypatch, capsys):
    update = StarGANUpdater.update_core

    def interrupted(updater):
        if updater.iteration == 2:  # the third
            signal.raise_signal(signal.SIGINT)
        update(updater)

    monkeypatch.setattr(StarGANUpdater, "update_core", interrupted)
    run = Run(tmp_path / "tiny")
    assert train(tiny, options(run.folder, log_every=2)) == 128 + signal.SIGINT
    assert 3 in run.snapshots()
    assert run.samples(3).is_dir()
    told = capsys.readouterr().out
    assert "stopped at iteration 3, saved; go on with: make resume EXP=tiny ITERATIONS=4\n" in told


@pytest.mark.parametrize("what", ["full", "closed", "nobody reads"])
def test_an_output_that_cannot_be_written_to_ends_nothing(tiny, options, tmp_path, monkeypatch, what):
    if what == "nobody reads":
        reader, writer = os.pipe()
        os.close(reader)
        streams = [os.fdopen(writer, "w"), os.fdopen(os.dup(writer), "w")]
    else:
        streams = [open("/dev/full", "w") for _ in range(2)]  # noqa: SIM115
    if what == "closed":
        for stream in streams:
            stream.close()
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    code = train(tiny, options(tmp_path / "tiny", iterations=2))
    for stream in streams:
        stream.close()  # as Python's end does; it must not fail either
    monkeypatch.undo()
    assert code == 0
    assert list(Run(tmp_path / "tiny").snapshots()) == [1, 2]


def test_a_run_is_not_overwritten_unasked(finished, tiny, options):
    before = (finished / "log").stat()
    with pytest.raises(UserError, match="holds a run already") as caught:
        train(tiny, options(finished))
    assert caught.value.arguments == ("resume", "overwrite", "out")
    assert (finished / "log").stat() == before


def test_a_run_is_overwritten_when_asked(tiny, options, copy):
    train(tiny, options(copy, iterations=1, overwrite=True))
    assert list(Run(copy).snapshots()) == [1]


def test_a_run_is_kept_until_the_new_one_can_start(finished, tiny, options, tmp_path):
    bad = tmp_path / "held_out.csv"
    bad.write_text("path,speaker,birthplace,sex\nnowhere.wav,,,\n")
    with pytest.raises(UserError, match="no clip can be used"):
        train(tiny, options(finished, overwrite=True, held_out=bad))
    assert (finished / "log").exists()


def test_a_run_without_a_snapshot_is_no_dead_end(tiny, options, copy):
    for path in Run(copy).snapshots().values():
        path.unlink()
    with pytest.raises(UserError) as caught:
        train(tiny, options(copy))
    assert caught.value.arguments == ("overwrite", "out")
    with pytest.raises(UserError, match="no snapshot to resume from") as caught:
        train(tiny, options(copy), resume=True)
    assert caught.value.arguments == ("overwrite",)


def test_a_run_that_never_began_is_in_nobodys_way(finished, tiny, options, tmp_path):
    """What a kill leaves between the making of the folder and the first entry of the log."""
    out = tmp_path / "tiny"
    out.mkdir()
    for name in ("config.json", "labels.json", "environment.json"):
        shutil.copy(finished / name, out)
    (out / ".lock").touch()
    train(tiny, options(out, iterations=1))
    assert list(Run(out).snapshots()) == [1]


def test_what_is_told_to_mend_a_resume_is_not_refused(tiny, options, tmp_path, copy):
    for out, mend in ((tmp_path / "none", "train"), (copy, "out")):
        (copy / "environment.json").unlink(missing_ok=True)
        with pytest.raises(UserError, match="no whole run") as caught:
            train(tiny, options(out), resume=True)
        assert caught.value.arguments == (mend,)
    (tmp_path / "none").mkdir()
    Run(tmp_path / "none").check_free(overwrite=False)
    with pytest.raises(UserError, match="not empty and not a run"):
        train(tiny, options(copy, overwrite=True))


def test_a_folder_with_a_file_of_a_runs_name_is_never_touched(tiny, options, tmp_path):
    for name in ("config.json", "labels.json", ".x.1.2.tmp", "thesis.tex"):
        out = tmp_path / name / "out"
        out.mkdir(parents=True)
        (out / name).write_text("of another tool")
        with pytest.raises(UserError, match="not empty and not a run"):
            train(tiny, options(out, overwrite=True))
        assert [(path.name, path.read_text()) for path in out.iterdir()] == [(name, "of another tool")]


def test_the_store_that_a_run_names_is_left_alone_if_it_is_something_else(tiny, options, tmp_path, copy):
    home = tmp_path / "home"
    home.mkdir()
    (home / ".draft.1.2.tmp").touch()
    os.utime(home / ".draft.1.2.tmp", (0, 0))
    path = copy / "environment.json"
    path.write_text(json.dumps(read_json(path) | {"store": str(home)}), encoding="utf-8")
    with pytest.raises(UserError, match=r"home holds other things than decoded clips"):
        train(tiny, options(copy, store=None), resume=True)
    (home / "index.json").write_text("{}")
    assert train(tiny, options(copy, store=None), resume=True) == 0
    assert (home / ".draft.1.2.tmp").exists()


def test_a_run_in_use_is_refused_before_its_corpus_is_read(finished, tiny, options, tmp_path):
    with Lock(finished):
        for resume, overwrite in ((False, False), (False, True), (True, False)):
            with pytest.raises(UserError, match=r"in use by another training \(process \d+ on"):
                train(tiny, options(finished, data=tmp_path / "none.csv", overwrite=overwrite), resume)


def test_leftovers_of_a_kill_are_removed_when_the_run_goes_on(finished, tiny, options, manifest, copy):
    leftovers = [
        copy / ".snapshot_iter_6.npz.1.1.tmp",
        copy / ".gen_iter_6.npz.1.1.tmp",
        copy / ".log.1.1.tmp",
        manifest.parent / "store" / "16000" / "ab" / f".{'ab' * 32}.npy.1.1.tmp",
        copy / "samples" / "iter_4" / ".a.wav.1.1.tmp",
    ]
    for path in leftovers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (0, 0))
    train(tiny, options(copy), resume=True)  # nothing else to do
    assert not any(path.exists() for path in leftovers)
    assert {path.name for path in copy.iterdir()} == {path.name for path in finished.iterdir()}


def test_a_resumed_run_keeps_its_clips_store_device_and_intervals(tiny, options, copy):
    names = ("data", "held_out", "store", "device", "log_every", "snapshot_every", "sample_every")
    train(tiny, options(copy, iterations=7, **dict.fromkeys(names)), resume=True)
    assert list(read_log(copy)["iteration"]) == [1, 2, 3, 4, 5, 6, 7]
    assert list(Run(copy).generators()) == [2, 4, 6, 7]


def test_resuming_a_finished_run_changes_nothing(finished, tiny, options):
    before = {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}
    assert train(tiny, options(finished), resume=True) == 0
    assert before == {path: path.read_bytes() for path in finished.rglob("*") if path.is_file()}


def rewrite(path, key, array):
    """Puts another array into a snapshot, as a plain .npz without a checksum."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    keys = [name for name in arrays if name.endswith(key)]
    np.savez(path, **(arrays | {keys[0]: array}))


@pytest.mark.parametrize(
    ("key", "array"),
    [
        ("merge/conv/W", np.zeros((1, 1), np.float32)),
        ("conv/W/ms", np.zeros((2, 1), np.float32)),
        ("LogReport/_log", np.array("not JSON")),
        ("LogReport/_log", np.array('{"a": 1}')),
        ("LogReport/_log", np.array("[3]")),
        ("LogReport/_summary/_names", np.array('["a"]')),
        ("iteration", np.array(1.5)),
        ("iteration", np.array([1, 2])),
        ("updater/iteration", np.array(-4)),
    ],
)
def test_a_trainers_snapshot_with_a_wrong_array_is_skipped(tiny, options, capsys, key, array, copy):
    rewrite(copy / "snapshot_iter_4.npz", key, array)
    train(tiny, options(copy, iterations=2), resume=True)
    printed = capsys.readouterr().out
    assert f"skipped: {copy / 'snapshot_iter_4.npz'}: " in printed
    assert "resuming from iteration 2" in printed


@pytest.mark.parametrize(
    "moment", ["between two iterations", "while a file is written", "while samples are made"]
)
def test_a_folder_that_is_moved_during_a_training_is_not_made_again(
    tiny, options, tmp_path, monkeypatch, moment
):
    out, moved = tmp_path / "tiny", tmp_path / "moved"
    update, replace, convert = StarGANUpdater.update_core, os.replace, Samples._convert

    def move(updater):
        if updater.iteration == 3:
            out.rename(moved)
        update(updater)

    def move_writing(source, target):
        if 2 in Run(out).snapshots() and target.name == "log":
            out.rename(moved)
        replace(source, target)

    def move_converting(samples):
        if 2 in Run(out).snapshots():
            out.rename(moved)
        return convert(samples)

    if moment == "between two iterations":
        monkeypatch.setattr(StarGANUpdater, "update_core", move)
    elif moment == "while samples are made":
        monkeypatch.setattr(Samples, "_convert", move_converting)
    else:
        monkeypatch.setattr(os, "replace", move_writing)
    with pytest.raises(UserError, match="tiny was moved or removed while it was trained in"):
        train(tiny, options(out))
    assert not out.exists()
    assert max(Run(moved).snapshots()) == 2
    monkeypatch.undo()
    assert train(tiny, options(moved), resume=True) == 0


def test_resuming_with_another_experiment_is_refused(finished, options, tmp_path):
    with pytest.raises(UserError, match=r"config\.json: the experiment \(id 'smoke', not 'tiny'; "):
        train(load_experiment("smoke"), options(finished, data=tmp_path / "not read.csv"), resume=True)


def test_resuming_with_other_label_names_is_refused(tiny, options, copy):
    text = (copy / "labels.json").read_text(encoding="utf-8")
    (copy / "labels.json").write_text(text.replace("wales", "whales"), encoding="utf-8")
    with pytest.raises(
        UserError, match=r"labels\.json: the set of label names is not .*restore it, or start"
    ):
        train(tiny, options(copy), resume=True)
    os.truncate(copy / "labels.json", 300_000_000)
    with pytest.raises(UserError, match=r"labels\.json: more than 256 MB"):
        train(tiny, options(copy), resume=True)


def test_another_seed_is_refused_by_the_environment_and_by_the_snapshot(tiny, options, copy):
    with pytest.raises(UserError, match="seed 0, not 3"):
        train(tiny, options(copy, seed=3), resume=True)
    path = copy / "environment.json"
    path.write_text(json.dumps(read_json(path) | {"seed": 1}), encoding="utf-8")
    with pytest.raises(UserError, match=r"environment\.json: the seed \(1, not 0\) is not what this run was"):
        train(tiny, options(copy, iterations=5), resume=True)
    # a snapshot of before it had the seed leaves that to the environment
    snapshot = Run(copy).snapshots()[4]
    with np.load(snapshot, allow_pickle=False) as stored:
        np.savez(snapshot, **{key: stored[key] for key in stored.files if key != "starvox:seed"})
    assert train(tiny, options(copy), resume=True) == 0


def test_resuming_with_another_corpus_is_refused(finished, tiny, options, tmp_path, manifest):
    lines = manifest.read_text().splitlines()
    rows = [f"{manifest.parent}/{line}" for line in lines[1:]]
    (tmp_path / "fewer.csv").write_text("\n".join([lines[0], *rows[:4], rows[5]]))
    with pytest.raises(UserError, match=r"environment\.json: the corpus .* is not what this run"):
        train(tiny, options(finished, data=tmp_path / "fewer.csv"), resume=True)


def test_a_held_out_list_of_another_corpus_is_named(tiny, options, tmp_path, manifest, capsys):
    path = tmp_path / "held_out.csv"
    path.write_text(f"path,speaker,birthplace,sex\n{manifest.parent / '0.wav'},stranger,nowhere,F\n")
    train(tiny, options(tmp_path / "out", held_out=path, iterations=1))
    told = capsys.readouterr().out
    assert f"held-out: 1 clip used; of {path}\n" in told
    assert (
        f"warning: no speaker and no birthplace of {path} is one of {manifest}: of another corpus?\n" in told
    )


def test_held_out_speakers_may_be_strangers_and_the_rejected_are_listed(
    tiny, options, tmp_path, manifest, capsys
):
    rows = [
        "path,speaker,birthplace,sex",
        f"{manifest.parent / '0.wav'},stranger,scotland,F",
        "nowhere.wav,a,,",
    ]
    (tmp_path / "held_out.csv").write_text("\n".join(rows))
    train(tiny, options(tmp_path / "out", held_out=tmp_path / "held_out.csv", iterations=1))
    told = capsys.readouterr().out
    assert "held-out: 1 clip used, 1 left out (1 not found): see rejected.csv; of " in told
    assert "of another corpus?" not in told
    assert "nowhere.wav,not found" in (tmp_path / "out" / "rejected.csv").read_text(encoding="utf-8")
    assert list((tmp_path / "out" / "samples" / "iter_1").glob("1_scotland_F_input.wav"))


@pytest.mark.gpu
def test_a_run_on_the_last_gpu_resumes(tiny, options, tmp_path, cupy):
    device = f"cuda:{cupy.cuda.runtime.getDeviceCount() - 1}"
    every = {"log_every": 3, "snapshot_every": 2, "sample_every": 9, "device": device}
    train(tiny, options(tmp_path / "tiny", iterations=2, **every))
    train(tiny, options(tmp_path / "tiny", iterations=4, **every), resume=True)
    assert np.isfinite(read_log(tmp_path / "tiny")["gen/loss"]).all()


@pytest.mark.gpu
def test_a_gpu_trains_as_the_cpu_does(finished, tiny, options, tmp_path, cupy):
    train(tiny, options(tmp_path / "tiny", device="cuda:0"))
    logs = [read_log(out) for out in (finished, tmp_path / "tiny")]
    for key in LOG_KEYS - {"elapsed_time"}:
        # the second already differs by 1 % between two right versions
        np.testing.assert_allclose(logs[1][key][0], logs[0][key][0], rtol=1e-3, atol=1e-5, err_msg=key)
