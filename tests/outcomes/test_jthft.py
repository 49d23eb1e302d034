"""Jebsen–Taylor: sum of times of each hand; unable is censored at the cap of the protocol."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

JEBSEN = outcomes.load("jthft")
SEVEN = ("writing", "cards", "small_objects", "feeding", "checkers", "light_cans", "heavy_cans")


def hand(*times, side="right", subtests=SEVEN):
    return {f"{side}_{name}": time for name, time in zip(subtests, times, strict=True)}


def test_the_sum_of_seven_times():
    """12.2 + 4.0 + 5.9 + 6.4 + 3.3 + 3.0 + 3.0 = 37.8 s."""
    score = JEBSEN.score(hand(12.2, 4.0, 5.9, 6.4, 3.3, 3.0, 3.0))
    assert score.subscores["right"].value == pytest.approx(37.8, abs=1e-9)
    assert score.subscores["left"].status == "ND"
    assert score.total is None


def test_the_version_without_writing_has_six():
    items = hand(4, 6, 6, 3, 3, 3, subtests=SEVEN[1:])
    assert JEBSEN.score(items, version="6 subtests").subscores["right"].value == 25
    with pytest.raises(BadValue, match="jthft 6 subtests has no item 'right_writing'"):
        JEBSEN.score({"right_writing": 10}, version="6 subtests")
    assert JEBSEN.score(items).subscores["right"].status == "ND"


def test_unable_counts_the_cap_and_censors_the_sum():
    score = JEBSEN.score(hand("unable", 10, 20, 30, "unable", 5, 5), cap_s=180)
    sub = score.subscores["right"]
    assert (sub.value, sub.status, sub.n_valid) == (70 + 360, "censored", 7)
    assert "2 at the cap, so the true sum is at least this" in sub.rule
    assert score.items["right_writing"] == "unable"
    assert "(censored)" in score.steps[0]


def test_unable_without_a_cap_is_refused():
    with pytest.raises(BadValue, match="right_cards is 'unable' .* set the option cap_s"):
        JEBSEN.score({"right_cards": "unable"})


def test_a_missing_time_beside_a_censored_one_is_not_determinable():
    score = JEBSEN.score(hand("unable", None, 20, 30, 5, 5, 5), cap_s=120)
    assert (score.subscores["right"].value, score.subscores["right"].status) == (None, "ND")


def test_a_time_beyond_the_cap_is_refused_and_one_at_the_cap_is_a_time():
    assert JEBSEN.score(hand(180, 1, 1, 1, 1, 1, 1), cap_s=180).subscores["right"].status == "ok"
    with pytest.raises(BadValue, match="right_writing must not lie beyond the cap of 180 s, got 180.5"):
        JEBSEN.score(hand(180.5, 1, 1, 1, 1, 1, 1), cap_s=180)


@pytest.mark.parametrize("cap", [0, -5, float("nan"), float("inf"), 10**400, True, "180"])
def test_a_cap_is_a_number_of_seconds_above_0(cap):
    with pytest.raises(BadValue, match="option cap_s must be a number of seconds above 0"):
        JEBSEN.score({}, cap_s=cap)


@pytest.mark.parametrize("value", [0, -1, "NT", True, 1801])
def test_a_time_is_above_0(value):
    with pytest.raises(BadValue, match="left_feeding must be 0.5 to 1800 s or unable"):
        JEBSEN.score({"left_feeding": value})
