"""A level that follows a velocity: within gain, dead band, limits and slew, and 0 at once where evidence fails."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import control, messages
from workbench.control import ControlLaw, Limits
from workbench.control._watch import broken
from workbench.errors import BadValue
from workbench.vocabulary import Decision

LAW = ControlLaw("proportional", gain=2.0, dead_band=0.1, slew_per_s=5.0)
STILL = (0.0, 0.0, 0.0, 0.0)


def armed(make_bench, **options):
    bench = make_bench(control.load("cursor_2d"), law=LAW, **options)
    bench.arm()
    return bench


def move(bench, velocity, change="", *, seconds=0.05, label="right", valid=True, age_s=0.0):
    """A hop later a decision on a velocity; the commands that it leads to."""
    bench.tick(seconds)
    bench.sample += 10
    decision = Decision(
        bench.sample,
        bench.stream - age_s,
        label,
        valid=valid,
        change=change,
        kind="velocity",
        values=tuple(velocity),
    )
    return bench.deliver(
        bench.controller.on_decision(decision, now_stream=bench.stream, local=bench.local, quality_ok=True)
    )


def test_a_bout_begins_at_standstill_follows_the_velocity_and_ends_at_standstill(make_bench):
    bench = armed(make_bench)
    assert move(bench, (0.4, 0.0)) == []
    (begun,) = move(bench, (0.4, 0.0), "activate")
    assert (begun.action, begun.level, begun.state) == ("close", STILL, "ACTIVE")
    levels = [move(bench, (0.4, -0.2))[0].level for _ in range(3)]
    # 5 a second is a quarter a hop; the wanted levels are 2 · (0.4 - 0.1) to the right and 2 · (0.2 - 0.1) down.
    assert levels[0] == pytest.approx((0.25, 0.0, 0.0, 0.2))
    assert levels[1] == pytest.approx((0.5, 0.0, 0.0, 0.2))
    assert levels[2] == pytest.approx((0.6, 0.0, 0.0, 0.2))
    (turned,) = move(bench, (-0.2, 0.0))
    assert turned.level == pytest.approx((0.0, 0.2, 0.0, 0.0))
    (released,) = move(bench, (0.4, 0.0), "release")
    assert (released.action, released.level) == ("release", STILL)
    assert move(bench, (0.4, 0.0)) == []


def test_a_speed_within_the_dead_band_moves_nothing_and_an_unchanged_level_is_not_sent_again(make_bench):
    bench = armed(make_bench)
    move(bench, (0.0, 0.0), "activate")
    assert move(bench, (0.1, -0.1)) == []
    assert len([move(bench, (0.2, 0.0)) for _ in range(5)][0]) == 1
    assert move(bench, (0.2, 0.0)) == []


@pytest.mark.parametrize("fault", [{"valid": False}, {"label": ""}, {"age_s": 0.3}])
def test_evidence_that_cannot_be_relied_on_stands_still_at_once(make_bench, fault):
    bench = armed(make_bench)
    move(bench, (0.4, 0.0), "activate")
    assert any(move(bench, (0.4, 0.0))[0].level)
    (command,) = move(bench, (0.4, 0.0), **fault)
    assert (command.action, command.level, bench.state) == ("close", STILL, "ACTIVE")
    assert move(bench, (0.4, 0.0))[0].level == pytest.approx((0.25, 0.0, 0.0, 0.0))


def test_half_a_second_of_invalid_evidence_or_a_broken_velocity_is_a_fault(make_bench):
    bench = armed(make_bench)
    move(bench, (0.4, 0.0), "activate")
    for _ in range(12):
        move(bench, (0.4, 0.0), valid=False)
    assert (bench.state, bench.controller.snapshot()["fault"]) == ("FAULT_SAFE", "evidence_invalid")
    assert (bench.sent[-1].action, bench.sent[-1].level) == ("release", STILL)
    other = armed(make_bench)
    move(other, (0.4, 0.0), "activate")
    move(other, (float("nan"), 0.0))
    assert other.controller.snapshot()["fault"] == "evidence_broken"


def test_a_velocity_in_other_dimensions_than_the_effector_has_is_a_fault(make_bench):
    bench = armed(make_bench)
    move(bench, (0.4,), "activate")
    move(bench, (0.4,))
    assert bench.controller.snapshot()["fault"] == "level_broken"
    assert not any(bench.controller.level)


def test_a_bout_ends_at_the_hold_limit_however_long_the_evidence_lasts(make_bench):
    bench = armed(make_bench, limits=Limits("short", 1.0, 1.0, 60.0))
    move(bench, (0.4, 0.0), "activate")
    for _ in range(25):
        move(bench, (0.4, 0.0))
    assert any(row.kind == "hold_limit" for row in bench.rows)
    assert not any(bench.controller.level)


VELOCITIES = st.tuples(st.floats(-5, 5), st.floats(-5, 5))
STEPS = st.lists(
    st.tuples(
        VELOCITIES,
        st.sampled_from(["", "", "", "activate", "release"]),
        st.sampled_from(["right", ""]),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@given(steps=STEPS, highest=st.sampled_from([0.2, 1.0]))
def test_whatever_is_decoded_no_level_passes_its_limit_or_rises_faster_than_the_law_says(steps, highest):
    from tests.control.conftest import Bench

    bench = armed(Bench, limits=Limits("test", highest, 30.0, 600.0))
    bench.controller.take_inputs()
    entries = [control.state_entry(bench.controller, stamp=bench.stream)]
    level, made, decisions = STILL, [], []
    decided = bench.controller.on_decision
    bench.controller.on_decision = lambda decision, **now: decisions.append(decision) or decided(decision, **now)
    for velocity, change, label, valid in steps:
        commands = move(bench, velocity, change, label=label, valid=valid)
        made += commands
        now = bench.controller.level
        assert all(0 <= value <= highest for value in now)
        assert all(after <= before + 0.25 + 1e-9 for before, after in zip(level, now))
        assert not any(now) or (valid and label and bench.state == "ACTIVE")
        # One way of a dimension at a time.
        assert 0 in now[:2]
        assert 0 in now[2:]
        level = now
    entries += [taken.entry() for taken in bench.controller.take_inputs()]
    stored = [
        (kind, messages.restored(json.loads(json.dumps(messages.carried(content)))))
        for kind, content, _ in entries
    ]
    again = [c for c in control.recompute(stored, decisions) if c.reason == "velocity"]
    assert again == [c for c in made if c.reason == "velocity"]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"gain": 0.0, "slew_per_s": 1.0}, "needs a gain and a slew above 0"),
        ({"gain": 1.0, "slew_per_s": 0.0}, "needs a gain and a slew above 0"),
        ({"gain": 1.0, "slew_per_s": 1.0, "dead_band": -0.1}, "dead band of 0 or more"),
        ({"gain": float("nan"), "slew_per_s": 1.0}, "all finite"),
    ],
)
def test_a_proportional_law_that_moves_nothing_or_anything_is_refused(values, sentence):
    with pytest.raises(BadValue, match=sentence):
        ControlLaw("proportional", **values)


def test_no_other_law_has_a_gain_and_none_is_faster_than_the_profile():
    with pytest.raises(BadValue, match="belong to the law proportional and must be 0 with hold"):
        ControlLaw("hold", gain=1.0)
    cursor, glove = control.load("cursor_2d"), control.load("glove")
    assert control.check_law(LAW, control.profile_limits(cursor), cursor) == LAW
    with pytest.raises(BadValue, match="by 5 a second under this law, by 0 with glove"):
        control.check_law(LAW, control.profile_limits(glove), glove)


def test_the_limits_of_a_profile_are_rules_that_name_value_bound_and_unit():
    assert [tuple(rule) for rule in control.load("cursor_2d").rules] == [
        ("level_max", 1.0, "greatest speed"),
        ("hold_limit_s", 30.0, "s"),
        ("dose_s", 14400.0, "s"),
        ("slew_per_s", 5.0, "1/s"),
        ("share", 0.5, "fraction"),
    ]
    assert [rule.value for rule in control.load("glove").rules] == ["level_max", "hold_limit_s", "dose_s"]


@pytest.mark.parametrize(
    ("kind", "probabilities", "values", "bad"),
    [
        ("probabilities", (0.2, 0.8), (), False),
        ("probabilities", (0.2, 0.8), (1.0,), True),
        ("probabilities", (), (), True),
        ("state_level", (0.2, 0.8), (0.5,), False),
        ("state_level", (0.2, 0.9), (0.5,), True),
        ("state_level", (0.2, 0.8), (1.5,), True),
        ("velocity", (), (-9.0, 3.0), False),
        ("velocity", (), (), True),
        ("force", (), (float("inf"),), True),
        ("amplitude", (), (0.0,), False),
        ("amplitude", (), (-0.1,), True),
        ("phase", (), (0.5, 1.1), False),
        ("phase", (), (1.5, 1.1), True),
        ("phase", (), (0.5, 0.0), True),
        ("colour", (), (0.5,), True),
    ],
)
def test_evidence_is_judged_by_its_kind(kind, probabilities, values, bad):
    assert broken(Decision(10, 1.0, "", probabilities, kind=kind, values=values)) is bad


def test_a_force_and_a_level_have_a_channel_each_where_a_velocity_has_two():
    assert LAW.levels((0.6, -0.6)) == pytest.approx((1.0, 0.0, 0.0, 1.0))
    for kind in ("force", "amplitude", "state_level"):
        assert LAW.levels((0.6,), kind) == pytest.approx((1.0,))
        assert LAW.levels((-0.6,), kind) == (0.0,)
