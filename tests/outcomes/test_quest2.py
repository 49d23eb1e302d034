"""QUEST 2.0: means of the valid items of device, services and all; the three most important are not scored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

QUEST = outcomes.load("quest2")
CODES = [f"q{n}" for n in range(1, 13)]
PARTS = {"device": CODES[:8], "services": CODES[8:]}
WITH_GAPS = st.fixed_dictionaries({}, optional=dict.fromkeys(CODES, st.none() | st.integers(1, 5) | st.just("NA")))


def answers(*values):
    return dict(zip(CODES, values))


def test_means_by_hand():
    score = QUEST.score(answers(5, 4, 4, 3, 5, 4, 4, 3, 2, 3, 4, 3))
    assert (score.subscores["device"].value, score.subscores["services"].value) == (4, 3)
    assert score.total.value == pytest.approx(44 / 12)


def test_a_mean_of_ratings_lies_within_1_to_5():
    scales = (*QUEST.definition.subscales, QUEST.definition)
    assert [(scale.low, scale.high) for scale in scales] == [(1, 5)] * 3


def test_na_leaves_the_denominator_and_a_missing_item_counts_as_the_mean():
    score = QUEST.score(answers(5, 5, 5, 5, 1, 1, None, "NA", 2, "NA", "NA", "NA"))
    device, services = score.subscores["device"], score.subscores["services"]
    assert (device.value, device.n_valid, device.imputed) == (pytest.approx(22 / 6), 6, ("q7",))
    assert (services.value, services.status, services.n_valid) == (None, "ND", 1)
    assert (score.total.value, score.total.n_valid) == (pytest.approx(24 / 7), 7)


def test_one_answer_of_twelve_is_no_satisfaction_score():
    score = QUEST.score(answers(5))
    assert [(sub.value, sub.status) for sub in (score.total, *score.subscores.values())] == [(None, "ND")] * 3
    half = QUEST.score(answers(5, 5, 4, 4))
    assert (half.subscores["device"].value, half.total.value) == (4.5, None)


@given(WITH_GAPS)
def test_each_mean_is_that_of_its_valid_items(items):
    score = QUEST.score(items)
    for name, codes in [*PARTS.items(), ("total", CODES)]:
        sub = score.total if name == "total" else score.subscores[name]
        valid = [items[c] for c in codes if isinstance(items.get(c), int)]
        assert sub.n_valid == len(valid)
        if 2 * len(valid) >= len(codes):
            assert sub.value == pytest.approx(sum(valid) / len(valid))
            assert 1 <= sub.value <= 5
        else:
            assert (sub.value, sub.status) == (None, "ND")


@pytest.mark.parametrize("code", CODES)
def test_more_satisfaction_raises_its_own_part_and_the_total(code):
    before, after = QUEST.score(dict.fromkeys(CODES, 3)), QUEST.score({**dict.fromkeys(CODES, 3), code: 4})
    for name, codes in PARTS.items():
        change = after.subscores[name].value - before.subscores[name].value
        assert change == (pytest.approx(1 / len(codes)) if code in codes else 0)
    assert after.total.value - before.total.value == pytest.approx(1 / 12)


def test_the_three_most_important_are_recorded_and_not_scored():
    plain = QUEST.score(dict.fromkeys(CODES, 3))
    chosen = QUEST.score({**dict.fromkeys(CODES, 3), "important_1": 8, "important_2": 4, "important_3": 6})
    assert chosen.classes == {"most_important": ["q8", "q4", "q6"]}
    assert chosen.total == plain.total
    with pytest.raises(BadValue, match="three different ones, got \\[8, 8\\]"):
        QUEST.score({"important_1": 8, "important_2": 8})


@pytest.mark.parametrize("value", [0, 6, 2.5, "na"])
def test_a_value_outside_the_list_is_refused(value):
    with pytest.raises(BadValue, match="quest2 item q3 must be one of 1, 2, 3, 4, 5, NA"):
        QUEST.score({"q3": value})
