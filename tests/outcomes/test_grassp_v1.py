"""GRASSP version 1: five subtests a side, sums of both sides, no grand total, NT is not 0."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

GRASSP = outcomes.load("grassp_v1")
CODES = [item.code for item in GRASSP.definition.items]
RANGES = {s.code: (len(s.items), s.low, s.high) for s in GRASSP.definition.subscales}


def every(value, side=""):
    return {code: value for code in CODES if code.startswith(side)}


def test_five_subtests_a_side_of_50_12_12_12_and_30():
    for side in ("right", "left"):
        assert RANGES[f"{side}_strength"] == (10, 0, 50)
        assert RANGES[f"{side}_dorsal"] == (3, 0, 12)
        assert RANGES[f"{side}_palmar"] == (3, 0, 12)
        assert RANGES[f"{side}_ability"] == (3, 0, 12)
        assert RANGES[f"{side}_performance"] == (6, 0, 30)
    assert RANGES["both_strength"] == (20, 0, 100)
    assert RANGES["both_performance"] == (12, 0, 60)
    assert len(CODES) == 50


def test_there_is_no_grand_total():
    assert GRASSP.definition.low is None
    assert GRASSP.score(every(3)).total is None
    assert set(RANGES) == {
        f"{side}_{part}"
        for side in ("right", "left", "both")
        for part in ("strength", "dorsal", "palmar", "ability", "performance")
    }


def test_a_worked_example_of_one_hand():
    """C6 hand: strength 5+5+2+4+1+0+0+0+0+0 = 17, dorsal 4+2+1 = 7, palmar 4+3+0 = 7, ability 1+2+1 = 4."""
    strength = dict(zip([c for c in CODES if c.startswith("right_strength")], [5, 5, 2, 4, 1, 0, 0, 0, 0, 0]))
    items = {
        **strength,
        **{"right_dorsal_C6": 4, "right_dorsal_C7": 2, "right_dorsal_C8": 1},
        **{"right_palmar_C6": 4, "right_palmar_C7": 3, "right_palmar_C8": 0},
        **{"right_ability_cylindrical": 1, "right_ability_lateral": 2, "right_ability_tip": 1},
        **dict(zip([f"right_performance_{n}" for n in range(1, 7)], [2, 2, 3, 1, 0, 1])),
    }
    score = GRASSP.score(items)
    found = {code: sub.value for code, sub in score.subscores.items() if code.startswith("right")}
    assert found == {
        "right_strength": 17,
        "right_dorsal": 7,
        "right_palmar": 7,
        "right_ability": 4,
        "right_performance": 9,
    }
    assert {sub.status for code, sub in score.subscores.items() if not code.startswith("right")} == {"ND"}


def test_both_sides_add_up():
    score = GRASSP.score({**every(2, "right"), **every(3, "left")})
    for part in ("strength", "dorsal", "palmar", "ability", "performance"):
        right, left, both = (score.subscores[f"{side}_{part}"].value for side in ("right", "left", "both"))
        assert both == right + left


def test_an_untestable_muscle_is_not_a_zero():
    score = GRASSP.score({**every(4), "left_strength_thumb_flexor": "NT"})
    assert score.subscores["left_strength"].status == score.subscores["both_strength"].status == "ND"
    assert score.subscores["left_strength"].n_valid == 9
    assert score.subscores["right_strength"].value == 40
    assert score.items["left_strength_thumb_flexor"] == "NT"


@pytest.mark.parametrize(("code", "value"), [("right_strength_elbow_flexors", 6), ("right_dorsal_C6", 5)])
def test_a_value_outside_the_list_of_its_subtest_is_refused(code, value):
    with pytest.raises(BadValue, match=f"{code} must be one of 0, 1, 2, 3, 4"):
        GRASSP.score({code: value})


@pytest.mark.parametrize("value", [2.0, "2", True, -1, "nt"])
def test_only_integers_and_nt_are_grades(value):
    with pytest.raises(BadValue, match="right_ability_tip must be one of 0, 1, 2, 3, 4, NT"):
        GRASSP.score({"right_ability_tip": value})
