"""What a controller was given leads to the same commands again, from any state; nothing else is taken for it."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from tests.control.conftest import Bench
from tests.control.test_stimulation import STEADY, stimulated
from workbench import control, messages
from workbench.control import Grant
from workbench.control._state import from_json, to_json
from workbench.errors import BadValue, Refused
from workbench.vocabulary import Decision

GRANT = Grant("a-1", "P-041", "glove", "abc123", 0.6, 10.0, 100.0, 20.0, expires=1e9)


def recorded(bench):
    """Everything that the controller was given since its state was recorded, as a file gives it back."""
    entries = [bench.begun, *(taken.entry() for taken in bench.controller.take_inputs())]
    return [
        (kind, messages.restored(json.loads(json.dumps(messages.carried(content)))))
        for kind, content, _ in entries
    ]


def record(bench):
    bench.controller.take_inputs()
    bench.begun, bench.sent = control.state_entry(bench.controller, stamp=bench.stream), []
    return bench


@pytest.mark.parametrize("state", control.STATES)
def test_commands_of_a_recording_that_begins_in_any_state_come_back(bench, state):
    record(bench.reach(state))
    bench.act("estop", "end of the test")
    bench.run(0.3, decide=False)
    assert bench.sent
    assert list(control.recompute(recorded(bench), ())) == bench.sent


def test_a_grant_that_was_refused_comes_back_with_the_limits_that_it_left(bench):
    bench.prepare()
    record(bench)
    with pytest.raises(Refused):
        bench.act("arm", "Chen L.", grant=replace(GRANT, level_max=2.0))
    bench.act("arm", "Chen L.", grant=GRANT)
    made = bench.decide("activate")
    entries = recorded(bench)
    place = [at for at, (kind, _) in enumerate(entries) if kind == "on_decision"]
    assert len(place) == 1
    followed = Decision(bench.sample, bench.stream, "grasp", (1 - 0.9, 0.9), True, "activate")
    assert list(control.recompute(entries, [followed])) == bench.sent
    assert made[0].level == (0.6,)


def test_a_decision_in_numbers_of_numpy_is_kept_in_the_state(bench):
    bench.reach("ARMED")
    foreign = Decision(np.int64(7), np.float64(1.5), "grasp", (np.float32(0.25), 0.75), np.bool_(True), "")
    bench.controller.on_decision(foreign, now_stream=bench.stream, local=bench.local, quality_ok=True)
    assert recorded(record(bench))[0][1]["parts"]["StateMachine"]["decision"]["Decision"] == {
        "sample": 7,
        "stamp": 1.5,
        "label": "grasp",
        "probabilities": {"tuple": [0.25, 0.75]},
        "valid": True,
        "change": "",
        "trial": -1,
        "kind": "probabilities",
        "values": {"tuple": []},
        "position": {"tuple": []},
    }


def test_an_input_is_a_line_of_less_than_200_bytes(bench):
    record(bench.reach("HOLD"))
    bench.run(1.0)
    sizes = [len(json.dumps(content)) for kind, content in recorded(bench)[1:]]
    assert len(sizes) > 40
    assert max(sizes) < 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda entries: entries[1:], "parts|effector"),
        (lambda entries: [entries[0], ("take_rows", {})], "not enough values"),
        (lambda entries: [entries[0], ("on_tick", {"when": 1.0})], "unexpected keyword"),
        (lambda entries: [entries[0], ("on_decision", {"decision": {"decision": 7}})], "no decision was made"),
        (lambda entries: [("state", {**entries[0][1], "parts": {}}), *entries[1:]], "the parts that were stored"),
    ],
)
def test_what_a_controller_was_never_given_is_refused_in_a_sentence(bench, change, words):
    record(bench.reach("ARMED"))
    bench.tick(0.1)
    with pytest.raises(BadValue, match=f"cannot be taken again.*({words})"):
        list(control.recompute(change(recorded(bench)), ()))


def test_a_state_of_another_version_is_not_taken_for_one_of_this(bench):
    entries = recorded(record(bench))
    assert control.of_this_version(entries)
    assert not control.of_this_version([("state", {**entries[0][1], "version": 0})])


def test_a_state_of_version_2_leads_to_the_same_commands(bench):
    record(bench.reach("ARMED"))
    made, decisions = [], []
    for change in ("activate", "release"):
        bench.tick(0.05)
        made += bench.decide(change)
        decisions.append(Decision(bench.sample, bench.stream, "grasp", (1 - 0.9, 0.9), True, change))
    (kind, state), *inputs = recorded(bench)
    # As version 2 wrote it: without the part that decides on phases, and laws without what came later.
    parts = {name: dict(part) for name, part in state["parts"].items() if name != "PhaseGate"}
    law = parts["Activation"]["_law"]["ControlLaw"]
    later = ("share", "assist_s", "targets", "phase_window", "blocks")
    old_law = {"ControlLaw": {name: value for name, value in law.items() if name not in later}}
    parts["Activation"] = {**parts["Activation"], "_law": old_law}
    older = [(kind, {**state, "version": 2, "parts": parts}), *inputs]
    assert control.of_this_version(older)
    assert [c for c in control.recompute(older, decisions) if c.action in ("close", "release")] == made


def test_a_state_of_version_3_holds_on_decisions_of_any_age_as_it_did(bench):
    record(bench.reach("HOLD"))
    decisions = []
    for _ in range(14):
        bench.tick(0.05)
        bench.decide("", age_s=3.0)
        decisions.append(Decision(bench.sample, bench.stream - 3.0, "grasp", (1 - 0.9, 0.9), True, ""))
    (kind, state), *inputs = recorded(bench)
    watch = {name: value for name, value in state["parts"]["Watch"].items() if name != "_young_s"}
    older = [(kind, {**state, "version": 3, "parts": {**state["parts"], "Watch": watch}}), *inputs]
    assert list(control.recompute([(kind, state), *inputs], decisions)) == bench.sent
    assert {c.action for c in bench.sent} > {"heartbeat"}
    assert {c.action for c in control.recompute(older, decisions)} == {"heartbeat"}


def test_a_state_of_version_4_knew_of_no_stimulation_and_leads_to_the_same_commands(bench):
    record(bench.reach("HOLD"))
    bench.run(0.3)
    bench.act("estop", "end of the test")
    (_, state), *inputs = recorded(bench)
    parts = {name: kept for name, kept in state["parts"].items() if not name.startswith("Stimulation")}
    parts["Controller"] = {name: kept for name, kept in parts["Controller"].items() if name != "setup"}
    profile = {name: kept for name, kept in state["effector"]["Effector"].items() if name != "stimulates"}
    older = {**state, "version": 4, "parts": parts, "effector": {"Effector": profile}}
    taken = [(kind, content) for kind, content in inputs if kind != "on_decision"]
    again = [(c.action, c.level) for c in control.recompute([("state", older), *taken], ())]
    newer = [(c.action, c.level) for c in control.recompute([("state", state), *taken], ())]
    assert again == newer
    assert again[-1] == ("stop", (0.0,))


def test_a_state_of_version_6_knew_of_one_window_and_leads_to_the_same_commands():
    law = control.ControlLaw("stride_gated", phase_window=(0.3, 0.6))
    bench = Bench(replace(control.load("glove"), ramp_ms=0, release_ramp_ms=0, refractory_s=0.05), law=law)
    bench.arm()
    decisions = []

    def follow(phase, change=""):
        bench.tick(0.05)
        bench.sample += 10
        values = (phase, 1.0)
        decisions.append(Decision(bench.sample, bench.stream, "walk", change=change, kind="phase", values=values))
        now = {"now_stream": bench.stream, "local": bench.local, "quality_ok": True}
        bench.deliver(bench.controller.on_decision(decisions[-1], **now))

    follow(0.35, "activate")
    record(bench)
    for hop in range(8, 40):
        follow((hop % 20) / 20)
    (kind, state), *inputs = recorded(bench)
    gate = {name: value for name, value in state["parts"]["PhaseGate"].items() if name != "_window"}
    law_then = state["parts"]["Activation"]["_law"]["ControlLaw"]
    old_law = {"ControlLaw": {name: value for name, value in law_then.items() if name != "blocks"}}
    parts = {**state["parts"], "PhaseGate": {**gate, "_law": old_law}}
    parts["Activation"] = {**parts["Activation"], "_law": old_law}
    assert state["parts"]["PhaseGate"]["_inside"]
    older = [(kind, {**state, "version": 6, "parts": parts}), *inputs]
    assert control.of_this_version(older)
    assert list(control.recompute(older, decisions)) == bench.sent
    assert [c.action for c in bench.sent if c.action != "heartbeat"] == ["release", "close", "release"]


def test_a_recording_whose_self_test_ended_a_symptom_leads_to_its_commands():
    bench = stimulated(STEADY, lesion="T10").reach("SELFTEST")
    bench.controller.stimulation._gate._forgets, bench.controller.stimulation._stops = True, False
    record(bench)
    bench.controller.stimulation.take_symptom("headache", local=bench.local)
    bench.arm()
    bench.decide("activate")
    decisions = [Decision(bench.sample, bench.stream, "grasp", (1 - 0.9, 0.9), True, "activate")]
    bench.run(0.3, decide=False)
    (kind, state), *inputs = recorded(bench)
    parts = without(state["parts"], StimulationGate="_forgets", StimulationReports="_stops")
    older = [(kind, {**state, "version": 7, "parts": parts}), *inputs]
    assert control.of_this_version(older)
    assert list(control.recompute(older, decisions)) == bench.sent
    assert any(any(command.level) for command in bench.sent)
    newer = {**state["parts"]["StimulationGate"], "_forgets": False}
    since = [(kind, {**state, "parts": {**state["parts"], "StimulationGate": newer}}), *inputs]
    assert not any(any(command.level) for command in control.recompute(since, decisions))


def test_a_recording_in_which_a_symptom_only_forbade_to_begin_leads_to_its_commands():
    bench = stimulated(STEADY, lesion="T10").reach("ARMED")
    bench.controller.stimulation._stops = False
    record(bench)
    bench.deliver(bench.controller.stimulation.take_symptom("headache", local=bench.local))
    bench.run(0.3, decide=False)
    (kind, state), *inputs = recorded(bench)
    parts = without(state["parts"], StimulationReports="_stops")
    older = [(kind, {**state, "version": 8, "parts": parts}), *inputs]
    assert control.of_this_version(older)
    assert list(control.recompute(older, [])) == bench.sent
    assert not any(command.action == "stop" for command in bench.sent)
    newer = {**state["parts"]["StimulationReports"], "_stops": True}
    since = [(kind, {**state, "parts": {**state["parts"], "StimulationReports": newer}}), *inputs]
    assert "stop" in {command.action for command in control.recompute(since, [])}


def test_a_recording_in_which_a_second_silence_was_let_pass_leads_to_its_commands():
    bench = stimulated(STEADY, lesion="T10").reach("ARMED")
    supervisor = bench.controller.stimulation._gate.supervisor
    supervisor._expects_late = False
    record(bench)
    bench.decide("activate")
    decisions = [Decision(bench.sample, bench.stream, "grasp", (1 - 0.9, 0.9), True, "activate")]
    bench.run(0.3, decide=False)
    # Nobody looks for longer than the watchdog of the stimulator, and then again while that ends the current.
    for seconds in (0.3, 0.3):
        bench.tick(seconds)
    bench.run(0.3, decide=False)
    (kind, state), *inputs = recorded(bench)
    parts = without(state["parts"], StimulationSupervisor="_expects_late")
    older = [(kind, {**state, "version": 9, "parts": parts}), *inputs]
    assert control.of_this_version(older)
    assert list(control.recompute(older, decisions)) == bench.sent
    newer = {**state["parts"]["StimulationSupervisor"], "_expects_late": True}
    since = [(kind, {**state, "parts": {**state["parts"], "StimulationSupervisor": newer}}), *inputs]
    assert list(control.recompute(since, decisions)) != bench.sent


def without(parts, **names):
    """The state of parts, each without one attribute."""
    return {
        part: {name: value for name, value in kept.items() if name != names.get(part)}
        for part, kept in parts.items()
    }


def test_no_entry_is_of_no_version():
    assert not control.of_this_version([])


def test_a_state_of_other_attributes_needs_another_version(bench):
    """Where this fails, raise `VERSION` of `control._recomputing`, and state here what the attributes hash to."""
    _, content = recorded(record(bench))[0]
    names = "\n".join(sorted(f"{part}.{name}" for part, kept in content["parts"].items() for name in kept))
    assert (content["version"], sha256(names.encode()).hexdigest()[:12]) == (10, "4a8d2e1c8eb8")


@pytest.mark.parametrize(
    "number", [float("inf"), float("-inf"), float("nan"), np.float64("inf"), np.float64(0.1), 0.1]
)
def test_a_number_that_json_has_no_word_for_comes_back_from_strict_json(number):
    again = from_json(json.loads(json.dumps(to_json(number), allow_nan=False)))
    assert repr(again) == repr(float(number))
