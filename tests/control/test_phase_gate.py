"""An intent passes once each time the phase enters its window, and waits outside of it with a row."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.control.conftest import Bench
from workbench import control, messages
from workbench.control import ControlLaw
from workbench.errors import BadValue
from workbench.vocabulary import Decision

STRIDE = ControlLaw("stride_gated", phase_window=(0.3, 0.6))
QUICK = replace(control.load("glove"), ramp_ms=0, release_ramp_ms=0, refractory_s=0.05)
"""A glove that is ready again within a hop or two, so that each stride has its chance."""


def armed(law=STRIDE, **options):
    bench = Bench(QUICK, law=law, **options)
    bench.arm()
    return bench


def hop(bench, phase, change="", *, label="walk", valid=True, age_s=0.0, kind="phase"):
    """A hop later a decision on a phase at one stride a second; the commands that it leads to."""
    bench.tick(0.05)
    bench.sample += 10
    values = (phase, 1.0) if kind == "phase" else (phase,)
    decision = Decision(
        bench.sample, bench.stream - age_s, label, valid=valid, change=change, kind=kind, values=values
    )
    return bench.deliver(
        bench.controller.on_decision(decision, now_stream=bench.stream, local=bench.local, quality_ok=True)
    )


def strides(bench, n, **first):
    """``n`` cycles of twenty hops; the phases at which it closed and opened."""
    closed, opened = [], []
    for k in range(20 * n):
        phase = (k % 20) / 20
        for command in hop(bench, phase, **(first if k == 0 else {})):
            (closed if command.action == "close" else opened).append(phase)
    return closed, opened


def held_back(bench):
    return [row for row in bench.rows if row.kind == "intent_held_back"]


def test_an_intent_outside_of_the_window_waits_for_it_and_each_stride_closes_once():
    bench = armed()
    closed, opened = strides(bench, 3, change="activate")
    assert (closed, opened) == ([0.3] * 3, [0.6] * 3)
    (row,) = held_back(bench)
    assert row.extent == "intent outside of the phase window 0.3 – 0.6"
    assert row.consequence == "held back until the phase enters its window"
    assert {c.reason for c in bench.sent if c.action == "close"} == {"the phase entered its window"}


def test_without_an_intent_no_phase_closes_it_and_the_end_of_the_intent_opens_it():
    bench = armed()
    assert strides(bench, 2) == ([], [])
    assert hop(bench, 0.4, "activate")[0].reason == "evidence rose"
    (released,) = hop(bench, 0.45, "release")
    assert released.action == "release"
    assert strides(bench, 1) == ([], [])
    assert held_back(bench) == []


def test_a_window_may_go_through_the_beginning_of_the_cycle():
    law = ControlLaw("stride_gated", phase_window=(0.9, 0.3))
    assert [law.window_at(phase) == "" for phase in (0.85, 0.9, 0.95, 0.0, 1.0, 0.25, 0.3, 0.5)] == [
        *(False, True, True, True, True, True),
        *(False, False),
    ]
    bench = armed(law)
    closed, opened = strides(bench, 3, change="activate")
    assert closed == [0.0, 0.9, 0.9, 0.9]
    assert opened == [0.3] * 3


@pytest.mark.parametrize("fault", [{"valid": False}, {"label": ""}, {"age_s": 0.3}])
def test_a_phase_that_nobody_knows_lies_outside(fault):
    bench = armed()
    hop(bench, 0.3, "activate")
    assert bench.state in ("ACTIVE", "HOLD")
    (released,) = hop(bench, 0.35, **fault)
    assert released.action == "release"
    other = armed()
    assert hop(other, 0.4, "activate", **fault) == []
    assert len(held_back(other)) == 1


def test_a_trigger_on_a_phase_closes_once_a_stride_for_its_time():
    bench = armed(ControlLaw("trigger", trigger_s=0.1, phase_window=(0.3, 0.8)))
    closed, opened = strides(bench, 3, change="activate")
    assert closed == [0.3] * 3
    assert opened == []
    assert [c.reason for c in bench.sent if c.action == "release"] == ["trigger over"] * 3


def test_after_a_limit_or_a_fault_an_intent_begins_again():
    short = control.Limits("short", 1.0, 0.1, 600.0)
    bench = armed(limits=short)
    closed, _ = strides(bench, 3, change="activate")
    assert closed == [0.3]
    assert [row.kind for row in bench.rows if row.kind == "hold_limit"] == ["hold_limit"]
    assert strides(bench, 1, change="activate")[0] == [0.3]
    other = Bench(QUICK, law=STRIDE)
    hop(other, 0.4, "activate")
    other.arm()
    assert strides(other, 2) == ([], [])


ALTERNATE = ControlLaw(
    "stride_gated",
    blocks=(("left", 0.9, 0.15), ("right", 0.4, 0.65)),
    patterns=(("left", (1.0, 0.0)), ("right", (0.0, 0.5))),
)
"""What moves changes within a stride."""
TWO = replace(QUICK, channels=2)


def alternating(law=ALTERNATE, profile=TWO):
    bench = Bench(profile, law=law)
    bench.arm()
    return bench


def levels_by_phase(bench, n, **first):
    """``n`` cycles of twenty hops; phase and level of each order to close, and each phase at which it opened."""
    closed, opened = [], []
    for k in range(20 * n):
        for command in hop(bench, (k % 20) / 20, **(first if k == 0 else {})):
            moves = command.action == "close"
            (closed if moves else opened).append(((k % 20) / 20, command.level) if moves else (k % 20) / 20)
    return closed, opened


def test_each_block_of_a_stride_moves_its_own_channels():
    closed, opened = levels_by_phase(alternating(), 3, change="activate")
    left, right = (1.0, 0.0), (0.0, 0.5)
    assert closed == [(0.0, left), (0.4, right), *[(0.9, left), (0.4, right)] * 2, (0.9, left)]
    assert opened == [0.15, 0.65] * 3


def test_a_block_that_begins_while_the_one_before_is_released_is_entered_when_the_effector_is_ready():
    close_by = replace(ALTERNATE, blocks=(("left", 0.9, 0.15), ("right", 0.15, 0.65)))
    # Two hops for the release, and one more until it is ready.
    slow = replace(TWO, release_ramp_ms=100, refractory_s=0.05)
    bench = alternating(close_by, slow)
    closed, opened = levels_by_phase(bench, 2, change="activate")
    assert [level for _, level in closed] == [(1.0, 0.0), (0.0, 0.5)] * 2 + [(1.0, 0.0)]
    assert opened[:2] == [0.15, 0.65]
    assert 0.2 < closed[1][0] <= 0.45
    assert [row for row in bench.rows if row.kind == "intent_ignored"] == []


def test_a_stride_whose_phase_is_lost_in_a_block_opens_and_another_block_waits_for_its_time():
    bench = alternating()
    hop(bench, 0.0, "activate")
    (released,) = hop(bench, 0.05, valid=False)
    assert released.action == "release"
    closed, _ = levels_by_phase(bench, 1)
    assert closed[-2:] == [(0.4, (0.0, 0.5)), (0.9, (1.0, 0.0))]


@given(hops=st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_whatever_comes_a_block_moves_no_channel_of_another(hops):
    bench = alternating()
    hop(bench, 0.3, "activate")
    for phase, valid in hops:
        hop(bench, phase, valid=valid)
        level = bench.controller.level
        if any(level):
            assert valid
            assert level == dict(ALTERNATE.patterns)[ALTERNATE.window_at(phase)]


def test_an_intent_outside_of_each_block_names_them_all():
    bench = alternating()
    hop(bench, 0.3, "activate")
    (row,) = held_back(bench)
    assert row.extent == "intent outside of the phase window 0.9 – 0.15, 0.4 – 0.65"


def test_commands_of_blocks_are_recomputed_from_a_state_within_a_stride():
    bench, decisions = alternating(), []
    taken = bench.controller.on_decision
    bench.controller.on_decision = lambda decision, **now: (decisions.append(decision), taken(decision, **now))[1]
    hop(bench, 0.0, "activate")
    bench.controller.take_inputs()
    (begun, bench.sent) = control.state_entry(bench.controller, stamp=bench.stream), []
    closed, _ = levels_by_phase(bench, 2)
    entries = [begun, *(one.entry() for one in bench.controller.take_inputs())]
    stored = [(kind, messages.restored(json.loads(json.dumps(messages.carried(one))))) for kind, one, _ in entries]
    assert len(closed) == 4
    assert list(control.recompute(stored, decisions)) == bench.sent


@given(
    hops=st.lists(
        st.tuples(
            st.floats(0, 1),
            st.sampled_from(["", "", "activate", "release"]),
            st.booleans(),
            st.sampled_from(["walk", ""]),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_whatever_comes_it_is_closed_only_while_the_phase_is_known_to_lie_in_the_window(hops):
    bench = armed()
    meant = False
    for phase, change, valid, label in hops:
        meant = (meant or change == "activate") and change != "release"
        hop(bench, phase, change, valid=valid, label=label)
        if any(bench.controller.level):
            assert meant
            assert valid
            assert label
            assert STRIDE.window_at(phase) == ""


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"law": "stride_gated"}, "two different phases from 0 to below 1"),
        ({"law": "stride_gated", "phase_window": (0.2, 0.2)}, "two different phases"),
        ({"law": "stride_gated", "phase_window": (0.2, 1.5)}, "two different phases"),
        ({"law": "stride_gated", "phase_window": (float("nan"), 0.5)}, "two different phases"),
        ({"law": "hold", "phase_window": (0.2, 0.5)}, "of the laws stride_gated, which needs one, and trigger"),
    ],
)
def test_a_window_that_is_none_is_refused(values, sentence):
    with pytest.raises(BadValue, match=sentence):
        ControlLaw(**values)


BLOCK, SHARE = ("swing", 0.1, 0.4), ("swing", (1.0,))


@pytest.mark.parametrize(
    "values",
    [
        {"law": "hold", "blocks": (BLOCK,), "patterns": (SHARE,)},
        {"law": "stride_gated", "blocks": (BLOCK,)},
        {"law": "stride_gated", "blocks": (BLOCK,), "patterns": (("", (1.0,)),)},
        {"law": "stride_gated", "blocks": (BLOCK,), "patterns": (SHARE, ("stance", (1.0,)))},
        {"law": "stride_gated", "blocks": (BLOCK,), "patterns": (SHARE,), "phase_window": (0.5, 0.6)},
        {"law": "stride_gated", "blocks": (("swing", 0.1, 0.1),), "patterns": (SHARE,)},
        {"law": "stride_gated", "blocks": (("swing", 0.1, float("nan")),), "patterns": (SHARE,)},
        {"law": "stride_gated", "blocks": (BLOCK, BLOCK), "patterns": (SHARE,)},
        {
            "law": "stride_gated",
            "blocks": (BLOCK, ("stance", 0.3, 0.9)),
            "patterns": (SHARE, ("stance", (1.0,))),
        },
        {
            "law": "stride_gated",
            "blocks": (("swing", 0.9, 0.2), ("stance", 0.1, 0.5)),
            "patterns": (SHARE, ("stance", (1.0,))),
        },
    ],
)
def test_blocks_that_are_none_are_refused(values):
    with pytest.raises(BadValue, match="blocks of a stride have different names"):
        ControlLaw(**values)
