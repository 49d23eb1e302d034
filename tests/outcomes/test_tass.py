"""TASS: the points of the scale 0–44; the points of its items are a check, since their ranges are not known."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

TASS = outcomes.load("tass")


def parts(*points):
    return {f"item_{n}": value for n, value in enumerate(points, start=1)}


@pytest.mark.parametrize("points", [0, 26, 44])
def test_the_score_is_the_points_of_the_scale(points):
    score = TASS.score({"points": points})
    assert score.total.value == score.subscores["trunk"].value == points


def test_the_items_are_kept_and_have_to_add_up():
    """2 + 4 + 4 + 6 + 3 + 0 + 7 = 26."""
    score = TASS.score({"points": 26, **parts(2, 4, 4, 6, 3, 0, 7)})
    assert score.total.value == 26
    assert score.items["item_4"] == 6
    with pytest.raises(BadValue, match="points must be 26, the sum of the seven items, got 27"):
        TASS.score({"points": 27, **parts(2, 4, 4, 6, 3, 0, 7)})


def test_some_items_are_no_check_and_no_score():
    assert TASS.score({"points": 30, **parts(2, 4, 4, 6, 3, 0)}).total.value == 30
    assert TASS.score(parts(2, 4, 4, 6, 3, 0, 7)).total.status == "ND"


@pytest.mark.parametrize("value", [-1, 45, 20.5, "20", True])
def test_points_outside_0_to_44_are_refused(value):
    with pytest.raises(BadValue, match="points must be one of 0, 1"):
        TASS.score({"points": value})
