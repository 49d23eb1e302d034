"""The supervisor of stimulation, rule by rule: what is refused, released and stopped, and in which words."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan

import pytest

from tests.stimulation.worked import GAIT, HIP, KNEE, LYING, limits, measure, rules, signed, supervisor
from workbench import messages
from workbench.errors import BadValue, Refused
from workbench.stimulation import RULES, Programme, Setup, StimulationSupervisor


def run(one, until, *, since, every=0.1):
    """Ticks until something happens or the time is over; the verdict and its time."""
    now = since
    while now < until:
        now = round(now + every, 9)
        verdict = one.tick(now)
        if verdict.consequence:
            return verdict, now
    return verdict, now


# ------------------------------------------------------------------------------------------- what is stated
def test_channels_from_a_file_are_those_of_a_programme_and_nothing_is_assumed_of_a_stimulator():
    assert replace(HIP, cathodes=[3], anodes=[11]) == HIP
    bare = Programme("bare", [HIP])
    assert bare == Programme("bare", (HIP,), latency_s=0.0, release_s=0.0, support_kg=0.0, needs_support=False)
    assert (HIP.balance, HIP.mismatch, bare.mode) == ("active", 0.0, "active")


@pytest.mark.parametrize(
    ("channel", "changes", "rule"),
    [
        ({"approved_ma": 9.0, "width_us": 100.0}, {}, "current"),
        ({"width_us": 420.0, "approved_ma": 1.0}, {}, "width"),
        ({"rate_hz": 140.0}, {}, "rate"),
        ({"approved_ma": 6.1}, {}, "charge"),
        ({}, {"density_uc_cm2": 24.0}, "density"),
        ({}, {"shannon_k": 1.5}, "shannon"),
        ({}, {"rms_ma_cm2": 10.0}, "rms"),
        ({}, {"pulses_per_s": 50.0}, "pulses"),
        ({"balance": "none"}, {}, "balance"),
        ({"mismatch": 0.01}, {}, "net_dc"),
    ],
)
def test_a_programme_beyond_any_limit_is_refused_with_rule_value_and_limit(channel, changes, rule):
    one = Programme("one", (replace(HIP, **channel),))
    with pytest.raises(Refused) as refusal:
        supervisor(one, limits=changes)
    name, unit = RULES[rule]
    said = messages.of(refusal.value)
    assert str(name) in said
    assert unit in said
    assert messages.translate(name, language="zh-CN") in messages.translate(said, language="zh-CN")


def test_a_programme_without_signed_limits_or_on_a_contact_that_is_none_is_refused():
    with pytest.raises(Refused, match="electrode cuff, which has no signed limits"):
        supervisor(Programme("one", (replace(HIP, electrode="cuff"),)))
    with pytest.raises(Refused, match="names contact 16, the last one of its electrode is 15"):
        supervisor(Programme("one", (replace(HIP, anodes=(16,)),)))
    with pytest.raises(Refused, match="two files of limits for electrode paddle-16"):
        StimulationSupervisor(Setup(LYING, (signed(limits(), "a", "b"), signed(limits(), "c", "d"))))
    with pytest.raises(BadValue, match="needs a name, a lead, a cathode"):
        replace(HIP, cathodes=(11,))


@pytest.mark.parametrize(
    "wrong",
    [
        {"approved_ma": 0.0}, {"width_us": nan}, {"rate_hz": inf}, {"mismatch": 1.1}, {"mismatch": -0.1},
        {"cathodes": ()}, {"cathodes": (-1,)}, {"cathodes": (3, 3)}, {"name": " "}, {"lead": ""},
        {"balance": "some"},
    ],
    ids=str,
)  # fmt: skip
def test_a_channel_that_contradicts_itself_is_none(wrong):
    with pytest.raises(BadValue, match="needs a name, a lead, a cathode"):
        replace(HIP, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"channels": ()}, {"channels": (HIP, HIP)}, {"latency_s": nan}, {"release_s": -0.1},
        {"support_kg": 5.0}, {"mode": "placebo"},
    ],
    ids=str,
)  # fmt: skip
def test_a_programme_that_contradicts_itself_is_none(wrong):
    with pytest.raises(BadValue, match="needs channels with names of their own"):
        replace(LYING, **wrong)


def test_one_contact_may_carry_all_of_a_current_that_has_one_source():
    pair = replace(HIP, cathodes=(3, 4), anodes=(11, 12), approved_ma=7.0)
    with pytest.raises(Refused, match="charge per phase"):
        supervisor(Programme("one", (pair,)))
    supervisor(Programme("one", (pair,)), independent_sources=True)


def test_channels_that_share_a_contact_are_judged_together():
    shared = Programme("shared", (HIP, replace(KNEE, cathodes=(3,))), latency_s=0.15, release_s=0.5)
    one = supervisor(shared, limits={"pulses_per_s": 130.0})
    assert rules(one.order((1.0, 0.0), now=0.0)) == ["slew"]
    both = one.order((1.0, 1.0), now=0.1)
    assert {"charge", "density", "shannon"} <= set(rules(both))
    assert (both.consequence, both.levels) == ("held", (1.0, 0.0))


# ---------------------------------------------------------------------------------------------- what is asked
def test_a_level_above_1_is_clipped_to_the_ceiling_and_said():
    one = supervisor()
    verdict = one.order((1.2, 0.5), now=0.0, ramp_s=0.5)
    assert verdict.levels == (1.0, 0.5)
    assert str(verdict.findings[0].text) == (
        "current above its ceiling of left hip would be 6 mA, at most 5 mA is allowed"
    )


@pytest.mark.parametrize("levels", [(nan, 0.0), (inf, 0.0), (0.5,), ()])
def test_levels_that_are_none_are_a_fault_and_nothing_leaves(levels):
    one = supervisor()
    one.order((0.5, 0.5), now=0.0)
    verdict = one.order(levels, now=0.1)
    assert (verdict.consequence, verdict.levels) == ("fault", (0.0, 0.0))
    assert one.order((0.1, 0.1), now=0.2).consequence == "held"


def test_a_rise_that_is_too_fast_gets_a_longer_ramp_and_a_fall_does_not():
    one = supervisor(limits={"slew_ma_s": 10.0})
    up = one.order((1.0, 0.0), now=0.0, ramp_s=0.1)
    assert (up.ramp_s, rules(up)) == (0.5, ["slew"])
    down = one.order((0.0, 0.0), now=0.2, ramp_s=0.1)
    assert (down.ramp_s, rules(down)) == (0.1, [])


def test_a_refused_rise_holds_back_no_fall_of_another_channel():
    one = supervisor()
    one.take_pressure(120.0, now=0.0, resting=True)
    one.order((0.0, 1.0), now=0.0)
    measure(one, 0.1, ohm=5000.0)
    verdict = one.order((1.0, 0.4), now=0.1)
    assert (verdict.consequence, verdict.levels) == ("held", (0.0, 0.4))


# --------------------------------------------------------------------------------------------------- ceilings
def test_a_ceiling_rises_in_small_steps_and_slowly_and_never_above_what_was_approved():
    one = supervisor()
    one.set_ceiling(0, 1.0, now=0.0)
    assert rules(one.set_ceiling(0, 1.2, now=0.1)) == ["ceiling_step"]
    assert one.set_ceiling(0, 1.1, now=0.1).findings == ()
    # 10 % of 8 mA a second: 0.1 mA after 0.125 s.
    assert rules(one.set_ceiling(0, 1.2, now=0.2)) == ["ceiling_rise"]
    assert one.set_ceiling(0, 1.2, now=0.3).findings == ()
    assert set(rules(one.set_ceiling(0, 5.05, now=9.0))) == {"ceiling", "ceiling_step"}
    assert one.ceilings_ma == (1.2, 4.0)


def test_a_lower_ceiling_lowers_a_current_that_flows_at_once():
    one = supervisor()
    one.order((1.0, 1.0), now=0.0)
    verdict = one.set_ceiling(0, 2.5, now=0.1)
    assert verdict.levels == (0.5, 1.0)
    assert one.sent_ma == (2.5, 4.0)


# ------------------------------------------------------------------------------------------------------- time
def test_a_burst_ends_so_early_that_a_dead_engine_could_not_make_it_too_long():
    one = supervisor(limits={"burst_s": 3.0})
    one.order((1.0, 0.0), now=0.0)
    verdict, now = run(one, 10.0, since=0.0)
    assert (verdict.consequence, rules(verdict)) == ("release", ["burst"])
    # The ramp, one that a watchdog begins again just before it is over, and the latency of each are still to come.
    assert now + 2 * (0.5 + 0.15) <= 3.0 < now + 0.1 + 0.25 + 2 * (0.5 + 0.15)
    assert verdict.levels == (0.0, 0.0)
    assert verdict.ramp_s == 0.5


def test_after_a_burst_the_refractory_time_counts_from_the_end_of_its_ramp():
    one = supervisor(limits={"refractory_s": 1.0})
    one.order((1.0, 0.0), now=0.0)
    one.order((0.0, 0.0), now=0.2, ramp_s=0.5)  # 0.85 with the latency
    run(one, 1.5, since=0.2)
    assert rules(one.order((1.0, 0.0), now=1.6, ramp_s=0.5)) == ["refractory"]
    run(one, 1.8, since=1.6)
    assert rules(one.order((1.0, 0.0), now=1.85, ramp_s=0.5)) == []


def test_the_duty_is_that_of_every_window():
    one = supervisor(window_s=10.0, limits={"duty": 0.3, "refractory_s": 0.0})
    one.order((1.0, 0.0), now=0.0)
    verdict, now = run(one, 10.0, since=0.0)
    assert rules(verdict) == ["duty"]
    assert now + 2 * 0.5 + 0.15 <= 3.0
    run(one, 9.0, since=now)
    assert rules(one.order((1.0, 0.0), now=9.1, ramp_s=0.5)) == ["duty"]
    run(one, 11.5, since=9.1)
    assert rules(one.order((1.0, 0.0), now=11.55, ramp_s=0.5)) == []


def test_the_charge_of_a_session_and_of_a_day_is_counted_a_contact_over_all_sessions():
    # 1.5 µC × 60 Hz is 90 µC a second.
    one = supervisor(limits={"dose_session_uc": 360.0})
    one.order((1.0, 0.0), now=0.0)
    verdict, now = run(one, 10.0, since=0.0)
    assert set(rules(verdict)) == {"dose_session"}
    assert {finding.where for finding in verdict.findings} == {"lead 3", "lead 11"}
    run(one, now + 2.0, since=now)
    assert 270.0 < one.dose.session_uc(("lead", 3)) <= 360.0
    assert one.dose.session_uc(("lead", 5)) == 0.0
    earlier = supervisor(earlier={("lead", 3): 4950.0})
    assert rules(earlier.order((1.0, 0.0), now=0.1, ramp_s=0.5)) == ["dose_day"]
    assert earlier.order((0.0, 1.0), now=0.2, ramp_s=0.5).consequence == ""


def test_a_dose_that_was_counted_is_never_given_back_and_one_that_is_no_number_is_refused():
    one = supervisor(earlier={("lead", 3): 100.0})
    one.dose.state_earlier({("lead", 3): 20.0, ("lead", 4): 5.0})
    assert one.dose.day_uc(("lead", 3)) == 100.0
    assert one.dose.day_uc(("lead", 4)) == 5.0
    assert supervisor(earlier={("lead", 3): 0.0}).dose.day_uc(("lead", 3)) == 0.0
    for charge in (nan, -1.0, inf):
        with pytest.raises(BadValue, match="earlier on this day must be a number from 0"):
            supervisor(earlier={("lead", 3): charge})


def test_a_caller_that_falls_silent_finds_itself_stopped_and_what_flowed_meanwhile_counted():
    one = supervisor()
    one.order((1.0, 0.0), now=0.0)
    one.tick(0.2)
    verdict = one.tick(5.0)
    assert (verdict.consequence, rules(verdict), verdict.levels) == ("fault", ["watchdog"], (0.0, 0.0))
    # 0.2 s, the watchdog, the ramp and the latency at 90 µC/s.
    assert one.dose.session_uc(("lead", 3)) == pytest.approx(90.0 * (0.2 + 0.25 + 0.65))


def test_a_release_that_is_told_before_the_stimulator_has_lapsed_is_reckoned_from_then():
    one = supervisor()
    one.order((1.0, 0.0), now=0.0)
    # The watchdog of 0.25 s is over; the stimulator, 0.15 s late, may hear of the release before it has lapsed.
    assert one.tick(0.3).consequence == "fault"
    assert not one.settled(0.94)
    assert one.settled(0.96)
    one.tick(0.5)
    one.tick(0.7)
    one.tick(0.94)
    one.tick(1.1)
    assert one.dose.session_uc(("lead", 3)) == pytest.approx(90.0 * (0.3 + 0.15 + 0.5))


def test_a_caller_that_falls_silent_again_in_a_release_ends_it_at_once():
    one = supervisor()
    one.order((1.0, 0.0), now=0.0)
    assert one.tick(0.3).consequence == "fault"
    verdict = one.tick(0.6)
    assert (verdict.consequence, rules(verdict), verdict.ramp_s) == ("stop", ["watchdog"], 0.0)
    assert one.settled(0.6 + 0.15)


def test_a_caller_that_comes_back_when_nothing_flows_any_longer_stops_nothing():
    one = supervisor()
    one.order((1.0, 0.0), now=0.0)
    one.order((0.0, 0.0), now=0.2, ramp_s=0.5)
    assert one.tick(9.0).consequence == ""
    assert one.latched is None


@pytest.mark.parametrize("now", [-1.0, nan, inf])
def test_a_clock_that_cannot_be_relied_on_is_a_fault(now):
    one = supervisor()
    one.order((1.0, 0.0), now=0.0)
    verdict = one.tick(now)
    assert (verdict.consequence, rules(verdict), verdict.levels) == ("fault", ["clock"], (0.0, 0.0))
    assert (repr(verdict.findings[0].value), verdict.findings[0].limit) == (repr(now - 0.0), 0.0)


def test_a_programme_whose_bursts_are_shorter_than_what_a_watchdog_ends_is_refused():
    with pytest.raises(Refused, match="length of the burst of lead would be 1.55 s, at most 0.8 s"):
        supervisor(limits={"burst_s": 0.8})


# -------------------------------------------------------------------------------------------------- the contacts
@pytest.mark.parametrize(
    ("ohm", "rule"), [(2500.0, "impedance_high"), (nan, "impedance_high"), (50.0, "impedance_low")]
)
def test_an_impedance_out_of_range_forbids_current_and_ends_it(ohm, rule):
    one = supervisor()
    one.order((1.0, 0.0), now=0.0)
    measure(one, 0.1, ohm=ohm)
    verdict = one.tick(0.1)
    assert verdict.consequence == "release"
    assert set(rules(verdict)) == {rule}
    assert rule in rules(one.order((1.0, 0.0), now=0.2))


def test_an_impedance_that_was_not_measured_changed_or_needs_too_much_voltage_forbids_current():
    assert set(rules(supervisor(measured=False).order((1.0, 0.0), now=0.1))) >= {"impedance_age"}
    changed = supervisor(references={("lead", 3): 700.0, ("lead", 11): 800.0})
    (finding,) = changed.to_begin(0.1)
    assert (finding.rule, finding.where, finding.value) == ("impedance_change", "lead 3", pytest.approx(300 / 700))
    day_s = 24 * 3600.0
    measure(changed, 50.0)
    assert changed.to_begin(50.0 + day_s) == changed.to_begin(50.0) == [finding]
    assert {f.rule for f in changed.to_begin(51.0 + day_s)} == {"impedance_age"}
    weak = supervisor(limits={"compliance_v": 4.5})
    assert {f.where for f in weak.to_begin(0.1) if f.rule == "compliance"} == {"lead 3", "lead 11"}
    weak.set_ceiling(0, 4.4, now=0.2)
    assert weak.to_begin(0.2) == []


def test_a_direct_current_that_nobody_measures_is_said_and_forbids_current_only_where_the_limits_say_so():
    one = supervisor()
    assert one.telemetry.unverified == ("lead",)
    assert one.to_begin(0.0) == []
    strict = supervisor(verifies_dc=True)
    (finding,) = strict.to_begin(0.0)
    assert str(finding.text) == "net direct current of lead is not known; the limit is 100 nA"
    strict.telemetry.take_state("lead", net_dc_na=-20.0, temperature_c=None)
    assert strict.to_begin(0.0) == []


@pytest.mark.parametrize(
    ("state", "rule"),
    [
        ({"net_dc_na": -120.0, "temperature_c": None}, "net_dc"),
        ({"net_dc_na": nan, "temperature_c": None}, "net_dc"),
        ({"net_dc_na": None, "temperature_c": 39.5}, "temperature"),
    ],
)
def test_a_direct_current_or_a_temperature_above_its_limit_is_off_at_once(state, rule):
    one = supervisor(limits={"temperature_c": 39.0})
    one.order((1.0, 0.0), now=0.0)
    one.telemetry.take_state("lead", **state)
    verdict = one.tick(0.1)
    assert (verdict.consequence, rules(verdict), verdict.ramp_s) == ("stop", [rule], 0.0)


def test_a_stimulator_that_holds_another_programme_delivers_nothing():
    one = supervisor()
    one.telemetry.take_programme("0" * 64)
    assert rules(one.order((1.0, 0.0), now=0.1)) == ["programme"]
    one.telemetry.take_programme(LYING.sha256)
    assert one.order((1.0, 0.0), now=0.2, ramp_s=0.5).consequence == ""


# ------------------------------------------------------------------------------------- commanded and delivered
def test_more_than_was_sent_is_off_at_once_and_latched():
    one = supervisor()
    one.order((0.5, 0.0), now=0.0)
    one.tick(0.2)
    assert one.take_delivered((2.6, 0.0), now=0.3).consequence == ""
    verdict = one.take_delivered((2.9, 0.0), now=0.4)
    assert (verdict.consequence, rules(verdict), verdict.levels) == ("stop", ["delivered"], (0.0, 0.0))
    assert one.order((0.1, 0.0), now=0.5).consequence == "held"


def test_current_on_a_channel_that_nobody_asked_for_is_off_at_once():
    one = supervisor()
    one.order((0.5, 0.0), now=0.0)
    assert one.take_delivered((2.5, 0.2), now=0.2).consequence == "stop"


def test_less_than_was_sent_is_a_fault_after_a_quarter_of_a_second_and_not_during_a_ramp():
    one = supervisor()
    one.order((1.0, 0.0), now=0.0, ramp_s=0.2)
    assert one.take_delivered((0.0, 0.0), now=0.2).consequence == ""
    assert one.take_delivered((3.0, 0.0), now=0.4).consequence == ""
    assert one.take_delivered((3.0, 0.0), now=0.6).consequence == ""
    verdict = one.take_delivered((), now=0.7)
    assert (verdict.consequence, rules(verdict)) == ("fault", ["undelivered"])


def hop_by_hop(one, *, delivered, until=2.0, now=0.0):
    """Orders of 2, 3, 2, 3 mA every 50 ms, of which ``delivered`` mA flow from when the first has arrived."""
    verdict = None
    for n in range(round(until / 0.05)):
        now = 0.05 * n
        one.order((0.4 + 0.2 * (n % 2), 0.0), now=now)
        if now > 0.3:
            verdict = one.take_delivered((delivered(n), 0.0), now=now)
            if verdict.consequence:
                break
    return verdict


@pytest.mark.parametrize("late", [0, 1, 2, 3])
def test_orders_at_every_hop_bound_what_a_stimulator_that_follows_late_delivers(late):
    """The latency is 150 ms, three hops."""
    assert hop_by_hop(supervisor(), delivered=lambda n: 2.0 + (n - late) % 2).consequence == ""


@pytest.mark.parametrize(
    ("current_ma", "consequence", "rule"), [(1.7, "fault", "undelivered"), (3.4, "stop", "delivered")]
)
def test_less_or_more_than_any_order_under_way_is_found_although_none_ever_settles(current_ma, consequence, rule):
    verdict = hop_by_hop(supervisor(), delivered=lambda n: current_ma)
    assert (verdict.consequence, rules(verdict)) == (consequence, [rule])


def test_an_order_that_every_later_one_has_replaced_excuses_nothing():
    one = supervisor()
    one.order((1.0, 0.0), now=0.0)
    for n in range(1, 20):
        one.order((0.4 - 0.01 * (n % 2), 0.0), now=0.05 * n)
    verdict = one.take_delivered((4.9, 0.0), now=1.0)
    assert (verdict.consequence, rules(verdict)) == ("stop", ["delivered"])


def test_a_rise_while_another_is_under_way_is_ramped_from_the_least_that_may_flow():
    """A link that hands both over at once makes one rise of them: 3 mA at 100 mA a second."""
    one = supervisor()
    assert one.order((0.4, 0.0), now=0.0).ramp_s == pytest.approx(0.02)
    assert one.order((0.6, 0.0), now=0.05).ramp_s == pytest.approx(0.03)
    for n in range(2, 20):
        one.tick(0.05 * n)
    assert one.order((0.8, 0.0), now=1.0).ramp_s == pytest.approx(0.01)


# ------------------------------------------------------------------------------------------------------- STOP
def test_a_stop_wins_at_any_time_and_until_a_reset():
    one = supervisor()
    one.order((1.0, 1.0), now=0.0, ramp_s=0.5)
    verdict = one.stop("key", now=0.1)
    assert (verdict.consequence, verdict.levels, verdict.ramp_s) == ("stop", (0.0, 0.0), 0.0)
    for now in (0.2, 0.3, 50.0):
        again = one.order((1.0, 1.0), now=now)
        assert (again.consequence, again.levels) == ("held", (0.0, 0.0))
        assert "stopped" in rules(again)
    assert one.set_ceiling(0, 5.0, now=51.0).consequence == ""
    assert one.reset(52.0).consequence == ""
    assert one.order((1.0, 1.0), now=53.0, ramp_s=0.5).levels == (1.0, 1.0)


@pytest.mark.parametrize("now", [nan, -5.0, 0.05])
def test_a_stop_needs_no_clock(now):
    one = supervisor()
    one.order((1.0, 1.0), now=0.0)
    assert one.stop("key", now=now).levels == (0.0, 0.0)
    assert one.latched.rule == "stopped"


def test_what_stopped_is_said_once_whether_somebody_stopped_or_a_rule_did():
    for stopped in (lambda one: one.stop("key", now=0.1), lambda one: one.tick(50.0)):
        one = supervisor()
        one.order((1.0, 1.0), now=0.0, ramp_s=0.5)
        stopped(one)
        (said,) = (finding.text for finding in one.to_begin(50.0) if finding.rule == "stopped")
        assert said.count("stop of ") == 1
        assert (one.latched.detail or one.latched.text) in said


# ----------------------------------------------------------------------------------------------- sham, blinded
def test_a_sham_sends_nothing_and_is_asked_for_judged_and_shown_like_the_other():
    real, sham = supervisor(), supervisor(replace(LYING, mode="sham"))
    assert sham.programme.sha256 == real.programme.sha256
    now = 0.0
    for levels in ((0.5, 0.2), (1.0, 1.0), (0.0, 0.3), (1.3, 0.0), (0.0, 0.0)):
        now += 0.2
        first, second = (one.order(levels, now=now, ramp_s=0.1) for one in (real, sham))
        assert second.levels == (0.0, 0.0)
        assert (second.consequence, second.findings, second.ramp_s) == (
            first.consequence, first.findings, first.ramp_s,
        )  # fmt: skip
        assert sham.asked_ma == real.asked_ma
        assert sham.sent_ma == (0.0, 0.0)
        assert sham.dose.session_uc(("lead", 3)) == real.dose.session_uc(("lead", 3))
    assert sham.take_delivered((0.3, 0.0), now=now + 0.1).consequence == "stop"


def test_margins_are_listed_the_tightest_first_and_what_nobody_measures_last():
    one, sham = supervisor(), supervisor(replace(LYING, mode="sham"))
    for each in (one, sham):
        each.order((1.0, 0.0), now=0.0, ramp_s=0.5)
    listed = one.margins()
    assert sham.margins() == listed
    lefts = [margin.left for margin in listed if margin.left is not None]
    assert lefts == sorted(lefts)
    assert {margin.rule for margin in listed[:4]} == {"charge", "density"}
    assert listed[0].left == pytest.approx(1 / 6)  # 25 of 30 µC/cm²
    assert [(m.rule, m.value, m.limit, m.unit, m.left) for m in listed if m.left is None] == [
        ("net_dc", None, 100.0, "nA", None)
    ]
    (k,) = [margin for margin in listed if margin.rule == "shannon" and margin.where == "lead 3"]
    assert k.left == pytest.approx(1.75 - 1.574, abs=1e-3)
    one.telemetry.take_state("lead", net_dc_na=-75.0, temperature_c=None)
    assert [m.left for m in one.margins() if m.rule == "net_dc"] == [0.25]


def test_every_rule_has_its_sentence_in_both_languages():
    from workbench.stimulation import Finding

    for rule, (_, unit) in RULES.items():
        for finding in (Finding(rule, 1.5, 1.0, "lead 3"), Finding(rule, None, 1.0), Finding(rule, detail="so")):
            for language in messages.LANGUAGES:
                said = messages.translate(finding.text, language=language)
                assert "{" not in said
                assert unit in said or finding.limit is None
    assert str(Finding("charge", 2.0, 1.8, "lead 3").text) == (
        "charge per phase of lead 3 would be 2 µC, at most 1.8 µC is allowed"
    )


def test_standing_and_walking_need_support_before_and_while_current_flows():
    one = supervisor(GAIT)
    assert [str(f.text) for f in one.to_begin(0.0)] == [
        "support of the body of the participant is not known; the limit is 10 kg"
    ]
    one.person.take_load(9.9, now=0.0)
    assert rules(one.order((1.0, 0.0), now=0.0)) == ["support"]
    one.person.take_load(30.0, now=0.1)
    assert one.order((1.0, 0.0), now=0.1, ramp_s=0.5).consequence == ""
    one.person.take_load(3.0, now=0.2)
    lost = one.tick(0.2)
    assert (lost.consequence, lost.ramp_s) == ("release", 0.5)
    assert str(lost.findings[0].text) == (
        "support of the body of the participant is 3 kg, at least 10 kg is needed"
    )


def test_a_load_that_is_old_or_no_number_is_no_support():
    one = supervisor(GAIT)
    one.person.take_load(30.0, now=0.0)
    assert one.to_begin(1.0) == []
    assert [f.rule for f in one.to_begin(1.1)] == ["support_age"]
    one.person.take_load(nan, now=1.1)
    assert [f.rule for f in one.to_begin(1.1)] == ["support"]


def test_without_a_load_cell_a_person_answers_for_the_support():
    one = supervisor(replace(GAIT, support_kg=0.0))
    assert [f.rule for f in one.to_begin(0.0)] == ["support"]
    one.person.take_holder("Chen L.")
    assert one.to_begin(0.0) == []
    one.person.take_holder("")
    assert [f.rule for f in one.to_begin(0.0)] == ["support"]
