"""A schedule moves the effector under the same grant, limits, presence and STOP as decisions do."""

from __future__ import annotations

import json

import pytest

from workbench import control, messages
from workbench.control import Grant, Move, MoveSchedule, Step
from workbench.errors import BadValue, Refused
from workbench.vocabulary import Decision

SHAM = f"{control.SCHEDULE}sham"
GRANT = Grant(SHAM, "P-041", "glove", SHAM, 0.6, 10.0, 100.0, 20.0, expires=1e9)


@pytest.fixture
def scheduled(bench):
    """Armed in a sham run."""
    return armed(bench)


def armed(bench, mover=SHAM):
    bench.self_test()
    bench.act("set_decoder", mover, approved_sha256=mover)
    bench.act("set_ready", ready=True, by="Chen L.")
    bench.tick(0.01)
    bench.act("arm", "Chen L.")
    return bench


def move(bench, *, close, level=None):
    return bench.deliver(
        bench.controller.on_schedule(
            close=close, level=level, now_stream=bench.stream, local=bench.local, quality_ok=True
        )
    )


def test_a_move_closes_and_opens_the_effector_and_its_commands_name_the_schedule(scheduled):
    (closing,) = move(scheduled, close=True)
    assert (closing.action, closing.reason, closing.decoder_sha256) == ("close", "schedule", SHAM)
    assert closing.sample == -1
    scheduled.run(1.0, decide=False)
    (opening,) = move(scheduled, close=False)
    assert opening.level == (0.0,)
    assert scheduled.state == "RELEASE"


def test_decisions_move_nothing_while_a_schedule_does(scheduled):
    assert scheduled.decide("activate") == []
    assert scheduled.state == "ARMED"
    move(scheduled, close=True)
    scheduled.run(0.6)
    assert scheduled.decide("release") == []
    assert scheduled.state == "HOLD"


def test_a_schedule_moves_nothing_in_a_run_of_a_decoder(bench):
    bench.reach("ARMED")
    assert move(bench, close=True) == []
    assert bench.state == "ARMED"


@pytest.mark.parametrize("approved", ["", "abc123"])
def test_a_schedule_that_was_not_named_as_allowed_arms_nothing(bench, approved):
    bench.prepare()
    bench.act("set_decoder", SHAM, approved_sha256=approved)
    with pytest.raises(Refused, match="The decoder loaded is schedule"):
        bench.act("arm", "Chen L.")


def test_evidence_is_not_awaited_where_a_schedule_keeps_the_effector_closed(scheduled):
    move(scheduled, close=True)
    scheduled.run(5.0, decide=False)
    assert scheduled.state == "HOLD"


def test_a_trigger_does_not_shorten_a_move(make_bench):
    bench = armed(make_bench(law=control.ControlLaw("trigger", ("grasp",), trigger_s=1.0)))
    move(bench, close=True)
    bench.run(3.0, decide=False)
    assert bench.state == "HOLD"


def test_the_hold_limit_ends_a_move(scheduled):
    move(scheduled, close=True)
    scheduled.run(scheduled.controller.limits.hold_limit_s + 0.1, decide=False)
    assert scheduled.state == "RELEASE"


def test_a_grant_narrows_the_level_of_a_move_and_the_ledger_says_so(bench):
    bench.self_test()
    bench.act("set_decoder", SHAM, approved_sha256=SHAM)
    bench.act("set_ready", ready=True, by="Chen L.")
    bench.tick(0.01)
    bench.act("arm", "Chen L.", grant=GRANT)
    (closing,) = move(bench, close=True, level=(0.9,))
    assert closing.level == (0.6,)
    assert "level_clipped" in {row.kind for row in bench.rows}


def test_a_grant_for_another_procedure_does_not_arm(bench):
    bench.self_test()
    passive = f"{control.SCHEDULE}passive"
    bench.act("set_decoder", passive, approved_sha256=passive)
    bench.act("set_ready", ready=True, by="Chen L.")
    bench.tick(0.01)
    with pytest.raises(Refused):
        bench.act("arm", "Chen L.", grant=GRANT)


def test_without_an_operator_no_move_begins(scheduled):
    scheduled.deliver(
        scheduled.controller.operator.report_absence(3.0, now_stream=scheduled.stream, local=scheduled.local)
    )
    assert move(scheduled, close=True) == []
    assert "move_left_out" in {row.kind for row in scheduled.rows}


