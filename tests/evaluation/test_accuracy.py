"""Counting D's answers."""

import numpy as np
import pytest

from starvox.corpus import LabelEncoder
from starvox.evaluation.accuracy import count_right, name_classes


@pytest.fixture
def encoder():
    classes = {"speaker": ["a", "b"], "birthplace": ["wales"], "sex": ["F", "M"]}
    return LabelEncoder(classes, {"speaker": 4, "birthplace": 1, "sex": 2})


def outputs(speaker, sex):
    """D's outputs where those of the named classes are these."""
    return np.array([*speaker, 9, 9, 0, *sex], np.float32)  # 9: classes without a name


def test_the_largest_named_output_is_the_answer(encoder):
    assert name_classes(outputs([1, 2], [-1, -3]), encoder) == ("b", "wales", "F")
    nameless = LabelEncoder(encoder.classes | {"birthplace": []}, encoder.sizes)
    assert name_classes(outputs([2, 1], [0, 1]), nameless) == ("a", None, "M")


def test_what_is_not_labelled_does_not_count():
    labels = [("b", "wales", "F"), ("a", None, "F")]
    assert count_right([("b", "wales", "F")] * 2, labels) == {
        "speaker": {"mean": 0.5, "commonest": 0.5, "n": 2},
        "birthplace": {"mean": 1, "commonest": 1, "n": 1},
        "sex": {"mean": 1, "commonest": 1, "n": 2},
    }


def test_of_a_conversion_only_what_changed_counts():
    sources = [("a", None, "F"), (None, "wales", "M")]
    found = count_right([("b", "wales", "M")] * 2, [("b", None, "F")] * 2, sources)
    assert found["speaker"] == {"mean": 1, "commonest": 1, "n": 1}
    assert found["birthplace"] is None
    assert found["sex"] == {"mean": 0, "commonest": 1, "n": 1}
