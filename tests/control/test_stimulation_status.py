"""What screens are told of stimulation, what a blinded one is not, and what a recording gives back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.control.conftest import Bench
from tests.control.test_stimulation import WALKING, measure, setup, stimulated
from tests.control.test_with_stimulator import STIMULATORS, Stimulated
from tests.stimulation.worked import signed
from workbench import control, messages
from workbench.control import ControlLaw
from workbench.errors import Refused
from workbench.stimulation import (
    Setup,
    Wearer,
    as_sham,
    definition_of,
    fingerprint,
    setup_of,
)
from workbench.vocabulary import Decision, DeviceStatus


def entries_of(begun, controller):
    taken = [begun, *(one.entry() for one in controller.take_inputs())]
    return [(kind, messages.restored(json.loads(json.dumps(messages.carried(what))))) for kind, what, _ in taken]


def followed(bench):
    """A repetition of 1.5 s from its intent to rest; the entries and the decisions."""
    bench.controller.take_inputs()
    begun = control.state_entry(bench.controller, stamp=bench.stream)
    bench.decide("activate")
    decisions = [Decision(bench.sample, bench.stream, "grasp", (1 - 0.9, 0.9), True, "activate")]
    for _ in range(80):
        bench.tick(0.05)
    return entries_of(begun, bench.controller), decisions


def armed(of):
    bench = Bench(control.load("epidural"), stimulation=of, law=ControlLaw("trigger", trigger_s=1.5))
    measure(bench)
    bench.arm()
    return bench


def test_a_status_says_asked_and_delivered_margins_charge_and_what_forbids_current():
    bench = stimulated(WALKING, law=ControlLaw("toggle"), lesion="T4")
    shown = bench.controller.snapshot()["stimulation"]
    said = " ".join(one["text"] for one in shown["forbids"])
    assert "resting blood pressure" in said
    assert "support" in said
    reports = bench.controller.stimulation
    reports.take_pressure(110.0, resting=True, by="Lin", local=bench.local)
    reports.take_load(30.0, by="load cell", local=bench.local)
    bench.arm()
    bench.decide("activate")
    bench.tick(0.2)
    reports.take_stimulator(delivered_ma=(4.9, 4.0), local=bench.local)
    shown = bench.controller.snapshot()["stimulation"]
    assert shown["forbids"] == []
    assert [(one["name"], one["asked_ma"], one["delivered_ma"]) for one in shown["channels"]] == [
        ("left hip", 5.0, 4.9),
        ("right knee", 4.0, 4.0),
    ]
    left = [one["left"] for one in shown["margins"] if one["left"] is not None]
    assert left == sorted(left)
    # 5 mA and 300 µs on 0.06 cm² leave a sixth of the charge, and 0.17 of Shannon's k.
    narrow = {str(one["rule"]) for one in shown["margins"] if one["narrow"] and one["where"] == "lead 3"}
    assert narrow == {"charge per phase", "charge density per phase"}
    assert shown["margins"][-1]["value"] is None  # the direct current, which nobody measures, stays listed
    hip = next(one for one in shown["charge"] if one["where"] == "lead 3")
    assert 0 < hip["session_uc"] == hip["day_uc"] < hip["session_limit_uc"] < hip["day_limit_uc"]
    assert shown["person"] == {
        "at_risk": True, "baseline": 110.0, "systolic": 110.0, "late_s": 0.0, "symptom": "", "support": True,
        "load_kg": 30.0, "held_by": "",
    }  # fmt: skip
    assert [one["signed_by"] for one in shown["limits"]] == [["chen", "lin"]]
    reports.take_symptom("headache", by="Lin Q.", local=bench.local)
    bench.tick(0.02)
    assert bench.state == "ESTOP"
    assert any("headache, noted by Lin Q." in str(row.extent) for row in bench.rows)


def test_an_effector_that_does_not_stimulate_has_no_such_status():
    assert control.Controller(control.load("glove")).snapshot()["stimulation"] is None


def blinded(effector, *, sham):
    """A blinded session, active or sham, with the same stimulator behind it."""
    known = STIMULATORS[effector]
    of = replace(Setup(known[0].PROGRAMME, (signed(known[1], "chen", "lin"),), Wearer("T10")), blinded=True)
    return Stimulated(effector, setup=as_sham(of) if sham else of)


def watched(both, seconds, *, change=""):
    """Let time pass with a signed status every 0.05 s; what the screen shows each time."""
    seen = []
    for n in range(round(seconds / 0.05)):
        both.follow(0.05, change=change if n == 0 else "")
        said, level = both.glove, both.glove.level(both.stream)
        status = DeviceStatus(n, both.stream, said.state, level, said.locked, max(both.controller.level))
        both.send(both.controller.device.on_status(status, follows=True, local=both.local))
        seen.append(without_age(both.controller.snapshot()))
    return seen


def test_no_status_of_a_blinded_session_tells_a_sham_from_the_other():
    told = {}
    for sham in (False, True):
        both = blinded("transcutaneous", sham=sham)
        seen = watched(both, 2.5, change="activate") + watched(both, 8.0, change="activate")
        seen += watched(both, 2.0, change="activate")
        both.send(both.controller.stimulation.set_ceiling(0, 30.0, by="Chen", local=both.local))
        seen += watched(both, 0.5)
        both.send(both.controller.on_fault("overrun", now_stream=both.stream, local=both.local))
        seen += watched(both, 3.0)
        told[sham] = seen, [(row.kind, str(row.extent)) for row in both.rows]
        assert any(any(command.level) for command in both.sent) is not sham
    # Two clocks count the dose by the further one, which depends on when acknowledgements came; near is the same.
    doses = [[one.pop("dose_s") for one in seen] for seen, _ in told.values()]
    assert doses[0] == pytest.approx(doses[1], rel=0.05, abs=0.3)
    for n, (active, sham) in enumerate(zip(told[False][0], told[True][0], strict=True)):
        assert sham == active, n
    assert told[True][1] == told[False][1]
    assert {"safe_confirmed", "stimulation_asked", "fault"} <= {kind for kind, _ in told[True][1]}
    assert any(one["level"] == 1.0 for one in told[True][0])


def without_age(shown):
    # The device's clock drifts by the delay of its link, which nobody sees at this scale.
    return {**shown, "confirmed": {**shown["confirmed"], "age_s": None}, "round_trip_ms": None}


def test_a_recording_gives_a_sham_back_with_what_was_asked_beside_nothing_given():
    for of, given in ((setup(), (5.0, 4.0)), (as_sham(setup()), (0.0, 0.0))):
        bench = armed(of)
        entries, decisions = followed(bench)
        steps = control.given(entries, decisions)
        assert [(one.action, one.asked_ma, one.given_ma) for one in steps] == [
            ("close", (5.0, 4.0), given),
            ("release", (0.0, 0.0), (0.0, 0.0)),
        ]
        assert any(
            "left hip 5 mA, right knee 4 mA" in str(row.extent)
            for row in bench.rows
            if row.kind == "stimulation_asked"
        )


def test_the_charge_of_a_recording_is_what_its_supervisor_counted_and_a_cut_one_has_given_more():
    bench = armed(setup())
    before = bench.controller.stimulation.supervisor.dose.session_uc(("lead", 3))
    entries, decisions = followed(bench)
    counted = bench.controller.stimulation.supervisor.dose.session_uc(("lead", 3)) - before
    assert control.charge_of(entries, decisions, lapse_s=5.0)["lead", 3] == pytest.approx(counted)
    assert counted > 0
    # Cut after a second of current: nobody knows when it ended.
    ticks = [n for n, (kind, _) in enumerate(entries) if kind == "on_tick"]
    cut = control.charge_of(entries[: ticks[20]], decisions, lapse_s=5.0)["lead", 3]
    per_s = bench.controller.stimulation.supervisor.most_uc(1.0)["lead", 3]
    assert cut == pytest.approx(6.0 * per_s, rel=0.05)
    sham = armed(as_sham(setup()))
    assert control.charge_of(*followed(sham), lapse_s=5.0)["lead", 3] == pytest.approx(counted)


def test_a_sham_uses_up_the_dose_of_the_session_like_the_other():
    used = []
    for of in (setup(), as_sham(setup())):
        bench = armed(of)
        followed(bench)
        used.append(bench.controller.dose_s)
    assert used[0] == used[1] > 0


def test_charge_of_earlier_sessions_forbids_a_bout_that_would_pass_the_day():
    of = setup(limits={"dose_day_uc": 5000.0, "dose_session_uc": 2000.0, "burst_s": 20.0})
    bench = armed(replace(of, earlier_uc=((("lead", 3), 4900.0),)))
    assert bench.decide("activate") == []
    assert any("charge of the day of lead 3" in str(row.extent) for row in bench.rows)


def test_a_set_up_comes_back_from_its_plain_data_with_the_same_hash():
    of = replace(setup(lesion="C5"), earlier_uc=((("lead", 3), 1.5),), references_ohm=((("lead", 3), 900.0),))
    plain = json.loads(json.dumps(definition_of(of)))
    assert setup_of(plain) == of
    assert fingerprint(setup_of(plain)) == fingerprint(of) == fingerprint(replace(of, earlier_uc=()))
    assert fingerprint(of) not in ("", fingerprint(as_sham(of)), fingerprint(replace(of, wearer=Wearer("T10"))))
    plain["limits"][0]["definition"]["limits"]["current_ma"] = 7.0
    with pytest.raises(Refused, match="are signed by 0 people"):
        setup_of(plain)


def test_a_blinded_set_up_that_a_notebook_prints_reads_the_same_for_a_sham():
    of = replace(setup(WALKING), blinded=True)
    assert of != as_sham(of)
    assert repr(of) == repr(as_sham(of))
    assert str(of.programme) == str(as_sham(of).programme)


@pytest.mark.parametrize("effector", ["fes", "epidural", "transcutaneous"])
def test_a_session_whose_effector_stimulates_needs_a_set_up_that_its_limits_allow(effector):
    profile = control.load(effector)
    with pytest.raises(Refused, match=f"effector {effector} stimulates, .*begin it from the study's record"):
        control.check_stimulation(profile, None)
    module, known = STIMULATORS[effector]
    of = Setup(module.PROGRAMME, (signed(known, "chen", "lin"),), Wearer("T10"))
    control.check_stimulation(profile, of)
    control.check_stimulation(control.load("glove"), None)
