import numpy as np
import pytest

from starvox.corpus import Clip, LabelEncoder
from starvox.errors import UserError

RECORD = {"speaker": 1421, "birthplace": 53, "sex": 2}
CLASSES = {"speaker": ["p225", "p226", "声"], "birthplace": ["England", "Japan"], "sex": ["F", "M"]}


@pytest.fixture
def encoder():
    return LabelEncoder(CLASSES, RECORD)


def test_sizes_of_the_record(encoder):
    assert encoder.input_size == 1421 + 53 + 2 + 3 == 1479
    assert encoder.target_size == 1421 + 53 + 2 == 1476


def test_fully_labelled(encoder):
    c = encoder.input(speaker="p226", birthplace="England", sex="M")
    assert c.shape == (1479,)
    assert c.dtype == np.float32
    assert np.flatnonzero(c).tolist() == [1, 1421, 1421 + 53 + 1, 1476, 1477, 1478]
    assert set(c) == {0, 1}
    t = encoder.target(speaker="p226", birthplace="England", sex="M")
    assert t.shape == (1476,)
    assert t.dtype == np.int32
    np.testing.assert_array_equal(t, c[:1476])


def test_unlabelled_groups(encoder):
    c = encoder.input(birthplace="Japan")
    assert np.flatnonzero(c).tolist() == [1422, 1477]
    t = encoder.target(birthplace="Japan")
    assert (t[:1421] == -1).all()
    assert np.flatnonzero(t[1421:1474]).tolist() == [1]
    assert t[1422] == 1
    assert (t[1474:] == -1).all()


def test_nothing_labelled(encoder):
    assert not encoder.input().any()
    assert (encoder.target() == -1).all()


def test_from_clips_sorts():
    rows = [("b", "Y", "M"), ("a", None, "F"), (None, "X", None), ("b", "Y", "M")]
    encoder = LabelEncoder.from_clips((Clip(None, *row) for row in rows), RECORD)
    assert encoder.classes == {"speaker": ["a", "b"], "birthplace": ["X", "Y"], "sex": ["F", "M"]}


def test_more_classes_than_the_networks_hold():
    clips = [Clip(None, None, None, sex) for sex in ("F", "M", "X")]
    with pytest.raises(
        UserError, match=r"3 classes of sex \(F, M, X\), the networks hold 2; .*set labels\.sex = 3"
    ):
        LabelEncoder.from_clips(clips, RECORD)
    assert LabelEncoder.from_clips(clips, RECORD | {"sex": 3}).input(sex="X")[1421 + 53 + 2] == 1


@pytest.mark.parametrize("method", ["input", "target"])
def test_unknown_name(encoder, method):
    with pytest.raises(UserError, match=r"^no speaker 'p255'; the nearest: p225"):
        getattr(encoder, method)(speaker="p255")
    with pytest.raises(UserError, match=r"^no birthplace 'Mars'; known: England, Japan$"):
        getattr(encoder, method)(birthplace="Mars")


def test_json_round_trip(encoder):
    text = encoder.dumps()
    assert "声" in text
    assert LabelEncoder.loads(text, RECORD) == encoder


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"speaker": []}', '{"speaker": 1, "birthplace": [], "sex": []}']
)
def test_other_json(text):
    with pytest.raises(UserError, match=r"^labels\.json: expected"):
        LabelEncoder.loads(text, RECORD)


@pytest.mark.parametrize("kept", ["Ren\u00e9", "Rene\u0301"])
@pytest.mark.parametrize("asked", ["Ren\u00e9", "Rene\u0301"])
def test_a_name_is_found_in_either_writing_of_unicode(kept, asked):
    encoder = LabelEncoder({"speaker": ["a", kept], "birthplace": [], "sex": []}, RECORD)
    assert encoder.input(speaker=asked).argmax() == 1
