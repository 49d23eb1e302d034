"""A controller of an effector that stimulates: nothing leaves but by its supervisor, whoever orders it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.control.conftest import Bench
from tests.stimulation.worked import GAIT, LYING, limits, signed
from workbench import control, messages
from workbench.control import ControlLaw, SafeStep
from workbench.errors import BadValue, Refused
from workbench.stimulation import Setup, Wearer

STEADY = replace(LYING, release_s=1.0)
WALKING = replace(GAIT, release_s=1.0)
OFF = (0.0,) * 8


def setup(programme=STEADY, *, lesion="T10", **changes):
    changes = {"limits": {"burst_s": 20.0}, **changes}
    return Setup(programme, (signed(limits(**changes), "chen", "lin"),), Wearer(lesion))


def stimulated(programme=STEADY, *, effector="epidural", law=None, measured=True, **options):
    bench = Bench(control.load(effector), stimulation=setup(programme, **options), law=law)
    if measured:
        measure(bench)
    return bench


def measure(bench, ohm=1000.0):
    contacts = {(c.lead, contact) for c in bench.controller.setup.programme.channels for contact in c.contacts}
    bench.controller.stimulation.take_impedances([(*place, ohm) for place in sorted(contacts)], local=bench.local)


def condition(bench):
    return next(one for one in bench.controller.conditions() if one.key == "stimulation_allowed")


def test_without_signed_limits_an_effector_that_stimulates_is_never_armed():
    bench = Bench(control.load("fes"))
    bench.prepare()
    assert str(condition(bench).text) == "No limits of stimulation that two people have signed are in force."
    with pytest.raises(Refused, match="two people have signed"):
        bench.act("arm", "Chen L.")
    assert all(not any(command.level) for command in bench.sent)


def test_an_effector_that_does_not_stimulate_has_no_such_condition():
    bench = Bench(control.load("glove"))
    assert "stimulation_allowed" not in [one.key for one in bench.controller.conditions()]


@pytest.mark.parametrize(
    ("effector", "programme", "said"),
    [
        ("glove", STEADY, "effector glove stimulates on 1 at most, or not at all"),
        ("epidural", LYING, "takes up to 1 s to release, its programme says 0.5 s"),
    ],
)
def test_a_programme_for_another_kind_of_effector_is_refused(effector, programme, said):
    with pytest.raises(BadValue, match=said):
        Bench(control.load(effector), stimulation=setup(programme))


def test_a_watchdog_that_is_shorter_than_the_time_to_live_is_refused():
    with pytest.raises(BadValue, match="ends by itself after 250 ms; the watchdog of its limits is 200 ms"):
        stimulated(limits={"watchdog_s": 0.2})


def test_a_profile_that_would_keep_a_current_after_a_fault_is_none():
    fes = control.load("fes")
    with pytest.raises(BadValue, match="must not keep a current after a fault"):
        replace(fes, on_fault=(SafeStep("hold", keep_level=True), SafeStep("release", after_s=1.0)))


def test_what_forbids_current_forbids_arming_and_is_named():
    bench = stimulated(measured=False)
    bench.prepare()
    assert "age of the measured impedance of lead 3 is not known" in str(condition(bench).text)
    measure(bench)
    assert condition(bench).ok
    bench.act("arm", "Chen L.")
    assert bench.state == "ARMED"


def test_an_intent_sends_the_level_that_the_supervisor_lets_through_on_the_channels_of_the_programme():
    bench = stimulated()
    bench.arm()
    (command,) = bench.decide("activate", level=(0.5, 1.0, 0.7, 0.0, 0.0, 0.0, 0.0, 0.0))
    assert command.level == (0.5, 1.0, *OFF[2:])
    assert command.ramp_ms == 100


def test_a_rise_that_is_too_fast_is_sent_with_a_longer_ramp_and_entered_once():
    bench = stimulated(limits={"slew_ma_s": 10.0, "burst_s": 20.0})
    bench.arm()
    (command,) = bench.decide("activate")
    assert command.ramp_ms == 500
    assert [row.kind for row in bench.rows].count("stimulation_limited") == 2  # a row for each channel


def test_an_intent_that_a_rule_forbids_moves_nothing_and_says_which():
    bench = stimulated()
    bench.arm()
    bench.decide("activate")
    bench.run(0.3)
    bench.act("release", "paused")
    bench.run(0.9)
    measure(bench, ohm=5000.0)
    assert bench.decide("activate") == []
    assert bench.state == "ARMED"
    assert any("impedance of lead" in str(row.extent) for row in bench.rows if row.kind == "intent_ignored")


def test_a_burst_that_is_too_long_is_released_by_the_controller():
    bench = stimulated(limits={"burst_s": 4.0})
    bench.arm()
    bench.decide("activate")
    bench.run(3.0)
    assert bench.state in ("RELEASE", "REFRACTORY", "ARMED")
    released = next(command for command in bench.sent if command.action == "release")
    assert "length of the burst of lead" in released.reason
    assert released.level == OFF


def test_support_that_is_lost_while_current_flows_releases_with_a_ramp():
    bench = stimulated(WALKING, law=ControlLaw("toggle"))
    bench.controller.stimulation.take_load(30.0, local=bench.local)
    bench.arm()
    bench.decide("activate")
    bench.controller.stimulation.take_load(3.0, local=bench.local)
    (released,) = [command for command in bench.tick(0.05) if command.action == "release"]
    assert released.level == OFF
    assert bench.state == "RELEASE"
    assert not condition(bench).ok


def test_a_pressure_of_somebody_at_risk_stops_at_once_and_stays_until_it_is_lower():
    bench = stimulated(lesion="T4")
    reports = bench.controller.stimulation
    reports.take_pressure(110.0, resting=True, by="Lin", local=bench.local)
    bench.arm()
    bench.decide("activate")
    reports.take_pressure(135.0, resting=False, by="Lin", local=bench.local)
    bench.tick(0.05)
    assert bench.state == "ESTOP"
    stop = next(command for command in bench.sent[::-1] if command.action == "stop")
    assert "systolic blood pressure of the participant is 135 mmHg" in stop.reason
    bench.tick(0.5)
    bench.act("reset", "Chen L.")
    bench.prepare()
    with pytest.raises(Refused, match="systolic blood pressure"):
        bench.act("arm", "Chen L.")
    reports.take_pressure(112.0, resting=False, by="Lin", local=bench.local)
    # What stopped it has latched it: a new self-test, and not the reading alone, lets it go.
    bench.self_test()
    bench.tick(0.01)
    bench.act("arm", "Chen L.")
    assert bench.state == "ARMED"


def test_more_than_was_sent_stops_and_less_is_a_fault():
    bench = stimulated()
    bench.arm()
    bench.decide("activate")
    bench.run(0.5)
    bench.controller.stimulation.take_stimulator(delivered_ma=(6.0, 4.0), local=bench.local)
    bench.tick(0.05)
    assert bench.state == "ESTOP"
    other = stimulated()
    other.arm()
    other.decide("activate")
    for _ in range(12):
        other.run(0.05)
        other.controller.stimulation.take_stimulator(delivered_ma=(1.0, 4.0), local=other.local)
    other.tick(0.01)
    assert other.state == "FAULT_SAFE"
    assert other.controller.snapshot()["fault"] == "stimulation"
    assert other.sent[-1].level == OFF


def test_an_engine_that_stood_still_for_longer_than_the_watchdog_finds_its_stimulator_stopped():
    bench = stimulated()
    bench.arm()
    bench.decide("activate")
    bench.run(0.5)
    bench.local, bench.stream = bench.local + 0.4, bench.stream + 0.4
    # The first thing that comes is a decision, not a tick: it is released, and the tick says why it is a fault.
    (released,) = bench.decide("release", p=0.1)
    assert released.level == OFF
    bench.tick(0.01)
    assert bench.controller.snapshot()["fault"] == "stimulation"
    assert "ime without a sign of life" in bench.controller.why


def test_the_part_of_a_status_about_currents_is_taken_and_what_is_malformed_was_not_measured():
    bench = stimulated(measured=False, limits={"temperature_c": 39.0, "burst_s": 20.0})
    reports = bench.controller.stimulation
    contacts = sorted({(c.lead, n) for c in STEADY.channels for n in c.contacts})
    said = {
        "programme": STEADY.sha256, "delivered_ma": [0.0, 0.0], "leads": [["lead", 12.0, None]],
        "ohm": [[lead, n, 900] for lead, n in contacts],
    }  # fmt: skip
    reports.take_status(said, local=bench.local)
    assert condition(bench).ok
    taken = len(bench.controller.take_inputs())
    reports.take_status(said, local=bench.local)
    assert 0 < len(bench.controller.take_inputs()) < taken  # the same impedances are no other measurement
    for other in (None, [], "x", {"ohm": 3, "leads": [7], "programme": None}):
        reports.take_status(other, local=bench.local)
        assert condition(bench).ok
    reports.take_status({**said, "programme": "0" * 64}, local=bench.local)
    assert "holds another programme" in str(condition(bench).text)
    reports.take_status({**said, "leads": [["lead", "much", 37.0]]}, local=bench.local)
    assert "net direct current of lead" in str(condition(bench).text)


def test_a_measurement_that_is_none_counts_as_nothing_delivered():
    bench = stimulated()
    bench.arm()
    bench.decide("activate")
    for _ in range(12):
        bench.run(0.05)
        bench.controller.stimulation.take_status({"delivered_ma": ["much", None]}, local=bench.local)
    bench.tick(0.01)
    assert bench.controller.snapshot()["fault"] == "stimulation"


def test_a_stop_of_the_operator_stops_the_supervisor_too():
    bench = stimulated()
    bench.arm()
    bench.decide("activate")
    bench.act("estop", "key")
    gate = bench.controller._orders.gate
    assert gate.supervisor.latched.rule == "stopped"
    assert gate.supervisor.sent_ma == (0.0, 0.0)


def test_a_ceiling_that_is_lowered_lowers_the_current_that_flows_and_one_that_is_refused_changes_nothing():
    bench = stimulated()
    bench.arm()
    bench.decide("activate")
    reports = bench.controller.stimulation
    (command,) = bench.deliver(reports.set_ceiling(0, 2.5, by="Chen", local=bench.local))
    assert (command.action, command.level) == ("close", (0.5, 1.0, *OFF[2:]))
    with pytest.raises(Refused, match="step of the ceiling of left hip would be 1 mA, at most 0.1 mA"):
        reports.set_ceiling(0, 3.5, by="Chen", local=bench.local)
    with pytest.raises(Refused, match="channel 7 is none of the programme"):
        reports.set_ceiling(7, 1.0, by="Chen", local=bench.local)
    assert bench.controller.level[0] == 0.5


def test_a_sham_leads_through_the_same_states_and_sends_level_0():
    real, sham = stimulated(), stimulated(replace(STEADY, mode="sham"))
    for bench in (real, sham):
        bench.arm()
        bench.decide("activate")
        bench.run(1.0)
    assert sham.state == real.state == "HOLD"
    assert [command.action for command in sham.sent] == [command.action for command in real.sent]
    assert all(not any(command.level) for command in sham.sent)
    assert any(any(command.level) for command in real.sent)


@pytest.mark.parametrize("state", ["DISCONNECTED", "SELFTEST", "IDLE_SAFE", "ARMED", "HOLD", "FAULT_SAFE"])
def test_a_symptom_stops_at_once_in_any_state_and_is_over_when_an_operator_resets(state):
    bench = stimulated(lesion="T10").reach(state)
    (stop,) = bench.controller.stimulation.take_symptom("headache", local=bench.local)
    assert (bench.state, stop.action, any(stop.level)) == ("ESTOP", "stop", False)
    assert "headache; once it is over, reset" in str(condition(bench).text)
    with pytest.raises(Refused):
        bench.act("arm", "Chen L.")
    # Noted once more it sends nothing more: the stop is latched.
    assert bench.controller.stimulation.take_symptom("headache and sweating", local=bench.local) == []
    bench.run(3.0)
    bench.act("reset", "Chen L.")
    bench.arm()
    assert bench.state == "ARMED"


@pytest.mark.parametrize("state", ["SELFTEST", "IDLE_SAFE"])
def test_what_the_person_feels_stops_in_no_version_before_9_and_is_over_by_no_self_test(state):
    bench = stimulated(lesion="T10").reach(state)
    bench.controller.stimulation._stops = False
    assert bench.controller.stimulation.take_symptom("headache", local=bench.local) == []
    bench.prepare()
    assert bench.state == "IDLE_SAFE"
    with pytest.raises(Refused, match="headache"):
        bench.act("arm", "Chen L.")


def test_commands_of_a_stimulator_are_recomputed_from_its_state_and_inputs():
    bench = stimulated(WALKING, law=ControlLaw("toggle"), lesion="T4")
    reports = bench.controller.stimulation
    reports.take_pressure(110.0, resting=True, by="Lin", local=bench.local)
    reports.take_load(30.0, local=bench.local)
    bench.arm()
    bench.controller.take_inputs()
    begun, bench.sent = control.state_entry(bench.controller, stamp=bench.stream), []
    bench.decide("activate")
    bench.tick(0.2)
    reports.set_ceiling(0, 2.0, by="Chen", local=bench.local)
    bench.deliver(reports.take_symptom("headache", local=bench.local))
    bench.tick(0.2)
    assert bench.state == "ESTOP"
    taken = [begun, *(one.entry() for one in bench.controller.take_inputs())]
    entries = [
        (kind, messages.restored(json.loads(json.dumps(messages.carried(what))))) for kind, what, _ in taken
    ]
    from workbench.vocabulary import Decision

    followed = Decision(bench.sample, bench.stream - 0.4, "grasp", (1 - 0.9, 0.9), True, "activate")
    again = list(control.recompute(entries, [followed]))
    assert [(c.action, c.level, c.ramp_ms) for c in bench.sent] == [
        (c.action, c.level, c.ramp_ms) for c in again if c.reason != "ceiling"
    ]
    assert [c.level[0] for c in again if c.reason == "ceiling"] == [0.4]
