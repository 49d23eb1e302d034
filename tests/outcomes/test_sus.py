"""SUS: Brooke's worked example, the two declared rules for a missing item, range and direction of each item."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

SUS = outcomes.load("sus")
CODES = [item.code for item in SUS.definition.items]
ANSWERS = st.fixed_dictionaries(dict.fromkeys(CODES, st.integers(1, 5)))


def answers(*values):
    return dict(zip(CODES, values))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((5, 4, 2, 1, 2, 3, 2, 4, 5, 2), 55),  # the author's example: 4+1+1+4+1+2+1+1+4+3 = 22
        ((3,) * 10, 50),
        ((5, 1) * 5, 100),
        ((1, 5) * 5, 0),
        ((5,) * 10, 50),
        ((4, 2, 5, 1, 4, 2, 5, 2, 4, 3), 80),  # 3+3+4+4+3+3+4+3+3+2 = 32
    ],
)
def test_worked_examples(values, expected):
    score = SUS.score(answers(*values))
    assert score.total.value == score.subscores["usability"].value == expected
    assert (score.total.status, score.total.imputed) == ("ok", ())


@given(ANSWERS)
def test_the_score_is_a_multiple_of_2_5_between_0_and_100(items):
    value = SUS.score(items).total.value
    assert 0 <= value <= 100
    assert value % 2.5 == 0


@given(ANSWERS, st.integers(1, 10))
def test_agreement_raises_odd_items_and_lowers_even_ones_by_2_5(items, number):
    code = f"q{number}"
    more = {**items, code: min(items[code] + 1, 5)}
    step = 2.5 if number % 2 else -2.5
    assert SUS.score(more).total.value - SUS.score(items).total.value == step * (more[code] - items[code])


@given(ANSWERS, st.sets(st.sampled_from(CODES), min_size=1, max_size=9))
def test_missing_items_are_not_determinable_or_neutral_as_declared(items, gone):
    left = {code: value for code, value in items.items() if code not in gone}
    strict, neutral = SUS.score(left), SUS.score(left, missing="neutral")
    assert (strict.total.value, strict.total.status, strict.total.n_valid) == (None, "ND", 10 - len(gone))
    assert neutral.total.value == SUS.score({**items, **dict.fromkeys(gone, 3)}).total.value
    assert set(neutral.total.imputed) == gone
    assert neutral.total.n_valid == 10 - len(gone)
    assert neutral.options == {"missing": "neutral"}
    assert neutral.warnings[0].startswith("counted as 3, not answered: q")
    assert all(neutral.items[code] is None for code in gone)


def test_nothing_answered_is_no_score_whatever_the_rule():
    assert SUS.score({}, missing="neutral").total.status == "ND"


def test_an_undeclared_rule_is_refused():
    with pytest.raises(BadValue, match="sus option missing must be one of 'ND', 'neutral', got 'mean'"):
        SUS.score(answers(*[3] * 10), missing="mean")


@pytest.mark.parametrize("value", [0, 6, 2.5, "3"])
def test_a_value_outside_1_to_5_is_refused(value):
    with pytest.raises(BadValue, match="sus item q4 must be one of 1, 2, 3, 4, 5"):
        SUS.score({**answers(*[3] * 10), "q4": value})
