"""Experiments: what the record says, what children change, and what is refused."""

import itertools
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starvox import UserError, experiment_ids, load_experiment

# the record's numbers, and the readings of ../experiments/47c97768/README.md
RECORD = {
    "audio.sample_rate": 16000,
    "audio.crop_samples": 66304,
    "audio.n_fft": 1024,
    "audio.hop_length": 256,
    "audio.normalization": "min-max",
    "audio.silence_rms": 0.5,
    "audio.max_redraws": 16,
    "audio.spectrum": "magnitude",
    "audio.first_bin": 1,
    "audio.bins": 256,
    "audio.frames": 256,
    "audio.floor": 1e-3,
    "labels.speaker": 1421,
    "labels.birthplace": 53,
    "labels.sex": 2,
    "labels.drop_probability": 0,
    "generator.labels": "merge",
    "generator.filters": 32,
    "generator.depth": 2,
    "generator.blocks": 3,
    "generator.normalization": "batch",
    "generator.bn_decay": 0.9,
    "generator.bn_eps": 2e-5,
    "generator.initializer": "lecun_normal",
    "generator.statistics": "every forward",
    "discriminator.filters": 32,
    "discriminator.layers": 6,
    "discriminator.time_layers": 6,
    "discriminator.slope": 0.01,
    "discriminator.class_kernel": 4,
    "discriminator.class_pad": 0,
    "discriminator.initializer": "lecun_normal",
    "loss.classify": "x_fake",
    "loss.penalty": "x_orig",
    "loss.classification_reduction": "mean",
    "loss.classification_weight": 1,
    "loss.gradient_penalty_weight": 10,
    "loss.reconstruction_weight": 10,
    "loss.identity_weight": 10,
    "loss.identity_iterations": 0,
    "loss.feature_matching_weight": 10,
    "training.optimizer": "rmsprop",
    "training.learning_rate": 1e-5,
    "training.learning_rate_factor": 1,
    "training.batchsize": 2,
    "training.epochs": 203,
    "training.n_dis": 5,
    "training.minibatch": "step",
}


@pytest.fixture
def write(tmp_path):
    """Writes an experiment beside the others of this test; returns its folder."""

    def write(name, text):
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(text, encoding="utf-8")
        return folder

    return write


def test_the_record():
    flat = load_experiment("47c97768").flatten()
    assert {key: flat[key] for key in RECORD} == RECORD


def test_the_papers_reading_changes_three_keys():
    record, paper = load_experiment("47c97768").flatten(), load_experiment("47c97768-paper").flatten()
    changed = {key for key in record if record[key] != paper[key]}
    assert changed == {"title", "loss.classify", "loss.penalty", "loss.classification_reduction"}


def test_every_experiment_of_the_repository_loads():
    assert {"47c97768", "47c97768-paper", "smoke"} <= set(experiment_ids())
    assert [load_experiment(name).id for name in experiment_ids()] == experiment_ids()


def test_sources_name_the_file_that_set_a_key():
    sources = load_experiment("47c97768-paper").sources
    assert sources["loss.penalty"].endswith("47c97768-paper/config.toml")
    assert sources["loss.identity_weight"].endswith("47c97768/config.toml")


# what siblings.md says of each neighbour, beside its title
FAMILY = {
    "31f31449": {
        "generator.depth": 3,
        "generator.blocks": 6,
        "generator.merge_kernel": [3, 5],
        "generator.block_kernel": [3, 5],
        "training.epochs": 1000,
    },
    "9ada9179": {
        "generator.depth": 3,
        "generator.blocks": 6,
        "loss.identity_weight": 0,
        "training.learning_rate_factor": 10**-0.5,
        "training.epochs": 1000,
    },
    "mini": {
        "audio.crop_samples": 17152,
        "audio.frames": 64,
        "generator.filters": 8,
        "discriminator.filters": 8,
        "discriminator.time_layers": 4,
    },
}
FAMILY["fbf548f6"] = FAMILY["9ada9179"] | {"labels.drop_probability": 0.5}
FAMILY["cfcefd21"] = FAMILY["9ada9179"] | {
    "audio.crop_samples": 17152,
    "audio.frames": 64,
    "discriminator.time_layers": 4,
    "training.batchsize": 5,
}
PAPER = {"loss.classify": "x_real", "loss.penalty": "x_real", "loss.classification_reduction": "sum"}
FAMILY["mini-paper"] = FAMILY["mini"] | PAPER


@pytest.mark.parametrize("name", FAMILY)
def test_the_family_changes_these_keys_of_the_record(name):
    record, child = load_experiment("47c97768").flatten(), load_experiment(name).flatten()
    assert {key: child[key] for key in record if child[key] != record[key] and key != "title"} == FAMILY[name]


