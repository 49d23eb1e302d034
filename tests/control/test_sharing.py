"""Shared control: what moves is what was decoded, less the share of assistance, and that share of assistance."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import control
from workbench.control import ControlLaw
from workbench.errors import BadValue
from workbench.vocabulary import Decision

TARGETS = (("right", (1.0, 0.0)), ("up", (0.0, 1.0)))
LAW = ControlLaw("proportional", gain=1.0, slew_per_s=5.0, share=0.25, assist_s=2.0, targets=TARGETS)
CURSOR = control.load("cursor_2d")


def decision(values, position=(0.2, 0.1), *, label="right", change="", bench=None):
    sample, stamp = (0, 0.0) if bench is None else (bench.sample, bench.stream)
    return Decision(sample, stamp, label, change=change, kind="velocity", values=values, position=position)


def test_the_share_is_taken_from_what_was_decoded_and_given_to_the_way_to_the_target():
    assert LAW.shared(decision((0.4, -0.2))) == pytest.approx((0.75 * 0.4 + 0.25 * 0.4, 0.75 * -0.2 - 0.25 * 0.05))
    assert LAW.shared(decision((0.0, 0.0), (1.0, 0.0))) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("label", "position"), [("rest", (0.2, 0.1)), ("right", ()), ("", (0.2, 0.1)), ("right", (0.1,))]
)
def test_without_a_target_or_a_place_there_is_no_assistance_and_no_more_of_what_was_decoded(label, position):
    assert LAW.shared(decision((0.4, -0.2), position, label=label)) == pytest.approx((0.3, -0.15))


def test_without_a_share_what_was_decoded_is_followed_bit_for_bit():
    plain = ControlLaw("proportional", gain=1.0, slew_per_s=5.0)
    assert plain.shared(decision((0.1 + 0.2, 1 / 3))) == (0.1 + 0.2, 1 / 3)


def test_each_command_names_its_share_and_a_replay_gives_the_same_commands(make_bench):
    bench = make_bench(CURSOR, law=LAW)
    bench.arm()
    bench.controller.take_inputs()
    entries, decisions = [control.state_entry(bench.controller, stamp=bench.stream)], []
    made = []
    for k in range(8):
        bench.tick(0.05)
        bench.sample += 10
        one = decision((0.4, 0.0), (0.1 * k, 0.0), change="activate" if k == 0 else "", bench=bench)
        decisions.append(one)
        made += bench.deliver(
            bench.controller.on_decision(one, now_stream=bench.stream, local=bench.local, quality_ok=True)
        )
    entries += [taken.entry() for taken in bench.controller.take_inputs()]
    following = [c for c in made if c.reason != "evidence rose"]
    assert {c.reason for c in following} == {"velocity, 0.25 of it assistance"}
    assert following[-1].level[0] == pytest.approx(0.75 * 0.4 + 0.25 * 0.5 * 0.3)
    stored = [(kind, json.loads(json.dumps(content))) for kind, content, _ in entries]
    assert [
        c for c in control.recompute(stored, decisions) if c.reason in {c.reason for c in following}
    ] == following


def test_a_share_is_bounded_by_the_profile_and_survives_a_plan():
    assert control.check_law(LAW, control.profile_limits(CURSOR), CURSOR) is LAW
    more = ControlLaw("proportional", gain=1.0, slew_per_s=5.0, share=0.6, assist_s=2.0, targets=TARGETS)
    with pytest.raises(BadValue, match=r"share of 0\.6 of assistance is more than cursor_2d allows \(0\.5\)"):
        control.check_law(more, control.profile_limits(CURSOR), CURSOR)
    assert ControlLaw(**json.loads(json.dumps(asdict(LAW)))) == LAW


@given(
    values=st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
    position=st.tuples(st.floats(-1.5, 1.5), st.floats(-1.5, 1.5)),
    label=st.sampled_from(["right", "up", "rest"]),
)
def test_whatever_is_decoded_and_assisted_no_level_passes_its_limit(values, position, label):
    from tests.control.conftest import Bench

    bench = Bench(CURSOR, law=LAW, limits=control.Limits("test", 0.3, 30.0, 600.0))
    bench.arm()
    for change in ("activate", "", ""):
        bench.tick(0.05)
        bench.sample += 10
        one = decision(values, position, label=label, change=change, bench=bench)
        bench.deliver(
            bench.controller.on_decision(one, now_stream=bench.stream, local=bench.local, quality_ok=True)
        )
        assert all(0 <= level <= 0.3 for level in bench.controller.level)


@pytest.mark.parametrize(
    "values",
    [
        {"law": "hold", "share": 0.2, "assist_s": 1.0, "targets": TARGETS},
        {"share": 0.2, "assist_s": 1.0},
        {"share": 0.2, "targets": TARGETS},
        {"assist_s": 1.0},
        {"share": 1.2, "assist_s": 1.0, "targets": TARGETS},
        {"share": float("nan"), "assist_s": 1.0, "targets": TARGETS},
        {"share": 0.2, "assist_s": 1.0, "targets": (("right", (float("inf"), 0.0)),)},
    ],
)
def test_an_assistance_that_is_none_is_refused(values):
    numbers = {} if values.get("law") else {"gain": 1.0, "slew_per_s": 1.0}
    with pytest.raises(BadValue, match="assistance belongs to the law proportional and needs a share above 0"):
        ControlLaw(**{"law": "proportional", **numbers, **values})


def test_a_way_to_the_target_may_take_less_than_a_second():
    assert replace(LAW, assist_s=0.5).shared(decision((0.0, 0.0))) == pytest.approx((0.25 * 1.6, 0.25 * -0.2))
