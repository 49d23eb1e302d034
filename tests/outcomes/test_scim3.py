"""SCIM III: lists of values with gaps, published ranges of the areas, ND for a missing item."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

SCIM = outcomes.load("scim3")
ITEMS = SCIM.definition.items
CODES = [item.code for item in ITEMS]
BEST = {item.code: max(item.allowed) for item in ITEMS}


def test_nineteen_items_whose_maxima_are_the_published_ranges():
    assert len(ITEMS) == 19
    assert {s.code: (len(s.items), s.low, s.high) for s in SCIM.definition.subscales} == {
        "self_care": (6, 0, 20),
        "respiration_sphincter": (4, 0, 40),
        "mobility": (9, 0, 40),
        "room_toilet": (3, 0, 10),
        "indoors_outdoors": (6, 0, 30),
    }
    assert SCIM.score(BEST).total.value == SCIM.definition.high == 100
    assert SCIM.score(dict.fromkeys(CODES, 0)).total.value == 0


def test_mobility_is_room_and_toilet_with_indoors_and_outdoors():
    scales = {s.code: set(s.items) for s in SCIM.definition.subscales}
    assert scales["mobility"] == scales["room_toilet"] | scales["indoors_outdoors"]
    assert scales["self_care"] | scales["respiration_sphincter"] | scales["mobility"] == set(CODES)


def test_a_worked_example_of_a_c6_tetraplegia():
    """2+1+1+2+1+2 = 9; 10+11+5+0 = 26; 2+1+0 = 3; 2+2+1+0+1+0 = 6; total 44."""
    values = [2, 1, 1, 2, 1, 2, 10, 11, 5, 0, 2, 1, 0, 2, 2, 1, 0, 1, 0]
    score = SCIM.score(dict(zip(CODES, values)))
    assert {code: sub.value for code, sub in score.subscores.items()} == {
        "self_care": 9,
        "respiration_sphincter": 26,
        "mobility": 9,
        "room_toilet": 3,
        "indoors_outdoors": 6,
    }
    assert score.total.value == 44
    assert score.steps[-1] == "Total: 44 of 100"


GAPS = {
    "sphincter_respiration": [1, 3, 5, 7, 9, 11],
    "sphincter_bladder": [1, 2, 4, 5, 7, 8, 10, 12, 14, 16],
    "sphincter_bowel": [1, 2, 3, 4, 6, 7, 9, 11],
    "sphincter_toilet": [3, 6],
    "room_bed": [1, 3, 5, 7],
}


@pytest.mark.parametrize(("code", "value"), [(code, value) for code, values in GAPS.items() for value in values])
def test_a_value_in_a_gap_of_the_list_is_refused_although_it_lies_in_the_range(code, value):
    with pytest.raises(BadValue, match=f"{code} must be one of 0, "):
        SCIM.score({**BEST, code: value})


@pytest.mark.parametrize("item", ITEMS, ids=CODES)
def test_every_value_of_every_list_scores_and_the_next_one_is_refused(item):
    for value in item.allowed:
        assert SCIM.score({**BEST, item.code: value}).total.value == 100 - max(item.allowed) + value
    with pytest.raises(BadValue, match=item.code):
        SCIM.score({**BEST, item.code: max(item.allowed) + 1})


def test_a_missing_item_leaves_the_other_areas():
    score = SCIM.score({**BEST, "room_bed": None})
    assert (
        score.total.status == score.subscores["mobility"].status == score.subscores["room_toilet"].status == "ND"
    )
    assert score.subscores["indoors_outdoors"].value == 30
    assert score.subscores["self_care"].value == 20


def test_the_mode_has_to_be_one_of_three():
    assert SCIM.definition.modes == ("observed", "interview", "self-report")