# each cumulative rung of the ladder changes one key of the one before; the others one key of the drawn one
LADDER = ["drawn", "real", "sum", "no-identity", "no-feature-matching", "softmax", "conditional"]
ASIDE = {
    **{f"weight-{weight}": ("real", "loss.classification_weight") for weight in (10, 30, 100, 300)},
    "instance": ("drawn", "generator.normalization"),
    "deeper": ("drawn", "generator.depth"),
    "wide-kernels": ("drawn", "generator.block_kernel"),
    "rate-1e-3": ("drawn", "training.learning_rate"),
}


def test_a_rung_of_the_ladder_changes_one_key():
    steps = [(rung, before, None) for before, rung in itertools.pairwise(LADDER)]
    for rung, before, key in steps + [(rung, *change) for rung, change in ASIDE.items()]:
        old, new = (load_experiment(f"ladder/{name}").flatten() for name in (before, rung))
        different = {name for name in old if old[name] != new[name]} - {"title"}
        assert len(different) == 1, rung
        assert key in (None, *different), rung
    assert {f"ladder/{rung}" for rung in (*LADDER, *ASIDE)} == {
        name for name in experiment_ids() if name.startswith("ladder/")
    }
    mini, drawn = load_experiment("mini").flatten(), load_experiment("ladder/drawn").flatten()
    assert {key for key in mini if mini[key] != drawn[key]} == {
        "title",
        "training.learning_rate",
        "training.epochs",
    }


def test_values_set_for_one_run(tmp_path):
    exp = load_experiment("mini", {"loss.identity_weight": 0, "training.epochs": 3})
    assert (exp.loss.identity_weight, exp.training.epochs, exp.id) == (0, 3, "mini")
    assert exp.sources["loss.identity_weight"] == "--set"
    (tmp_path / "config.json").write_text(exp.dumps(), encoding="utf-8")
    again = load_experiment(tmp_path)
    assert again.changes() == {"loss.identity_weight": 0, "training.epochs": 3}
    assert again.dumps() == exp.dumps()


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("loss.identity", r"--set: unknown key loss\.identity; did you mean loss\.identity_weight\?"),
        ("training.epochs", r"--set: training\.epochs: input should be a valid integer, got 'x'"),
        ("loss", r"loss: .*got .x."),
    ],
)
def test_a_wrong_value_set_for_one_run_is_named(key, message):
    with pytest.raises(UserError, match=message):
        load_experiment("mini", {key: "x"})


def test_an_id_may_be_a_path(write, tmp_path):
    folder = write("rungs/one", 'extends = "47c97768"\n')
    assert load_experiment(folder).id == "one"  # not below experiments/
    exp = load_experiment("ladder/drawn")
    assert exp.id == "ladder/drawn"
    (tmp_path / "config.json").write_text(exp.dumps(), encoding="utf-8")
    assert load_experiment(tmp_path).id == "ladder/drawn"


def test_a_run_older_than_a_key_has_the_roots_value(tmp_path):
    exp = load_experiment("47c97768-paper")
    values = json.loads(exp.dumps())
    del values["generator"]["statistics"]
    (tmp_path / "config.json").write_text(json.dumps(values), encoding="utf-8")
    again = load_experiment(tmp_path)
    assert again.flatten() == exp.flatten()
    assert again.sources["generator.statistics"].endswith("47c97768/config.toml")


def test_a_small_run_older_than_a_key_loads_too(tmp_path):
    values = json.loads(load_experiment("smoke").dumps())
    del values["discriminator"]["time_layers"]  # the root's 6 are more than its layers
    (tmp_path / "config.json").write_text(json.dumps(values), encoding="utf-8")
    assert load_experiment(tmp_path).discriminator.layers == 4


