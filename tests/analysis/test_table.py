"""One tidy table of outcomes from the record: clinical measures and performance from trials."""

from __future__ import annotations

from dataclasses import replace

import pytest

from workbench.analysis import Component, estimate, histories, outcomes_table, responder
from workbench.outcomes import own_threshold
from workbench.study import Study
from workbench.vocabulary import Participant, Recording, Run, Session, Trial, Visit

PARAMS = {"onset_window_s": 1.5}


def trial(index, outcome, *, false=0):
    """A grasp attempt; a hit comes 1 s after its cue."""
    hit = outcome == "correct"
    return Trial(
        index=index,
        condition="grasp",
        cue_sample=1000 * index,
        cue_stamp=4.0 * index,
        end_sample=1000 * index + 900,
        outcome=outcome,
        decided="grasp" if hit else "",
        latency_s=1.0 if hit else None,
        false_activations=false,
    )


def add_run(study, session, name, trials, *, seconds, day, number=1, kind="online", **parameters):
    recording = Recording(
        name, f"recordings/{name}.xdf", f"{number}{'a' * 63}", 10, seconds * 250, 250.0, "finished"
    )
    run = Run(
        session, number, kind, "grasp_rest", "finished", name,
        parameters={**PARAMS, **parameters}, summary={"started": f"{day}T09:00:00Z"},
    )  # fmt: skip
    study.append_run(run, trials=trials, recordings=[recording])


@pytest.fixture
def study(tmp_path, arat, exam):
    with Study.create(tmp_path / "study", code="NEO", title="Grasp trial", actor="tester") as made:
        person = made.append(Participant("P01"))
        made.append(Participant("P02", simulated=True))
        base, month = made.append(Visit(person, "baseline")), made.append(Visit(person, "month 3"))
        for one in (
            arat(12, visit=base, administered_at="2026-03-01T09:00:00Z", blinded="yes", washout_h=24.0),
            arat(20, visit=month, orthosis="splint", mode="video"),
            arat(None, visit=month, side="left", state="incomplete"),
            arat(3, visit=month, repeat=2, state="draft"),
            exam("5500000000", normal_to="C6", vac="No", dap="No", visit=base, cells={"right.motor.C7": "NT"}),
        ):
            made.append(replace(one, id=""))
        session = made.append(Session(month, "therapist", plan={"effector": "glove"}))
        bare = made.append(Session(month, "therapist", started="2026-06-02T08:00:00Z", simulated=True))
        hits = [trial(0, "correct"), trial(1, "correct", false=1), trial(2, "missed"), trial(3, "excluded")]
        add_run(made, session, "r1", hits, seconds=1800, day="2026-06-01")
        add_run(made, session, "r2", [trial(0, "correct")], seconds=1800, day="2026-06-01", number=2)
        moved = [trial(0, "correct"), trial(1, "missed")]
        add_run(made, session, "r3", moved, seconds=900, day="2026-06-02", number=3, task="object_transfer")
        add_run(
            made, session, "c1", [trial(0, "recorded")], seconds=60, day="2026-06-02", number=4, kind="calibration"
        )
        made.append_run(Run(bare, 1, "online", "left_right", "stopped", "r5"))
        yield made


@pytest.fixture
def table(study):
    return outcomes_table(study)


def test_drafts_beside_the_record_are_counted_as_left_out_and_none_twice(study):
    before = outcomes_table(study)
    (visit, *_) = study.rows("visit")
    study.drafts.save(visit["id"], "arat", {"entry": "a"}, "Lin Q.", {"measure": "arat", "items": {"grasp_1": 2}})
    study.drafts.save(visit["id"], "arat", {"entry": "b"}, "Park J.", {"measure": "arat", "items": {}})
    after = outcomes_table(study)
    assert (after.drafts, after.rows) == (before.drafts + 2, before.rows)
    assert f"{before.drafts + 2} drafts left out" in after.line()
    old = [row["id"] for row in study.rows("assessment") if row["state"] == "draft"]
    if old:  # a draft that an earlier version kept in the record, and that was gone on with
        study.drafts.save(visit["id"], "arat", {"entry": old[0]}, "Lin Q.", {"id": old[0], "items": {}})
        assert outcomes_table(study).drafts == after.drafts
    for entry, person in (("a", "Lin Q."), ("b", "Park J.")):
        study.drafts.discard(visit["id"], "arat", {"entry": entry}, person)
    assert outcomes_table(study).drafts == before.drafts


def test_a_clinical_row_says_what_when_under_what_and_from_which_assessment(table, study):
    (row,) = table.where(measure="arat", subscore="total", visit="baseline")
    stored = study.rows("assessment")[0]
    assert (row.participant, row.day, row.version, row.side) == ("P01", "2026-03-01", "1981", "right")
    assert (row.value, row.status, row.n, row.n_valid) == (12.0, "ok", 19, 19)
    assert (row.assisted, row.device_on, row.stimulation_on) == (False, False, False)
    assert (row.blinded, row.rater, row.repeat, row.simulated) == ("yes", "Li", 1, False)
    assert (row.washout_h, row.since_session_h) == (24.0, None)
    assert (row.assessment_id, row.run_ids) == (stored["id"], ())


