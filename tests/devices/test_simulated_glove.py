"""The simulated glove: what the device does by itself, and over LSL from another process."""

from __future__ import annotations

import math
from dataclasses import asdict

import pytest

from workbench import world
from workbench.devices.simulated_glove import GloveModel, GloveSettings
from workbench.errors import BadValue
from workbench.vocabulary import Command

SURE = GloveSettings(loss=0.0)


def order(seq, action="close", *, at=0.0, level=(1.0,), ttl_ms=250, ramp_ms=0, profile="glove"):
    command = Command(
        seq=seq,
        stamp=at,
        window_end=at,
        sample=0,
        device="glove",
        profile=profile,
        action=action,
        level=level,
        ramp_ms=ramp_ms,
        ttl_ms=ttl_ms,
        state="ACTIVE",
    )
    return asdict(command)


def begun(seed, settings=None):
    """A glove whose session of commands has begun."""
    glove = GloveModel(seed, settings)
    assert glove.begin(0.0)
    return glove


def closed(settings=SURE, level=0.8):
    """A glove that is closed at t = 1 s, its link kept by heartbeats until then."""
    glove = begun(1, settings)
    glove.receive(order(1, level=(level,)), 0.0)
    for k in range(1, 11):
        glove.receive(order(1 + k, "heartbeat", at=0.1 * k), 0.1 * k)
    assert glove.level(1.0) == pytest.approx(level)
    return glove


def test_a_close_is_acknowledged_when_it_has_taken_effect():
    glove = begun(1, SURE)
    assert glove.receive(order(1, level=(0.6,)), 0.0) == []
    due = glove.delay(1)
    answers = []
    for k in range(1, 100):
        now = 0.01 * k
        answers += [a for a in glove.receive(order(1 + k, "heartbeat", at=now), now) if a.seq == 1]
    assert [(a.seq, a.received, a.effective, a.status) for a in answers] == [(1, 0.0, due, "ok")]
    assert answers[0].applied_level == (0.6,)


def test_inflation_takes_300_to_600_ms_in_most_cases_and_is_the_same_for_the_same_seed():
    glove = GloveModel(7, SURE)
    delays = [glove.delay(seq) for seq in range(1, 2001)]
    assert 0.93 < sum(0.3 <= d <= 0.6 for d in delays) / 2000 < 0.99
    assert delays[:20] == [GloveModel(7, SURE).delay(seq) for seq in range(1, 21)]
    assert delays[:20] != [GloveModel(8, SURE).delay(seq) for seq in range(1, 21)]


def test_without_command_it_holds_one_second_and_then_vents_slowly():
    glove = closed()
    lost = 1.0 + 0.25
    glove.tick(lost + 0.01)
    assert glove.state == "holding"
    assert glove.level(lost + 0.99) == pytest.approx(0.8)
    glove.tick(lost + 1.01)
    assert glove.state == "venting"
    levels = []
    for k in range(17):
        glove.tick(lost + 1.0 + 0.1 * k)
        levels.append(glove.level(lost + 1.0 + 0.1 * k))
    assert levels[0] == pytest.approx(0.8)
    assert all(0 < a - b < 0.051 for a, b in zip(levels, levels[1:], strict=False) if a > 0.05)
    assert glove.level(lost + 1.0 + 1.61) == 0.0
    glove.tick(lost + 3.0)
    assert glove.state == "safe"


def test_a_link_lost_while_inflating_freezes_the_pressure_and_says_timeout():
    glove = begun(1, SURE)
    glove.receive(order(1, ttl_ms=100), 0.0)
    reached = glove.level(0.1)
    (answer,) = glove.tick(0.2)
    assert 0 < reached < 1
    assert (answer.seq, answer.status, answer.code, answer.applied_level) == (
        1,
        "timeout",
        "link_lost",
        (reached,),
    )
    assert glove.level(0.9) == reached


@pytest.mark.parametrize("back_after_s", [0.3, 0.9, 1.15, 2.0])
def test_nothing_that_comes_after_the_time_to_live_stretches_the_hold_or_stops_the_vent(back_after_s):
    """An engine that was frozen for 1.15 s and goes on beating must not get a second hold."""
    glove = closed()
    lost = 1.0 + 0.25
    for k in range(200):
        now = 1.0 + back_after_s + 0.02 * k
        for action in ("heartbeat", "hold", "close"):
            for answer in glove.receive(order(60 + 3 * k, action, at=now), now):
                assert answer.code == "locked"
    assert glove.state == "safe"
    assert glove.begin(9.0)
    glove = closed()
    glove.tick(lost + 0.99)
    assert glove.level(lost + 0.99) == pytest.approx(0.8)
    glove.receive(order(99, "heartbeat", at=lost + 1.0), lost + 1.0)
    glove.tick(lost + 1.05)
    assert glove.state == "venting"


def test_a_new_session_does_not_begin_before_the_safe_state_is_complete():
    glove = closed()
    glove.tick(1.5)
    assert not glove.begin(1.5)
    (answer,) = glove.receive(order(1, "hold", at=1.6), 1.6)
    assert answer.code == "locked"
    glove.tick(9.0)
    assert glove.begin(9.0)
    assert glove.receive(order(1, "heartbeat", at=9.0), 9.0)[0].status == "ok"


