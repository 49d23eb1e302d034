"""NASA-TLX: raw and weighted workload by hand, and weights that 15 comparisons can give."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

TLX = outcomes.load("nasa_tlx")
CODES = ["mental", "physical", "temporal", "performance", "effort", "frustration"]
PAIRS = list(itertools.combinations(CODES, 2))
RATINGS = st.fixed_dictionaries(dict.fromkeys(CODES, st.integers(0, 100)))


@st.composite
def tallies(draw):
    """Weights from 15 choices."""
    winners = [draw(st.sampled_from(pair)) for pair in PAIRS]
    return {f"weight_{code}": winners.count(code) for code in CODES}


def ratings(*values):
    return dict(zip(CODES, values))


def weights(*values):
    return {f"weight_{code}": value for code, value in zip(CODES, values)}


def test_raw_and_weighted_by_hand():
    items = {**ratings(30, 15, 60, 40, 30, 40), **weights(3, 0, 5, 1, 3, 3)}
    found = TLX.score(items).subscores
    assert found["raw"].value == pytest.approx(215 / 6)
    # 3*30 + 0*15 + 5*60 + 1*40 + 3*30 + 3*40 = 640
    assert found["weighted"].value == pytest.approx(640 / 15)
    assert TLX.score(items).total is None
    assert TLX.score(items).warnings == ()


def test_equal_ratings_give_that_rating_whatever_the_weights():
    found = TLX.score({**ratings(*[70] * 6), **weights(5, 4, 3, 2, 1, 0)}).subscores
    assert (found["raw"].value, found["weighted"].value) == (70, 70)


def test_without_pairs_there_is_a_raw_workload_and_weighted_was_never_asked():
    found = TLX.score(ratings(10, 20, 30, 40, 50, 60)).subscores
    assert (found["raw"].value, found["raw"].status) == (35, "ok")
    assert (found["weighted"].value, found["weighted"].status) == (None, "structural")


def test_one_missing_rating_leaves_neither():
    items = {**ratings(10, 20, 30, 40, 50), **weights(5, 4, 3, 2, 1, 0)}
    found = TLX.score(items).subscores
    assert [(sub.value, sub.status, sub.n_valid) for sub in found.values()] == [(None, "ND", 5)] * 2


def test_one_missing_weight_leaves_the_raw_workload():
    found = TLX.score({**ratings(*[50] * 6), **weights(5, 4, 3, 2, 1)}).subscores
    assert found["raw"].value == 50
    assert (found["weighted"].status, "missing weight_frustration" in found["weighted"].rule) == ("ND", True)


@pytest.mark.parametrize("wrong", [(5, 4, 3, 2, 1, 1), (0, 0, 0, 0, 0, 0), (3, 3, 3, 3, 3, 3)])
def test_weights_that_do_not_add_up_to_15_are_refused(wrong):
    with pytest.raises(BadValue, match=f"weights must add up to 15, got {sum(wrong)} .mental {wrong[0]}"):
        TLX.score({**ratings(*[50] * 6), **weights(*wrong)})


@pytest.mark.parametrize("value", [6, -1, 2.5])
def test_a_weight_outside_0_to_5_is_refused(value):
    with pytest.raises(BadValue, match="weight_effort must be one of 0, 1, 2, 3, 4, 5"):
        TLX.score({**ratings(*[50] * 6), "weight_effort": value})


def test_weights_that_no_15_choices_can_give_are_reported():
    score = TLX.score({**ratings(*[50] * 6), **weights(5, 5, 5, 0, 0, 0)})
    assert "no choices among 15 pairs give these weights" in score.warnings[0]


@given(RATINGS, tallies())
def test_every_tally_of_15_choices_is_accepted_and_the_score_lies_between_the_ratings(items, tally):
    score = TLX.score({**items, **tally})
    assert score.warnings == ()
    for sub in score.subscores.values():
        assert min(items.values()) - 1e-9 <= sub.value <= max(items.values()) + 1e-9


@given(RATINGS, tallies(), st.sampled_from(CODES))
def test_a_higher_rating_never_lowers_the_workload(items, tally, code):
    more = {**items, code: min(items[code] + 5, 100)}
    before, after = TLX.score({**items, **tally}).subscores, TLX.score({**more, **tally}).subscores
    step = more[code] - items[code]
    assert after["raw"].value - before["raw"].value == pytest.approx(step / 6)
    assert after["weighted"].value - before["weighted"].value == pytest.approx(step * tally[f"weight_{code}"] / 15)


@pytest.mark.parametrize("value", [-1, 101, "50", True, float("inf")])
def test_a_rating_outside_0_to_100_is_refused(value):
    with pytest.raises(BadValue, match="nasa_tlx item effort must be 0 to 100 points"):
        TLX.score({**ratings(*[50] * 6), "effort": value})
