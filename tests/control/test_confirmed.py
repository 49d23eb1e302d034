"""Only what the device confirmed is said; a grant sets the limits; nobody there means no new activation."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from workbench import control
from workbench.control import Grant
from workbench.errors import Refused
from workbench.vocabulary import DeviceStatus

GRANT = Grant("a-1", "P-041", "glove", "abc123", 0.6, 10.0, 100.0, 20.0, expires=1e9)


def status(bench, state="following", level=0.0, *, locked=False, follows=True, times=1):
    """The device says so, as often as that."""
    for _ in range(times):
        bench.counter = getattr(bench, "counter", 0) + 1
        said = DeviceStatus(bench.counter, bench.stream, state, level, locked)
        bench.deliver(bench.controller.device.on_status(said, follows=follows, local=bench.local))


def rows(bench, kind):
    return [row for row in bench.rows if row.kind == kind]


# ------------------------------------------------------------------------------------------- confirmed
def test_a_stop_is_sent_not_acknowledged_until_the_device_acknowledges_and_confirms_it(bench):
    bench.reach("HOLD")
    status(bench, level=1.0)
    bench.answering = False
    bench.act("estop", "pinched")
    (stop,) = [c for c in bench.sent if c.state == "ESTOP"]
    said = bench.controller.snapshot()
    assert said["stop"] == {
        "asked_age_s": 0.0,
        "sent": True,
        "acknowledged_after_s": None,
        "safe_after_s": None,
        "confirmed": False,
    }
    assert (said["level"], said["confirmed"]["level"]) == (0.0, 1.0)
    assert "STOP sent, not acknowledged" in rows(bench, "estop")[0].consequence
    bench.tick(1.2)
    assert rows(bench, "ack_missing")[-1].extent == "STOP"
    bench.local += 0.3
    bench.deliver(bench.controller.device.on_ack(bench.ack(bench.sent[-1]), local=bench.local))
    said = bench.controller.snapshot()["stop"]
    assert said["acknowledged_after_s"] == pytest.approx(1.5)
    assert not said["confirmed"]
    status(bench, "stopped", 0.0, locked=True)
    said = bench.controller.snapshot()["stop"]
    assert said["confirmed"]
    assert said["safe_after_s"] == pytest.approx(1.5)
    assert len(rows(bench, "stop_acknowledged")) == len(rows(bench, "stop_confirmed")) == 1
    assert stop.seq != bench.sent[-1].seq


def test_a_stop_that_stays_unacknowledged_is_repeated_every_heartbeat_and_entered_once(bench):
    bench.reach("HOLD")
    bench.answering = False
    for n in (1, 2):
        before = len(bench.sent)
        bench.act("estop", "pinched")
        for _ in range(50):
            bench.tick(0.1)
        assert len(bench.sent) - before > 40
        missing = [row for row in rows(bench, "ack_missing") if row.extent == "STOP"]
        assert len(missing) == n


def test_the_answer_to_a_stop_of_the_self_test_acknowledges_no_operators_stop(bench):
    bench.answering = False
    bench.self_test()
    (tested,) = bench.sent
    bench.act("estop", "pinched")
    bench.deliver(bench.controller.device.on_ack(bench.ack(tested), local=bench.local))
    assert bench.controller.snapshot()["stop"]["acknowledged_after_s"] is None
    bench.deliver(bench.controller.device.on_ack(bench.ack(bench.sent[-1]), local=bench.local))
    assert bench.controller.snapshot()["stop"]["acknowledged_after_s"] is not None


def test_a_fault_says_that_its_safe_state_is_commanded_until_the_device_confirms_it(bench):
    bench.reach("HOLD")
    status(bench, level=1.0)
    bench.deliver(bench.controller.on_fault("stream_lost"))
    assert rows(bench, "fault")[0].consequence == "safe state commanded, not confirmed yet"
    status(bench, "venting", 0.4)
    assert not rows(bench, "safe_confirmed")
    bench.tick(3.0)
    status(bench, "safe", 0.0)
    assert rows(bench, "safe_confirmed")[0].extent == "level 0 after 3.0 s"


def test_no_row_says_that_the_hand_was_released_where_it_was_only_told_to(bench):
    bench.reach("HOLD")
    bench.run(30.5)
    bench.run(2.0)
    bench.decide("activate")
    bench.run(1.0)
    bench.act("release", "run paused")
    bench.run(2.0)
    bench.decide("activate")
    absent(bench, 20.0)
    assert {row.kind for row in bench.rows} >= {"hold_limit", "operator_absent"}
    said = [row.consequence for row in bench.rows]
    assert len([words for words in said if "told to release" in words]) == 3
    assert not [words for words in said if "was released" in words]


def test_a_reset_waits_until_the_device_says_that_its_safe_state_is_complete(bench):
    bench.reach("ESTOP")
    status(bench, "venting", 0.4, locked=True)
    with pytest.raises(Refused, match="safe state is not complete"):
        bench.act("reset", "Chen L.")
    status(bench, "safe", 0.0, locked=True)
    bench.act("reset", "Chen L.")
    assert bench.state == "SELFTEST"


def test_before_the_device_has_said_anything_nothing_is_confirmed(bench):
    said = bench.reach("HOLD").controller.snapshot()
    assert said["confirmed"] == {"level": None, "state": "", "age_s": None, "at_rest": False, "counter": 0}
    assert said["stop"]["asked_age_s"] is None


@pytest.mark.parametrize("state", ["ARMED", "ACTIVE", "HOLD", "RELEASE", "REFRACTORY"])
@pytest.mark.parametrize(
    ("said", "code"), [({"locked": True}, "device_lapsed"), ({"follows": False}, "session_lost")]
)
def test_a_device_that_does_not_follow_while_armed_is_a_fault_but_one_late_status_is_not(bench, state, said, code):
    bench.reach(state)
    status(bench, times=2, **said)
    status(bench)
    assert bench.state == state
    status(bench, times=3, **said)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == code


def test_a_lapse_while_not_armed_repeats_the_self_test_by_itself(bench):
    bench.reach("IDLE_SAFE")
    bench.answering = False
    status(bench, "safe", locked=True, times=3)
    assert bench.state == "SELFTEST"
    bench.answering = True
    bench.run(0.5, decide=False)
    assert bench.state == "IDLE_SAFE"
    assert [row.priority for row in rows(bench, "device_lapsed")] == ["low"]


def test_a_device_that_falls_silent_is_a_fault_within_a_second(bench):
    bench.reach("HOLD")
    status(bench, level=1.0)
    bench.run(0.9)
    assert bench.state == "HOLD"
    bench.run(0.2)
    assert bench.controller.snapshot()["fault"] == "status_missing"


def test_a_link_slower_than_half_the_time_to_live_never_passes_its_self_test(bench):
    bench.answering = False
    bench.self_test()
    for _ in range(3):
        bench.local += 0.2
        for command in list(bench.controller.device.on_ack(bench.ack(bench.sent[-1]), local=bench.local)):
            bench.sent.append(command)
        bench.deliver(bench.agree())
    assert bench.state == "SELFTEST"
    slow = [row for row in bench.rows if row.kind == "self_test"]
    assert len(slow) == 1
    assert "worst round trip is 200 ms, a time to live of 250 ms allows 125 ms" in slow[0].extent


# ------------------------------------------------------------------------------------------ heartbeats
def test_a_heartbeat_whose_successor_is_acknowledged_is_a_count_and_one_row_at_the_end_of_the_run(bench):
    bench.reach("HOLD")
    for _ in range(5):
        bench.answering = False
        bench.tick(0.11)
        bench.answering = True
        bench.run(1.3)
    assert bench.state == "HOLD"
    assert bench.controller.snapshot()["heartbeats_missed"] == 5
    assert not rows(bench, "ack_missing")
    bench.controller.device.summarise_run()
    bench.controller.device.summarise_run()
    bench.deliver([])
    (row,) = rows(bench, "heartbeats")
    assert (row.extent.split(" of ")[0], row.priority) == ("5", "info")


# ----------------------------------------------------------------------------------------------- grant
def test_the_limits_and_the_dose_of_the_grant_hold(bench):
    bench.prepare()
    bench.act("arm", "Chen L.", grant=GRANT)
    bench.decide("activate")
    assert bench.sent[-1].level == (0.6,)
    assert bench.controller.dose_s >= 20.0
    bench.run(10.2)
    assert bench.state in ("RELEASE", "REFRACTORY", "ARMED")
    assert bench.controller.limits.id == "a-1"


def test_a_dose_that_was_counted_is_never_forgotten_by_a_new_grant(bench):
    bench.prepare()
    bench.act("arm", "Chen L.", grant=replace(GRANT, dose_used_s=50.0))
    bench.act("disarm", "Chen L.")
    bench.act("arm", "Chen L.", grant=replace(GRANT, dose_used_s=0.0))
    assert bench.controller.dose_s >= 50.0
    bench.act("disarm", "Chen L.")
    with pytest.raises(Refused, match=r"The dose of this session is used\."):
        bench.act("arm", "Chen L.", grant=replace(GRANT, dose_used_s=100.0))


def test_what_this_session_counted_and_what_the_record_states_of_others_add_up(bench):
    bench.prepare()
    bench.act("arm", "Chen L.", grant=GRANT)
    bench.decide("activate")
    bench.run(5.0)
    bench.decide("release")
    bench.run(2.0)
    counted = bench.controller.dose_s - 20.0
    assert counted >= 5.0
    bench.act("disarm", "Chen L.")
    bench.act("arm", "Chen L.", grant=replace(GRANT, dose_used_s=60.0))
    assert bench.controller.dose_s == pytest.approx(60.0 + counted)


def test_a_grant_changes_nothing_where_arming_is_not_possible(bench):
    bench.reach("HOLD")
    limits, dose_s = bench.controller.limits, bench.controller.dose_s
    with pytest.raises(Refused, match="in state HOLD"):
        bench.act("arm", "Chen L.", grant=GRANT)
    assert (bench.controller.limits, bench.controller.dose_s) == (limits, dose_s)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"effector": "cursor"}, "for effector cursor, not glove"),
        ({"decoder_sha256": "ffff"}, "for decoder ffff"),
        ({"expires": 0.0}, "expired"),
        ({"expires": math.nan}, "expired"),
        ({"dose_used_s": math.nan}, "dose used"),
        ({"dose_used_s": -1.0}, "dose used"),
    ],
)
def test_a_grant_for_something_else_or_of_the_past_arms_nothing(bench, changes, words):
    bench.prepare()
    with pytest.raises(Refused, match=words):
        bench.act("arm", "Chen L.", grant=replace(GRANT, **changes))
    assert bench.state == "IDLE_SAFE"


@pytest.mark.parametrize("changes", [{"level_max": 1.1}, {"hold_limit_s": 31.0}, {"dose_s": math.inf}])
def test_a_grant_wider_than_the_profile_is_refused_and_entered_and_changes_no_limit(bench, changes):
    bench.prepare()
    before = bench.controller.limits
    with pytest.raises(Refused, match="must be above 0 and at most"):
        bench.act("arm", "Chen L.", grant=replace(GRANT, **changes))
    bench.deliver([])
    assert (bench.state, bench.controller.limits) == ("IDLE_SAFE", before)
    (row,) = rows(bench, "refused")
    assert "must be above 0 and at most" in row.extent


def test_a_real_effector_is_never_armed_without_a_grant(make_bench):
    bench = make_bench(simulated=False)
    bench.prepare()
    with pytest.raises(Refused, match="the record has granted nothing"):
        bench.act("arm", "Chen L.")
    bench.act("arm", "Chen L.", grant=GRANT)
    assert bench.state == "ARMED"


# ------------------------------------------------------------------------------------------- strangers
def test_a_foreign_stream_is_entered_once_blocks_arming_and_starts_no_activation(bench):
    bench.reach("ARMED")
    for _ in range(3):
        bench.controller.device.set_foreign(messages=7, streams=["wb-commands-x of host h"])
    bench.deliver([])
    assert len(rows(bench, "foreign_stream")) == 1
    bench.decide("activate")
    assert bench.state == "ARMED"
    bench.act("disarm", "Chen L.")
    with pytest.raises(Refused, match="wb-commands-x of host h"):
        bench.act("arm", "Chen L.")
    bench.controller.device.set_foreign(messages=9, streams=[])
    bench.act("arm", "Chen L.")
    assert bench.controller.snapshot()["foreign"] == 9


# -------------------------------------------------------------------------------------------- presence
def absent(bench, since_s, **options):
    now = {"now_stream": bench.stream, "local": bench.local}
    return bench.deliver(bench.controller.operator.report_absence(since_s, **options, **now))


def test_without_an_operator_for_two_seconds_no_activation_begins(bench):
    bench.reach("ARMED")
    absent(bench, 2.0)
    assert not bench.controller.snapshot()["absent"]
    for _ in range(5):
        absent(bench, 2.1)
    assert len(rows(bench, "operator_absent")) == 1
    bench.decide("activate")
    assert bench.state == "ARMED"
    absent(bench, 0.0)
    bench.decide("activate")
    assert bench.state == "ACTIVE"


def test_a_running_activation_ends_by_its_own_rule_while_nobody_is_there(bench):
    bench.reach("HOLD")
    absent(bench, 5.0)
    bench.run(1.0)
    assert bench.state == "HOLD"
    bench.decide("release")
    assert bench.state == "RELEASE"


@pytest.mark.parametrize(("limit_s", "at_s"), [(20.0, 20.0), (5.0, 5.0), (600.0, 60.0), (math.inf, 60.0)])
def test_after_the_plans_time_the_hand_is_released_by_the_ramp_of_lost_commands_and_disarmed(bench, limit_s, at_s):
    bench.reach("HOLD")
    absent(bench, at_s - 0.1, limit_s=limit_s)
    assert bench.state == "HOLD"
    absent(bench, at_s, limit_s=limit_s)
    absent(bench, at_s + 1.0, limit_s=limit_s)
    assert (bench.state, bench.sent[-1].action, bench.sent[-1].ramp_ms) == ("RELEASE", "release", 3000)
    bench.run(2.5)
    assert bench.state == "RELEASE"
    bench.run(1.5)
    assert bench.state == "IDLE_SAFE"
    assert len(rows(bench, "operator_absent")) == 2


@pytest.mark.parametrize("state", ["ARMED", "RELEASE", "REFRACTORY"])
def test_whatever_is_armed_is_disarmed_after_the_plans_time(bench, state):
    bench.reach(state)
    absent(bench, 20.0)
    bench.run(4.0)
    assert bench.state == "IDLE_SAFE"
    with pytest.raises(Refused, match=r"No operator's screen answers\."):
        bench.act("arm", "Chen L.")


# ---------------------------------------------------------------------------------------------- toggle
def test_a_toggle_is_released_after_a_second_of_rejected_evidence_and_not_before(toggle_bench):
    bench = toggle_bench.reach("HOLD")
    for _ in range(18):
        bench.tick(0.05)
        bench.decide("", label="")
    assert bench.state == "HOLD"
    bench.decide("", label="grasp")
    for _ in range(18):
        bench.tick(0.05)
        bench.decide("", label="")
    assert bench.state == "HOLD"
    for _ in range(4):
        bench.tick(0.05)
        bench.decide("", label="")
    assert bench.state == "RELEASE"
    assert bench.sent[-1].ramp_ms == control.load("glove").release_ramp_ms


@pytest.mark.parametrize("since_s", [0.0, 0.0625, 2.0])
def test_the_age_of_a_status_counts_from_its_arrival(bench, since_s):
    bench.prepare()
    status(bench)
    bench.local += since_s
    bench.deliver(bench.controller.on_hop(0.0, local=bench.local))
    assert bench.controller.snapshot()["confirmed"]["age_s"] == since_s


def test_a_row_before_any_decision_names_no_sample_and_later_rows_that_of_the_newest(bench):
    bench.act("estop", "pinched")
    assert rows(bench, "estop")[0].sample == -1
    bench.decide()
    bench.act("estop", "pinched again")
    assert rows(bench, "estop")[1].sample == bench.sample
