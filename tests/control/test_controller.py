"""What the controller does with decisions, time, acknowledgements, faults and its operator."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench import control
from workbench.control import STATES, Limits
from workbench.errors import BadValue, Refused

NAN = float("nan")


def kinds(bench):
    return [row.kind for row in bench.rows]


# -------------------------------------------------------------------------------- default off, arming
def test_the_default_is_off_and_nothing_is_sent_before_a_self_test(bench):
    bench.run(5.0)
    bench.decide("activate")
    assert bench.state == "DISCONNECTED"
    assert bench.sent == []
    assert bench.controller.level == (0.0,)


def test_an_intent_before_arming_moves_nothing(bench):
    bench.prepare()
    bench.decide("activate")
    assert bench.state == "IDLE_SAFE"
    assert all(not any(c.level) for c in bench.sent)


@pytest.mark.parametrize(
    ("key", "spoil", "words"),
    [
        ("participant_ready", lambda b: b.act("set_ready", ready=False, by="Chen L."), "not been confirmed ready"),
        (
            "decoder_approved",
            lambda b: b.act("set_decoder", "ffff0000", approved_sha256="abc123"),
            "approved is abc123",
        ),
        ("decoder_approved", lambda b: b.act("set_decoder", "", approved_sha256=""), "No decoder is loaded"),
        ("decoder_approved", lambda b: b.act("set_decoder", "ffff0000", approved_sha256=""), "approved is none"),
        ("montage_good", lambda b: b.tick(0.05, quality_ok=False), "quality is bad"),
    ],
)
def test_each_unmet_condition_blocks_arming_and_is_named(bench, key, spoil, words):
    bench.prepare()
    spoil(bench)
    unmet = [c for c in bench.controller.conditions() if not c.ok and c.key != "operator"]
    assert [c.key for c in unmet] == [key]
    assert words in unmet[0].text
    assert unmet[0].text in bench.controller.why
    with pytest.raises(Refused, match="arming is not possible"):
        bench.act("arm", "Chen L.")
    assert bench.state == "IDLE_SAFE"
    bench.tick(0.01)
    assert "refused" in kinds(bench)


def test_conditions_stand_in_their_order_with_a_key_for_the_catalogue(bench):
    own = tuple(key for key in control.CONDITIONS if key != "stimulation_allowed")
    assert tuple(c.key for c in bench.controller.conditions()) == own
    assert bench.controller.conditions()[0].text_key == "control.condition.participant_ready"
    bench.arm()
    assert all(c.ok for c in bench.controller.conditions())


def test_a_used_dose_blocks_arming(make_bench):
    bench = make_bench(dose_used_s=3600.0)
    bench.prepare()
    with pytest.raises(Refused, match="dose of this session is used"):
        bench.act("arm", "Chen L.")


def test_arming_needs_a_name_and_the_state_idle_safe(bench):
    bench.prepare()
    with pytest.raises(BadValue, match="a name is needed"):
        bench.act("arm", " ")
    bench.act("arm", "Chen L.")
    with pytest.raises(Refused, match="not possible in state ARMED"):
        bench.act("arm", "Chen L.")


def test_a_decoder_that_is_not_approved_disarms_and_releases(bench):
    bench.reach("HOLD")
    bench.act("set_decoder", "other", approved_sha256="abc123")
    assert bench.state == "RELEASE"
    bench.run(1.2)
    assert bench.state == "IDLE_SAFE"


# ------------------------------------------------------------------------------------------ self-test
def test_a_self_test_sends_a_stop_then_an_opening_command_and_waits_for_both(bench):
    bench.answering = False
    assert bench.self_test().commands == []
    (stop,) = bench.sent
    assert stop.action == "stop"
    assert bench.controller.device.on_ack(bench.ack(stop)) == []
    assert bench.controller.device.needs_session
    opening = bench.controller.device.on_session()
    assert [c.action for c in opening] == ["open"]
    assert bench.state == "SELFTEST"
    assert bench.controller.device.on_ack(bench.ack(opening[0])) == []
    assert bench.state == "IDLE_SAFE"


def test_a_self_test_names_what_failed_or_is_missing_and_stays_off(bench):
    act = bench.self_test(clock=False)
    assert (bench.state, act.commands) == ("DISCONNECTED", [])
    assert "clock" in act.row.extent
    act = bench.self_test(impedance=False)
    assert (bench.state, act.commands) == ("SELFTEST", [])
    assert "impedance" in act.row.extent
    act = bench.act("self_test", {"streams": True})
    assert "clock" in act.row.extent
    assert bench.state == "SELFTEST"


def test_a_self_test_is_refused_while_the_effector_may_move(bench):
    bench.reach("ACTIVE")
    with pytest.raises(Refused, match="self-test starts from"):
        bench.self_test()


def test_a_repeated_self_test_must_be_acknowledged_again(bench):
    bench.prepare()
    bench.answering = False
    bench.self_test()
    assert bench.state == "SELFTEST"
    assert not dict((c.key, c.ok) for c in bench.controller.conditions())["estop_tested"]


def test_a_device_that_never_answers_the_self_test_is_a_fault(bench):
    bench.answering = False
    bench.self_test()
    bench.run(1.5, decide=False)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "acks_missing"


# ------------------------------------------------------------------------------------- the road itself
def test_intent_closes_holds_releases_and_rests(bench):
    bench.arm()
    (close,) = bench.decide("activate")
    assert (close.action, close.level, close.state, close.ramp_ms) == ("close", (1.0,), "ACTIVE", 500)
    assert (close.sample, close.decoder_sha256, close.profile, close.ttl_ms) == (
        bench.sample,
        "abc123",
        "glove",
        250,
    )
    bench.run(0.4)
    assert bench.state == "ACTIVE"
    bench.run(0.2)
    assert bench.state == "HOLD"
    (release,) = bench.decide("release")
    assert (release.action, release.level) == ("release", (0.0,))
    bench.run(0.45)
    assert bench.state == "RELEASE"
    bench.run(0.1)
    assert bench.state == "REFRACTORY"
    bench.run(0.6)
    assert bench.state == "ARMED"


def test_an_intent_in_the_refractory_time_is_not_followed_and_is_entered(bench):
    bench.reach("REFRACTORY")
    assert bench.decide("activate") == []
    assert "intent_ignored" in kinds(bench)
    bench.run(0.6)
    assert bench.state == "ARMED"
    bench.decide("activate")
    assert bench.state == "ACTIVE"


def test_the_refractory_time_counts_stream_time(make_bench):
    bench = make_bench(speed=8.0).reach("REFRACTORY")
    bench.tick(0.01, stream=0.49)
    assert bench.state == "REFRACTORY"
    bench.tick(0.01, stream=0.02)
    assert bench.state == "ARMED"


def test_toggle_grasp_first_intent_closes_second_opens(toggle_bench):
    bench = toggle_bench
    bench.arm()
    bench.decide("activate")
    bench.run(0.6)
    assert bench.decide("release") == []
    assert bench.state == "HOLD"
    (release,) = bench.decide("activate")
    assert release.action == "release"
    assert bench.state == "RELEASE"


def test_without_toggle_a_second_activation_changes_nothing(bench):
    bench.reach("HOLD")
    assert bench.decide("activate") == []
    assert bench.state == "HOLD"


@pytest.mark.parametrize(("label", "words"), [("rest", "evidence fell"), ("", "evidence was rejected")])
def test_the_command_says_why_the_hand_was_released(bench, label, words):
    bench.reach("HOLD")
    (release,) = bench.decide("release", label=label)
    assert release.reason == words


def test_a_release_out_of_place_changes_nothing(bench):
    bench.arm()
    assert bench.decide("release") == []
    assert bench.state == "ARMED"


def test_level_is_reached_only_when_the_close_is_acknowledged(bench):
    bench.arm()
    bench.answering = False
    bench.decide("activate")
    bench.run(0.6)
    assert bench.state == "ACTIVE"


def test_the_longest_activation_ends_in_a_release(bench):
    bench.reach("HOLD")
    bench.run(29.2)
    assert bench.state == "HOLD"
    assert kinds(bench).count("hold_reminder") == 1
    bench.run(0.3)
    assert bench.state == "RELEASE"
    assert "hold_limit" in kinds(bench)


def test_the_hold_limit_runs_on_local_time_when_the_stream_stands_still(bench):
    bench.reach("HOLD")
    for _ in range(300):
        bench.tick(0.1, stream=0.0)
        bench.decide("")
    assert bench.state == "RELEASE"


def test_a_protocol_may_set_a_shorter_hold_and_a_lower_level(make_bench):
    bench = make_bench(limits=Limits("protocol-3", 0.6, 5.0, 60.0))
    bench.arm()
    (close,) = bench.decide("activate")
    assert close.level == (0.6,)
    bench.run(5.1)
    assert bench.state == "RELEASE"
    assert "level_clipped" not in kinds(bench)


def test_the_dose_reminds_releases_and_stands_down(make_bench):
    bench = make_bench(limits=Limits("short", 1.0, 30.0, 4.0))
    bench.arm()
    bench.decide("activate")
    bench.run(3.3)
    (row,) = [r for r in bench.rows if r.kind == "dose_reminder"]
    assert "look at the skin" in row.consequence
    bench.run(0.8)
    assert bench.state == "RELEASE"
    assert "dose_limit" in kinds(bench)
    bench.run(1.2)
    assert bench.state == "IDLE_SAFE"
    assert bench.controller.dose_s == pytest.approx(4.0, abs=0.11)
    assert not bench.controller.conditions()[-1].ok


def test_the_dose_reminder_of_a_cursor_says_nothing_about_skin(make_bench):
    bench = make_bench(control.load("cursor"), limits=Limits("short", 1.0, 30.0, 4.0))
    bench.arm()
    bench.decide("activate")
    bench.run(3.3)
    (row,) = [r for r in bench.rows if r.kind == "dose_reminder"]
    assert "skin" not in row.consequence


# ---------------------------------------------------------------------------------- levels and evidence
def test_a_request_over_the_limit_is_clipped_after_the_decoder_and_entered(make_bench):
    bench = make_bench(limits=Limits("protocol-3", 0.6, 5.0, 60.0))
    bench.arm()
    (close,) = bench.decide("activate", level=(5.0,))
    assert close.level == (0.6,)
    (row,) = [r for r in bench.rows if r.kind == "level_clipped"]
    assert row.extent == "5 asked, 0.6 sent (limit 0.6)"


def test_a_level_within_limits_is_sent_as_asked(bench):
    bench.arm()
    (close,) = bench.decide("activate", level=(0.3,))
    assert close.level == bench.controller.level == (0.3,)
    assert "level_clipped" not in kinds(bench)


@pytest.mark.parametrize("level", [(NAN,), (float("inf"),), (0.5, 0.5), ()])
def test_a_level_that_is_no_level_is_a_fault(bench, level):
    bench.arm()
    bench.decide("activate", level=level)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "level_broken"
    assert all(0 <= value <= 1 for c in bench.sent for value in c.level)


@pytest.mark.parametrize("probabilities", [(), (NAN, NAN), (0.5, float("inf")), (0.9, 0.9), (-0.5, 1.5)])
@pytest.mark.parametrize("state", ["IDLE_SAFE", "ARMED", "HOLD"])
def test_evidence_that_is_no_set_of_probabilities_is_a_fault(bench, state, probabilities):
    bench.reach(state)
    bench.decide("", probabilities=probabilities)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "evidence_broken"


def test_a_probability_that_rounding_put_above_one_is_sound_evidence(bench):
    bench.arm()
    bench.decide("activate", probabilities=(1.0 + 2.0**-52, 4e-18))
    assert bench.state == "ACTIVE"


def test_an_intent_on_evidence_that_is_not_valid_is_not_followed(bench):
    bench.arm()
    assert bench.decide("activate", valid=False, probabilities=(NAN, NAN)) == []
    assert bench.state == "ARMED"


def test_evidence_not_valid_for_more_than_half_a_second_while_active_is_a_fault(bench):
    bench.reach("HOLD")
    bench.run(0.5, valid=False)
    assert bench.state == "HOLD"
    bench.run(0.05, valid=False)
    bench.tick(0.05)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "evidence_invalid"


def test_evidence_valid_again_in_time_is_no_fault(bench):
    bench.reach("HOLD")
    for turn in range(40):
        bench.tick(0.05)
        bench.decide("", valid=turn % 8 == 0)
    assert bench.state == "HOLD"


def test_a_decode_loop_that_falls_silent_while_active_is_a_fault(bench):
    bench.reach("HOLD")
    bench.run(0.7, decide=False)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "evidence_silent"


@pytest.mark.parametrize("age_s", [0.26, 3.0, float("nan")])
def test_a_hand_is_not_held_by_decisions_that_come_late(bench, age_s):
    """Each hop of an engine that is behind its streams is in time, and its decision says nothing of now."""
    bench.reach("HOLD")
    bench.run(0.7, age_s=age_s)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "evidence_silent"


def test_a_hand_is_held_by_decisions_of_which_each_burst_ends_with_a_young_one(bench):
    bench.reach("HOLD")
    for _ in range(10):
        bench.tick(0.4)
        for age_s in (0.4, 0.3, 0.2, 0.1, 0.0):
            bench.decide("", age_s=age_s)
    assert bench.state == "HOLD"


def test_silence_while_armed_is_no_fault(bench):
    bench.arm()
    bench.run(5.0, decide=False)
    assert bench.state == "ARMED"


def test_an_expired_decision_does_not_activate_but_an_expired_release_releases(bench):
    bench.arm()
    assert bench.decide("activate", age_s=0.3) == []
    assert bench.state == "ARMED"
    assert "300 ms old" in bench.rows[-1].extent
    assert bench.decide("activate", age_s=0.2)
    bench.run(0.6)
    bench.decide("release", age_s=3.0)
    assert bench.state == "RELEASE"


def test_the_age_of_a_decision_is_divided_by_the_speed_of_a_replay(make_bench):
    bench = make_bench(speed=8.0)
    bench.arm()
    assert bench.decide("activate", age_s=1.9)
    assert bench.state == "ACTIVE"


# --------------------------------------------------------------------------------------------- quality
def test_bad_quality_for_half_a_second_is_borne_and_longer_is_a_fault(bench):
    bench.arm()
    bench.run(0.5, quality_ok=False)
    assert bench.state == "ARMED"
    bench.run(0.15, quality_ok=False)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "quality_bad"


def test_an_intent_in_bad_quality_is_not_followed(bench):
    bench.arm()
    bench.tick(0.05, quality_ok=False)
    assert bench.decide("activate", quality_ok=False) == []
    assert bench.state == "ARMED"


def test_bad_quality_in_idle_blocks_arming_but_is_no_fault(bench):
    bench.prepare()
    bench.run(3.0, quality_ok=False)
    assert bench.state == "IDLE_SAFE"
    with pytest.raises(Refused, match="quality"):
        bench.act("arm", "Chen L.")


# --------------------------------------------------------------------------- heartbeats and acknowledgements
@pytest.mark.parametrize("state", ["IDLE_SAFE", "ARMED", "HOLD", "RELEASE", "REFRACTORY"])
def test_no_two_commands_are_further_apart_than_the_time_to_live(bench, state):
    bench.reach(state)
    del bench.sent[:-1]
    bench.run(3.0, step=0.02)
    stamps = [c.stamp for c in bench.sent]
    assert max(b - a for a, b in zip(stamps, stamps[1:])) <= bench.effector.ttl_ms / 1000
    assert any(c.action == "heartbeat" for c in bench.sent)


def test_heartbeats_go_on_in_local_time_when_the_stream_stands_still(bench):
    bench.reach("HOLD")
    sent = [c for _ in range(4) for c in bench.tick(0.1, stream=0.0)]
    assert [c.action for c in sent] == ["heartbeat"] * 4


def test_a_heartbeat_carries_the_level_in_force(bench):
    bench.reach("HOLD")
    (beat,) = bench.tick(0.15)
    assert (beat.action, beat.level) == ("heartbeat", (1.0,))


def test_sequence_numbers_count_up_from_one(bench):
    bench.reach("REFRACTORY")
    bench.run(2.0)
    assert [c.seq for c in bench.sent] == list(range(1, len(bench.sent) + 1))


def test_a_lost_release_is_repeated_until_it_is_acknowledged(bench):
    bench.reach("HOLD")
    bench.answering = False
    bench.decide("release")
    lost = [c for _ in range(8) for c in bench.tick(0.1)]
    assert [c.action for c in lost] == ["release"] * 8
    assert bench.state == "RELEASE"
    bench.answering = True
    bench.tick(0.1)
    bench.tick(0.1)
    assert bench.state == "REFRACTORY"


def test_an_answer_to_an_earlier_command_does_not_answer_a_later_order(bench):
    bench.reach("HOLD")
    bench.answering = False
    (beat,) = bench.tick(0.11)
    bench.decide("release")
    bench.controller.device.on_ack(bench.ack(beat))
    (again,) = bench.tick(0.11)
    assert again.action == "release"


def test_three_missing_acknowledgements_in_a_row_are_a_fault(bench):
    bench.reach("HOLD")
    bench.answering = False
    bench.run(1.1)
    assert bench.state == "HOLD"
    bench.run(0.3)
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "acks_missing"
    assert kinds(bench).count("ack_missing") == 0
    assert bench.controller.snapshot()["heartbeats_missed"] >= 3


def test_two_missing_acknowledgements_and_then_one_are_no_fault(bench):
    bench.reach("HOLD")
    for _ in range(8):
        bench.answering = False
        bench.tick(0.1)
        bench.tick(0.1)
        bench.answering = True
        bench.run(2.0)
    assert bench.state == "HOLD"


@pytest.mark.parametrize("status", ["timeout", "expired"])
def test_the_device_saying_that_a_command_lapsed_counts_as_missing(bench, status):
    bench.reach("HOLD")
    bench.answering = False
    for _ in range(3):
        bench.decide("")
        (command,) = bench.tick(0.11)
        bench.deliver(bench.controller.device.on_ack(bench.ack(command, status)))
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "acks_missing"


def test_commands_that_lapse_at_one_moment_are_one_missed(bench):
    bench.arm()
    bench.answering = False
    orders = [*bench.decide("activate"), *(c for _ in range(4) for c in bench.tick(0.11))]
    assert [c.action for c in orders] == ["close"] * 5
    for command in orders:
        assert bench.controller.device.on_ack(bench.ack(command, "timeout")) == []
    assert bench.state == "ACTIVE"


@pytest.mark.parametrize("status", ["refused", "banana"])
def test_a_refused_command_is_a_fault(bench, status):
    bench.reach("ARMED")
    bench.answering = False
    (close,) = bench.decide("activate")
    bench.deliver(bench.controller.device.on_ack(bench.ack(close, status)))
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "command_refused"
    assert f"command {close.seq} was refused ({status})" in bench.rows[-1].extent


@pytest.mark.parametrize("level", [(0.9,), (NAN,), (0.5, 0.5), (-0.5,)])
def test_a_device_that_applies_another_level_than_was_sent_is_a_fault(make_bench, level):
    bench = make_bench(limits=Limits("protocol-3", 0.6, 5.0, 60.0))
    bench.arm()
    bench.answering = False
    (close,) = bench.decide("activate")
    bench.deliver(bench.controller.device.on_ack(bench.ack(close, level=level)))
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "level_exceeded"


def test_a_device_still_venting_may_report_what_it_still_has(bench):
    bench.reach("HOLD")
    bench.answering = False
    (release,) = bench.decide("release")
    bench.controller.device.on_ack(bench.ack(release, level=(0.8,)))
    assert bench.state == "RELEASE"


def test_clipped_late_and_unknown_acknowledgements_are_entered_and_no_fault(bench):
    bench.reach("HOLD")
    bench.answering = False
    (slow,) = bench.tick(0.11)
    bench.answering = True
    bench.run(1.2)
    bench.controller.device.on_ack(bench.ack(slow))
    bench.controller.device.on_ack(replace(bench.ack(slow), seq=9999))
    bench.answering = False
    (command,) = bench.tick(0.11)
    bench.controller.device.on_ack(bench.ack(command, "clipped", level=(0.7,)))
    bench.deliver([])
    assert [k for k in kinds(bench) if k.startswith("ack_")] == [
        "ack_late",
        "ack_unknown",
        "ack_clipped",
    ]
    assert bench.state == "HOLD"


# ----------------------------------------------------------------------------------------------- faults
def test_a_fault_holds_up_to_one_second_then_vents_slowly(bench):
    bench.reach("HOLD")
    (hold,) = bench.deliver(bench.controller.on_fault("stream_lost"))
    assert (hold.action, hold.level, hold.state) == ("hold", (1.0,), "FAULT_SAFE")
    bench.run(0.9)
    # Held by heartbeats: a device that hears nothing would begin its own safe state and refuse the next step.
    assert {(c.action, c.level) for c in bench.sent if c.seq > hold.seq} == {("heartbeat", (1.0,))}
    bench.run(0.15)
    vent = bench.sent[-1]
    assert (vent.action, vent.level, vent.ramp_ms) == ("release", (0.0,), 3000)
    bench.run(5.0)
    assert bench.sent[-1] is vent


def test_the_hold_of_a_fault_ends_in_local_time_when_the_stream_is_dead(bench):
    bench.reach("HOLD")
    bench.deliver(bench.controller.on_fault("stream_lost"))
    for _ in range(11):
        bench.tick(0.1, stream=0.0)
    assert bench.sent[-1].action == "release"


def test_the_safe_state_is_repeated_until_acknowledged_and_nothing_else_is_sent(bench):
    bench.reach("HOLD")
    bench.answering = False
    bench.deliver(bench.controller.on_fault("the coil fell off"))
    bench.sent.clear()
    bench.run(3.0)
    actions = [c.action for c in bench.sent]
    assert set(actions) == {"hold", "release"}
    assert actions == sorted(actions)
    assert bench.controller.snapshot()["fault"] == "other"


def test_a_second_fault_restarts_nothing_and_each_cause_is_entered_once(bench):
    bench.reach("HOLD")
    for _ in range(5):
        bench.deliver(bench.controller.on_fault("stream_lost"))
        bench.deliver(bench.controller.on_fault("overrun"))
    assert kinds(bench).count("fault") == 2
    assert [c.action for c in bench.sent if c.state == "FAULT_SAFE"] == ["hold"]


def test_a_fault_from_disconnected_sends_no_level(bench):
    bench.deliver(bench.controller.on_fault("stream_lost"))
    assert bench.state == "FAULT_SAFE"
    assert [c.level for c in bench.sent] == [(0.0,)]


def test_a_time_that_is_no_number_is_a_fault(bench):
    bench.reach("HOLD")
    bench.deliver(bench.controller.on_tick(NAN, local=bench.local))
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "clock"


def test_a_stream_clock_that_jumps_back_neither_stretches_a_limit_nor_freezes_a_wait(bench):
    bench.reach("REFRACTORY")
    bench.tick(0.01, stream=-50.0)
    bench.run(0.6)
    assert bench.state == "ARMED"


def test_more_than_three_overruns_in_a_second_are_a_fault(bench):
    bench.reach("HOLD")
    for _ in range(3):
        assert bench.controller.on_hop(0.06, local=bench.local) == []
    bench.controller.on_hop(0.04, local=bench.local)
    bench.run(1.1)
    assert bench.controller.on_hop(0.06, local=bench.local) == []
    for _ in range(3):
        bench.deliver(bench.controller.on_hop(0.06, local=bench.local))
    assert bench.state == "FAULT_SAFE"
    assert bench.controller.snapshot()["fault"] == "overrun"


def test_overruns_do_not_count_in_a_replay_faster_than_real_time(make_bench):
    bench = make_bench(speed=8.0).reach("HOLD")
    for _ in range(10):
        assert bench.controller.on_hop(0.5, local=bench.local) == []


def test_a_fault_is_left_by_reset_and_self_test_and_then_by_arming_alone(bench):
    bench.reach("FAULT_SAFE")
    with pytest.raises(Refused, match="not complete yet"):
        bench.act("reset", "Chen L.")
    bench.run(1.1)
    bench.act("reset", "Chen L.")
    assert bench.state == "SELFTEST"
    bench.self_test()
    bench.decide("activate")
    assert bench.state == "IDLE_SAFE"
    with pytest.raises(Refused, match="participant"):
        bench.act("arm", "Chen L.")


def test_a_fault_that_comes_back_after_a_self_test_is_entered_again(bench):
    for times in (1, 2):
        bench.self_test()
        bench.deliver(bench.controller.on_fault("stream_lost"))
        assert kinds(bench).count("fault") == times
        bench.run(1.1)
        bench.act("reset", "Chen L.")


# ----------------------------------------------------------------------------------------------- e-stop
@pytest.mark.parametrize("state", STATES)
def test_the_stop_works_from_every_state_at_once_and_latches(bench, state):
    bench.reach(state)
    sent = len(bench.sent)
    (stop,) = bench.act("estop", "key").commands
    assert (stop.action, stop.level, stop.ramp_ms, stop.state) == ("stop", (0.0,), 0, "ESTOP")
    bench.run(3.0)
    bench.decide("activate")
    bench.deliver(bench.controller.on_fault("stream_lost"))
    assert {c.action for c in bench.sent[sent:]} == {"stop"}
    assert bench.state == "ESTOP"
    with pytest.raises(Refused):
        bench.self_test()
    with pytest.raises(Refused):
        bench.act("arm", "Chen L.")
    with pytest.raises(Refused):
        bench.act("disconnect")


def test_an_unanswered_stop_is_repeated_until_it_is_acknowledged(bench):
    bench.reach("HOLD")
    bench.answering = False
    bench.act("estop", "key")
    bench.sent.clear()
    bench.run(1.0, step=0.1)
    assert [c.action for c in bench.sent] == ["stop"] * 10
    bench.answering = True
    bench.run(0.2, step=0.1)
    bench.sent.clear()
    bench.run(1.0)
    assert bench.sent == []


def test_a_stop_with_several_steps_is_issued_in_order(make_bench):
    glove = control.load("glove")
    steps = (control.SafeStep("stop"), control.SafeStep("stop", after_s=0.5))
    bench = make_bench(replace(glove, on_estop=steps)).reach("HOLD")
    bench.act("estop", "key")
    bench.run(0.4)
    assert sum(c.state == "ESTOP" for c in bench.sent) == 1
    bench.run(0.2)
    assert sum(c.state == "ESTOP" for c in bench.sent) == 2


# --------------------------------------------------------------------------------------------- operator
def test_every_act_of_the_operator_gives_a_ledger_row(bench):
    bench.stream = 123.5
    acts = [bench.self_test(), bench.act("set_decoder", "a", approved_sha256="a")]
    acts.append(bench.act("set_ready", ready=True, by="Chen L."))
    bench.tick(0.0)
    acts += [bench.act("arm", "Chen L."), bench.act("release", "run paused"), bench.act("disarm", "Chen L.")]
    acts += [bench.act("disconnect"), bench.act("estop", "key"), bench.act("reset", "Chen L.")]
    assert [a.row.kind for a in acts] == ["operator"] * 7 + ["estop", "operator"]
    assert all((a.row.stamp, a.row.local, a.row.stream) == (123.5, bench.local, "glove") for a in acts)
    assert all(a.row in bench.rows for a in acts)
    assert bench.controller.take_rows() == []


def test_letting_go_releases_and_stays_armed(bench):
    bench.reach("HOLD")
    act = bench.act("release", "run paused")
    assert [c.action for c in act.commands] == ["release"]
    bench.run(1.3)
    assert bench.state == "ARMED"


def test_disarming_while_closed_releases_first_and_ends_in_idle(bench):
    bench.reach("HOLD")
    act = bench.act("disarm", "Chen L.")
    assert [c.action for c in act.commands] == ["release"]
    assert (bench.state, bench.controller.next_state) == ("RELEASE", "IDLE_SAFE")
    bench.run(1.3)
    assert bench.state == "IDLE_SAFE"


@pytest.mark.parametrize("act", ["disarm", "reset", "disconnect"])
def test_an_act_out_of_place_is_refused_and_entered(bench, act):
    arguments = () if act == "disconnect" else ("Chen L.",)
    with pytest.raises(Refused):
        bench.act(act, *arguments)
    assert [row.kind for row in bench.controller.take_rows()] == ["refused"]


def test_acts_take_the_last_time_seen_when_none_is_given(bench):
    bench.arm()
    act = bench.controller.operator.disarm("Chen L.")
    assert (act.row.stamp, act.row.local) == (bench.stream, bench.local)


# ------------------------------------------------------------------------------------------------ words
def test_the_snapshot_is_json_and_has_the_fields_of_the_status(bench):
    import json

    bench.reach("HOLD")
    shown = json.loads(json.dumps(bench.controller.snapshot()))
    assert shown["state"] == "HOLD"
    assert shown["previous"] == "ACTIVE"
    assert shown["next"] == "RELEASE"
    assert shown["level"] == 1.0
    assert shown["simulated"] is True
    assert shown["sent"] == shown["acknowledged"] == len(bench.sent)
    assert shown["held_s"] == pytest.approx(0.6)
    assert shown["why"].startswith("Becomes RELEASE when evidence stays below 0.20 for 1 hop, and after ")
    assert {"name", "why_key", "why_args", "dose_s", "dose_limit_s", "conditions"} <= set(shown)


def test_the_words_carry_the_thresholds_of_the_paradigm(make_bench):
    bench = make_bench(thresholds=control.Thresholds(0.8, 0.3, 5))
    bench.arm()
    assert bench.controller.why == "Becomes ACTIVE when evidence stays above 0.80 for 5 hops."


def test_after_a_fault_the_words_name_the_cause_and_the_way_out(bench):
    bench.reach("FAULT_SAFE")
    assert bench.controller.why == (
        "A critical stream stopped. To leave: remove the cause, reset by the operator, then a self-test."
    )


@pytest.mark.parametrize("options", [{"hop_s": 0.0}, {"speed": NAN}, {"dose_used_s": -1.0}])
def test_a_controller_refuses_settings_that_make_no_sense(make_bench, options):
    with pytest.raises(BadValue):
        make_bench(**options)
