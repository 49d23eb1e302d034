"""Somebody is there when a visible page answers, and only then."""

from __future__ import annotations

import pytest

from tests.doors import SteppedClock
from workbench import world
from workbench.engine.presence import Presence
from workbench.errors import BadValue


@pytest.fixture
def there():
    clock = SteppedClock(100.0)
    with world.entered(clock=clock):
        yield Presence(limit_s=20.0, script=False), clock


def answer(presence, page="p1", challenge=None, visible=True):
    presence.answer({"page": page, "challenge": challenge or presence.challenge(), "visible": visible})


def test_nobody_is_there_before_a_page_has_answered(there):
    presence, _ = there
    assert not presence.present
    assert presence.status()["state"] == "nobody_yet"


def test_a_page_that_answers_is_somebody_for_two_seconds(there):
    presence, clock = there
    answer(presence)
    clock.now_s += 2.0
    assert presence.present
    clock.now_s += 0.1
    assert not presence.present
    assert presence.away_s() == pytest.approx(2.1)
    assert presence.status()["state"] == "absent"


def test_a_kernel_that_repeats_the_answer_of_a_closed_tab_is_nobody(there):
    presence, clock = there
    old = presence.challenge()
    answer(presence, challenge=old)
    with pytest.raises(BadValue, match="before"):
        answer(presence, challenge=old)
    clock.now_s += 2.1
    presence.challenge()
    with pytest.raises(BadValue, match="no challenge of the last 2 s"):
        answer(presence, challenge=old)
    with pytest.raises(BadValue, match="no challenge"):
        answer(presence, challenge="0" * 32)
    assert not presence.present


def test_a_page_that_becomes_hidden_is_gone_at_once_and_another_still_counts(there):
    presence, clock = there
    answer(presence, "p1")
    answer(presence, "p2")
    answer(presence, "p1", visible=False)
    assert presence.present
    answer(presence, "p2", visible=False)
    assert not presence.present
    clock.now_s += 1.0
    answer(presence, "p2")
    assert presence.present


def test_an_absence_counts_from_the_last_answer_of_any_page_not_from_a_tab_that_crashed_long_ago(there):
    presence, clock = there
    answer(presence, "crashed")
    clock.now_s += 600.0
    answer(presence, "p1")
    answer(presence, "p1", visible=False)  # a reload
    assert not presence.present
    assert presence.away_s() == pytest.approx(2.0, abs=0.01)
    clock.now_s += 5.0
    assert presence.away_s() == pytest.approx(5.0)
    answer(presence, "p2")
    assert presence.away_s() == 0.0


def test_the_challenge_is_renewed_and_an_earlier_one_holds_for_two_seconds(there):
    presence, clock = there
    first = presence.challenge()
    clock.now_s += 0.6
    assert presence.challenge() != first
    clock.now_s += 1.0
    answer(presence, challenge=first)
    assert presence.present


def test_a_script_may_stand_in_and_the_status_says_so():
    presence = Presence(limit_s=20.0, script=True)
    assert presence.present
    assert presence.away_s() == 0.0
    assert presence.status()["state"] == "script"


@pytest.mark.parametrize("args", [{}, {"page": "", "visible": True}, {"page": "p", "visible": "yes"}, {"page": 1}])
def test_a_malformed_answer_is_refused(there, args):
    with pytest.raises(BadValue, match="page"):
        there[0].answer(args)


def test_a_page_that_answers_each_half_second_is_never_away(there):
    presence, clock = there
    for _ in range(500):
        answer(presence)
        clock.now_s += 0.6
        assert presence.present
    assert len(presence._issued) < 8
    assert len(presence._answered) < 8
