"""TRI-HFT: ten objects and nine blocks 0–7 make the published 133 points of a hand."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

TRI = outcomes.load("tri_hft")
CODES = [item.code for item in TRI.definition.items]


def test_ten_objects_and_nine_blocks_make_133_of_a_hand():
    ranges = {s.code: (len(s.items), s.high) for s in TRI.definition.subscales if s.code.startswith("right")}
    assert ranges == {"right": (19, 133), "right_objects": (10, 70), "right_blocks": (9, 63)}
    assert TRI.score(dict.fromkeys(CODES, 7)).subscores["left"].value == 133


def test_object_scores_of_0_to_2_could_not_reach_133():
    assert 19 * 2 < 133 == 19 * 7
    assert {max(item.allowed) for item in TRI.definition.items} == {7}


def test_a_worked_example():
    """Left: objects 10 × 3 = 30, blocks 4 + 8 × 1 = 12, together 42."""
    items = {code: 3 if "object" in code else 1 for code in CODES if code.startswith("left")}
    score = TRI.score({**items, "left_block_100_1": 4})
    assert (score.subscores["left_objects"].value, score.subscores["left_blocks"].value) == (30, 12)
    assert score.subscores["left"].value == 42
    assert score.subscores["right"].status == "ND"
    assert score.total is None


def test_a_missing_block_leaves_the_objects():
    score = TRI.score({**dict.fromkeys(CODES, 2), "right_block_300_3": None})
    assert score.subscores["right_objects"].value == 20
    assert score.subscores["right_blocks"].status == score.subscores["right"].status == "ND"


def test_forces_are_kept_and_enter_no_score():
    score = TRI.score({**dict.fromkeys(CODES, 2), "right_cylinder": 1.4, "left_card_force": 0})
    assert score.items["right_cylinder"] == 1.4
    assert score.subscores["right"].value == 38
    with pytest.raises(BadValue, match="left_card_force must be 0 to 200 N"):
        TRI.score({"left_card_force": -1})


@pytest.mark.parametrize("value", [8, -1, 2.5, "7", True])
def test_a_score_outside_0_to_7_is_refused(value):
    with pytest.raises(BadValue, match="left_object_mug must be one of 0, 1"):
        TRI.score({"left_object_mug": value})
