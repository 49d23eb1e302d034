"""Control laws: which decisions close the effector, and what opens it again."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from workbench import control
from workbench.control import ControlLaw, Controller, Grant, Limits
from workbench.errors import BadValue

TRIGGER = ControlLaw("trigger", ("grasp",), 2.0)
GLOVE = control.load("glove")


@pytest.mark.parametrize("change", ["cued", "activate"])
def test_a_trigger_closes_once_for_its_time_and_opens_by_itself(make_bench, change):
    bench = make_bench(law=TRIGGER)
    bench.arm()
    (close,) = bench.decide(change)
    assert (close.action, bench.state) == ("close", "ACTIVE")
    # Neither more of the same nor its absence changes anything while it is closed.
    bench.run(1.0)
    assert bench.decide("activate") == bench.decide("release") == bench.decide("cued") == []
    assert "2 s after it was closed" in bench.controller.why
    bench.run(0.9, decide=False)
    assert bench.state == "HOLD"
    bench.run(0.15, decide=False)
    assert bench.state == "RELEASE"
    assert [c.reason for c in bench.sent if c.action == "release"] == ["trigger over"]


@pytest.mark.parametrize(("conditions", "named"), [(("grasp", "pinch"), "grasp, pinch"), ((), "an intent")])
def test_the_words_on_the_way_on_name_what_a_trigger_waits_for(make_bench, conditions, named):
    bench = make_bench(law=ControlLaw("trigger", conditions, 2.0))
    bench.arm()
    assert bench.controller.why == f"Becomes ACTIVE when {named} is decided."


def test_silence_of_evidence_between_two_cues_is_no_fault_of_a_trigger(make_bench):
    bench = make_bench(law=ControlLaw("trigger", ("grasp",), 5.0))
    bench.arm()
    bench.decide("cued")
    bench.run(4.0, decide=False)
    assert bench.state == "HOLD"
    bench.run(2.5, decide=False)
    assert bench.state == "ARMED"


@pytest.mark.parametrize(
    ("law", "change", "label"),
    [
        (TRIGGER, "cued", "feet"),
        (TRIGGER, "cued", ""),
        (TRIGGER, "activate", "feet"),
        (ControlLaw("trigger", (), 2.0), "cued", "grasp"),
        (ControlLaw("hold"), "cued", "grasp"),
        (ControlLaw("hold", ("grasp",)), "cued", "grasp"),
        (ControlLaw("hold", ("grasp",)), "activate", "feet"),
        (ControlLaw("toggle", ("grasp",)), "cued", "grasp"),
    ],
)
def test_a_decision_that_the_law_does_not_name_moves_nothing(make_bench, law, change, label):
    bench = make_bench(law=law)
    bench.arm()
    assert bench.decide(change, label=label) == []
    assert bench.state == "ARMED"


def test_a_late_or_invalid_cue_triggers_nothing(make_bench):
    bench = make_bench(law=TRIGGER)
    bench.arm()
    assert bench.decide("cued", age_s=0.3) == []
    assert bench.decide("cued", valid=False) == []
    assert [row.kind for row in bench.rows if row.kind == "intent_ignored"] == ["intent_ignored"] * 2


def test_the_hold_limit_ends_a_trigger_that_a_grant_has_made_too_long(make_bench):
    bench = make_bench(law=TRIGGER)
    bench.prepare()
    grant = Grant("approval-1", "P01", "glove", "abc123", 0.5, 1.0, 60.0, 0.0, bench.local + 30.0)
    bench.act("arm", "Chen L.", grant=grant)
    bench.decide("cued")
    bench.run(1.1, decide=False)
    assert bench.state == "RELEASE"
    assert [row.kind for row in bench.rows if row.kind == "hold_limit"] == ["hold_limit"]


def test_a_grant_never_widens_the_limits_of_the_protocol(make_bench):
    bench = make_bench(limits=Limits("protocol", 0.4, 2.0, 100.0))
    bench.prepare()
    grant = Grant("approval-1", "P01", "glove", "abc123", 0.8, 1.0, 3600.0, 0.0, bench.local + 30.0)
    bench.act("arm", "Chen L.", grant=grant)
    assert bench.controller.limits == Limits("approval-1", 0.4, 1.0, 100.0)


@pytest.mark.parametrize(
    ("law", "trigger_s", "sentence"),
    [
        ("squeeze", 0.0, "must be one of hold, toggle, trigger, proportional, stride_gated, got 'squeeze'"),
        ("trigger", 0.0, "needs a time above 0 s"),
        ("trigger", float("nan"), "needs a time above 0 s"),
        ("hold", 1.0, "trigger_s must be 0, got 1; use the law trigger"),
    ],
)
def test_a_law_that_contradicts_itself_is_refused(law, trigger_s, sentence):
    with pytest.raises(BadValue, match=sentence):
        ControlLaw(law, ("grasp",), trigger_s)


def test_a_trigger_longer_than_the_effector_may_be_closed_is_refused():
    with pytest.raises(BadValue, match=r"a trigger of 3 s is longer than glove may be closed \(2 s\)"):
        Controller(GLOVE, limits=Limits("protocol", 1.0, 2.0, 100.0), law=ControlLaw("trigger", ("grasp",), 3.0))
    longest = ControlLaw("trigger", ("grasp",), 2.0)
    assert Controller(GLOVE, limits=Limits("protocol", 1.0, 2.0, 100.0), law=longest).limits.hold_limit_s == 2.0


# ------------------------------------------------------------------------------------ patterns of channels
KNEE = (("extend", (1.0, *(0.0,) * 7)), ("flex", (0.0, 0.5, *(0.0,) * 6)))


def test_an_intent_moves_the_channels_of_its_pattern_and_no_other(make_bench):
    """A cursor's profile has four channels and stimulates nobody."""
    law = ControlLaw("hold", patterns=(("right", (1.0, 0.0, 0.0, 0.0)), ("", (0.0, 0.0, 0.25, 0.0))))
    bench = make_bench(control.load("cursor_2d"), law=law)
    bench.arm()
    for label, level in (("right", (1.0, 0.0, 0.0, 0.0)), ("up", (0.0, 0.0, 0.25, 0.0))):
        (closed,) = bench.decide("activate", label=label)
        assert (closed.action, closed.level) == ("close", level)
        bench.decide("release", label=label)
        bench.run(3.0, decide=False)