def test_a_stop_ends_a_move_and_later_moves_do_nothing(scheduled):
    move(scheduled, close=True)
    scheduled.act("estop", "key")
    assert scheduled.state == "ESTOP"
    assert move(scheduled, close=True) == []


def test_bad_signals_end_a_move(scheduled):
    move(scheduled, close=True)
    scheduled.run(0.7, quality_ok=False, decide=False)
    assert scheduled.state == "FAULT_SAFE"


def test_naming_a_schedule_disarms_what_a_decoder_was_armed_for(bench):
    bench.reach("ARMED")
    bench.act("set_decoder", SHAM, approved_sha256=SHAM)
    assert bench.state == "IDLE_SAFE"


def test_the_screen_names_the_schedule_as_what_moves_next(scheduled):
    snapshot = scheduled.controller.snapshot()
    assert snapshot["mover"] == SHAM
    assert snapshot["why_key"] == "control.next.ARMED.schedule"
    assert "schedule" in snapshot["why"]


def test_the_commands_of_a_schedule_follow_again_from_the_inputs(bench):
    begun = control.state_entry(bench.controller, stamp=bench.stream)
    armed(bench)
    move(bench, close=True, level=(0.5,))
    bench.run(1.0)
    move(bench, close=False)
    bench.run(1.5, decide=False)
    entries = [begun, *(taken.entry() for taken in bench.controller.take_inputs())]
    stored = [
        (kind, messages.restored(json.loads(json.dumps(messages.carried(content)))))
        for kind, content, _ in entries
    ]
    decided = [Decision(10 * k, 0.0, "grasp", (1 - 0.9, 0.9), True, "") for k in range(1, 1 + bench.sample // 10)]
    assert [c.level for c in bench.sent if c.action == "close"] == [(0.5,)]
    assert list(control.recompute(stored, decided)) == bench.sent


# ------------------------------------------------------------------------------------------ the schedule
def test_a_cue_begins_its_move_after_the_delay_and_ends_it_after_the_hold():
    schedule = MoveSchedule()
    schedule.begin([Move(0.5, 2.0, (0.4,))], stamp=10.0)
    assert schedule.due(10.4) == []
    assert schedule.due(10.5) == [Step(close=True, level=(0.4,))]
    assert schedule.due(12.4) == []
    assert schedule.due(13.0) == [Step(close=False)]
    assert schedule.due(99.0) == []


def test_the_next_cue_leaves_out_what_was_not_begun_but_never_a_release():
    schedule = MoveSchedule()
    schedule.begin([Move(0.0, 5.0), Move(4.0, 1.0)], stamp=10.0)
    assert schedule.due(10.0) == [Step(close=True)]
    schedule.begin([], stamp=12.0)
    assert [step.close for step in schedule.due(99.0)] == [False, False]


def test_a_pause_clears_the_schedule():
    schedule = MoveSchedule()
    schedule.begin([Move(1.0, 1.0)], stamp=0.0)
    schedule.clear()
    assert schedule.due(9.0) == []


def test_moves_of_a_sham_run_are_drawn_by_the_seed_in_the_stated_share_and_bounds():
    drawn = control.draw_moves(20, seed=3, share=0.8, delay_s=(0.5, 1.5), hold_s=(1.0, 3.0))
    assert drawn == control.draw_moves(20, seed=3, share=0.8, delay_s=(0.5, 1.5), hold_s=(1.0, 3.0))
    assert drawn != control.draw_moves(20, seed=4, share=0.8, delay_s=(0.5, 1.5), hold_s=(1.0, 3.0))
    moves = [move for trial in drawn for move in trial]
    assert len(moves) == 16
    assert all(0.5 <= m.delay_s <= 1.5 and 1.0 <= m.hold_s <= 3.0 for m in moves)


def test_a_yoked_run_repeats_when_and_how_long_the_effector_was_closed(scheduled):
    first = scheduled.stream
    scheduled.tick(1.0)
    move(scheduled, close=True)
    scheduled.run(2.0, decide=False)
    move(scheduled, close=False)
    (trial, other) = control.moves_of([first, first + 60.0], scheduled.sent)
    assert [(round(m.delay_s, 6), round(m.hold_s, 6)) for m in trial] == [(1.0, 2.0)]
    assert other == ()


@pytest.mark.parametrize(
    ("delay_s", "hold_s"), [(-1.0, 1.0), (0.0, 0.0), (float("nan"), 1.0), (0.0, float("inf"))]
)
def test_a_move_without_a_time_is_refused(delay_s, hold_s):
    with pytest.raises(BadValue, match="a move needs"):
        Move(delay_s, hold_s)
