"""WISCI II: two ordinal variables of levels 0–20."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

WISCI = outcomes.load("wisci2")


@pytest.mark.parametrize("level", range(21))
def test_the_score_is_the_level(level):
    score = WISCI.score({"self_selected": level, "maximum": 20})
    assert (score.subscores["self_selected"].value, score.subscores["maximum"].value) == (level, 20)
    assert score.total is None
    assert score.warnings == ()


def test_unable_to_walk_is_level_0_and_not_assessed_is_none():
    score = WISCI.score({"self_selected": 0})
    assert (score.subscores["self_selected"].value, score.subscores["self_selected"].status) == (0, "ok")
    assert (score.subscores["maximum"].value, score.subscores["maximum"].status) == (None, "ND")


def test_a_maximum_below_the_self_selected_level_is_reported():
    score = WISCI.score({"self_selected": 13, "maximum": 12})
    assert score.warnings == ("the maximum level 12 lies below the self-selected level 13: check both",)


@pytest.mark.parametrize("value", [-1, 21, 12.5, "12", True, "unable"])
def test_a_level_is_an_integer_from_0_to_20(value):
    with pytest.raises(BadValue, match="maximum must be one of 0, 1"):
        WISCI.score({"maximum": value})
