"""GRASSP version 2: four subtests a side of 50, 12, 12 and 20; never mixed with version 1."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

GRASSP = outcomes.load("grassp_v2")
CODES = [item.code for item in GRASSP.definition.items]


def test_four_subtests_a_side_of_50_12_12_and_20():
    ranges = {s.code: (len(s.items), s.high) for s in GRASSP.definition.subscales if s.code.startswith("left")}
    assert ranges == {
        "left_strength": (10, 50),
        "left_palmar": (3, 12),
        "left_ability": (3, 12),
        "left_performance": (4, 20),
    }
    assert GRASSP.definition.low is None


def test_every_item_at_its_best_gives_the_maxima():
    score = GRASSP.score({item.code: max(item.allowed) for item in GRASSP.definition.items})
    assert {code: sub.value for code, sub in score.subscores.items() if code.startswith("both")} == {
        "both_strength": 100,
        "both_palmar": 24,
        "both_ability": 24,
        "both_performance": 40,
    }


def test_a_worked_example():
    """Right: palmar 4+4+2 = 10, performance 3+2+4+0 = 9."""
    items = {"right_palmar_C6": 4, "right_palmar_C7": 4, "right_palmar_C8": 2}
    items |= dict(zip([f"right_performance_{n}" for n in range(1, 5)], [3, 2, 4, 0]))
    score = GRASSP.score(items)
    assert score.subscores["right_palmar"].value == 10
    assert score.subscores["right_performance"].value == 9
    assert score.subscores["right_strength"].status == "ND"
    assert score.subscores["both_palmar"].status == "ND"


def test_dorsal_sensation_and_the_last_two_tasks_belong_to_version_1():
    for code in ("right_dorsal_C6", "left_performance_5", "left_performance_6"):
        assert code not in CODES
        assert code in [item.code for item in outcomes.load("grassp_v1").definition.items]
        with pytest.raises(BadValue, match=f"grassp_v2 2 has no item '{code}'"):
            GRASSP.score({code: 1})


def test_items_of_version_1_are_refused():
    with pytest.raises(BadValue, match="versions are never mixed"):
        GRASSP.score({}, version="1.0")


def test_nt_makes_its_subtest_not_determinable():
    score = GRASSP.score({**dict.fromkeys(CODES, 1), "right_palmar_C8": "NT"})
    assert score.subscores["right_palmar"].status == score.subscores["both_palmar"].status == "ND"
    assert score.subscores["left_palmar"].value == 3