REFUSED = {
    "unknown key": ("[audio]\nbin = 3", r"unknown key audio\.bin; did you mean audio\.bins\?"),
    "unknown table": ("[sound]\nbins = 3", r"unknown key sound;"),
    "wrong type": (
        '[training]\nepochs = "many"',
        r"training\.epochs: input should be a valid integer, got 'many'",
    ),
    "no number at all": ("[training]\nlearning_rate = nan", r"training\.learning_rate: "),
    "wrong choice": (
        '[loss]\nclassify = "x"',
        r"loss\.classify: input should be 'x_fake' or 'x_real', got 'x'",
    ),
    "a table for a value": ("[audio.bins]\nx = 3", r"audio\.bins: "),
    "out of range": ("[training]\nbatchsize = 0", r"training\.batchsize: input should be greater than 0"),
    "not TOML": ("[audio", r"config\.toml: .*line 2"),
    "no fit of samples": ("[audio]\ncrop_samples = 66305", r"audio\.crop_samples: .*need 66304 samples"),
    "never silent": (
        "[audio]\nsilence_rms = 1e300",
        r"audio\.silence_rms: .*less than or equal to 1, got 1e",
    ),
    "no number of frames": ("[audio]\nn_fft = 1023", r"audio\.n_fft: .*multiple of 2"),
    "no fit of depth": ("[generator]\ndepth = 9", r"generator\.depth: 256 bins .* multiples of .* 512"),
    "no fit of frames": (
        "[discriminator]\ntime_layers = 5",
        r"discriminator\.class_kernel: 6 halvings of 256 bins and 5 of 256 frames leave 4 x 8",
    ),
    "endless number": ("[training]\nlearning_rate = 1" + "0" * 5000, r"config\.toml: .*4300 digits"),
    "huge number": ("[training]\nlearning_rate = 1" + "0" * 400, r"training\.learning_rate: .*\.\.\.$"),
    "a value for a table": ("training = 3", r"config\.toml: training: .*got 3"),
    "a key twice": ("[audio]\nbins = 256\nbins = 256", r"config\.toml: .*line 4"),
    "too many filters": ("[generator]\nfilters = 1000000000", r"generator\.filters: .*at most|less than"),
    "too deep": ("[generator]\ndepth = 1000000000", r"generator\.depth: .*less than or equal to 16"),
    "nested too deep": ("x = " + "[" * 5000, r"config\.toml: nested too deep"),
    "a name with line ends": ('"a\\nb" = 3', r"unknown key a\\nb;"),
    "even kernel": ("[generator]\nblock_kernel = [2, 3]", r"generator\.block_kernel\.0: .*odd"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_file_and_key(write, case):
    text, message = REFUSED[case]
    folder = write("bad", f'extends = "47c97768"\n{text}\n')
    with pytest.raises(UserError, match=message) as caught:
        load_experiment(folder)
    assert str(folder / "config.toml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(write):
    root = write("root", 'title = "a"\n')
    with pytest.raises(UserError, match=r"missing key audio;"):
        load_experiment(root)


def test_a_circle_is_named(write):
    write("a", 'extends = "b"')
    with pytest.raises(UserError, match="circle: a -> b -> a"):
        load_experiment(write("b", 'extends = "a"').parent / "a")


def test_a_missing_parent_is_named(write):
    with pytest.raises(
        UserError, match=r"config\.toml: extends: no experiment 'nowhere'; there are: .*smoke"
    ):
        load_experiment(write("a", 'extends = "nowhere"'))


def test_an_unknown_experiment_lists_those_there_are():
    with pytest.raises(UserError, match=r"no experiment '47c9'; there are: 31f31449, 47c97768, "):
        load_experiment("47c9")


@pytest.mark.parametrize("parent", ["../nowhere", "x" * 5000, "a\\u0000b", "", "/", "."])
def test_a_strange_parent(write, parent):
    with pytest.raises(UserError, match=r"config\.toml: .*(extends|circle)"):
        load_experiment(write("a", f'extends = "{parent}"'))


def test_a_mark_and_windows_line_ends(write):
    folder = write("a", "")
    (folder / "config.toml").write_bytes(
        b'\xef\xbb\xbfextends = "47c97768"\r\n[audio]\r\nmax_redraws = 3\r\n'
    )
    assert load_experiment(folder).audio.max_redraws == 3


def test_not_utf8_and_a_folder_for_a_file(write):
    folder = write("a", "")
    (folder / "config.toml").write_bytes(b'title = "caf\xe9"')
    with pytest.raises(UserError, match=r"config\.toml: not UTF-8 \(byte 12\); save it as UTF-8"):
        load_experiment(folder)
    (folder / "config.toml").unlink()
    (folder / "config.toml").mkdir()
    with pytest.raises(UserError, match="no experiment"):
        load_experiment(folder)


@pytest.mark.parametrize(
    "name", ["../../outside", "/tmp/x", "..", "", "a/../b", "a//b", "a\\b", "a\0b", "a\nb", 3, None, ["a"]]
)
def test_an_id_that_leads_out_of_the_results_is_refused(tmp_path, name):
    config = json.loads(load_experiment("smoke").dumps())
    (tmp_path / "config.json").write_text(json.dumps(config | {"id": name}))
    with pytest.raises(UserError, match=r"config\.json: id: expected the plain name"):
        load_experiment(tmp_path / "config.json")


SMOKE = load_experiment("smoke")
KEYS = sorted(set(SMOKE.flatten()) - {"title"})
VALUES = st.one_of(
    *(st.integers(), st.integers(-3, 10**7), st.floats(), st.booleans(), st.text(max_size=5), st.none()),
    *(
        st.lists(st.integers(-2, 9), max_size=3),
        st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    ),
)


@settings(max_examples=100)
@given(changes=st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1, max_size=3))
def test_any_values_give_an_experiment_or_an_error_with_the_key(tmp_path_factory, changes):
    values = json.loads(SMOKE.dumps())
    for key, value in changes.items():
        table, name = key.split(".")
        values[table][name] = value
    path = tmp_path_factory.getbasetemp() / "config.json"
    path.write_text(json.dumps(values), encoding="utf-8")
    try:
        load_experiment(path)
        return
    except UserError as error:
        complaint = str(error)
    assert complaint.isprintable()
    assert re.match(rf"{path}: (missing key |unknown key )?[a-z]+\.[a-z_]+", complaint)
