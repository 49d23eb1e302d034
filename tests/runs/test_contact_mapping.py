"""The mapping of a lead on the simulated stimulator and person: what is given, found, held back and kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.stimulation.worked import limits, signed
from workbench.errors import BadValue, Refused
from workbench.messages import translate
from workbench.runs.mapping import (
    PLANNED_MIN,
    Bench,
    ContactCurves,
    ContactMapping,
    MapPlan,
    NotGiven,
    greatest_uv,
    origin_of,
    programme_of,
    programme_text,
    read,
)
from workbench.stimulation import Setup, StimulationSupervisor, Wearer, parse_programme

CODE = "SIM-01"
SHORT = MapPlan("paddle-16", muscles=("left quadriceps", "left hamstrings"), n_currents=4)


def mapping(plan=SHORT, *, kept=None, progress=None, contacts=2, lesion="T10", **more):
    """A lead with two contacts, which is quick; ``kept`` gets what a process that dies leaves behind."""
    keep = (lambda text: None) if kept is None else (lambda one: kept.append(json.dumps(one)))
    lead = signed(limits(contacts=contacts, **more), "chen", "lin")
    return ContactMapping(plan, lead, wearer=Wearer(lesion), code=CODE, keep=keep, progress=progress)


def ramp(one):
    one.start("Chen L.")
    while one.advance():
        pass


def curves(first, second, **more):
    n = len(first)
    fields = {"contact": 0, "ended": "top", **more}
    currents = tuple(0.5 * (k + 1) for k in range(n))
    rows = [tuple((one,) for one in each) for each in (first, second)]
    return ContactCurves(currents_ma=currents, response_uv=rows[0], second_uv=rows[1], **fields)


# ------------------------------------------------------------------------------------------------- what curves say
def test_a_second_response_that_is_depressed_is_a_reflex_and_one_that_is_not_is_of_the_motor_nerve():
    first = np.array([10.0, 300.0, 2000.0, 2100.0])
    assert origin_of(first, 0.1 * first) == (pytest.approx(0.1), "reflex")
    assert origin_of(first, 0.95 * first) == (pytest.approx(0.95), "direct")
    assert origin_of(first / 20.0, first / 20.0) == (None, "unclear")


def test_threshold_saturation_and_fall_are_those_of_the_curve():
    flat = curves([10.0, 60.0, 900.0, 1000.0, 1010.0, 1005.0], [5.0, 6.0, 90.0, 100.0, 101.0, 100.0])
    (found,) = read(flat, greatest_uv([flat], 1))
    assert (found.threshold_ma, found.saturation_ma, found.origin) == (1.0, 2.0, "reflex")
    assert found.fall == pytest.approx(5.0 / 1010.0)
    rising = curves([10.0, 60.0, 300.0, 900.0], [5.0] * 4)
    assert read(rising, greatest_uv([rising], 1))[0].saturation_ma is None
    none = curves([10.0, 11.0, 12.0, 13.0], [9.0] * 4)
    assert read(none, greatest_uv([none], 1))[0].threshold_ma is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"contact": -1},
        {"contact": True},
        {"ended": "tired"},
        {"first": [1.0, float("nan")]},
        {"first": [-1.0, 2.0]},
    ],
)
def test_curves_that_nobody_can_have_measured_are_refused(wrong):
    first = wrong.pop("first", [1.0, 2.0])
    with pytest.raises(BadValue, match="currents must rise"):
        curves(first, [1.0, 2.0], **wrong)


# ------------------------------------------------------------------------------------------------- what is given
def test_a_ramp_finds_a_reflex_and_every_current_of_it_was_asked_of_the_supervisor():
    one = mapping(MapPlan("paddle-16", n_currents=4), contacts=1)
    ramp(one)
    assert (one.phase, one.trial.currents_ma, one.trial.ended) == ("decide", (1.5, 3.0, 4.5, 6.0), "top")
    (quadriceps, *_) = read(one.trial, one.greatest_uv())
    assert (quadriceps.origin, quadriceps.threshold_ma) == ("reflex", 3.0)
    asked = [row for row in one.bench.rows if row.kind == "stimulation_asked"]
    # Each current as two pairs of opposite polarity.
    assert len(asked) == 2 * len(one.trial.currents_ma)
    kinds = {row.kind for row in one.bench.rows}
    assert not kinds & {"fault", "estop", "command_refused"}
    # The supervisor counts no less than the four pulses of each current.
    given = sum(4 * ma * 0.3 for ma in one.trial.currents_ma)
    assert one.bench.used_uc()[0] >= given
    assert one.bench.most_ma == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        ({"top_ma": 6.5}, r"charge per phase.*1\.95 µC.*1\.8 µC"),
        ({"top_ma": 8.5, "width_us": 100.0}, r"current.*8\.5 mA.*8 mA"),
        ({"width_us": 450.0, "top_ma": 2.0}, r"pulse width.*450 µs.*400 µs"),
    ],
)
def test_a_ramp_beyond_the_signed_limits_is_refused_with_rule_value_and_limit(plan, why):
    with pytest.raises(Refused, match=why):
        mapping(MapPlan("paddle-16", **plan))


def test_no_order_passes_the_top_of_the_ramp_and_the_refusal_names_it():
    one = mapping(contacts=1)
    one.bench.arm("Chen L.")
    with pytest.raises(NotGiven, match=r"6\.1 mA, at most 6 mA is allowed"):
        one.bench.pair(0, 6.1)
    assert not [row for row in one.bench.rows if row.kind == "stimulation_asked"]


def test_a_dose_that_is_used_ends_the_ramp_with_its_sentence_and_what_was_measured_stays():
    # Enough for the first current, and not for the second with what is looked ahead.
    one = mapping(contacts=1, limits={"dose_session_uc": 60.0, "dose_day_uc": 60.0})
    ramp(one)
    assert (one.phase, one.trial.ended, len(one.trial.currents_ma)) == ("decide", "limit", 1)
    assert "charge" in str(one.why)
    assert "µC" in translate(one.why, language="zh-CN")
    assert max(one.bench.used_uc().values()) <= 60.0


def test_stop_ends_what_flows_at_once_and_nothing_follows_before_somebody_goes_on():
    one = mapping(contacts=1)
    one.start("Chen L.")
    one.advance()
    one.stop()
    assert (one.phase, one.bench.state) == ("halted", "ESTOP")
    assert all(channel["asked_ma"] == 0.0 for channel in one.bench.status["channels"])
    assert not one.advance()
    with pytest.raises(Refused, match="press Continue first"):
        one.start("Chen L.")
    one.go_on("Chen L.")
    ramp(one)
    assert (one.phase, one.trial.currents_ma) == ("decide", SHORT.currents_ma)


def test_discomfort_ends_the_ramp_where_it_was_and_says_so_among_the_reasons():
    one = mapping(contacts=1)
    one.start("Chen L.")
    one.advance()
    one.discomfort("burning", by="Chen L.")
    assert one.phase == "halted"
    assert not one.advance()
    assert any("burning" in str(row.extent) for row in one.bench.rows)
    one.go_on("Chen L.")
    assert (one.phase, one.trial.ended) == ("decide", "discomfort")
    assert any("stopped the ramp" in str(row["text"]) for row in one.reasons())
    one.accept()
    assert one.phase == "done"


def test_what_is_felt_while_nothing_flows_halts_too_and_the_next_ramp_arms_after_a_reset():
    one = mapping(contacts=2)
    ramp(one)
    one.bench.rest(2.0)
    one.discomfort("still tingling", by="Chen L.")
    assert (one.phase, one.bench.state) == ("halted", "ESTOP")
    one.go_on("Chen L.")
    assert one.bench.status["person"]["symptom"] == ""
    one.accept()
    ramp(one)
    assert (one.phase, one.trial.currents_ma) == ("decide", SHORT.currents_ma)


def test_a_stop_from_another_thread_while_pulses_are_given_leaves_no_current():
    one = mapping(contacts=1)
    one.start("Chen L.")
    look, seen = one.bench._look, []

    def stops_once(*args, **kwargs):
        emg = look(*args, **kwargs)
        if one.bench.state in ("ACTIVE", "HOLD") and not seen:
            seen.append(one.bench.state)
            one.stop()
        return emg

    one.bench._look = stops_once
    one.advance()
    assert seen
    assert (one.phase, one.bench.state, one.trial) == ("halted", "ESTOP", None)


def test_nothing_is_given_where_a_blood_pressure_is_due_or_no_page_answers():
    one = mapping(contacts=1, lesion="T4")
    with pytest.raises(Refused, match="resting"):
        one.start("Chen L.")
    assert one.phase == "ready"
    one.bench.take_pressure(112, resting=True, by="Chen L.")
    one.start("Chen L.")
    one.bench._absent_s = lambda: 3.0
    one.advance()
    assert (one.phase, one.trial) == ("ready", None)
    assert one.why


def test_a_current_that_was_under_way_when_somebody_paused_belongs_to_its_contact_alone():
    one = mapping()
    one.start("Chen L.")
    one.advance()
    pair = one.bench.pair

    def meanwhile(contact, ma):
        emg = pair(contact, ma)
        one.pause()
        one.accept()
        return emg

    one.bench.pair = meanwhile
    one.advance()
    assert (one.contact, one.phase, one.trial) == (1, "ready", None)
    assert one.accepted[0].currents_ma == SHORT.currents_ma[:1]

    def paused(contact, ma):
        one.pause()
        return pair(contact, ma)

    one.bench.pair = paused
    one.start("Chen L.")
    one.advance()
    assert (one.contact, one.phase, one.trial.currents_ma) == (1, "decide", SHORT.currents_ma[:1])


def test_a_stop_when_all_is_done_leads_back_to_where_it_was():
    one = mapping(contacts=1)
    one.skip("x")
    one.stop()
    one.go_on("Chen L.")
    assert one.phase == "done"


# ------------------------------------------------------------------------------------------------- what is kept
def test_a_killed_process_loses_no_accepted_contact_and_forgets_no_charge():
    kept = []
    one = mapping(kept=kept)
    ramp(one)
    one.accept()
    one.start("Chen L.")
    one.advance()
    one.advance()
    used = one.bench.used_uc()
    # Killed here: what was handed over last is all there is.
    again = mapping(progress=json.loads(kept[-1]))
    assert again.accepted == one.accepted
    assert (again.contact, again.phase) == (1, "decide")
    assert again.trial.currents_ma == one.trial.currents_ma[:1]
    charge = {int(n): uc for n, uc in json.loads(kept[-1])["charge_uc"].items()}
    assert all(charge[n] >= used[n] for n in used)
    day = again.bench.status["charge"]
    assert [row["day_uc"] >= used[n] for n, row in enumerate(day)] == [True, True]
    assert again.elapsed_s > 0
    again.start("Chen L.")
    while again.advance():
        pass
    again.accept()
    assert again.phase == "done"
    assert again.result()["contacts"][0]["contact"] == 0


def test_nothing_is_given_that_could_not_be_kept_first():
    def full(progress):
        raise Refused("the disk is full")

    one = mapping(contacts=1)
    one.start("Chen L.")
    one._keep = full
    with pytest.raises(Refused, match="disk is full"):
        one.advance()
    assert not [row for row in one.bench.rows if row.kind == "stimulation_asked"]


@pytest.mark.parametrize("broken", [{}, {"plan": 3}, {"accepted": [{"contact": 0}]}, {"charge_uc": {"x": 1}}])
def test_progress_that_cannot_be_read_is_refused_in_one_sentence(broken):
    kept = []
    one = mapping(kept=kept, contacts=1)
    one.resumed()
    with pytest.raises(BadValue):
        mapping(progress={**json.loads(kept[-1]), **broken} if broken else {})


def test_contacts_are_taken_back_repeated_and_left_out_with_a_reason():
    one = mapping()
    ramp(one)
    one.accept()
    with pytest.raises(BadValue, match="write why"):
        one.skip(" ")
    one.skip("coil slipped")
    assert (one.phase, one.skipped) == ("done", {1: "coil slipped"})
    one.undo()
    assert (one.phase, one.contact, one.skipped) == ("ready", 1, {})
    one.repeat(0)
    assert (one.phase, one.contact, one.accepted) == ("decide", 0, {})
    one.redo()
    assert (one.phase, one.trial) == ("ready", None)
    with pytest.raises(Refused, match="2 contacts are neither"):
        one.result()


def test_a_map_gives_a_programme_that_its_limits_allow_and_somebody_may_choose_otherwise():
    one = mapping(MapPlan("paddle-16", muscles=("left quadriceps", "left hamstrings"), n_currents=4), contacts=3)
    for _ in range(3):
        ramp(one)
        one.accept()
    spot = one.hot_spots()[0]
    assert spot["contact"] in (0, 1, 2)
    programme = programme_of(one.result(), "from a map", rate_hz=40.0)
    assert programme.channels[0].approved_ma == spot["current_ma"] <= 6.0
    assert parse_programme(programme_text(programme), file="a file") == programme
    # It stands under the same limits: the supervisor takes it.
    StimulationSupervisor(Setup(programme, (one.limits,), Wearer("T10")))
    one.choose("left quadriceps", None)
    assert one.hot_spots()[0]["contact"] is None
    one.choose("left quadriceps", None)
    assert one.hot_spots()[0] == spot
    with pytest.raises(BadValue, match="no muscle"):
        one.choose("heart", 0)


def test_the_time_that_is_left_is_that_of_the_ramps_to_come():
    whole = mapping(MapPlan("paddle-16"), contacts=16)
    assert whole.left_s / 60.0 < PLANNED_MIN
    one = mapping(contacts=1)
    before = one.left_s
    ramp(one)
    assert one.left_s < before
    one.accept()
    assert one.left_s == 0.0
    assert one.elapsed_s == pytest.approx(before, rel=0.25)


@pytest.mark.release
def test_sixteen_contacts_take_less_than_45_simulated_minutes_and_each_muscle_is_found_on_its_side():
    one = mapping(MapPlan("paddle-16", n_currents=8), contacts=16)
    while one.phase != "done":
        ramp(one)
        one.accept()
    result = one.result()
    assert result["minutes"] <= PLANNED_MIN
    spots = {row["muscle"]: row for row in result["hot_spots"]}
    assert all(row["contact"] // 8 == muscle.startswith("right") for muscle, row in spots.items())
    assert {row["origin"] for row in spots.values()} == {"reflex"}


def test_a_bench_of_a_programme_without_limits_is_refused():
    setup = Setup(SHORT.programme(2), ())
    with pytest.raises(Refused, match="limits"):
        Bench(setup, CODE)
