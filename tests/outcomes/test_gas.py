"""GAS: Kiresuk's formula in numbers worked by hand, weights, the correlation r, goals set and not scored."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import outcomes
from workbench.errors import BadValue

GAS = outcomes.load("gas")
LEVELS = st.integers(-2, 2)
WEIGHT = st.floats(0.5, 20)


def goals(*levels, weights=(), **more):
    items = {f"goal_{n}": level for n, level in enumerate(levels, start=1)}
    items |= {f"weight_{n}": weight for n, weight in enumerate(weights, start=1)}
    return {"n_goals": len(levels), **items, **more}


@pytest.mark.parametrize(
    ("levels", "t"),
    [
        ([0], 50),
        ([0, 0, 0, 0, 0], 50),
        ([1], 60),
        ([-2], 30),
        ([1, 1, 1], 50 + 30 / sqrt(0.7 * 3 + 0.3 * 9)),
        ([1, -1, 1, -1], 50),
        ([2] * 10, 50 + 200 / sqrt(0.7 * 10 + 0.3 * 100)),
    ],
)
def test_equal_weights_by_hand(levels, t):
    score = GAS.score(goals(*levels))
    assert score.total.value == pytest.approx(t, abs=1e-12)
    assert score.subscores["t"] == score.total
    assert score.warnings == ()


def test_three_goals_one_better_than_expected_give_63_69():
    assert round(GAS.score(goals(1, 1, 1)).total.value, 2) == 63.69


def test_weighted_goals_by_hand():
    # sum(w x) = 3*1 + 2*(-1) + 1*2 = 3; sum(w^2) = 14; sum(w)^2 = 36; 0.7*14 + 0.3*36 = 20.6
    score = GAS.score(goals(1, -1, 2, weights=(3, 2, 1)))
    assert score.total.value == pytest.approx(50 + 30 / sqrt(20.6), abs=1e-12)
    assert "goal_1 +1 (weight 3), goal_2 -1 (weight 2), goal_3 +2 (weight 1)" in score.steps[0]


def test_a_missing_weight_is_one():
    plain, told = GAS.score(goals(1, 2)), GAS.score(goals(1, 2, weights=(1,)))
    assert plain.total.value == told.total.value


def test_the_correlation_is_an_option_that_the_score_keeps():
    # r = 0: sum(w^2) = 2; r = 1: sum(w)^2 = 4
    assert GAS.score(goals(1, 1), r=0).total.value == pytest.approx(50 + 20 / sqrt(2))
    score = GAS.score(goals(1, 1), r=1)
    assert score.total.value == pytest.approx(60)
    assert score.options == {"r": 1}
    assert "r = 1" in score.total.rule


@pytest.mark.parametrize("r", [-0.1, 1.1, True, "0.3", None, float("nan")])
def test_a_correlation_outside_0_to_1_is_refused(r):
    with pytest.raises(BadValue, match="gas option r must be a number from 0 to 1"):
        GAS.score(goals(1), r=r)


@given(st.lists(st.tuples(LEVELS, WEIGHT), min_size=1, max_size=10), st.floats(0, 1))
def test_the_score_stays_in_its_range_and_mirrors_at_50(pairs, r):
    levels, weights = zip(*pairs)
    there = GAS.score(goals(*levels, weights=weights), r=r).total
    back = GAS.score(goals(*(-x for x in levels), weights=weights), r=r).total
    assert there.low <= there.value <= there.high
    assert there.value + back.value == pytest.approx(100)


@given(st.lists(LEVELS, min_size=1, max_size=10), st.data())
def test_a_better_goal_raises_the_score(levels, data):
    at = data.draw(st.integers(0, len(levels) - 1))
    better = [min(x + 1, 2) if n == at else x for n, x in enumerate(levels)]
    before, after = GAS.score(goals(*levels)).total.value, GAS.score(goals(*better)).total.value
    assert after > before or better == levels


@given(st.lists(LEVELS, min_size=1, max_size=10), WEIGHT)
def test_scaling_every_weight_changes_nothing(levels, factor):
    scaled = GAS.score(goals(*levels, weights=[factor] * len(levels)))
    assert scaled.total.value == pytest.approx(GAS.score(goals(*levels)).total.value)


def test_a_goal_set_and_not_scored_makes_the_score_not_determinable():
    score = GAS.score(goals(1, None, 0))
    assert (score.total.value, score.total.status) == (None, "ND")
    assert (score.total.n_items, score.total.n_valid) == (3, 2)
    assert score.steps == ("T: not determinable, not scored: goal_2",)


def test_an_unscored_goal_is_dropped_only_where_the_protocol_says_so():
    score = GAS.score(goals(1, None, 0), drop_unscored=True)
    assert score.total.value == pytest.approx(50 + 10 / sqrt(0.7 * 2 + 0.3 * 4))
    assert score.warnings == ("dropped by protocol, not scored: goal_2",)
    assert GAS.score(goals(None, None), drop_unscored=True).total.status == "ND"


def test_a_weight_tells_that_a_goal_was_set():
    score = GAS.score({"goal_1": 1, "weight_2": 3})
    assert score.total.status == "ND"
    assert "goal_2" in score.steps[0]
    assert "n_goals is not given" in score.warnings[0]


def test_without_n_goals_the_scored_goals_are_all_there_are():
    score = GAS.score({"goal_1": 1})
    assert (score.total.value, score.total.n_items) == (60, 1)
    assert "n_goals is not given" in score.warnings[0]


def test_a_score_beyond_n_goals_is_refused():
    with pytest.raises(BadValue, match="goal_3 has a score or weight, and n_goals says that 2 were set"):
        GAS.score({"n_goals": 2, "goal_1": 1, "goal_2": 0, "goal_3": 1})


def test_weights_that_are_all_zero_give_no_score():
    assert GAS.score(goals(1, 1, weights=(0, 0))).total.status == "ND"


@pytest.mark.parametrize(("code", "value"), [("goal_1", 3), ("goal_1", 0.5), ("weight_1", -1), ("n_goals", 0)])
def test_a_value_outside_its_range_is_refused(code, value):
    with pytest.raises(BadValue, match=f"gas item {code} must be"):
        GAS.score({"goal_1": 0, code: value})


def test_only_the_ratios_of_weights_count_however_small_they_are():
    tiny = GAS.score(goals(1, -1, 2, weights=(3e-200, 2e-200, 1e-200)))
    assert tiny.total.value == pytest.approx(50 + 30 / sqrt(20.6), abs=1e-12)


def test_a_goal_without_a_weight_beside_weighted_ones_is_reported():
    score = GAS.score(goals(1, 2, weights=(3,)))
    assert score.warnings == ("counted with weight 1 beside weighted goals: goal_2; give every goal its weight",)
    assert GAS.score(goals(1, 2)).warnings == ()
