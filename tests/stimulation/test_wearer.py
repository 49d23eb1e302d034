"""The rule of dysreflexia: for whom it holds, and what it asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.stimulation.worked import LYING, rules, supervisor
from workbench.errors import BadValue
from workbench.stimulation import Wearer


@pytest.mark.parametrize("lesion", ["C1", "C8", "T1", "T6", "t6 ", "", "unknown", "T13", "C0"])
def test_a_lesion_at_or_above_t6_or_unknown_is_at_risk(lesion):
    assert Wearer(lesion).at_risk


@pytest.mark.parametrize("lesion", ["T7", "T12", "L1", "S5"])
def test_a_lesion_below_t6_is_not(lesion):
    assert not Wearer(lesion).at_risk


def read(one, systolic, now, *, resting=False):
    one.take_pressure(systolic, now=now, resting=resting)


def test_a_person_at_risk_needs_a_resting_pressure_of_this_session_before_current():
    one = supervisor(lesion="T4")
    assert rules(one.order((1.0, 0.0), now=0.0)) == ["pressure_baseline"]
    read(one, 110.0, 0.0)
    assert rules(one.order((1.0, 0.0), now=0.1)) == ["pressure_baseline"]
    read(one, 110.0, 0.1, resting=True)
    assert one.order((1.0, 0.0), now=0.2, ramp_s=0.5).consequence == ""


def test_a_pressure_20_above_the_resting_one_is_off_at_once_and_19_is_not():
    one = supervisor(lesion="T6")
    read(one, 110.0, 0.0, resting=True)
    one.order((1.0, 0.0), now=0.0)
    read(one, 129.9, 0.1)
    assert one.tick(0.1).consequence == ""
    read(one, 130.0, 0.2)
    verdict = one.tick(0.2)
    assert (verdict.consequence, verdict.levels, verdict.ramp_s) == ("stop", (0.0, 0.0), 0.0)
    assert str(verdict.findings[0].text) == (
        "systolic blood pressure of the participant is 130 mmHg; from 130 mmHg on current is off: "
        "sit the person up and look for the trigger"
    )
    # Neither a reset nor time helps while it is so high.
    assert one.reset(0.3).consequence == "stop"
    read(one, 112.0, 60.0)
    assert one.reset(60.0).consequence == ""


@pytest.mark.parametrize("mode", ["active", "sham"])
def test_what_a_rise_is_compared_with_is_not_taken_while_current_flows_nor_after_a_rise(mode):
    one = supervisor(replace(LYING, mode=mode), lesion="T4")
    read(one, 110.0, 0.0, resting=True)
    one.order((1.0, 0.0), now=0.0)
    with pytest.raises(BadValue, match="is taken without current"):
        read(one, 128.0, 0.1, resting=True)
    read(one, 135.0, 0.2)
    assert one.tick(0.2).consequence == "stop"
    with pytest.raises(BadValue, match="once a reading is lower"):
        read(one, 134.0, 30.0, resting=True)
    read(one, 118.0, 60.0)
    read(one, 118.0, 60.0, resting=True)
    assert one.person.baseline == 118.0


def test_at_t7_no_pressure_is_asked_for_and_none_stops():
    one = supervisor(lesion="T7")
    read(one, 110.0, 0.0, resting=True)
    read(one, 190.0, 0.0)
    assert one.order((1.0, 0.0), now=0.0, ramp_s=0.5).consequence == ""
    assert one.tick(0.1).consequence == ""


def test_a_symptom_stops_whoever_has_it_until_somebody_says_that_it_is_over():
    one = supervisor(lesion="T10")
    one.order((1.0, 0.0), now=0.0)
    one.person.symptom = "pounding headache"
    verdict = one.tick(0.1)
    assert (verdict.consequence, str(verdict.findings[0].text)) == (
        "stop", "symptom of the participant: pounding headache",
    )  # fmt: skip
    assert one.reset(0.2).consequence == "stop"
    one.symptom_is_over()
    assert one.reset(0.3).consequence == ""


def test_a_late_reading_releases_after_its_grace_and_forbids_a_beginning_before():
    one = supervisor(lesion="T4", window_s=4000.0, limits={"burst_s": 3600.0, "dose_session_uc": 5e5,
                                                           "dose_day_uc": 5e5})  # fmt: skip
    read(one, 110.0, 0.0, resting=True)
    one.order((0.1, 0.0), now=0.0)
    now = 0.0
    while not (verdict := one.tick(now)).consequence and now < 600.0:
        now += 0.2
    assert (verdict.consequence, rules(verdict)) == ("release", ["pressure_age"])
    assert 480.0 < now < 480.5
    assert one.person.reading_late_s(now) == pytest.approx(180.0, abs=0.5)
    assert "pressure_age" in rules(one.order((0.1, 0.0), now=now + 1.0))
    read(one, 112.0, now + 1.0)
    assert one.person.reading_late_s(now + 1.0) == 0.0


def test_a_pressure_that_nobody_has_is_refused():
    one = supervisor(lesion="T4")
    for systolic in (0.0, 12.0, 400.0, float("nan")):
        with pytest.raises(BadValue, match="40 to 320 mmHg"):
            read(one, systolic, 0.0)
    with pytest.raises(BadValue, match="more than 0 s apart"):
        Wearer("T4", reading_every_s=0.0)
