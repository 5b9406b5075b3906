"""Evaluation of networks whose answers are known, and of a real training."""

import json
import shutil

import chainer
import numpy as np
import pytest

from starvox import UserError, build_models, load_experiment
from starvox.cli import main
from starvox.corpus import LabelEncoder
from starvox.evaluation.evaluate import evaluate, read_evaluations
from starvox.evaluation.evaluation_set import EvaluationSet
from starvox.evaluation.measurement import measure as measure_networks
from starvox.evaluation.table import format_evaluation
from starvox.replay.networks import Networks

CLASSES = {"speaker": ["a", "b", "c"], "birthplace": ["scotland", "wales"], "sex": ["F", "M"]}
# "zoe" and "x" are unknown to the run.
ROWS = ["a,scotland,F", "a,,F", "b,wales,M", "b,wales,", "zoe,scotland,x", "c,,F"]


@pytest.fixture(scope="module")
def tiny():
    return load_experiment("smoke", {"generator.filters": 2, "discriminator.filters": 2})


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def write(make_manifest):
    """Writes a manifest of two-second clips with these labels."""
    return lambda rows: make_manifest(rows, "clips.csv")


@pytest.fixture(scope="module")
def manifest(write):
    return write(ROWS)


@pytest.fixture(scope="module")
def encoder(tiny):
    return LabelEncoder(CLASSES, tiny.labels.model_dump())


@pytest.fixture(scope="module")
def clips(tiny, encoder, manifest, store):
    return EvaluationSet(tiny, encoder, manifest, store, 6)


@pytest.fixture
def measure(tiny, encoder, clips):
    """Evaluates a generator, and D if it is given."""
    return lambda gen, dis=None, of=clips: measure_networks(Networks(tiny, encoder, 1, gen, dis), of)


class Shift(chainer.Chain):
    """Gives back so much of its input, raised by so much where the label says M; by 0 it copies.

    No real generator can do this exactly: its output is a sigmoid.
    """

    def __init__(self, encoder, height, kept=1):
        super().__init__()
        self._male = np.flatnonzero(encoder.input(sex="M"))[0]
        self._height, self._kept = np.float32(height), np.float32(kept)

    def forward(self, x, c):
        return chainer.Variable(self._kept * x + self._height * c[:, self._male, None, None, None])


def constant_discriminator(tiny, encoder, **names):
    """A real D that names these labels whatever it sees."""
    dis = build_models(tiny)[1]
    dis.clazz.W.array[...] = 0
    dis.clazz.b.array[...] = np.maximum(encoder.target(**names), 0)
    return dis


def test_a_copy_is_told(measure, encoder):
    found = measure(Shift(encoder, 0))
    assert {row["mean"] for row in found["errors"].values()} == {0}
    assert {row["mean"] for row in found["response"].values()} == {0}
    assert found["verdict"] == "copies its input"
    assert found["judged_by"]["copy"] == found["judged_by"]["response"] == 0
    assert found["words"]["stoi"]["converted"]["mean"] == pytest.approx(1)
    assert found["words"]["energy"]["converted"]["mean"] == pytest.approx(1)
    assert found["words"]["energy"]["unrelated"]["mean"] < 0.5


def test_an_answer_to_one_group_is_told(measure, encoder):
    found = measure(Shift(encoder, 0.05))
    assert found["response"]["sex"]["mean"] == pytest.approx(0.05, rel=1e-4)
    assert found["response"]["sex"]["db"] == pytest.approx(3, rel=1e-4)
    assert found["response"]["speaker"]["mean"] == found["response"]["birthplace"]["mean"] == 0
    # one clip of six is of an M known to the run, and is raised for its own label
    assert found["errors"]["identity"]["mean"] == pytest.approx(0.05 / 6, rel=1e-4)
    assert found["judged_by"]["copy"] < 1
    assert found["verdict"] == "answers to the labels"


def test_what_forgets_its_input_is_no_converter(measure, encoder):
    found = measure(Shift(encoder, 0.8, kept=0))
    assert found["response"]["sex"]["mean"] == pytest.approx(0.8, rel=1e-4)
    assert found["judged_by"]["response"] > 1
    assert found["verdict"] == "neither"


def test_distances_are_those_of_real_clips(measure, encoder):
    distances = measure(Shift(encoder, 0))["distances"]
    assert distances["same_speaker"]["n"] == distances["different_speakers"]["n"] == 100
    for row in distances.values():
        assert 0.01 < row["mean"] < 0.3
        assert row["db"] == pytest.approx(60 * row["mean"])


def test_the_accuracy_of_a_known_discriminator(measure, tiny, encoder):
    dis = constant_discriminator(tiny, encoder, speaker="b", birthplace="wales", sex="F")
    accuracy = measure(Shift(encoder, 0), dis)["accuracy"]
    assert accuracy["speaker"]["real"] == {"mean": 2 / 5, "commonest": 2 / 5, "n": 5}
    assert accuracy["birthplace"]["real"] == {"mean": 2 / 4, "commonest": 2 / 4, "n": 4}
    assert accuracy["sex"]["real"] == {"mean": 3 / 4, "commonest": 3 / 4, "n": 4}
    assert [row["chance"] for row in accuracy.values()] == [1 / 3, 1 / 2, 1 / 2]


