"""A run folder that a stranger sends: whatever is in it, a clear error or a result, and no code runs."""

import json
import os
import re
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starvox import LabelEncoder, Replay, UserError, build_models, load_experiment
from starvox.cli import main
from starvox.plotting import LOG_KEYS, read_log
from starvox.replay.networks import load_networks
from starvox.report import write_report
from starvox.run import snapshots

HOSTILE = ["../../escaped", "a/../../b", "x" * 500, "声" * 200, "<script>1</script>$\\frac$%s{0}\n\0"]
CLASSES = {"speaker": ["a", *HOSTILE], "birthplace": ["wales"], "sex": ["F", "M"]}
FILES = {
    "labels.json": json.dumps(CLASSES),
    "environment.json": json.dumps(
        {"seed": 0, "data": "m.csv", "held_out": None, "packages": {"numpy": "2"}}
    ),
    "rejected.csv": 'path,reason\na.wav,empty\n"b\nc.wav",silent: constant\n',
    "log": json.dumps([dict.fromkeys(LOG_KEYS, 1.5)] * 2),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory, evaluation):
    exp = load_experiment("smoke")
    sizes = exp.labels.model_dump()
    run = tmp_path_factory.mktemp("run") / "run"
    run.mkdir()
    assert LabelEncoder(CLASSES, sizes).target_size == 50
    snapshots.save(run / "gen_iter_5.npz", build_models(exp)[0])
    (run / "config.json").write_text(exp.dumps(), encoding="utf-8")
    for name, text in (FILES | {"evaluation_iter_2.json": json.dumps(evaluation)}).items():
        (run / name).write_text(text, encoding="utf-8")
    return run


@pytest.fixture
def run(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(made, tmp_path / "results/run")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=5), inside, max_size=4),
    max_leaves=12,
)


@st.composite
def spoilt(draw, text):
    """Bytes: another file altogether, other JSON, or the valid file with a few bytes changed."""
    valid = text.encode()
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return draw(st.binary(max_size=40))
    if kind == 1:
        return json.dumps(draw(json_values)).encode()
    if kind == 2 and text.startswith("{"):
        values = json.loads(text)
        values[draw(st.sampled_from(sorted(values)))] = draw(json_values)
        return json.dumps(values).encode()
    place, length = draw(st.integers(0, len(valid))), draw(st.integers(0, 4))
    return valid[:place] + draw(st.binary(max_size=4)) + valid[place + length :]


def spoil(made, folder, name, content):
    """Copies the run with one file replaced; without a log no curves are drawn."""
    run = folder / "spoilt"
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(made, run, ignore=shutil.ignore_patterns("log"))
    (run / name).write_bytes(content)
    return run


def one_line(function, *arguments):
    """Calls a function that may raise `UserError` of one line, and nothing else."""
    complaint = ""
    try:
        function(*arguments)
    except UserError as error:
        complaint = str(error)
    assert complaint.isprintable()


def evaluate(run):
    main(["--debug", "evaluate", str(run)])  # there are no clips: it never gets further


READERS = {
    "config.json": (write_report, Replay.load),
    "labels.json": (write_report, Replay.load),
    "environment.json": (write_report, evaluate),
    "evaluation_iter_2.json": (write_report,),
    "rejected.csv": (write_report,),
    "log": (read_log,),
}


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_reader_of_anything(made, tmp_path_factory, name, data):
    text = FILES.get(name) or (made / name).read_text()
    run = spoil(made, tmp_path_factory.getbasetemp(), name, data.draw(spoilt(text)))
    for reader in READERS[name]:
        one_line(reader, run)


@pytest.mark.parametrize(
    "content", ["[" * 99999, '{"a":' * 500 + "1" + "}" * 500, '[{"iteration": 1' + "0" * 5000]
)
@pytest.mark.parametrize("name", READERS)
def test_a_reader_of_what_overflows_it(made, tmp_path, name, content):
    run = spoil(made, tmp_path, name, content.encode())
    for reader in READERS[name]:
        one_line(reader, run)


def test_a_log_with_a_key_of_its_own_in_every_entry(tmp_path):
    (tmp_path / "log").write_text(json.dumps([{"iteration": i, f"k{i}": 1} for i in range(30_000)]))
    with pytest.raises(UserError, match="not a log"):  # it would take 7 GB
        read_log(tmp_path)


@pytest.mark.parametrize("value", [3.4e38, 1e-45])
def test_curves_of_extreme_numbers(run, value):
    signs = [dict.fromkeys(LOG_KEYS, sign * value) | {"iteration": 2 + sign} for sign in (-1, 1)]
    (run / "log").write_text(json.dumps(signs))
    for options in ([], ["--loglog"]):
        assert main(["plot", str(run), "-o", "figures", *options]) == 0


