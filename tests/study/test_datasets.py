"""Analysis datasets: each value as the record has it, why others are missing, and who may see which rows."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest

import workbench as wb
from tests.dashboard import trial as example
from tests.study import databases
from workbench import outcomes
from workbench.errors import BadValue, Refused, UnknownName
from workbench.estimation.known_trial import KnownTrial, arat_items, simulate
from workbench.study import Study, allocations, datasets
from workbench.study.changes import (
    CorrectAssessment,
    GrantRole,
    MissVisit,
    RecordDeviation,
    SaveAssessment,
)
from workbench.study.datasets import EventRow, Settings, SubjectRow, Trail, VisitRow
from workbench.vocabulary import Participant

SECRET = "correct horse"
SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "study"


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A simulated trial of eight, of whom some leave, and its data cut; to be copied."""
    home = tmp_path_factory.mktemp("known")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(home / "keys"))
        return simulate(home / "study", KnownTrial(n=6, leave=0.4, seed=3))


@pytest.fixture
def trial(known, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(known.parent / "keys"))
    databases.copied(known, tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tester") as study:
        yield study


def script(study):
    return study.script_signer("statistician")


def arms_of(study):
    return allocations.arms(study, script(study), "analysis")


def totals(study, **settings):
    rows = datasets.datasets(study, settings=Settings(**settings)).visits
    return {(row.participant, row.visit): row for row in rows if row.variable == "arat.total"}


def test_each_value_and_change_is_that_of_the_stored_assessments(trial):
    rows = totals(trial)
    people = {row["id"]: row["pseudonym"] for row in trial.rows("participant")}
    visits = {row["id"]: (people[row["participant_id"]], row["name"]) for row in trial.rows("visit")}
    stored = {visits[row["visit_id"]]: row["score"]["total"]["value"] for row in trial.rows("assessment")}
    assert {place: row.value for place, row in rows.items() if row.value is not None} == stored
    for (who, visit), row in rows.items():
        assert row.baseline == stored[who, "Baseline"]
        assert row.is_baseline == (visit == "Baseline")
        if row.value is not None and visit != "Baseline":
            assert row.change == row.improvement == stored[who, visit] - stored[who, "Baseline"]


def test_every_value_leads_to_the_entry_of_the_chain_that_wrote_it(trial):
    entries = {entry.seq: entry for entry in trial.entries()}
    for row in totals(trial).values():
        if row.value is not None:
            entry = entries[row.entry_seq]
            assert (entry.hash, entry.table, entry.row_id) == (row.entry_hash, "assessment", row.source_id)
            assert (row.rater, row.source_version) == ("simulated assessor", row.version)


def test_a_snapshot_gives_the_rows_of_its_moment_with_entries_up_to_its_head(trial):
    (cut,) = trial.rows("snapshot")
    before = datasets.datasets(trial)
    (one, *_) = trial.rows("assessment")
    items = {"items": arat_items(0)}
    trial.apply(CorrectAssessment(one["id"], items, one["row_version"]), script(trial), "typed wrongly")
    with wb.open_study(trial.folder / cut["path"]) as then:
        head = then.head()[0]
        again = datasets.datasets(then, trail=Trail.of(trial, until=head))
        alone = datasets.datasets(then)
    assert again == before != datasets.datasets(trial)
    assert {row.entry_seq for row in alone.visits} == {None}
    assert [replace(row, entry_seq=None, entry_hash="") for row in before.visits] == list(alone.visits)


def test_who_left_has_not_done_what_followed_and_an_unheld_visit_was_not_asked(trial):
    rows = totals(trial)
    left = {row["participant_id"] for row in trial.rows("enrolment") if row["status"] == "withdrawn"}
    assert left
    gone = [row for row in rows.values() if row.value is None]
    assert {row.participant_id for row in gone} == left
    assert {(row.visit, row.missing) for row in gone} == {("Week 8", "not_done"), ("Week 12", "not_done")}
    events = datasets.datasets(trial).events
    assert {row.participant_id for row in events if row.kind == "left"} == left
    assert all(row.on for row in events if row.kind == "left")


def test_a_missed_visit_is_not_done_and_a_planned_one_was_not_asked(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    example.begin(tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tester") as study:
        made = datasets.datasets(study)
        rows = {(row.visit, row.variable, row.state): row for row in made.visits if row.participant == "P-041"}
        assert rows["Wound check", "vitals.systolic", "off"].missing == "not_done"
        assert rows["Week 24", "arat.total", "off"].missing == "not_asked"
        # Forms: a value, a reason in its place, and an item that nobody filled in.
        assert rows["Screening", "vitals.systolic", "off"].value == 190
        assert rows["Screening", "vitals.weight", "off"].missing == "not_done"
        # A state other than without help is expected of who was ever seen in it.
        assert rows["Week 12", "arat.total", "device"].value == 22
        assert rows["Week 24", "arat.total", "device"].missing == "not_asked"
        assert {row.missing for row in made.visits} <= set(datasets.MISSING)


def test_a_form_that_says_in_which_state_it_is_done_is_asked_for_in_that_state_and_where_it_is_asked(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    text = example.EXAMPLE.read_text(encoding="utf-8")
    before, visit, after = text.rpartition('forms = ["arat", ')
    helped = '[[form]]\nname = "helped"\ntitle = "H"\nmeasure = "arat"\nstate = "assisted+device"\n'
    plan = tmp_path / "plan.toml"
    plan.write_text(f'{before}{visit}"helped", {after}\n{helped}', encoding="utf-8")
    monkeypatch.setattr(example, "EXAMPLE", plan)
    example.begin(tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tester") as study:
        made = [row for row in datasets.datasets(study).visits if row.participant == "P-041"]
    rows = {(row.visit, row.state): row for row in made if row.variable == "arat.total"}
    assert len({row.key for row in made}) == len(made)
    assert rows["Week 12", "assisted+device"].value == 34
    assert {state for visit, state in rows if visit == "Week 24"} == {"off", "device", "assisted+device"}
    assert rows["Week 24", "assisted+device"].missing == "not_asked"
    # The baseline asks for the measure without the glove alone.
    assert ("Baseline", "assisted+device") not in rows
    assert rows["Baseline", "off"].value == 13


def test_a_total_with_an_item_not_tested_is_not_determinable_and_bounded(trial):
    rows = totals(trial)
    row = next(row for row in rows.values() if row.visit == "Week 4")
    stored = trial.get("assessment", row.source_id)
    code = outcomes.load("arat").definition.items[-1].code
    changes = {"items": {**stored["items"], code: None}, "state": "incomplete"}
    trial.apply(CorrectAssessment(row.source_id, changes, stored["row_version"]), script(trial), "not tested")
    now = totals(trial)[row.participant, "Week 4"]
    assert (now.value, now.change, now.missing) == (None, None, "not_determinable")
    assert now.high - now.low == 3
    assert (now.change_low, now.change_high) == (now.low - row.baseline, now.high - row.baseline)
    assert "not determinable" in now.change_why


def test_performance_leads_to_the_recordings_and_the_samples_of_their_trials(tmp_path):
    shutil.copytree(SAMPLE, tmp_path / "study")
    with wb.open_study(tmp_path / "study") as study:
        (row,) = (row for row in datasets.datasets(study).visits if row.variable == "performance.grasp_f1")
        (stored,) = study.rows("recording", sha256=row.recordings[0])
        trials = study.rows("trial", run_id=stored["run_id"])
        span = min(one["cue_sample"] for one in trials), max(one["end_sample"] for one in trials)
        assert row.samples == (f"{span[0]}-{span[1]}",)
        assert span[1] < stored["n_samples"]
        assert (row.source_table, row.source_id) == ("run", stored["run_id"])


def second_baseline(study, hour, total):
    row = next(row for row in totals(study).values() if row.is_baseline)
    study.apply(
        SaveAssessment(
            row.visit_id, "arat", row.version, assisted=False, device_on=False, stimulation_on=False,
            items=arat_items(total), rater="Dr B", side=row.side, repeat=2,
            administered_at=f"{row.day}T{hour:02d}:00:00Z",
        ),
        script(study),
    )  # fmt: skip
    return row


def test_two_baselines_without_a_rule_are_refused_in_a_sentence_and_a_rule_decides(trial):
    row = second_baseline(trial, 23, 9)
    with pytest.raises(BadValue, match=f"baseline of {row.participant} is ambiguous.*2 baseline records"):
        datasets.datasets(trial)
    for rule, value in (("first", row.value), ("last", 9.0), ("mean", (row.value + 9) / 2)):
        later = totals(trial, baseline_rule=rule)[row.participant, "Week 4"]
        assert (later.baseline, later.change) == (value, later.value - value)


def test_an_unknown_baseline_visit_and_an_unknown_dataset_are_refused_with_what_there_is(trial):
    with pytest.raises(BadValue, match="Baseline, Week 4, Week 8, Week 12; got 'Visit 1'"):
        trial.analysis("visits", baseline="Visit 1")
    with pytest.raises(UnknownName, match="no dataset 'labs'; known are subjects, visits, events, dictionary"):
        trial.analysis("labs")


def test_arms_are_told_to_who_may_learn_all_of_them_and_each_reading_is_in_the_chain(trial):
    before = trial.head()[0]
    arms = arms_of(trial)
    mine = [entry for entry in trial.entries(after=before) if entry.action == "arm_read"]
    assert len(mine) == len(arms) == 6
    frame = trial.analysis("subjects", arms=arms)
    assert list(frame.arm) == [arms[one] for one in frame.participant_id]
    assert {one: allocations.arm_of(trial, one, script(trial)) for one in arms} == arms
    untold = trial.analysis("subjects")
    assert set(untold.arm) == {""}
    assert set(untold.arm_state) == {"concealed"}


def test_a_blinded_person_reads_no_arms_and_the_refusal_stays_in_the_chain(trial):
    trial.add_person("wu", "Wu R.", SECRET, ("coordinator",))
    trial.apply(
        GrantRole(trial.rows("person")[0]["id"], "statistician", "GCP", blinded=True), script(trial), "new"
    )
    before = trial.head()[0]
    with pytest.raises(Refused):
        allocations.arms(trial, trial.sign_in("wu", SECRET), "curious")
    assert sum(entry.action == "arm_refused" for entry in trial.entries(after=before)) == 6


def test_whoever_is_blinded_gets_no_row_that_only_one_arm_has(trial):
    row = next(row for row in totals(trial).values() if row.visit == "Week 4")
    trial.apply(
        SaveAssessment(
            row.visit_id, "arat", row.version, assisted=True, device_on=True, stimulation_on=False,
            items=arat_items(40), rater="Dr B", side=row.side,
        ),
        script(trial),
    )  # fmt: skip
    trial.apply(RecordDeviation(row.participant_id, "decoder", "was not approved"), script(trial))
    open_ = datasets.datasets(trial)
    assert any(one.state == "assisted+device" for one in open_.visits)
    trial.add_person("wu", "Wu R.", SECRET, ("coordinator",))
    trial.apply(GrantRole(trial.rows("person")[0]["id"], "assessor", "GCP", blinded=True), script(trial), "new")
    blind = datasets.datasets(trial)
    assert blind.concealed
    assert not open_.concealed
    assert {one.state for one in blind.visits} == {"off"}
    assert "decoder" not in {one.name for one in blind.events}
    assert {(one.pp, one.pp_why) for one in blind.subjects} <= {(None, "concealed"), (False, "not_mitt")}
    # Numbers of entries count what only one arm brings.
    assert {one.entry_seq for one in (*blind.visits, *blind.subjects, *blind.events)} == {None}


def test_populations_come_with_their_reasons(trial):
    person = next(iter(totals(trial).values())).participant_id
    trial.apply(RecordDeviation(person, "eligibility", "was too young"), script(trial))
    other = trial.append(Participant("SIM-900", simulated=True))
    rows = {row.participant_id: row for row in datasets.datasets(trial).subjects}
    assert (rows[person].mitt, rows[person].pp, rows[person].pp_why) == (True, False, "deviation: eligibility")
    assert (rows[other].itt_why, rows[other].mitt_why, rows[other].pp_why) == (
        "not_randomised",
        "not_itt",
        "not_mitt",
    )
    narrow = datasets.datasets(trial, settings=Settings(major=("rater",))).subjects
    assert all(row.pp for row in narrow if row.mitt)


def test_a_visit_that_was_missed_is_an_event(trial):
    row = next(row for row in totals(trial).values() if row.missing == "not_done" and row.visit == "Week 12")
    trial.apply(MissVisit(row.visit_id), script(trial), "has moved away")
    events = datasets.datasets(trial).events
    assert ("visit_missed", "Week 12") in {
        (one.kind, one.name) for one in events if one.participant == row.participant
    }


def test_the_dictionary_explains_every_column_of_every_dataset():
    rows = datasets.dictionary()
    said = {(row.dataset, row.column) for row in rows}
    kinds = {"subjects": SubjectRow, "visits": VisitRow, "events": EventRow}
    assert said == {(name, one.name) for name, kind in kinds.items() for one in fields(kind)}
    assert all(len(row.meaning) > 5 for row in rows)
