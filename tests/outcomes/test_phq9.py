"""PHQ-9: sums, bands, the rule for one or two missing items, and the alert of item 9 in every case."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue
from workbench.outcomes._lines import score_lines

PHQ = outcomes.load("phq9")
CODES = [f"q{n}" for n in range(1, 10)]
ANSWERS = st.fixed_dictionaries(dict.fromkeys(CODES, st.integers(0, 3)))
WITH_GAPS = st.fixed_dictionaries({}, optional=dict.fromkeys(CODES, st.none() | st.integers(0, 3)))


def answers(*values):
    return dict(zip(CODES, values))


@pytest.mark.parametrize(
    ("values", "total", "severity"),
    [
        ((0,) * 9, 0, "minimal"),
        ((1, 1, 1, 1, 0, 0, 0, 0, 0), 4, "minimal"),
        ((1, 1, 1, 1, 1, 0, 0, 0, 0), 5, "mild"),
        ((2, 2, 2, 2, 1, 0, 0, 0, 0), 9, "mild"),
        ((2, 2, 2, 2, 2, 0, 0, 0, 0), 10, "moderate"),
        ((2, 2, 2, 2, 2, 2, 2, 0, 0), 14, "moderate"),
        ((3, 3, 3, 3, 3, 0, 0, 0, 0), 15, "moderately severe"),
        ((3, 3, 3, 3, 3, 3, 1, 0, 0), 19, "moderately severe"),
        ((3, 3, 3, 3, 3, 3, 1, 1, 0), 20, "severe"),
        ((3,) * 9, 27, "severe"),
    ],
)
def test_sums_and_bands(values, total, severity):
    score = PHQ.score(answers(*values))
    assert (score.total.value, score.classes["severity"]) == (total, severity)
    assert score.subscores["phq8"].value == sum(values[:8])
    assert score.subscores["item_9"].value == values[8]


@pytest.mark.parametrize(
    ("gone", "total"),
    [
        (("q1",), 14),  # 12 / 8 * 9 = 13.5, halves up
        (("q1", "q2"), 13),  # 10 / 7 * 9 = 12.857
        (("q9",), 16),  # 14 / 8 * 9 = 15.75
    ],
)
def test_one_or_two_missing_items_are_the_mean_of_the_others(gone, total):
    items = {c: v for c, v in answers(2, 2, 2, 2, 2, 2, 2, 0, 0).items() if c not in gone}
    score = PHQ.score(items)
    assert (score.total.value, score.total.status) == (total, "ok")
    assert score.total.imputed == gone
    assert score.total.n_valid == 9 - len(gone)


def test_three_missing_items_are_not_determinable():
    score = PHQ.score(answers(3, 3, 3, 3, 3, 3))
    assert (score.total.value, score.total.status, score.classes) == (None, "ND", {})


@given(WITH_GAPS)
def test_the_alert_is_raised_when_and_only_when_item_9_is_above_0(items):
    score = PHQ.score(items)
    above = (items.get("q9") or 0) > 0
    assert (len(score.alerts) == 1) == above
    if above:
        assert f"item 9 is {items['q9']}" in score.alerts[0]
        assert score.to_json()["alerts"] == list(score.alerts)


@pytest.mark.parametrize("value", [1, 2, 3])
def test_the_alert_does_not_wait_for_a_total(value):
    score = PHQ.score({"q9": value})
    assert score.total.status == "ND"
    assert len(score.alerts) == 1


@pytest.mark.parametrize("value", [1, 2, 3])
def test_the_alert_is_raised_at_the_lowest_total(value):
    score = PHQ.score(answers(*[0] * 8, value))
    assert score.classes["severity"] == "minimal"
    assert len(score.alerts) == 1


def test_an_unanswered_item_9_is_reported_and_never_inferred():
    score = PHQ.score(answers(*[3] * 8))
    assert score.alerts == ()
    assert "item 9 was not answered: ask it" in score.warnings[0]
    assert score.subscores["item_9"].status == "ND"


@given(ANSWERS)
def test_the_total_is_the_sum(items):
    score = PHQ.score(items)
    assert score.total.value == sum(items.values())
    assert 0 <= score.total.value <= 27


@given(WITH_GAPS, st.sampled_from(CODES))
def test_a_worse_answer_never_lowers_the_total(items, code):
    if items.get(code) in (None, 3):
        items = {**items, code: 0}
    before, after = PHQ.score(items).total.value, PHQ.score({**items, code: items[code] + 1}).total.value
    assert (before is None) == (after is None)
    assert before is None or after > before


def test_the_tenth_question_is_kept_and_not_added():
    score = PHQ.score({**answers(*[1] * 9), "difficulty": 3})
    assert (score.total.value, score.items["difficulty"]) == (9, 3)


@pytest.mark.parametrize("value", [4, -1, 1.5, "1"])
def test_a_value_outside_0_to_3_is_refused(value):
    with pytest.raises(BadValue, match="phq9 item q9 must be one of 0, 1, 2, 3"):
        PHQ.score({"q9": value})


def test_a_faulty_item_does_not_hide_the_alert():
    lines = [
        '{"id": 1, "responses": {"q1": 9, "q9": 2}}',
        '{"id": 2, "responses": {"q1": 9, "q9": 0}}',
        '{"id": 3, "responses": {"q1": 1, "q9": 3, "nothing": 1}}',
        '{"id": 4, "responses": {"q9": 4}}',
    ]
    one, two, three, four = map(json.loads, score_lines(PHQ, lines))
    assert "phq9 item q1 must be one of" in one["error"]
    assert "PHQ-9 item 9 is 2" in one["alerts"][0]
    assert "PHQ-9 item 9 is 3" in three["alerts"][0]
    assert two.keys() == four.keys() == {"id", "error"}