def test_unlabelled_clips_and_strangers_are_converted_too(measure, write, tiny, encoder, store):
    clips = EvaluationSet(tiny, encoder, write([",,", "zoe,,x"]), store, 6)
    found = measure(Shift(encoder, 0.05), constant_discriminator(tiny, encoder, sex="F"), clips)
    assert found["errors"]["copy"]["n"] == 12
    assert found["response"]["sex"]["mean"] == pytest.approx(0.05, rel=1e-4)
    assert found["accuracy"]["sex"]["real"] is found["accuracy"]["sex"]["converted"] is None
    assert found["distances"]["same_speaker"] is None
    assert "verdict" in format_evaluation(found)


def test_a_power_spectrum_has_half_the_decibels(tiny, encoder, manifest, store):
    power = tiny.model_copy(update={"audio": tiny.audio.model_copy(update={"spectrum": "power"})})
    clips = EvaluationSet(power, encoder, manifest, store, 1)
    found = measure_networks(Networks(power, encoder, 1, Shift(encoder, 0), None), clips)
    assert found["db_per_unit"] == pytest.approx(30)
    assert found["accuracy"] is None


def test_one_clip_cannot_be_compared(tiny, write, encoder, store):
    with pytest.raises(UserError, match=r"clips\.csv: only one usable clip"):
        EvaluationSet(tiny, encoder, write(["a,,F"]), store, 1)


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory, write, manifest, store):
    """A real training of two iterations, with snapshots of both."""
    folder = tmp_path_factory.mktemp("results") / "tiny"
    known = write([row for row in ROWS if not row.startswith("zoe")])
    options = ["--data", known, "--held-out", manifest, "--out", folder, "--store", store]
    options += ["--iterations", 2, "--snapshot-every", 1, "--device", "cpu"]
    assert main(["train", tiny.sources["title"], *map(str, options)]) == 0
    return folder


def recorded(run):
    values = json.loads((run / "environment.json").read_text(encoding="utf-8"))
    return values["held_out"], values["data"]


def test_the_command_takes_the_clips_of_the_run(run, store, capsys):
    assert main(["evaluate", str(run), "--clips", "3", "--device", "cpu", "--store", str(store)]) == 0
    shown = capsys.readouterr().out
    written = json.loads((run / "evaluation_iter_2.json").read_text(encoding="utf-8"))
    manifest, training = recorded(run)
    assert [written] == list(evaluate(run, [None], manifest, store, crops=3, training=training))
    assert (written["iteration"], written["crops"], written["clips"]) == (2, 3, 6)
    assert written["accuracy"]["sex"]["real"] is not None
    assert written["judge_crops"] == 8 * 5
    assert written["judge"]["sex"]["converted"]["n"] == written["judge"]["sex"]["copy"]["n"]
    assert format_evaluation(written) in shown
    assert f"verdict: {written['verdict']}\n" in shown
    assert not list(run.glob(".evaluation*"))


def test_what_cannot_be_written_is_shown(run, store, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "tiny")
    (tmp_path / "tiny/evaluation_iter_2.json").unlink(missing_ok=True)
    (tmp_path / "tiny/evaluation_iter_2.json").mkdir()
    command = ["evaluate", str(tmp_path / "tiny"), "--clips", "2", "--device", "cpu", "--store", str(store)]
    assert main(command) == 2
    shown = capsys.readouterr()
    assert "\nverdict: " in shown.out
    assert "evaluation_iter_2.json: cannot be written (" in shown.err


def test_all_kept_generators_make_a_figure(run, store, capsys):
    """The clips named by hand are the run's own, which a kept run does not find."""
    manifest, training = recorded(run)
    command = ["evaluate", str(run), "--all", "--data", manifest, "--training", training]
    assert main([*command, "--clips", "2", "--device", "cpu", "--store", str(store)]) == 0
    found = read_evaluations(run)
    assert [evaluation["iteration"] for evaluation in found] == [1, 2]
    for ending in ("png", "svg"):
        assert (run / f"curves/evaluation.{ending}").stat().st_size > 5000


def test_without_d_and_held_out_clips_the_generator_is_measured_on_those_of_its_training(
    run, store, tmp_path, capsys
):
    for name in ("config.json", "labels.json", "gen_iter_1.npz"):
        (tmp_path / name).write_bytes((run / name).read_bytes())
    values = json.loads((run / "environment.json").read_text(encoding="utf-8")) | {"held_out": None}
    (tmp_path / "environment.json").write_text(json.dumps(values), encoding="utf-8")
    command = ["evaluate", str(tmp_path), "--clips", "2", "--device", "cpu", "--store", str(store)]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "knows no held-out clips" in shown
    assert "there is no D" in shown
    (found,) = read_evaluations(tmp_path)
    (whole,) = evaluate(run, [1], values["data"], store, crops=2)  # G and D of the snapshot to resume from
    assert found["accuracy"] is None
    assert found["errors"] == whole["errors"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "no run none; there "),
        (["{run}", "--iteration", "7"], "no snapshot of iteration 7; it has: 1, 2"),
        (["{run}", "--device", "tpu"], "unknown device 'tpu'"),
        (["gone"], "gone.csv: the clips that"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, run, tmp_path, monkeypatch, capsys):
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "config.json").touch()
    (tmp_path / "gone" / "environment.json").write_text('{"seed": 0, "data": "gone.csv"}', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *(argument.format(run=run) for argument in arguments)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.gpu
def test_the_gpu_gives_what_the_cpu_gives(run, manifest, store, cupy):
    numbers = [
        next(evaluate(run, [None], manifest, store, device, crops=3))["errors"]["copy"]["mean"]
        for device in ("cpu", "cuda:0")
    ]
    assert numbers[1] == pytest.approx(numbers[0], rel=1e-3)
