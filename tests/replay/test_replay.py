"""Replay: the same length out, chunks that do not show, and nothing lost but what the record leaves out."""

import io
import re
import sys

import chainer
import librosa
import numpy as np
import pytest
import soundfile
import tqdm.auto

from starvox import LabelEncoder, Replay, UserError, build_models, load_experiment
from starvox.audio import source, spectrogram
from starvox.replay import conversion
from starvox.replay.conversion import context_frames, convert
from starvox.run import snapshots

N = 66304
CLASSES = {"speaker": ["a", "b"], "birthplace": ["wales"], "sex": ["F", "M"]}


class Identity(chainer.Link):
    """A generator whose output is its input, whatever the label."""

    def forward(self, x, c):
        assert x.shape[2] % 4 == x.shape[3] % 4 == 0
        return chainer.Variable(x)


def encoder(exp):
    return LabelEncoder(CLASSES, exp.labels.model_dump())


@pytest.fixture(scope="module")
def exp():
    return load_experiment("smoke")


@pytest.fixture(scope="module")
def run(exp):
    """Random weights, and running statistics that are not those of any input."""
    gen, _ = build_models(exp)
    rng = np.random.default_rng(0)
    for link in gen.links():
        if isinstance(link, chainer.links.BatchNormalization):
            link.avg_mean[...] = rng.normal(0, 0.2, link.avg_mean.shape)
            link.avg_var[...] = rng.uniform(0.5, 2, link.avg_var.shape)
    return Replay(exp, encoder(exp), 7, gen)


@pytest.fixture(scope="module")
def identity():
    """The record's pipeline around a generator that does nothing."""
    record = load_experiment("47c97768")
    return Replay(record, encoder(record), 0, Identity())


def band_limited(wave, audio):
    """The same without DC and above 4 kHz: the record's bins of its STFT."""
    stft = {"n_fft": audio.n_fft, "hop_length": audio.hop_length, "window": np.hamming(audio.n_fft)}
    bins = librosa.stft(wave - wave.mean(), **stft)
    bins[0] = bins[257:] = 0
    return librosa.istft(bins, length=len(wave), **stft)


def correlation(a, b):
    return np.corrcoef(a, b)[0, 1]


# As long as the input, whatever its length


@pytest.mark.parametrize("n", [1, 2, 63, 64, 255, 256, 257, 319, 1023, 4288, 4289, 16000, 50001])
@pytest.mark.parametrize("phase", ["source", "griffin-lim"])
def test_as_long_as_the_input(run, speech, n, phase):
    for band in ("record", "source"):
        sound = run.convert(speech[9000 : 9000 + n], "a", phase=phase, band=band)
        assert sound.shape == (n,)
        assert sound.dtype == np.float32
        assert np.isfinite(sound).all()


def test_the_ends_are_as_good_as_the_middle(identity, speech):
    wave = speech[20000 : 20000 + N]
    error = identity.copy_synthesis(wave, phase="source", band="source") - wave
    for end in (error[:300], error[-300:]):
        assert np.abs(end).max() < 0.1 * np.abs(wave).max()


@pytest.mark.parametrize(
    "wave",
    [np.zeros(0), np.zeros((2, 9)), np.array([0, np.nan]), np.array([np.inf, 0])],
    ids=["empty", "stereo", "NaN", "infinite"],
)
def test_unusable_waveforms(run, wave):
    with pytest.raises(ValueError, match="expected finite samples of shape"):
        run.convert(wave.astype(np.float32), "a")


@pytest.mark.parametrize("option", [{"phase": "x"}, {"band": "x"}, {"statistics": "x"}])
def test_unknown_options(run, speech, option):
    with pytest.raises(ValueError, match=f"unknown {next(iter(option))} 'x'; use "):
        run.convert(speech[:4000], "a", **option)


# The pipeline alone


