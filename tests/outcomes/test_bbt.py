"""Box and Block Test: a count of each hand; an impossible attempt is 0 with its reason."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

BBT = outcomes.load("bbt")


@pytest.mark.parametrize("count", [0, 1, 37, 150])
def test_the_score_is_the_count(count):
    score = BBT.score({"right": count, "left": 12})
    assert (score.subscores["right"].value, score.subscores["left"].value) == (count, 12)
    assert score.total is None


def test_an_impossible_attempt_is_0_and_keeps_its_reason():
    score = BBT.score({"right": "unable", "right_reason": "no grasp", "left": 3})
    right = score.subscores["right"]
    assert (right.value, right.status, right.n_valid) == (0, "ok", 1)
    assert (score.items["right"], score.items["right_reason"]) == ("unable", "no grasp")


def test_an_impossible_attempt_without_a_reason_is_refused():
    with pytest.raises(BadValue, match="right is 'unable', which counts as 0 and needs its reason"):
        BBT.score({"right": "unable", "left_reason": "pain"})


def test_a_hand_that_was_not_tested_is_not_0():
    score = BBT.score({"left": 40})
    assert (score.subscores["right"].value, score.subscores["right"].status) == (None, "ND")


@pytest.mark.parametrize("value", [-1, 151, 12.5, "12", True, "NT", float("nan")])
def test_a_count_is_an_integer_from_0_to_150(value):
    with pytest.raises(BadValue, match="bbt item left must be one of 0, 1"):
        BBT.score({"left": value})


def test_a_reason_is_one_of_the_list():
    with pytest.raises(BadValue, match="right_reason must be one of no reach, no grasp"):
        BBT.score({"right": "unable", "right_reason": "tired"})