def test_every_subscore_has_its_row_and_a_missing_one_stays_missing(table):
    rows = table.where(measure="arat", visit="month 3", side="left")
    assert {row.subscore: row.status for row in rows} == {
        "total": "ND", "grasp": "ok", "grip": "ok", "pinch": "ok", "gross": "ND",
    }  # fmt: skip
    assert rows[0].value is None
    assert (rows[0].n, rows[0].n_valid) == (19, 18)


def test_orthosis_and_mode_are_columns(table):
    (row,) = table.where(measure="arat", subscore="total", visit="month 3", side="right")
    assert (row.orthosis, row.mode, row.day) == ("splint", "video", "")


def test_results_that_are_no_numbers_stand_as_text(table):
    rows = {row.subscore: row for row in table.where(measure="isncsci")}
    assert (rows["ais"].text, rows["ais"].value, rows["ais"].status) == ("A", None, "ok")
    assert rows["motor_right"].status == "ND"
    assert rows["motor_right"].text.startswith("C6,C7")
    assert rows["uems"].status == "ND"
    assert "rules" not in rows


def test_drafts_are_counted_and_left_out(table):
    assert table.drafts == 1
    assert table.where(repeat=2) == ()
    assert "; 1 draft left out" in table.line()


def test_grasp_f1_is_of_all_runs_of_a_day_with_one_window(table):
    """Day 1: 3 hits, 1 false, 1 missed of 4 judged: F1 = 6 / 8. Day 2: 1 hit, 1 missed: 2 / 3."""
    first, second = table.where(subscore="grasp_f1")
    assert (first.day, first.value, first.n, first.version) == ("2026-06-01", 0.75, 4, "window 1.5 s")
    assert (second.day, second.value, second.n) == ("2026-06-02", pytest.approx(2 / 3), 2)
    assert (first.run_ids, first.recordings) == (("r1", "r2"), ("1" + "a" * 63, "2" + "a" * 63))
    assert (first.measure, first.device_on, first.stimulation_on) == ("performance", True, None)


def test_hours_of_use_are_recorded_stream_time_of_online_runs(table):
    hours = {(row.day, row.device_on): row.value for row in table.where(subscore="hours_of_use")}
    assert hours == {("2026-06-01", True): 1.0, ("2026-06-02", True): 0.25, ("2026-06-02", False): 0.0}


def test_object_transfers_are_the_correct_trials_of_runs_with_that_task(table):
    (row,) = table.where(subscore="object_transfers")
    assert (row.day, row.value, row.n, row.run_ids) == ("2026-06-02", 1.0, 2, ("r3",))


def test_simulated_sessions_are_marked(table):
    assert {row.run_ids: row.simulated for row in table.where(subscore="hours_of_use")} == {
        ("r1", "r2"): False,
        ("r3",): False,
        ("r5",): True,
    }


def test_the_table_names_the_head_of_the_record(table, study):
    assert (table.head_seq, table.head_hash) == study.head()
    assert table.columns()[:4] == ("participant", "visit", "visit_id", "day")
    assert table.line().startswith(f"{len(table.rows)} outcomes of 3 measures in 1 participant, record entry")
    assert "; 1 of them simulated; 1 draft left out" in table.line()
    assert estimate("outcomes_table", study).rows == table.rows


def test_a_run_without_a_judged_trial_has_an_open_f1(study):
    session = study.rows("session")[0]["id"]
    add_run(study, session, "r9", [trial(0, "excluded")], seconds=10, day="2026-06-09", number=9)
    (row,) = outcomes_table(study).where(subscore="grasp_f1", day="2026-06-09")
    assert (row.value, row.status, row.n_valid) == (None, "ND", 0)


def test_histories_hold_every_participant_and_lead_to_responders(study):
    first, second = histories(study)
    assert (first.participant, set(first.visits)) == ("P01", {"baseline", "month 3"})
    assert (second.participant, second.assessments) == ("P02", ())
    assert len(first.at("month 3")) == 2
    assert first.at("month 9") == ()
    own = own_threshold("arat", "total", 6, unit="points", version="1981", citation="protocol 9")
    across = {"orthosis": ("", "splint"), "mode": ("", "video")}
    one = Component("arat", "total", own, side="right", across=across)
    found = responder((first, second), visit="month 3", ref_visit="baseline", any_of=(one,))
    assert found.verdicts == {"P01": True, "P02": None}
    assert found.effect == "orthotic effect, not recovery"
    assert found.simulated == ("P02",)
    assert "; simulated: P02; month 3 against baseline;" in found.line()
