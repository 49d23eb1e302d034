"""MAS: labels with 1+ between 1 and 2, each muscle by itself, a mean only where the protocol names muscles."""

from __future__ import annotations

import itertools

import pytest

from workbench import outcomes
from workbench.errors import BadValue

MAS = outcomes.load("mas")
LABELS = [0, 1, "1+", 2, 3, 4]
MUSCLE = "right_elbow_flexors"


def value(label, **options):
    return MAS.score({MUSCLE: label}, **options).subscores[MUSCLE].value


@pytest.mark.parametrize(
    ("coding", "numbers", "top"), [("ordinal", [0, 1, 2, 3, 4, 5], 5), ("half", [0, 1, 1.5, 2, 3, 4], 4)]
)
def test_the_label_is_stored_and_the_number_is_that_of_the_declared_coding(coding, numbers, top):
    for label, number in zip(LABELS, numbers):
        score = MAS.score({MUSCLE: label}, coding=coding)
        sub = score.subscores[MUSCLE]
        assert (sub.value, sub.low, sub.high) == (number, 0, top)
        assert score.items[MUSCLE] == label
        assert score.classes["labels"] == {MUSCLE: str(label)}
        assert score.options == {"coding": coding}


def test_the_numbers_keep_the_order_of_the_labels():
    for coding in ("ordinal", "half"):
        numbers = [value(label, coding=coding) for label in LABELS]
        assert all(a < b for a, b in itertools.pairwise(numbers))


def test_each_muscle_stands_alone_and_a_mean_is_not_formed_by_default():
    score = MAS.score({MUSCLE: 2})
    assert score.subscores["left_elbow_flexors"].status == "ND"
    assert (score.subscores["mean"].value, score.subscores["mean"].status) == (None, "structural")
    assert score.total is None
    assert score.warnings == ()


def test_a_mean_of_the_named_muscles_by_hand_with_a_word_on_reliability():
    named = ["right_elbow_flexors", "left_elbow_flexors", "right_knee_flexors"]
    items = {**dict(zip(named, [1, "1+", 3])), "left_knee_flexors": 4}
    ordinal = MAS.score(items, mean_of=named)
    assert ordinal.subscores["mean"].value == pytest.approx((1 + 2 + 4) / 3)
    assert (ordinal.subscores["mean"].n_items, ordinal.subscores["mean"].n_valid) == (3, 3)
    assert "kappa -0.06 to 0.32" in ordinal.warnings[0]
    half = MAS.score(items, mean_of=named, coding="half")
    assert half.subscores["mean"].value == pytest.approx((1 + 1.5 + 3) / 3)


@pytest.mark.parametrize("other", [None, "NT"])
def test_a_named_muscle_without_a_grade_makes_the_mean_not_determinable(other):
    named = [MUSCLE, "left_elbow_flexors"]
    sub = MAS.score({MUSCLE: 1, "left_elbow_flexors": other}, mean_of=named).subscores["mean"]
    assert (sub.value, sub.status, sub.n_valid) == (None, "ND", 1)


@pytest.mark.parametrize("named", [[], "right_elbow_flexors", ["elbow"], [MUSCLE, MUSCLE], 3])
def test_a_mean_over_unknown_or_doubled_muscles_is_refused(named):
    with pytest.raises(BadValue, match="mas option mean_of must be a list of different muscle codes"):
        MAS.score({MUSCLE: 1}, mean_of=named)


@pytest.mark.parametrize("label", [5, "2", 1.5, "1++", -1])
def test_only_the_six_labels_are_grades(label):
    with pytest.raises(BadValue, match="must be one of 0, 1, 1\\+, 2, 3, 4, NT"):
        MAS.score({MUSCLE: label})
