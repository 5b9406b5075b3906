"""Which labels are tried on a clip."""

import numpy as np
import pytest

from starvox.corpus import GROUPS
from starvox.evaluation.label_plan import plan_labels

CLASSES = {"speaker": ["a", "b", "c"], "birthplace": ["scotland", "wales"], "sex": ["F", "M"]}
VOICES = [("a", "scotland", "F"), ("b", "wales", "M"), ("c", None, "F"), (None, "scotland", None)]


def plans(own, voices, classes=CLASSES):
    return [plan_labels(own, voices, classes, np.random.default_rng(seed)) for seed in range(20)]


@pytest.mark.parametrize("own", [VOICES[0], (None, None, None)])
def test_targets_are_two_other_voices_of_the_clips(own):
    for plan in plans(own, VOICES):
        assert set(plan.targets) <= set(VOICES) - {own}
        assert plan.targets[0] != plan.targets[1]
        assert plan.pairs["voice"] == plan.targets


def test_a_pair_differs_in_its_group_alone():
    for plan in plans(VOICES[0], VOICES):
        for place, group in enumerate(GROUPS):
            first, second = plan.pairs[group]
            assert [a != b for a, b in zip(first, second, strict=True)] == [n == place for n in range(3)]
            assert {first[place], second[place]} <= set(CLASSES[group])


def test_everything_is_tried_once():
    plan = plans(VOICES[0], VOICES)[0]
    tried = plan.labels()
    assert len(tried) == len(set(tried))
    assert {plan.own, *plan.targets, *sum(plan.pairs.values(), ())} == set(tried)


@pytest.mark.parametrize("voices", [[], [VOICES[0]], VOICES[:2]])
def test_for_want_of_voices_names_are_drawn(voices):
    for plan in plans(VOICES[0], voices):
        for target in plan.targets:
            assert all(name in CLASSES[group] for group, name in zip(GROUPS, target, strict=True))


def test_what_cannot_differ_is_left_out():
    only = {"speaker": ["a"], "birthplace": [], "sex": ["F"]}
    (plan, *_) = plans((None, None, None), [], only)
    assert plan.pairs == {}
    assert plan.targets == (("a", None, "F"),) * 2