@pytest.mark.parametrize("phase", ["source", "griffin-lim"])
@pytest.mark.parametrize("band", ["record", "source"])
def test_a_generator_that_does_nothing_gives_the_copy(identity, speech, phase, band):
    wave = speech[: N // 2]
    sound = identity.convert(wave, "a", sex="M", phase=phase, band=band)
    np.testing.assert_array_equal(sound, identity.copy_synthesis(wave, phase=phase, band=band))


@pytest.mark.parametrize("scale", [(1, 0), (0.01, 0), (-3, 0.5)])
def test_copy_with_the_phase_of_the_source_is_the_band_limited_input(identity, speech, audio, scale):
    wave = speech * np.float32(scale[0]) + np.float32(scale[1])
    copy = identity.copy_synthesis(wave, phase="source")
    reference = band_limited(wave, audio)
    assert correlation(copy, reference) > 0.95
    assert copy.std() == pytest.approx(reference.std(), rel=0.05)
    assert abs(copy.mean()) < 1e-3 * copy.std()


def test_the_record_band_is_empty_above_4_khz(identity, speech, audio):
    for phase in ("source", "griffin-lim"):
        power = np.abs(np.fft.rfft(identity.copy_synthesis(speech[:N], phase=phase))) ** 2
        above = np.fft.rfftfreq(N, 1 / 16000) > 4050
        assert power[above].sum() < 1e-3 * power.sum()


def test_the_source_band_gives_nearly_the_input(identity, speech):
    copy = identity.copy_synthesis(speech, phase="source", band="source")
    assert correlation(copy, speech) > 0.98
    assert abs(copy.mean() - speech.mean()) < 0.02 * speech.std()


def test_with_all_bins_and_no_floor_it_is_the_input(speech, exp):
    table = exp.audio.model_copy(update={"first_bin": 0, "bins": 129, "floor": 1e-12})
    for wave in (speech[:N], speech[:300] * 5 + 2):
        made = source.Source(wave, table, 4)
        np.testing.assert_allclose(made.sound(made.spectrogram, "source"), wave - wave.mean(), atol=1e-3)


def test_silence_stays_silent(identity):
    for wave in (np.zeros(5000, np.float32), np.full(5000, 0.25, np.float32)):
        for phase in ("source", "griffin-lim"):
            np.testing.assert_allclose(identity.copy_synthesis(wave, phase=phase), 0, atol=1e-6)
        np.testing.assert_allclose(identity.copy_synthesis(wave, band="source"), wave, atol=1e-6)


# In pieces


SHAPES = [
    {},
    {"depth": 1, "block_convolutions": 1},
    {"depth": 3, "blocks": 2, "merge_kernel": (3, 5), "block_kernel": (3, 5)},
    {"blocks": 3, "merge_kernel": (1, 1), "block_kernel": (1, 7)},
]


@pytest.mark.parametrize("shape", SHAPES)
def test_pieces_give_what_one_pass_gives(run, exp, shape, monkeypatch):
    table = exp.generator.model_copy(update=shape)
    gen, _ = build_models(exp.model_copy(update={"generator": table}))
    s = np.random.default_rng(0).random((16, 400), np.float32)
    whole = convert(gen, s, run.encoder.input("a"), 400)
    monkeypatch.setattr(conversion, "_BLOCK", 1)
    pieces = convert(gen, s, run.encoder.input("a"), context_frames(table))
    np.testing.assert_allclose(pieces, whole, rtol=0, atol=1e-6)


def test_the_context_of_the_record():
    assert context_frames(load_experiment("47c97768").generator) == 44


def test_the_frames_within_the_waveform_are_those_of_the_record(identity, speech, audio):
    wave = speech[:N]
    made = identity.source(wave)
    np.testing.assert_allclose(made.inner(made.spectrogram), spectrogram(wave, audio), atol=1e-6)
    made = identity.source(wave[:700])
    assert made.inner(made.spectrogram).shape == (256, 1)


def test_sound_in_pieces_is_that_of_one(run, speech, monkeypatch):
    s = run.generate(run.source(speech).spectrogram, "a")
    for band in ("record", "source"):
        whole = run.source(speech).sound(s, "source", band)
        monkeypatch.setattr(source, "_BLOCK", 500)
        pieces = run.source(speech)
        monkeypatch.undo()
        np.testing.assert_array_equal(pieces.spectrogram, run.source(speech).spectrogram)
        for size in (8, 500):
            monkeypatch.setattr(source, "_BLOCK", size)
            np.testing.assert_allclose(pieces.sound(s, "source", band), whole, atol=1e-5)
            monkeypatch.undo()


def test_griffin_lim_in_pieces_does_not_click(identity, speech, monkeypatch):
    wave = speech[: 80 * 1024]
    whole = identity.copy_synthesis(wave, phase="griffin-lim")
    monkeypatch.setattr(source, "_BLOCK", 100)
    pieces = identity.copy_synthesis(wave, phase="griffin-lim")
    joints = np.arange(100, 300, 100) * 256 - 768
    steps = max(np.abs(np.diff(pieces[joint - 800 : joint + 800])).max() for joint in joints)
    assert steps <= 1.2 * np.abs(np.diff(whole)).max()
    assert pieces.std() == pytest.approx(whole.std(), rel=0.05)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_shows_how_far_a_long_input_is(run, speech, monkeypatch):
    assert source.tqdm is conversion.tqdm is tqdm.auto.tqdm  # in a notebook too
    monkeypatch.setattr(sys, "stderr", shown := Terminal())
    run.convert(speech[:16000], "a", phase="source")
    assert shown.getvalue() == ""
    monkeypatch.setattr(source, "_BLOCK", 100)
    run.convert(np.resize(speech, 9 * 16000), "a", phase="source")
    assert re.search(r"\rconversion: .*\rsound: ", shown.getvalue())


# The generator


def test_labels_reach_the_generator(run, speech):
    s = run.source(speech[:8000]).spectrogram
    labels = [(), ("a",), ("b",), ("a", "wales"), ("a", None, "F"), (None, None, "F")]
    outputs = [run.generate(s, *names) for names in labels]
    for number, output in enumerate(outputs):
        assert all(np.abs(output - other).max() > 1e-3 for other in outputs[:number])


def test_statistics_of_the_clip_are_those_of_training_and_leave_the_generator_alone(run, speech):
    s = run.source(speech[:20000]).spectrogram
    gen, c = run.gen.copy(mode="copy"), run.encoder.input("a")
    with chainer.using_config("train", True), chainer.no_backprop_mode():
        expected = gen(s[None, None], c[None]).array[0, 0]
    before = run.generate(s, "a")
    np.testing.assert_allclose(run.generate(s, "a", statistics="clip"), expected, atol=1e-6)
    np.testing.assert_array_equal(run.generate(s, "a"), before)
    assert np.abs(expected - before).max() > 1e-2


# From files


@pytest.fixture
def folder(run, tmp_path):
    (tmp_path / "config.json").write_text(run.exp.dumps(), encoding="utf-8")
    (tmp_path / "labels.json").write_text(run.encoder.dumps(), encoding="utf-8")
    snapshots.save(str(tmp_path / "gen_iter_7.npz"), run.gen)
    return tmp_path


def test_a_run_is_loaded_as_it_was(run, folder, speech):
    snapshots.save(str(folder / "gen_iter_3.npz"), build_models(run.exp, seed=1)[0])
    loaded = Replay.load(str(folder))
    assert loaded.iteration == 7
    wave = speech[:8000]
    np.testing.assert_array_equal(loaded.convert(wave, "b"), run.convert(wave, "b"))
    other = Replay.load(folder, iteration=3)
    assert other.iteration == 3
    assert np.abs(other.convert(wave, "b") - run.convert(wave, "b")).max() > 1e-4


def test_a_run_in_a_notebook(run, speech, monkeypatch):
    assert repr(run) == "<Replay of smoke, iteration 7, 2 speakers, on @numpy>"
    assert repr(run.exp) == f"<Experiment smoke: {run.exp.title}>"
    assert (run.speakers, run.birthplaces, run.sexes) == (["a", "b"], ["wales"], ["F", "M"])
    player = run.audio(speech[:8000])
    sound, rate = soundfile.read(io.BytesIO(player.data))
    assert rate == 16000
    np.testing.assert_allclose(sound, speech[:8000], atol=1e-4)
    monkeypatch.setitem(sys.modules, "IPython.display", None)
    with pytest.raises(UserError, match="IPython is not installed"):
        run.audio(speech[:8000])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("key", ["downsamp1/conv/W", "merge/norm/avg_var"])
def test_weights_that_are_not_finite(folder, key, value):
    with np.load(folder / "gen_iter_7.npz") as arrays:
        arrays = dict(arrays)
    arrays[key].flat[0] = value
    np.savez(folder / "gen_iter_9.npz", **arrays)
    with pytest.raises(UserError, match=f"gen_iter_9.npz: {key} holds NaN or infinite values; use another"):
        Replay.load(folder)


@pytest.mark.gpu
def test_on_a_gpu(cupy, folder, run, speech):
    on_gpu = Replay.load(folder, device="cuda:0")
    for statistics in ("running", "clip"):
        made = run.source(speech[:40000])
        np.testing.assert_allclose(
            on_gpu.generate(made.spectrogram, "a", statistics=statistics),
            run.generate(made.spectrogram, "a", statistics=statistics),
            atol=1e-4,
        )
