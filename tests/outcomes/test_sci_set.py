"""SCI-SET: mean of the items that apply; NA leaves the denominator, a missing answer does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

SET = outcomes.load("sci_set")
CODES = [f"q{n}" for n in range(1, 36)]
ANSWERS = st.fixed_dictionaries(dict.fromkeys(CODES, st.integers(-3, 3) | st.just("NA")))


def every(value, n=35, **other):
    return {**{f"q{k}": value for k in range(1, n + 1)}, **other}


@pytest.mark.parametrize(("version", "n", "low", "high"), [("2007", 35, -3, 3), ("modified-2020", 33, -2, 1)])
def test_items_and_range_of_each_version(version, n, low, high):
    (definition,) = [one for one in SET.definitions if one.version == version]
    assert (len(definition.items), definition.low, definition.high, definition.direction) == (n, low, high, "up")
    for value in range(low, high + 1):
        assert SET.score(every(value, n), version=version).total.value == value
    with pytest.raises(BadValue, match="sci_set item q1 must be one of"):
        SET.score(every(low - 1, n), version=version)


def test_items_that_do_not_apply_leave_the_denominator():
    # 30 items at -1, one at +2, four NA: (-30 + 2) / 31
    score = SET.score(every(-1, q1=2, **dict.fromkeys(["q2", "q3", "q4", "q5"], "NA")))
    assert score.total.value == pytest.approx(-28 / 31)
    assert (score.total.n_items, score.total.n_valid) == (35, 31)
    assert score.classes == {"n_applicable": 31}
    assert score.steps == ("Mean: -0.903226 of 31 items that apply",)


def test_a_missing_answer_is_not_na():
    items = every(-1)
    del items["q7"]
    score = SET.score(items)
    assert (score.total.value, score.total.status, score.total.n_valid) == (None, "ND", 34)
    assert "1 items without an answer" in score.steps[0]


def test_when_no_item_applies_there_is_no_mean_by_structure():
    score = SET.score(every("NA"))
    assert (score.total.value, score.total.status) == (None, "structural")
    assert score.steps == ("Mean: no item applies",)


@given(ANSWERS)
def test_the_mean_stays_in_range_and_counts_applicable_items_only(items):
    numbers = [value for value in items.values() if value != "NA"]
    total = SET.score(items).total
    assert total.n_valid == len(numbers)
    if numbers:
        assert total.value == pytest.approx(sum(numbers) / len(numbers))
        assert -3 <= total.value <= 3


@given(ANSWERS, st.sampled_from(CODES))
def test_a_more_helpful_answer_never_lowers_the_mean(items, code):
    if items[code] == "NA":
        items = {**items, code: 0}
    more = {**items, code: min(items[code] + 1, 3)}
    assert SET.score(more).total.value >= SET.score(items).total.value


@pytest.mark.parametrize("value", [4, -4, "N/A", "0", 0.5])
def test_a_value_outside_the_list_is_refused(value):
    with pytest.raises(BadValue, match="sci_set item q9 must be one of -3, -2, -1, 0, 1, 2, 3, NA"):
        SET.score(every(0, q9=value))
