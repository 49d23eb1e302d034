"""Bowel basic data set: the NBD score 0–47 of ten items with their points, its bands, the other variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

BOWEL = outcomes.load("bowel_basic2")
ITEMS = {item.code: item.allowed for item in BOWEL.definition.items}
ANSWERS = st.fixed_dictionaries({code: st.sampled_from(allowed) for code, allowed in ITEMS.items()})
LEAST = dict.fromkeys(ITEMS, 0)


def test_the_greatest_points_of_the_ten_items_are_the_published_ones_and_add_up_to_47():
    greatest = [max(allowed) for allowed in ITEMS.values()]
    assert greatest == [6, 7, 2, 2, 2, 6, 13, 4, 2, 3]
    assert sum(greatest) == BOWEL.definition.high == 47
    assert all(min(allowed) == 0 for allowed in ITEMS.values())


@pytest.mark.parametrize(
    ("items", "total", "severity"),
    [
        ({}, 0, "very minor"),
        ({"digital": 6}, 6, "very minor"),
        ({"time": 7}, 7, "minor"),
        ({"time": 7, "flatus": 2}, 9, "minor"),
        ({"digital": 6, "medication": 4}, 10, "moderate"),
        ({"incontinence": 13}, 13, "moderate"),
        ({"incontinence": 13, "frequency": 1}, 14, "severe"),
        ({code: max(allowed) for code, allowed in ITEMS.items()}, 47, "severe"),
    ],
)
def test_sums_and_bands(items, total, severity):
    score = BOWEL.score({**LEAST, **items})
    assert score.total.value == score.subscores["nbd"].value == total
    assert score.classes["severity"] == severity


@given(ANSWERS, st.sampled_from(sorted(ITEMS)))
def test_the_score_is_the_sum_and_more_points_never_lower_it(items, code):
    total = BOWEL.score(items).total.value
    assert total == sum(items.values())
    assert 0 <= total <= 47
    assert BOWEL.score({**items, code: max(ITEMS[code])}).total.value >= total


@given(ANSWERS, st.sets(st.sampled_from(sorted(ITEMS)), min_size=1))
def test_a_missing_item_makes_it_not_determinable(items, gone):
    score = BOWEL.score({code: value for code, value in items.items() if code not in gone})
    assert (score.total.value, score.total.status) == (None, "ND")
    assert score.total.n_valid == 10 - len(gone)
    assert "severity" not in score.classes


def test_the_other_variables_are_recorded_and_not_added():
    more = {"method_main": "irrigation", "pad": "weekly", "satisfaction": 3}
    score = BOWEL.score({**LEAST, **more})
    assert score.total.value == 0
    assert score.classes == {"severity": "very minor", **more}


@pytest.mark.parametrize(("code", "value"), [("frequency", 2), ("time", 1), ("incontinence", 5), ("tablets", 1)])
def test_points_that_no_answer_has_are_refused(code, value):
    with pytest.raises(BadValue, match=f"bowel_basic2 item {code} must be one of 0, "):
        BOWEL.score({code: value})
