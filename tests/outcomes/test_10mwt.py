"""10-metre walk: speed is 10 m over the time; unable is speed 0 without a time."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.errors import BadValue

WALK = outcomes.load("10mwt")


@pytest.mark.parametrize(("seconds", "speed"), [(10, 1.0), (8, 1.25), (25, 0.4), (40.0, 0.25)])
def test_speed_is_10_metres_over_the_time(seconds, speed):
    score = WALK.score({"preferred": seconds, "start": "static"})
    assert score.subscores["preferred_speed"].value == pytest.approx(speed, abs=1e-12)
    assert score.subscores["preferred_time"].value == seconds
    assert score.warnings == ()


def test_the_medians_of_scivoletto_2011_are_about_half_a_metre_a_second():
    """18.4 s static and 19 s dynamic: 0.543 and 0.526 m/s."""
    assert WALK.score({"fast": 18.4, "start": "static"}).subscores["fast_speed"].value == pytest.approx(
        0.5435, abs=5e-5
    )
    assert WALK.score({"fast": 19, "start": "dynamic"}).subscores["fast_speed"].value == pytest.approx(
        0.5263, abs=5e-5
    )


def test_unable_is_speed_0_and_no_time():
    score = WALK.score({"preferred": "unable"})
    speed, time = score.subscores["preferred_speed"], score.subscores["preferred_time"]
    assert (speed.value, speed.status) == (0, "ok")
    assert (time.value, time.status) == (None, "structural")
    assert score.items["preferred"] == "unable"
    assert score.warnings == ()


def test_a_pace_that_was_not_tested_is_not_determinable():
    score = WALK.score({"preferred": 12, "start": "dynamic"})
    assert {score.subscores[f"fast_{part}"].status for part in ("speed", "time")} == {"ND"}
    assert score.subscores["preferred_speed"].status == "ok"


def test_a_time_of_0_is_refused():
    for seconds in (0, 0.0, 0.99, -3, 3600.5):
        with pytest.raises(BadValue, match="fast must be 1 to 3600 s or unable"):
            WALK.score({"fast": seconds})


def test_a_time_without_its_start_is_reported():
    assert "start (static or dynamic) is not recorded" in WALK.score({"fast": 11}).warnings[0]


def test_speed_is_better_when_greater_and_time_when_smaller():
    ways = {s.code: s.direction for s in WALK.definition.subscales}
    assert ways == {"preferred_speed": "", "preferred_time": "down", "fast_speed": "", "fast_time": "down"}
    assert WALK.definition.direction == "up"


def test_start_and_aid_come_from_lists():
    with pytest.raises(BadValue, match="start must be one of static, dynamic"):
        WALK.score({"start": "flying"})
    with pytest.raises(BadValue, match="walking_aid must be one of none, cane"):
        WALK.score({"walking_aid": "rollator"})
