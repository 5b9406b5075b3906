import numpy as np
import pytest
import soundfile

from starvox.audio import is_silent, normalize, spectrogram
from starvox.corpus import Corpus, CropDataset, LabelEncoder
from starvox.errors import UserError

SIZES = {"speaker": 32, "birthplace": 16, "sex": 2}
CROP = 4288


@pytest.fixture
def open_dataset(make, tmp_path, small):
    def open_dataset(files, audio=small):
        corpus = Corpus.open(make(files), audio, tmp_path / "store", progress=False)
        return CropDataset(corpus, LabelEncoder.from_clips(corpus.clips, SIZES))

    return open_dataset


def test_example(open_dataset, speech):
    dataset = open_dataset({"a.wav": speech, "b.wav": speech[:9000]})
    assert len(dataset) == 2
    crop, c, t = dataset.draw(1, np.random.default_rng(0))
    assert (crop.shape, crop.dtype) == ((CROP,), np.float32)
    assert np.abs(crop).max() <= 1
    assert (c.shape, c.dtype) == ((32 + 16 + 2 + 3,), np.float32)
    assert np.flatnonzero(c).tolist() == [1, 50]
    assert (t.shape, t.dtype) == ((50,), np.int32)
    assert np.flatnonzero(t == 1).tolist() == [1]
    assert (t[32:] == -1).all()


def test_crop_is_the_clip(open_dataset, speech):
    expected = speech[8000 : 8000 + CROP]
    dataset = open_dataset({"a.wav": expected})
    crop = dataset.draw(0, np.random.default_rng(0)).crop
    np.testing.assert_allclose(crop, expected, atol=2**-15)  # the file has 16 bits


def test_a_quiet_crop_of_a_loud_clip_has_the_spectrogram_of_the_float_pipeline(make, tmp_path, small, speech):
    wave = np.concatenate([1e-5 * speech[8000 : 8000 + CROP], [1.0]])
    path = make({"a.wav": wave})  # then its samples in float
    soundfile.write(path.parent / "a.wav", wave, 16000, subtype="FLOAT")
    corpus = Corpus.open(path, small, tmp_path / "store", progress=False)
    quiet = corpus.wave(0).read(0, CROP)
    found, expected = (spectrogram(x, small) for x in (quiet, wave[:CROP]))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_draw_is_a_function_of_the_generator(open_dataset, speech):
    dataset = open_dataset({"a.wav": speech})
    draws = [dataset.draw(0, np.random.default_rng(seed)).crop for seed in (1, 2, 1)]
    np.testing.assert_array_equal(draws[0], draws[2])
    assert (draws[0] != draws[1]).any()


def test_crops_start_anywhere(open_dataset):
    # 5 possible starts; a ramp in noise tells which one it was.
    wave = np.concatenate([[0.9], np.random.default_rng(0).normal(0, 0.1, CROP + 3)]).clip(-0.8, 0.9)
    dataset = open_dataset({"a.wav": wave})
    whole = dataset._corpus.wave(0).read()
    starts = []
    for seed in range(400):
        crop = dataset.draw(0, np.random.default_rng(seed)).crop
        starts += [start for start in range(5) if np.array_equal(whole[start : start + CROP], crop)]
    counts = np.bincount(starts, minlength=5)
    assert counts.sum() == 400
    assert counts.min() > 50  # 80 expected


@pytest.mark.parametrize("max_redraws", [0, 16])
def test_silent_crops_are_never_drawn(open_dataset, small, speech, max_redraws):
    silence = np.zeros(40_000)
    silence[::3000] = 0.9  # a click in every crop
    dataset = open_dataset(
        {"a.wav": np.concatenate([silence, speech[8000:20000]])},
        small.model_copy(update={"max_redraws": max_redraws}),
    )
    for seed in range(50):
        crop = dataset.draw(0, np.random.default_rng(seed)).crop
        assert not is_silent(normalize(crop, small), small)
        assert np.count_nonzero(np.diff(crop)) > 10  # two clicks alone have 4


def test_redraws_are_bounded(open_dataset, small):
    # Usable at the first 192 starts of 60 000: the redraws miss them, the look-up finds one.
    wave = np.zeros(64 * 1000)
    wave[: 64 * 3] = np.random.default_rng(0).normal(0, 0.2, 64 * 3).clip(-0.5, 0.5)
    wave[64 * 67 :: 500] = 0.9
    dataset = open_dataset({"a.wav": wave})

    rng, twin = np.random.default_rng(0), np.random.default_rng(0)
    crop = dataset.draw(0, rng).crop
    for _ in range(1 + small.max_redraws):
        twin.integers(len(wave) - CROP + 1)
    start = twin.choice([0, 64, 128])
    assert rng.bit_generator.state == twin.bit_generator.state
    np.testing.assert_allclose(crop, wave[start : start + CROP], atol=2**-15)


def test_dropped_labels(make, tmp_path, small, speech):
    """Of three known groups: both tries of probability 1/2 fail in 1/4, one in 1/2, and both drop in 1/4."""
    manifest = make({"a.wav": speech})
    manifest.write_text("path,speaker,birthplace,sex\na.wav,x,y,z\n")
    corpus = Corpus.open(manifest, small, tmp_path / "store", progress=False)
    encoder = LabelEncoder.from_clips(corpus.clips, SIZES)
    draws = [CropDataset(corpus, encoder, 0.5).draw(0, np.random.default_rng(seed)) for seed in range(400)]
    known = np.array([draw.c[-3:] for draw in draws])
    np.testing.assert_allclose(
        np.bincount(known.sum(1).astype(int))[1:] / 400, [1 / 4, 1 / 2, 1 / 4], atol=0.07
    )
    np.testing.assert_allclose(known.mean(0), 2 / 3, atol=0.07)  # each group alike
    for draw, flags in zip(draws, known, strict=True):
        assert (draw.t[[0, 32, 48]] == np.where(flags, 1, -1)).all()
        assert (draw.c[[0, 32, 48]] == flags).all()
    plain = CropDataset(corpus, encoder).draw(0, np.random.default_rng(7))
    np.testing.assert_array_equal(plain.crop, draws[7].crop)  # the crops are those of a run without
    assert plain.c[-3:].tolist() == [1, 1, 1]


def test_unknown_label_is_told_at_once(make, tmp_path, small, speech):
    corpus = Corpus.open(make({"a.wav": speech}), small, tmp_path / "store", progress=False)
    with pytest.raises(UserError, match="no speaker 'a'"):
        CropDataset(corpus, LabelEncoder({"speaker": ["b"], "birthplace": [], "sex": []}, SIZES))


def test_a_damaged_stored_clip_is_never_drawn_from(open_dataset, tmp_path, speech):
    dataset = open_dataset({"a.wav": speech[:CROP], "b.wav": speech[9000 : 9000 + 2 * CROP]})
    file = next((tmp_path / "store").rglob(f"{dataset._corpus.keys[0]}.npy"))
    content = bytearray(file.read_bytes())
    content[128 + CROP] ^= 1
    file.write_bytes(content)
    with pytest.raises(UserError, match=rf"{file.name}: .*; .*at the next start"):
        dataset.draw(0, np.random.default_rng(0))
    assert dataset.draw(1, np.random.default_rng(0)).crop.size == CROP
