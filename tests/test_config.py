"""Experiments: what the record says, what children change, and what is refused."""

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
    "audio.spectrum": "magnitude",
    "audio.first_bin": 1,
    "audio.bins": 256,
    "audio.frames": 256,
    "audio.floor": 1e-3,
    "labels.speaker": 1421,
    "labels.birthplace": 53,
    "labels.sex": 2,
    "generator.filters": 32,
    "generator.depth": 2,
    "generator.blocks": 3,
    "generator.normalization": "batch",
    "discriminator.filters": 32,
    "discriminator.layers": 6,
    "discriminator.slope": 0.01,
    "discriminator.class_kernel": 4,
    "discriminator.class_pad": 0,
    "loss.classify": "x_fake",
    "loss.penalty": "x_orig",
    "loss.classification_reduction": "mean",
    "loss.gradient_penalty_weight": 10,
    "loss.reconstruction_weight": 10,
    "loss.identity_weight": 10,
    "loss.feature_matching_weight": 10,
    "training.optimizer": "rmsprop",
    "training.learning_rate": 1e-5,
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
        folder.mkdir(exist_ok=True)
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


def test_it_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_experiment("smoke").audio.bins = 3


def test_arrays_are_replaced(write):
    folder = write("wide", 'extends = "47c97768"\n[generator]\nmerge_kernel = [3, 5]\n')
    exp = load_experiment(folder)
    assert exp.generator.merge_kernel == (3, 5)
    assert exp.generator.block_kernel == (3, 3)
    assert exp.id == "wide"


def test_config_json_reads_back(tmp_path):
    exp = load_experiment("47c97768-paper")
    (tmp_path / "config.json").write_text(exp.dumps(), encoding="utf-8")
    again = load_experiment(tmp_path)
    assert again.flatten() == exp.flatten()
    assert again.id == exp.id
    assert again.dumps() == exp.dumps()


REFUSED = {
    "unknown key": ("[audio]\nbin = 3", r"unknown key audio\.bin; did you mean bins\?"),
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
    "wrong element": ("[generator]\nmerge_kernel = [3, 2.5]", r"generator\.merge_kernel\.1: "),
    "a table for a value": ("[audio.bins]\nx = 3", r"audio\.bins: "),
    "out of range": ("[training]\nbatchsize = 0", r"training\.batchsize: input should be greater than 0"),
    "not TOML": ("[audio", r"config\.toml: .*line 2"),
    "no fit of samples": ("[audio]\ncrop_samples = 66305", r"audio\.crop_samples: .*need 66304 samples"),
    "too many bins": ("[audio]\nbins = 1024", r"audio\.bins: "),
    "no fit of depth": ("[generator]\ndepth = 9", r"audio\.bins: 256 is not a multiple of .* 512"),
    "no fit of layers": ("[discriminator]\nlayers = 5", r"discriminator\.class_kernel: 5 halvings .* 8 x 8"),
    "even kernel": ("[generator]\nblock_kernel = [2, 3]", r"generator\.block_kernel: .*odd"),
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
    with pytest.raises(UserError, match=r"no experiment '47c9'; there are: 47c97768, "):
        load_experiment("47c9")


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=80))
def test_any_bytes_give_an_error_of_one_line(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("bytes") / "config.toml"
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        load_experiment(path)
    assert "\n" not in str(caught.value)