def test_after_a_stop_only_a_stop_is_followed_until_a_new_session_begins():
    glove = closed()
    glove.receive(order(90, "stop", at=1.0), 1.0)
    (answer,) = glove.receive(order(91, at=1.1), 1.1)
    assert (answer.code, glove.level(2.0), glove.state) == ("locked", 0.0, "stopped")
    assert glove.receive(order(92, "stop", at=1.2), 1.2)[0].status == "ok"
    assert glove.begin(1.3)
    glove.receive(order(1, at=1.4), 1.4)
    assert glove.state == "following"


@pytest.mark.parametrize(("slept_s", "vents_at"), [(0.3, 0.7), (5.0, 0.0)])
def test_a_computer_that_slept_counts_its_sleep_as_time_held(slept_s, vents_at):
    glove = closed()
    glove.lose_link(1.05, slept_s=slept_s)
    assert glove.locked
    if vents_at:
        assert glove.state == "holding"
    glove.tick(1.05 + vents_at + 0.01)
    assert glove.state == "venting"


@pytest.mark.parametrize(
    "changes",
    [{}, {"stamp": -100.0}, {"seq": 1}, {"seq": None}, {"level": "x"}, {"ttl_ms": math.nan}, {"profile": "x"}],
    ids=["plain", "old", "repeated seq", "no seq", "malformed level", "bad ttl", "other profile"],
)
def test_a_stop_vents_at_once_whatever_else_it_says(changes):
    glove = closed()
    (answer,) = glove.receive({**order(99, "stop", at=1.0), **changes}, 1.01)
    assert glove.level(1.01) == 0.0
    assert (answer.status, answer.code, answer.applied_level) == ("ok", "vented", (0.0,))


def test_a_stop_is_answered_and_so_is_the_move_it_ended():
    glove = begun(1, SURE)
    glove.receive(order(1), 0.0)
    ended, stopped = glove.receive(order(2, "stop", at=0.1), 0.1)
    assert (ended.seq, ended.code, stopped.seq, stopped.code) == (1, "superseded", 2, "vented")


def test_an_expired_command_is_refused_and_does_not_renew_the_link():
    glove = closed()
    (answer,) = glove.receive(order(30, "open", at=1.101, ttl_ms=100), 1.101, echo_age_s=0.101)
    assert (answer.status, answer.code) == ("refused", "expired")
    assert glove.level(1.2) == pytest.approx(0.8)
    glove.tick(1.26)
    assert glove.state == "holding"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (order(30, "dance", at=1.0), "unknown_action"),
        (order(30, at=1.0, profile="fes"), "wrong_profile"),
        (order(30, at=1.0, level=(math.nan,)), "bad_level"),
        (order(30, at=1.0, level=()), "bad_level"),
        (order(30, at=1.0, ttl_ms=math.inf), "bad_ttl"),
        (order(30, at=1.0, ttl_ms=60_000), "bad_ttl"),
        (order(0, at=1.0), "old_seq"),
        ({"seq": 30, "profile": "glove"}, "malformed"),
    ],
)
def test_what_it_cannot_follow_is_refused_with_a_code_and_changes_nothing(command, code):
    glove = closed()
    (answer,) = glove.receive(command, 1.0)
    assert (answer.status, answer.code) == ("refused", code)
    assert (glove.level(1.1), glove.last_seq) == (pytest.approx(0.8), 11)


def test_a_level_above_one_is_clipped_and_says_so():
    glove = begun(1, GloveSettings(loss=0.0, greatest=0.7, delay_spread=0.0, delay_s=0.1))
    glove.receive(order(1, level=(3.0,)), 0.0)
    (answer,) = glove.tick(0.2)
    assert (answer.status, answer.applied_level) == ("clipped", (0.7,))


def test_a_repeated_command_is_applied_once_and_answered_again_as_before():
    glove = begun(1, GloveSettings(loss=0.0, delay_s=0.1, delay_spread=0.0))
    glove.receive(order(1, level=(0.5,)), 0.0)
    assert glove.receive(order(1, level=(0.5,)), 0.05) == []
    (first,) = glove.tick(0.15)
    assert glove.receive(order(1, level=(0.9,)), 0.2) == [first]
    assert glove.level(0.24) == 0.5


def test_the_same_order_with_new_numbers_joins_the_move_under_way():
    glove = begun(1, SURE)
    glove.receive(order(1), 0.0)
    effect = glove.delay(1)
    assert glove.receive(order(2, at=0.1), 0.1) == []
    assert glove.receive(order(3, at=0.2), 0.2) == []
    glove.receive(order(4, "heartbeat", at=effect - 0.01), effect - 0.01)
    answers = glove.tick(effect)
    assert [(a.seq, a.effective, a.status) for a in answers] == [(k, effect, "ok") for k in (1, 2, 3)]


def test_one_command_in_a_thousand_is_lost_by_default_and_a_repetition_gets_through():
    glove = begun(3)
    answered = sum(bool(glove.receive(order(k, "heartbeat", at=0.0), 0.0)) for k in range(1, 10_001))
    assert 9_970 <= answered < 10_000


@pytest.mark.parametrize("bad", [{"hold_s": 1.5}, {"loss": -0.1}, {"vent_s": math.nan}, {"greatest": 1.1}])
def test_settings_no_device_has_are_refused(bad):
    with pytest.raises(BadValue, match=next(iter(bad))):
        GloveSettings(**bad)


def test_a_link_that_loses_nothing_draws_nothing(monkeypatch):
    glove = GloveModel(7, SURE)
    monkeypatch.setattr(world.chance, "generator", lambda *_: pytest.fail("a number was drawn"))
    assert not any(glove._is_lost(n) for n in range(10))
