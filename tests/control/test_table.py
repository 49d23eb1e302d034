"""The table of transitions: complete, the only one, and followed by the controller."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from workbench import control, paradigms
from workbench.control import EVENTS, STATES, TABLE
from workbench.control._table import follow, onward, possible
from workbench.errors import Refused

PAIRS = {(row.source, row.event): row.target for row in TABLE}

DRIVE = {
    "connect": lambda b: b.self_test(),
    "self_test_passed": lambda b: b.self_test(),
    "self_test": lambda b: (setattr(b, "answering", False), b.self_test()),
    "disconnect": lambda b: b.act("disconnect"),
    "arm": lambda b: b.act("arm", "Chen L."),
    "disarm": lambda b: b.act("disarm", "Chen L."),
    "activate": lambda b: b.decide("activate"),
    "level_reached": lambda b: b.run(0.6),
    "release": lambda b: b.decide("release"),
    "limit": lambda b: [b.run(0.05) for _ in range(610) if b.state in ("ACTIVE", "HOLD")],
    "ramp_done": lambda b: b.run(0.55),
    "refractory_over": lambda b: b.run(0.55),
    "stand_down": lambda b: (b.act("disarm", "Chen L."), b.run(0.55)),
    "fault": lambda b: b.deliver(b.controller.on_fault("stream_lost")),
    "estop": lambda b: b.act("estop", "key"),
    "reset": lambda b: (b.run(1.1, decide=False), b.act("reset", "Chen L.")),
}


def test_the_states_are_exactly_those_of_the_specification():
    assert STATES == (
        "DISCONNECTED",
        "SELFTEST",
        "IDLE_SAFE",
        "ARMED",
        "ACTIVE",
        "HOLD",
        "RELEASE",
        "REFRACTORY",
        "FAULT_SAFE",
        "ESTOP",
    )
    assert set(control.MEANING) == set(STATES)


def test_no_pair_of_state_and_event_has_two_rows_and_every_state_is_entered_and_left():
    assert len(PAIRS) == len(TABLE)
    assert {r.source for r in TABLE} == set(STATES)
    assert {r.target for r in TABLE} == set(STATES)


def test_fault_and_stop_are_possible_everywhere_and_only_a_reset_leaves_them():
    for state in STATES:
        assert PAIRS[state, "estop"] == "ESTOP"
        assert PAIRS[state, "fault"] == ("ESTOP" if state == "ESTOP" else "FAULT_SAFE")
    for latched in ("FAULT_SAFE", "ESTOP"):
        leaving = [r for r in TABLE if r.source == latched and r.target not in ("FAULT_SAFE", "ESTOP")]
        assert [(r.event, r.target) for r in leaving] == [("reset", "SELFTEST")]


def test_active_is_entered_from_armed_alone_and_armed_by_arming_or_after_the_refractory_time():
    assert [(r.source, r.event) for r in TABLE if r.target == "ACTIVE"] == [("ARMED", "activate")]
    assert {(r.source, r.event) for r in TABLE if r.target == "ARMED"} == {
        ("IDLE_SAFE", "arm"),
        ("REFRACTORY", "refractory_over"),
    }


@pytest.mark.parametrize("row", TABLE, ids=lambda r: f"{r.source}-{r.event}")
def test_every_transition_is_reached_through_the_controller(row, make_bench):
    slow = (row.source, row.event) == ("ACTIVE", "limit")
    bench = make_bench(replace(control.load("glove"), ramp_ms=60_000 if slow else 500))
    bench.reach(row.source)
    bench.answering = row.event != "connect"
    DRIVE[row.event](bench)
    assert bench.state == row.target
    if row.source != row.target:
        assert bench.controller.snapshot()["previous"] == row.source


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_what_is_not_in_the_table_is_refused_and_the_text_says_what_is_possible(state, event):
    if (state, event) in PAIRS:
        assert follow(state, event).target == PAIRS[state, event]
        assert possible(state, event)
        return
    own = ", ".join(row.event for row in TABLE if row.source == state)
    with pytest.raises(Refused, match=f"{event} is not possible in state {state}; possible here: {own}$"):
        follow(state, event)
    assert not possible(state, event)


@pytest.mark.parametrize("state", STATES)
def test_the_next_state_and_its_rule_come_from_the_first_row_of_the_state(state, bench):
    bench.reach(state)
    assert bench.controller.next_state == onward(state).target
    assert onward(state).target != state
    assert "{" not in bench.controller.why


def test_the_hazard_document_holds_the_table_as_it_is():
    text = (Path(__file__).parents[2] / "docs" / "hazards.md").read_text(encoding="utf-8")
    assert control.markdown() in text


def test_words_without_a_run_are_those_of_the_default_paradigm():
    usual = paradigms.load("grasp_rest")().suited(remembers=True)
    assert control.Thresholds() == control.Thresholds(usual.activate, usual.release, usual.dwell)
