"""6-minute walk: metres, speed over 360 s, the track recorded, unable is 0."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

WALK = outcomes.load("6mwt")


@pytest.mark.parametrize(("metres", "speed"), [(360, 1.0), (0, 0.0), (226.7, 0.62972), (187.6, 0.52111)])
def test_speed_is_metres_over_360_seconds(metres, speed):
    """226.7 and 187.6 m are the medians on a long and a short track (Scivoletto 2011)."""
    score = WALK.score({"distance": metres, "track_length": 30})
    assert score.subscores["distance"].value == metres
    assert score.subscores["speed"].value == pytest.approx(speed, abs=5e-6)
    assert score.warnings == ()


def test_unable_is_0_metres():
    score = WALK.score({"distance": "unable"})
    assert (score.subscores["distance"].value, score.subscores["speed"].value) == (0, 0)
    assert score.subscores["distance"].status == "ok"
    assert score.items["distance"] == "unable"


def test_a_test_that_was_not_done_is_not_0():
    score = WALK.score({"rests": 2, "track_length": 30})
    assert {sub.status for sub in score.subscores.values()} == {"ND"}


def test_a_distance_without_its_track_is_reported():
    assert "length of the track is not recorded" in WALK.score({"distance": 200}).warnings[0]


@pytest.mark.parametrize("value", [-1, 1201, "far", True, float("nan")])
def test_a_distance_is_0_to_1200_metres(value):
    with pytest.raises(BadValue, match="distance must be 0 to 1200 m or unable"):
        WALK.score({"distance": value})


def test_rests_are_counted():
    assert WALK.score({"distance": 100, "rests": 3, "track_length": 20}).items["rests"] == 3
    with pytest.raises(BadValue, match="rests must be one of 0, 1"):
        WALK.score({"rests": 1.5})
