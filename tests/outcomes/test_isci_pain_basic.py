"""Pain basic data set: interference is the mean of three answers; pains that do not exist are structural."""

from __future__ import annotations

import itertools

import pytest

from workbench import outcomes
from workbench.errors import BadValue

PAIN = outcomes.load("isci_pain_basic")
INTERFERENCE = ("interference_activity", "interference_mood", "interference_sleep")


def answers(*values):
    return dict(zip(INTERFERENCE, values))


def statuses(score):
    return {code: sub.status for code, sub in score.subscores.items()}


@pytest.mark.parametrize(
    ("values", "mean"), [((0, 0, 0), 0), ((10, 10, 10), 10), ((2, 5, 8), 5), ((1, 0, 0), 1 / 3)]
)
def test_interference_is_the_mean_of_three(values, mean):
    score = PAIN.score(answers(*values))
    assert score.subscores["interference"].value == pytest.approx(mean)
    assert score.total is None


@pytest.mark.parametrize("gone", INTERFERENCE)
def test_interference_needs_all_three(gone):
    items = answers(3, 4, 5)
    del items[gone]
    sub = PAIN.score(items).subscores["interference"]
    assert (sub.value, sub.status, sub.n_valid) == (None, "ND", 2)


def test_a_higher_answer_raises_the_mean_by_a_third():
    for at, value in itertools.product(range(3), range(10)):
        before, after = [4, 4, 4], [4, 4, 4]
        before[at], after[at] = value, value + 1
        change = (
            PAIN.score(answers(*after)).subscores["interference"].value
            - PAIN.score(answers(*before)).subscores["interference"].value
        )
        assert change == pytest.approx(1 / 3)


def test_intensities_stand_by_themselves():
    score = PAIN.score({"pains": 2, "intensity_1": 7, "intensity_2": 3, **answers(1, 1, 1)})
    rules = ["mean of three answers", "as answered", "as answered", "never asked: 2 pains"]
    assert [sub.rule for sub in score.subscores.values()] == rules
    assert [score.subscores[f"intensity_{n}"].value for n in (1, 2, 3)] == [7, 3, None]
    assert statuses(score) == {
        "interference": "ok",
        "intensity_1": "ok",
        "intensity_2": "ok",
        "intensity_3": "structural",
    }


def test_without_pain_everything_is_missing_by_structure():
    score = PAIN.score({"pains": 0})
    assert set(statuses(score).values()) == {"structural"}
    assert score.warnings == ()


def test_an_intensity_that_was_not_answered_is_not_determinable():
    assert statuses(PAIN.score({"pains": 1}))["intensity_1"] == "ND"
    assert statuses(PAIN.score({"pains": 5}))["intensity_3"] == "ND"
    assert set(statuses(PAIN.score({})).values()) == {"ND"}


def test_a_value_beside_a_pain_that_does_not_exist_is_invalid_and_reported():
    score = PAIN.score({"pains": 1, "intensity_1": 4, "intensity_2": 6})
    assert (score.subscores["intensity_2"].value, score.subscores["intensity_2"].status) == (None, "invalid")
    assert score.warnings == ("Intensity, pain 2 was entered beside 1 pains: correct one of them",)


def test_site_type_and_onset_are_recorded_and_enter_no_score():
    items = {"type_1": "neuropathic_below_level", "site_1_legs_feet": "both", "onset_1": 400}
    score = PAIN.score({**answers(3, 3, 3), **items})
    assert {code: score.items[code] for code in items} == items
    assert score.subscores["interference"].value == 3


@pytest.mark.parametrize(
    ("code", "value"),
    [("intensity_1", 11), ("interference_mood", -1), ("type_1", "nerve"), ("site_2_back", "yes"), ("pains", 6)],
)
def test_a_value_outside_the_list_is_refused(code, value):
    with pytest.raises(BadValue, match=f"isci_pain_basic item {code} must be one of"):
        PAIN.score({code: value})
