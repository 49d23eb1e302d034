"""Level limits, dose, profiles that contradict themselves, time to live."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import control
from workbench.control import Limits, SafeStep, Supervisor
from workbench.control._machine import Now
from workbench.control._supervisor import check_limits
from workbench.errors import BadValue
from workbench.vocabulary import Command

GLOVE = control.load("glove")


@given(
    level=st.lists(st.floats(), min_size=0, max_size=3),
    highest=st.floats(0.01, 1.0),
)
def test_whatever_is_asked_the_level_is_within_limits(level, highest):
    supervisor = Supervisor(Limits("x", highest, 30.0, 60.0), channels=2)
    clip = supervisor.clip(level)
    assert len(clip.level) == 2
    assert all(0.0 <= value <= highest for value in clip.level)
    if clip.broken:
        assert clip.level == (0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"level_max": 1.5}, "level_max .* at most 1 .* got 1.5"),
        ({"level_max": 0.0}, "level_max"),
        ({"hold_limit_s": 31.0}, "hold_limit_s .* at most 30"),
        ({"dose_s": float("nan")}, "dose_s"),
    ],
)
def test_limits_of_a_protocol_may_only_be_narrower(change, words):
    with pytest.raises(BadValue, match=words):
        check_limits(replace(control.profile_limits(GLOVE), **change), GLOVE)


def test_the_dose_counts_only_while_moving_by_whichever_clock_ran_further():
    supervisor = Supervisor(control.profile_limits(GLOVE), channels=1, dose_used_s=10.0)
    supervisor.count(Now(0.0, 0.0, 0.0), moving=False)
    supervisor.count(Now(5.0, 5.0, 5.0), moving=True)
    supervisor.count(Now(6.0, 7.0, 6.0), moving=True)
    supervisor.count(Now(9.0, 7.5, 9.0), moving=False)
    supervisor.count(Now(20.0, 20.0, 20.0), moving=False)
    assert supervisor.dose_s == 10.0 + 2.0 + 3.0
    assert supervisor.dose_left_s == 3600.0 - 15.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"channels": 0}, "at least 1 channel"),
        ({"missed_limit": 0}, "at least 1 channel"),
        ({"heartbeat_s": 0.25}, "before its time to live of 250 ms, got 250 ms"),
        ({"level": 1.2}, "fraction 0–1, got 1.2"),
        ({"hold_limit_s": float("inf")}, "hold_limit_s"),
        ({"ramp_ms": -1}, "must not be negative"),
        ({"refractory_s": -0.5}, "must not be negative"),
        ({"on_fault": ()}, "must start at 0 s"),
        ({"on_fault": (SafeStep("hold", after_s=1.0),)}, "must start at 0 s"),
        ({"on_fault": (SafeStep("close"),)}, "may only hold, open, release, stop; got close"),
        ({"on_estop": (SafeStep("release"),)}, "the action stop alone"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(change, words):
    with pytest.raises(BadValue, match=words):
        replace(GLOVE, **change)


def test_a_command_expires_after_its_time_to_live():
    command = Command(1, 100.0, 100.0, 0, "glove", "glove", "close", (1.0,), 0, 250, "ACTIVE")
    assert not control.expired(command, now_stream=100.25)
    assert control.expired(command, now_stream=100.26)
