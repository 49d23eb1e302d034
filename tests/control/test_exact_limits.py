"""Times and bounds of the controller, at the very value: steps are powers of two, so that no sum is rounded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import control
from workbench.control._profile import Effector, SafeStep
from workbench.errors import BadValue, Refused
from workbench.vocabulary import Decision, DeviceStatus

JUST = 2.0**-10
"""s, a step that is exact in the bench's times."""


def reach(bench, state):
    """Walk to a state and take the time of this moment as the bench's."""
    bench.reach(state)
    bench.rows.clear()
    return bench


def test_a_release_ends_when_its_ramp_is_over_and_not_before(make_bench):
    bench = reach(make_bench(), "HOLD")
    bench.decide("release")
    bench.tick(0.5 - JUST)
    assert bench.state == "RELEASE"
    bench.tick(JUST)
    assert bench.state == "REFRACTORY"


def test_the_refractory_time_ends_at_its_length_and_not_before(make_bench):
    bench = reach(make_bench(), "HOLD")
    bench.decide("release")
    bench.tick(0.5)
    assert bench.state == "REFRACTORY"
    bench.tick(0.5 - JUST)
    assert bench.state == "REFRACTORY"
    bench.tick(JUST)
    assert bench.state == "ARMED"


def test_the_hold_limit_ends_an_activation_at_its_length_and_not_before(make_bench):
    bench = make_bench(replace(control.load("glove"), hold_limit_s=4.0, hold_reminder_s=2.0))
    bench.arm()
    bench.decide("activate")
    for _ in range(15):
        bench.tick(0.25)
        bench.decide("")
    bench.tick(0.25 - JUST)
    assert bench.state in ("ACTIVE", "HOLD")
    bench.tick(JUST)
    assert bench.state == "RELEASE"
    assert [row.extent for row in bench.rows if row.kind == "hold_limit"] == ["4.0 s"]


def test_a_heartbeat_is_due_when_its_time_is_over_and_not_before(make_bench):
    bench = reach(make_bench(replace(control.load("glove"), heartbeat_s=0.125)), "HOLD")
    bench.tick(0.125)
    assert [command.action for command in bench.tick(0.125)] == ["heartbeat"]
    assert bench.tick(0.125 - JUST) == []
    assert [command.action for command in bench.tick(JUST)] == ["heartbeat"]


@pytest.mark.parametrize(
    ("state", "act", "words"),
    [("IDLE_SAFE", "arm", ("Chen L.",)), ("HOLD", "disarm", ("Chen L.",)), ("HOLD", "release", ("key",)),
     ("HOLD", "estop", ("key",)), ("ESTOP", "reset", ("Chen L.",))],
)  # fmt: skip
def test_an_act_is_entered_at_its_own_moment_and_not_at_that_of_the_tick_before(make_bench, state, act, words):
    bench = reach(make_bench(), state)
    bench.tick(0.25)
    bench.rows.clear()
    bench.stream, bench.local = bench.stream + JUST, bench.local + JUST
    row = bench.act(act, *words).row
    assert (row.stamp, row.local) == (bench.stream, bench.local)


@pytest.mark.parametrize(("age_s", "follows"), [(0.25, True), (0.25 + JUST, False)])
def test_a_decision_is_followed_until_it_is_as_old_as_a_command_may_be(make_bench, age_s, follows):
    bench = reach(make_bench(), "ARMED")
    assert bool(bench.decide("activate", age_s=age_s)) == follows
    assert bench.state == ("ACTIVE" if follows else "ARMED")


@pytest.mark.parametrize(("age_s", "level"), [(0.25, 0.5), (0.25 + JUST, 0.0)])
def test_a_velocity_is_followed_until_it_is_as_old_as_a_command_may_be(make_bench, age_s, level):
    bench = make_bench(control.load("cursor_2d"), law=control.ControlLaw("proportional", gain=1.0, slew_per_s=4.0))
    bench.arm()
    for change, age in (("activate", 0.0), ("", 0.0), ("", age_s)):
        bench.tick(0.0625)
        decision = Decision(1, bench.stream - age, "right", change=change, kind="velocity", values=(0.5, 0.0))
        bench.deliver(
            bench.controller.on_decision(decision, now_stream=bench.stream, local=bench.local, quality_ok=True)
        )
    assert bench.sent[-1].level[0] == level


@pytest.mark.parametrize(("apart_s", "fails"), [(0.25, True), (0.5, False)])
def test_overruns_count_within_a_second_by_the_time_of_each_hop(bench, apart_s, fails):
    bench.arm()
    for _ in range(4):
        bench.local += apart_s
        bench.deliver(bench.controller.on_hop(9.0, local=bench.local))
    assert bench.state == ("FAULT_SAFE" if fails else "ARMED")


