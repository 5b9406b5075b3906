"""The results folder: what may be cleared, and what an environment.json may say."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starvox import UserError, files, load_experiment
from starvox.run import snapshots
from starvox.run.log import read_log
from starvox.run.run import Run
from starvox.training.run import Options, _choose_intervals

VALID = {
    "seed": 0,
    "data": "m.csv",
    "held_out": None,
    "corpus": "ab",
    "store": "store",
    "every": {"log": 1, "snapshot": 2, "sample": 3},
    "processes": 1,
    "resumed": [],
}
RECORDED = ("config.json", "labels.json", "rejected.csv", "clips.csv", ".lock", ".log.1.2.tmp")
KILLED = (".lock", ".environment.json.1.2.tmp")  # before anything was written


def fill(folder, names, environment=None):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    if environment is not None:
        (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")


@pytest.mark.parametrize(
    ("names", "environment"), [((), None), (KILLED, None), ((), VALID), (RECORDED, VALID)]
)
def test_a_folder_without_a_result_is_free(tmp_path, names, environment):
    fill(tmp_path, names, environment)
    for overwrite in (False, True):
        Run(tmp_path).check_free(overwrite)


@pytest.mark.parametrize(
    "names",
    [
        ("config.json", "model.safetensors"),  # of another tool
        ("config.json", "labels.json", "gen_iter_5.npz"),  # a run made slim
        ("config.json", "samples/iter_1/a.wav"),
        ("config.json/a", "notes.txt"),
        ("labels.json/a",),
        ("config.json",),  # of another tool, and nothing else
        ("labels.json",),
        (".x.1.2.tmp",),
    ],
)
@pytest.mark.parametrize("environment", [None, {"seed": 0, "data": "m.csv", "held_out": None}])
def test_what_is_not_surely_a_run_is_never_cleared(tmp_path, names, environment):
    fill(tmp_path, names, environment)
    for overwrite in (False, True):
        with pytest.raises(UserError, match="is not empty and not a run of starvox"):
            Run(tmp_path).check_free(overwrite)


@pytest.mark.parametrize("name", ["log", "gen_iter_5.npz", "snapshot_iter_5.npz", "samples/1.wav", "x"])
def test_a_run_with_anything_in_it_goes_only_when_asked(tmp_path, name):
    fill(tmp_path, (*RECORDED, name), VALID)
    with pytest.raises(UserError, match="holds a run already"):
        Run(tmp_path).check_free(overwrite=False)
    Run(tmp_path).check_free(overwrite=True)


def test_what_is_cleared_is_still_known_as_a_run_and_what_a_user_put_beside_it_stays(tmp_path):
    theirs = {"notes.txt", ".x.1.2.tmp", "samples.zip", "logs", "gen_iter_best.npz"}
    fill(tmp_path, (*RECORDED, "log", "snapshot_iter_2.npz", "samples/iter_1/a.wav", *theirs), VALID)
    Run(tmp_path).remove_leftovers()
    Run(tmp_path).clear()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".lock", "config.json", "environment.json"} | theirs


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)
no_utf8 = st.just({"data": os.fsdecode(b"clips \xff.csv")})
changes = no_utf8 | st.dictionaries(st.sampled_from(list(VALID)), json_values, max_size=2)


@given(json_values | changes.map(lambda change: VALID | change))
def test_any_environment_is_refused_or_can_be_gone_on_with(tmp_path_factory, environment):
    folder = tmp_path_factory.getbasetemp()
    fill(folder, (), environment)
    try:
        found = Run(folder).read_environment()
    except UserError:
        return
    assert found.seed >= 0
    for path in (found.data, found.held_out or "", found.store or ""):
        assert b"\0" not in os.fsencode(path)
    assert min(_choose_intervals(Options(folder), found.every, 1000)) > 0
    assert found.processes > 0
    assert isinstance(found.asked_device, str)
    found.resumed = [*found.resumed, {}]
    Run(folder).write_environment(found)
    assert Run(folder).read_environment() == found


@pytest.mark.parametrize(
    "change",
    [
        *({"seed": seed} for seed in (-1, True, 1.0, "0", None)),
        *({name: path} for name in ("data", "held_out", "store") for path in (3, "a\0", "\ud800", ["a"])),
        *({"every": every} for every in (3, [], {"log": 0}, {"log": True}, {"log": "1"})),
        *({"processes": number} for number in (0, True, "2", None)),
        *({"tf32": 1}, {"asked_device": None}),
        {"resumed": {}},
    ],
)
def test_a_value_that_no_run_writes_is_refused(tmp_path, change):
    fill(tmp_path, (), VALID | change)
    with pytest.raises(UserError, match=r"environment\.json: missing or damaged"):
        Run(tmp_path).read_environment()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path, text):
    (tmp_path / "environment.json").write_text(text)
    with pytest.raises(UserError, match=r"environment\.json: missing or damaged"):
        Run(tmp_path).read_environment()


def test_the_files_of_iterations_are_found_by_number_not_by_name(tmp_path):
    fill(tmp_path, [f"gen_iter_{n}.npz" for n in (9, 100, 20)])
    fill(tmp_path, ("gen_iter_x.npz", "snapshot_iter_1.npz", "tmpgen_iter_3.npz", "gen_iter_4.npz.tmp"))
    assert list(Run(tmp_path).generators()) == [9, 20, 100]


def test_nothing_is_written_through_a_link_in_the_folder(tmp_path):
    run, elsewhere = Run(tmp_path / "run"), tmp_path / "elsewhere"
    elsewhere.mkdir()
    run.folder.symlink_to(tmp_path)  # the folder itself may be one
    assert run.inside(run.samples(3)) == run.samples(3)
    (run.folder / "samples").symlink_to(elsewhere)
    run.curves.symlink_to(elsewhere)
    for path in (run.samples(3), run.curves):
        with pytest.raises(UserError, match=r"(samples|curves) is a link.*; remove it"):
            run.inside(path)


READERS = {
    "config.json": lambda run: run.experiment(),
    "labels.json": lambda run: run.encoder(load_experiment("smoke")),
    "environment.json": lambda run: run.read_environment(),
    "log": lambda run: read_log(run.log),
    "gen_iter_1.npz": lambda run: snapshots.load(run.generator(1), None),
}


@pytest.mark.parametrize("name", READERS)
def test_a_file_that_does_not_end_is_refused_at_once(tmp_path, monkeypatch, name):
    makers = (
        os.mkfifo,
        lambda path: path.symlink_to("/dev/zero"),
        lambda path: path.write_bytes(bytes(2_000_000)),
    )
    monkeypatch.setattr(files.read_text, "__defaults__", (1_000_000, "strict"))
    for make in makers:
        make(tmp_path / name)
        with pytest.raises(UserError, match=str(tmp_path)):
            READERS[name](Run(tmp_path))
        (tmp_path / name).unlink()
