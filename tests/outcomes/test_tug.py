"""Timed Up and Go: seconds and their inverse; unable is censored at the cap of the protocol, its rate 0."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

TUG = outcomes.load("tug")


@pytest.mark.parametrize(("seconds", "rate"), [(10, 0.1), (16, 0.0625), (12.5, 0.08)])
def test_the_time_and_its_inverse(seconds, rate):
    score = TUG.score({"time": seconds})
    assert score.subscores["time"].value == seconds
    assert score.subscores["rate"].value == pytest.approx(rate, abs=1e-12)


def test_unable_is_censored_at_the_cap_and_its_rate_is_0():
    score = TUG.score({"time": "unable"}, cap_s=180)
    assert (score.subscores["time"].value, score.subscores["time"].status) == (180, "censored")
    assert (score.subscores["rate"].value, score.subscores["rate"].status) == (0, "ok")


def test_unable_without_a_cap_is_refused():
    with pytest.raises(BadValue, match="time is 'unable' .* set the option cap_s"):
        TUG.score({"time": "unable"})


def test_a_test_that_was_not_done_is_not_censored():
    score = TUG.score({}, cap_s=180)
    assert {sub.status for sub in score.subscores.values()} == {"ND"}


def test_a_time_beyond_the_cap_is_refused():
    with pytest.raises(BadValue, match="must not lie beyond the cap of 120 s, got 130"):
        TUG.score({"time": 130}, cap_s=120)


@pytest.mark.parametrize("value", [0, 1.9, 1801, "slow", True])
def test_a_time_is_2_to_1800_seconds(value):
    with pytest.raises(BadValue, match="tug item time must be 2 to 1800 s or unable"):
        TUG.score({"time": value})