@pytest.mark.parametrize("act", ["arm", "disarm", "reset"])
@pytest.mark.parametrize("name", ["", "   "])
def test_no_act_of_an_operator_is_without_a_name(make_bench, act, name):
    bench = make_bench()
    bench.reach({"arm": "IDLE_SAFE", "disarm": "ARMED", "reset": "ESTOP"}[act])
    before = bench.state
    with pytest.raises(BadValue, match="a name is needed for the record"):
        bench.act(act, name)
    assert bench.state == before


@pytest.mark.parametrize("ready", [True, False])
def test_nobody_is_confirmed_ready_without_a_name(bench, ready):
    with pytest.raises(BadValue, match="a name is needed for the record"):
        bench.act("set_ready", ready=ready, by=" ")


def test_a_new_self_test_measures_the_round_trip_again(bench):
    bench.answering = False
    bench.self_test()
    bench.local += 0.0625
    bench.answering = True
    bench.deliver(bench.controller.device.on_ack(bench.ack(bench.sent[-1]), local=bench.local))
    assert bench.controller.snapshot()["round_trip_ms"] == 62.5
    bench.self_test()
    assert bench.controller.snapshot()["round_trip_ms"] == 0.0


@pytest.mark.parametrize(("act", "state"), [("release", "HOLD"), ("disarm", "HOLD"), ("estop", "HOLD")])
def test_a_command_of_an_operators_act_carries_the_time_of_the_act(bench, act, state):
    bench.reach(state)
    bench.stream += 0.125
    bench.local += 0.125
    (command,) = bench.act(act, "Chen L.").commands
    assert command.stamp == bench.stream


def test_a_self_test_that_passed_is_in_the_ledger(bench):
    bench.prepare()
    passed = [row for row in bench.rows if row.extent == "self-test passed"]
    assert [(row.kind, row.consequence) for row in passed] == [("effector", "the effector can be armed")]


@pytest.mark.parametrize("silent_s", [0.5, 0.5 + JUST])
def test_silence_of_the_evidence_counts_from_the_decision_that_closed_the_effector(bench, silent_s):
    bench.arm()
    bench.run(2.0, decide=False)
    bench.decide("activate")
    for _ in range(4):
        bench.tick(0.125)
    bench.tick(silent_s - 0.5)
    assert bench.state == ("HOLD" if silent_s == 0.5 else "FAULT_SAFE")


def test_an_effector_that_states_nothing_has_these_limits():
    plain = Effector("plain", "plain", on_fault=(SafeStep("release"),), on_estop=(SafeStep("stop"),))
    limits = {
        "channels": 1,
        "level": 1.0,
        "ramp_ms": 500,
        "release_ramp_ms": 500,
        "ttl_ms": 250,
        "heartbeat_s": 0.1,
        "ack_timeout_s": 1.0,
        "missed_limit": 3,
        "hold_limit_s": 30.0,
        "hold_reminder_s": 20.0,
        "refractory_s": 0.5,
        "dose_s": 3600.0,
    }
    assert {name: getattr(plain, name) for name in limits} == limits


@pytest.mark.parametrize(("age_s", "waits"), [(1.0 - JUST, True), (1.0, False)])
def test_a_reset_waits_for_a_device_that_vents_until_it_is_silent(make_bench, age_s, waits):
    bench = reach(make_bench(), "ESTOP")
    venting = DeviceStatus(1, bench.stream, "venting", 0.5, True)
    bench.deliver(bench.controller.device.on_status(venting, follows=True, local=bench.local))
    bench.tick(age_s)
    if waits:
        with pytest.raises(Refused, match="safe state is not complete"):
            bench.act("reset", "Chen L.")
    else:
        bench.act("reset", "Chen L.")
    assert bench.state == ("ESTOP" if waits else "SELFTEST")


def test_a_new_self_test_forgets_the_quality_that_was_seen_before_it(bench):
    bench.reach("IDLE_SAFE")
    bench.self_test()
    met = {one.key: one.ok for one in bench.controller.conditions()}
    assert not met["montage_good"]
    bench.tick(0.01)
    assert {one.key: one.ok for one in bench.controller.conditions()}["montage_good"]


def test_an_operator_is_reminded_before_the_hold_limit_ends_what_is_held():
    glove = control.load("glove")
    with pytest.raises(BadValue, match="reminded of a hold after 30 s, effector glove ends it after 30 s"):
        replace(glove, hold_reminder_s=30.0)
    known = [control.load(name) for name in control.available()]
    assert all(one.hold_reminder_s < one.hold_limit_s for one in known)
