"""Nine-Hole Peg Test: mean of two trials, capped trials censored, pegs a second for the floor."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

PEGS = outcomes.load("nhpt")


def test_the_mean_time_of_two_trials_and_the_mean_rate():
    """20 and 30 s: 25 s; 9/20 = 0.45 and 9/30 = 0.3 pegs/s: 0.375."""
    score = PEGS.score({"right_1": 20, "right_2": 30})
    assert score.subscores["right_time"].value == pytest.approx(25)
    assert score.subscores["right_rate"].value == pytest.approx(0.375, abs=1e-12)
    assert {score.subscores[code].status for code in ("left_time", "left_rate")} == {"ND"}


def test_a_trial_that_was_not_completed_counts_300_seconds_and_its_pegs():
    """300 and 60 s: 180 s, censored; 3/300 = 0.01 and 9/60 = 0.15: 0.08 pegs/s."""
    score = PEGS.score({"left_1": "unable", "left_1_pegs": 3, "left_2": 60})
    time, rate = score.subscores["left_time"], score.subscores["left_rate"]
    assert (time.value, time.status) == (180, "censored")
    assert rate.value == pytest.approx(0.08, abs=1e-12)
    assert rate.status == "ok"


def test_a_hand_that_places_no_peg_has_the_rate_0():
    score = PEGS.score(
        {f"right_{n}{part}": value for n in (1, 2) for part, value in (("", "unable"), ("_pegs", 0))}
    )
    assert (score.subscores["right_rate"].value, score.subscores["right_rate"].status) == (0, "ok")
    assert (score.subscores["right_time"].value, score.subscores["right_time"].status) == (300, "censored")


def test_without_the_count_of_pegs_there_is_a_time_and_no_rate():
    score = PEGS.score({"right_1": "unable", "right_2": 60})
    assert score.subscores["right_time"].status == "censored"
    assert score.subscores["right_rate"].status == "ND"


def test_one_trial_is_not_determinable_even_at_the_cap():
    score = PEGS.score({"right_1": "unable", "right_1_pegs": 2})
    assert score.subscores["right_time"].status == score.subscores["right_rate"].status == "ND"


def test_another_cap_of_the_protocol():
    score = PEGS.score({"right_1": "unable", "right_1_pegs": 6, "right_2": 60}, cap_s=120)
    assert score.subscores["right_time"].value == 90
    assert score.subscores["right_rate"].value == pytest.approx((6 / 120 + 9 / 60) / 2)
    with pytest.raises(BadValue, match="right_2 must not lie beyond the cap of 50 s"):
        PEGS.score({"right_2": 60}, cap_s=50)
    for cap in (301, 4, None, True):
        with pytest.raises(BadValue, match="cap_s must be 5 to 300 s"):
            PEGS.score({}, cap_s=cap)


def test_a_completed_trial_has_placed_nine_pegs():
    assert PEGS.score({"right_1": 20, "right_1_pegs": 9, "right_2": 20}).subscores["right_time"].value == 20
    with pytest.raises(
        BadValue, match="right_1_pegs must be 9 or empty for a trial that was completed in 20 s, got 7"
    ):
        PEGS.score({"right_1": 20, "right_1_pegs": 7})


@pytest.mark.parametrize("value", [0, 4.9, 300.1, "NT", True])
def test_a_time_is_5_to_300_seconds(value):
    with pytest.raises(BadValue, match="left_2 must be 5 to 300 s or unable"):
        PEGS.score({"left_2": value})


def test_the_rate_is_better_when_greater():
    ways = {s.code: s.direction or PEGS.definition.direction for s in PEGS.definition.subscales}
    assert ways == {"right_time": "down", "right_rate": "up", "left_time": "down", "left_rate": "up"}