def test_one_value_moves_every_channel_of_a_pattern_and_several_values_are_no_level():
    law = ControlLaw("proportional", gain=2.0, dead_band=0.1, slew_per_s=1.0, patterns=(("", (0.0, 0.5, 1.0)),))
    assert law.levels((0.6,), "amplitude", "force_60") == pytest.approx((0.0, 0.5, 1.0))
    assert law.levels((0.05,), "amplitude") == (0.0, 0.0, 0.0)
    assert law.levels((0.6, 0.6), "amplitude") == ()


@pytest.mark.parametrize(
    ("conditions", "patterns"),
    [
        (("extend", "bend"), KNEE),
        ((), KNEE),
        (("extend",), (*KNEE, KNEE[0])),
        (("extend",), (("extend", (0.0,) * 8),)),
        (("extend",), (("extend", (1.5, *(0.0,) * 7)),)),
        (("extend",), (("extend", (float("nan"), *(1.0,) * 7)),)),
    ],
)
def test_patterns_that_leave_a_condition_out_or_are_no_shares_are_refused(conditions, patterns):
    with pytest.raises(BadValue, match="one list of shares from 0 to 1, not all 0; got"):
        ControlLaw("hold", conditions, patterns=patterns)


def test_a_pattern_for_other_channels_than_the_effectors_is_refused():
    law = ControlLaw("hold", patterns=(("", (1.0, 0.0)),))
    with pytest.raises(BadValue, match="the pattern of '' has 2 shares, and glove 1 channels"):
        Controller(GLOVE, law=law)


def test_a_law_with_patterns_comes_back_from_the_json_of_a_plan():
    law = ControlLaw("trigger", ("extend", "flex"), 2.0, patterns=KNEE)
    assert ControlLaw(**json.loads(json.dumps(asdict(law)))) == law