def test_names_lead_nowhere_else(run, tmp_path, speech):
    """Every speaker of the run, whatever its name, gives files in the folder of the results."""
    soundfile.write("in.wav", speech[:2000], 16000)
    before = set(tmp_path.rglob("*"))
    command = ["replay", "run", "in.wav", "--all-speakers", "--phase", "source", "-o", "out"]
    assert main(command) == 0
    new = set(tmp_path.rglob("*")) - before - {tmp_path / "out"}
    assert {path.parent for path in new} == {tmp_path / "out"}
    assert len(new) == 2 + 2 * len(CLASSES["speaker"])
    assert all(path.name.startswith("in_") and path.name.isprintable() for path in new)
    assert not Path("/tmp/escaped").exists()


def test_a_link_in_a_run_puts_no_other_file_on_the_page(run, tmp_path, evaluation, speech):
    outside = tmp_path / "outside"
    for folder in (outside / "samples/iter_7", outside / "replay", run / "samples/iter_5", run / "replay"):
        folder.mkdir(parents=True)
    (outside / "replay/a.png").write_bytes(b"\x89PNG of somebody")
    soundfile.write(outside / "replay/a.wav", speech[:2000], 16000)
    shutil.copytree(outside / "replay", outside / "samples/iter_7", dirs_exist_ok=True)
    for name, value in (
        ("evaluation_iter_9.json", evaluation | {"manifest": "private words"}),
        ("environment.json", {"key": "private words"}),
        ("labels.json", {"private words": []}),
    ):
        (outside / name).write_text(json.dumps(value))
        (run / name).unlink(missing_ok=True)
        (run / name).symlink_to(outside / name)
    for ending in ("png", "wav"):
        for folder in ("samples/iter_5", "replay"):
            (run / folder / f"a.{ending}").symlink_to(outside / f"replay/a.{ending}")
    (run / "replay/c").symlink_to(outside)
    (run / "samples/iter_6").symlink_to(outside / "samples/iter_7")
    page = write_report(run).path.read_text()
    assert "No samples yet" in page
    shutil.rmtree(run / "replay")
    shutil.rmtree(run / "samples")
    for name in ("replay", "samples"):
        (run / name).symlink_to(outside / name)
    page += write_report(run).path.read_text()
    assert not any(word in page for word in ("image/png", "data:audio", "private words"))
    (outside / "config.json").write_text((run / "config.json").read_text())
    (run / "config.json").unlink()
    (run / "config.json").symlink_to(outside / "config.json")
    with pytest.raises(UserError, match=r"no config\.json"):
        write_report(run)


def test_an_id_reads_no_other_experiment(run, tmp_path):
    outside = tmp_path / "outside"
    shutil.copytree(Path(load_experiment("smoke").sources["title"]).parent, outside)
    (outside / "README.md").write_text("# A\n\nprivate words")
    config = json.loads((run / "config.json").read_text())
    os.makedirs("experiments")
    (run / "config.json").write_text(json.dumps(config | {"id": "../outside"}))
    (run / "log").unlink()
    assert "private words" not in write_report(run).path.read_text()
    with pytest.raises(UserError, match="id: expected the plain name"):
        Replay.load(run)


def test_a_pickle_for_a_snapshot_is_refused(run, tmp_path, capsys):
    """It would run code where it is unpickled."""

    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "hacked"),)

    np.savez(run / "gen_iter_5.npz", **{"downsamp1/conv/W": np.array([Hostile()], dtype=object)})
    soundfile.write("in.wav", np.sin(np.arange(9000)), 16000)
    assert main(["replay", "run", "in.wav", "--speaker", "a"]) == 2
    assert re.fullmatch(r"starvox: .*gen_iter_5\.npz: cannot be loaded \(.*\n", capsys.readouterr().err)
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        ("generator", {"filters": 1500}),
        ("generator", {"block_kernel": [999, 999]}),
        ("labels", {"speaker": 1_000_000}),
    ],
)
@pytest.mark.parametrize("with_dis", [False, True])
def test_networks_far_larger_than_their_file_are_not_built(run, table, changes, with_dis):
    values = json.loads((run / "config.json").read_text(encoding="utf-8"))
    values[table] |= changes
    (run / "config.json").write_text(json.dumps(values), encoding="utf-8")
    shutil.copy(run / "gen_iter_5.npz", run / "snapshot_iter_5.npz")
    tracemalloc.start()
    with pytest.raises(
        UserError, match=r"_iter_5\.npz: cannot be loaded \(too small for the networks of its"
    ):
        load_networks(run, with_dis=with_dis)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


@pytest.mark.parametrize("size", [2_000_000, 200_000_000])
def test_a_config_of_any_size_is_refused_at_once(run, size):
    os.truncate(run / "config.json", size)
    with pytest.raises(UserError, match=r"config\.json: more than 1 MB; "):
        Replay.load(run)
