"""MRC grades: twelve groups, sum 0–60; half grades are a version of their own; NT is not 0."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

MRC = outcomes.load("mrc")
CODES = [item.code for item in MRC.definition.items]


@pytest.mark.parametrize(("grade", "total"), [(0, 0), (3, 36), (4, 48), (5, 60)])
def test_twelve_groups_of_the_same_grade(grade, total):
    assert len(CODES) == 12
    score = MRC.score(dict.fromkeys(CODES, grade))
    assert score.total.value == total
    assert score.subscores["right"].value == score.subscores["left"].value == total / 2


def test_a_worked_example():
    """Right 5+5+4+1+0+0 = 15, left 4+4+3+2+1+0 = 14, sum 29."""
    score = MRC.score(dict(zip(CODES, [5, 5, 4, 1, 0, 0, 4, 4, 3, 2, 1, 0])))
    assert (score.subscores["right"].value, score.subscores["left"].value, score.total.value) == (15, 14, 29)


def test_an_untestable_group_is_not_a_zero():
    score = MRC.score({**dict.fromkeys(CODES, 5), "left_hip_flexion": "NT"})
    assert score.subscores["left"].status == score.total.status == "ND"
    assert score.subscores["right"].value == 30


def test_half_grades_only_where_the_protocol_says_so():
    items = {**dict.fromkeys(CODES, 4), "right_elbow_flexion": 3.5}
    with pytest.raises(BadValue, match="right_elbow_flexion must be one of 0, 1, 2, 3, 4, 5, NT, got 3.5"):
        MRC.score(items)
    score = MRC.score(items, version="half grades")
    assert (score.total.value, score.version) == (47.5, "half grades")


@pytest.mark.parametrize("value", [5.5, -0.5, 3.25, 3.0, "3.5", True, float("nan")])
def test_a_half_grade_is_one_of_the_list(value):
    with pytest.raises(BadValue, match="left_wrist_extension must be one of 0, 0.5, 1, 1.5"):
        MRC.score({"left_wrist_extension": value}, version="half grades")
