"""The one write path: append, amend, approve, redact, and what it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import bindparam, create_engine, select

import workbench
from tests.study import databases
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.messages import Message
from workbench.study import Study, keys, record_file, schema, stores, uuid7, verify
from workbench.study.backup import backup
from workbench.study.migrate import migrate, version_of
from workbench.study.writer import in_order
from workbench.vocabulary import (
    Approval,
    Assessment,
    Condition,
    Decision,
    FittedDecoder,
    LedgerRow,
    Participant,
    Recording,
    Run,
    Session,
    Trial,
    Visit,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "studies"


def trials(n):
    return [
        Trial(i, "grasp", 100 * i, 0.1 * i, 100 * i + 90, "correct", "grasp", latency_s=i / 7) for i in range(n)
    ]


def test_a_statement_about_any_column_is_compiled_once():
    with create_engine("sqlite://").connect() as connection:
        schema.metadata.create_all(connection)
        for column in (column for table in (*schema.DATA, *schema.OWN) for column in table.columns):
            kept = {}
            about = select(column.table.c[0]).where(column == bindparam("asked"))
            connection.execution_options(compiled_cache=kept).execute(about, {"asked": None})
            assert len(kept) == 1, column


def test_what_was_compiled_for_one_record_is_not_compiled_again_for_another(tmp_path):
    compiled = []
    for name in ("first", "second"):
        with Study.create(tmp_path / name, code="T-1", title="Test", actor="tests") as made:
            for table in schema.DATA:
                made.rows(table.name)
            compiled.append(len(made.database.engine.get_execution_options()["compiled_cache"]))
    assert compiled[0] == compiled[1] > len(schema.DATA)


def test_what_is_asked_together_with_the_lock_is_what_is_read_one_after_the_other(study):
    asked = [(table.name, {}) for table in schema.DATA]
    asked += [(name, {"id": rows[-1]["id"]}) for name, _ in asked if (rows := study.rows(name))]
    asked += [("participant", {"id": "nobody"}), ("visit", {"participant_id": None})]
    tables = schema.metadata.tables
    with study.writing.begin("tests", ahead=asked) as writer:
        told = [writer.found(tables[name], **where) for name, where in asked]
    with study.writing.begin("tests") as writer:
        read = [writer.rows(in_order(tables[name]).where(*equal(tables[name], where))) for name, where in asked]
    assert told == read
    kinds = [[[type(value) for row in rows for value in row.values()] for rows in found] for found in (told, read)]
    assert kinds[0] == kinds[1]


def equal(table, where):
    return [table.columns[name] == value for name, value in where.items()]


def test_what_a_change_writes_is_seen_by_what_it_reads_afterwards(study):
    person = study.ids["participant"]
    with study.writing.begin("tests", ahead=[("visit", {"participant_id": person})]) as writer:
        before = writer.found(schema.visit, participant_id=person)
        made = writer.insert(schema.visit, {**before[0], "id": "", "name": "another"}, reason="tests")
        assert [row["id"] for row in writer.found(schema.visit, participant_id=person)][-1] == made
        assert writer.count(schema.visit, participant_id=person) == len(before) + 1
    assert study.rows("visit", participant_id=person)[-1]["name"] == "another"
    assert study.verify(files=False).ok


def test_every_noun_comes_back_as_it_went_in(study):
    ids = study.ids
    person = Participant("P02", id="p2", injury_level="C5", ais="A")
    study.append(person)
    assert study.nouns("participant", id="p2") == [person]
    assert study.nouns("trial", run_id="run-1") == trials(3)
    assert study.nouns("ledger")[0].extent == "3 samples (12 ms)"
    stored = study.nouns("assessment")[0]
    assert stored.condition == Condition(False, False, False)
    assert stored.score["total"]["status"] == "ND"
    assert study.nouns("decoder")[0].recordings == (study.rows("recording")[0]["sha256"],)
    assert study.get("session", ids["session"])["plan"] == {"speed": 2.0}
    assert study.nouns("report")[0].head_seq > 1


def test_numpy_numbers_are_stored_as_plain_ones(study):
    run = Run(
        study.ids["session"],
        2,
        "online",
        "grasp_rest",
        "finished",
        id="n",
        summary={"a": np.int64(3), "b": np.True_},
    )
    study.append(run)
    study.append(Trial(np.int64(0), "grasp", np.int64(5), np.float64(-0.0), 9, "missed"), run_id="n")
    assert study.get("run", "n")["summary"] == {"a": 3, "b": True}
    assert str(study.rows("trial", run_id="n")[0]["cue_stamp"]) == "0.0"
    assert study.verify().ok


def test_text_is_kept_in_normal_form_c(empty):
    row_id = empty.append(Participant("Zoe\u0308"))
    assert empty.get("participant", row_id)["pseudonym"] == "Zo\u00eb"


WRITER = """
import sys
from workbench.study import Study
from workbench.vocabulary import Participant

with Study.open(sys.argv[1], actor="another process") as study:
    study.append(Participant("B1"))
"""


def test_a_record_that_is_opened_twice_in_one_process_loses_no_entry_to_another_process(empty):
    """Whoever closes a file gives up all locks that the process holds on it (sqlite.org/howtocorrupt.html)."""
    empty.append(Participant("A1"))
    Study.open(empty.folder, actor="the same process").close()
    subprocess.run([sys.executable, "-c", WRITER, str(empty.folder)], check=True)
    empty.append(Participant("A2"))
    empty.close()
    with Study.open(empty.folder, actor="later") as study:
        assert [row["pseudonym"] for row in study.rows("participant")] == ["A1", "B1", "A2"]
    found = verify(empty.folder)
    assert found.ok, found.problems


OPENED: list[str] = []


def _note(event, arguments):
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        OPENED.append(os.fsdecode(arguments[0]))


@pytest.mark.sqlite_file("a server's files are not opened here")
def test_nothing_but_sqlite_opens_the_file_of_a_record_that_is_in_use(study, tmp_path):
    sys.addaudithook(_note)
    OPENED.clear()
    with Study.open(study.folder, actor="again") as again:
        again.append(Participant("P-777"))
        again.verify()
        again.worklist()
        again.overview()
        again.anchor(why="test")
    backup(study.folder, tmp_path / "backups")
    version_of(study.path)
    keys.backup(study.id, tmp_path / "keys.backup", "four random plain words")
    record_file.state(study.folder)
    assert [path for path in OPENED if Path(path).resolve() == study.path.resolve()] == []
    assert any(path.endswith("anchors.jsonl") for path in OPENED)


def test_append_is_one_of_the_six_verbs(empty):
    assert workbench.append(empty, Participant("P01")) == empty.rows("participant")[0]["id"]


def test_each_row_has_an_audit_row_with_actor_and_times(study):
    entry = study.rows("audit", table_name="assessment")[0]
    assert (entry["actor"], entry["action"], entry["row_version"], entry["schema_version"]) == (
        "tester",
        "create",
        1,
        6,
    )
    assert entry["utc"].endswith("Z")
    assert len(entry["utc"]) == 24
    assert entry["mono_ns"] > 0
    assert study.entries(after=entry["seq"] - 1)[0].row_id == study.ids["assessment"]
    assert study.count("audit") == study.head()[0] == len(study.entries())


def test_a_second_ingest_of_the_same_run_changes_nothing(study):
    head = study.head()
    run = study.nouns("run", id="run-1")[0]
    assert study.has_run("run-1")
    assert not study.has_run("run-2")
    assert study.append(run) == "run-1"
    assert study.append_trials("run-1", trials(3)) == 0
    assert study.append_ledger("run-1", study.nouns("ledger")) == 0
    study.append_run(run, trials=trials(3), ledger=study.nouns("ledger"), recordings=study.nouns("recording"))
    assert study.append(study.nouns("session")[0]) == study.ids["session"]
    assert study.head() == head


def test_an_ingest_that_was_cut_short_is_completed(study):
    assert study.append_trials("run-1", trials(5)) == 2
    assert study.append_ledger("run-1", [*study.nouns("ledger"), LedgerRow("note", 3.0, 3.0)]) == 1
    study.append(LedgerRow("note", 4.0, 4.0), run_id="run-1")
    assert [row["number"] for row in study.rows("ledger")] == [0, 1, 2]


def test_a_repeated_trial_with_other_content_is_refused_and_nothing_is_stored(study):
    head = study.head()
    changed = [*trials(3)[:2], replace(trials(3)[2], outcome="missed"), trials(4)[3]]
    with pytest.raises(RecordFault, match="another trial with run_id 'run-1', index 2"):
        study.append_trials("run-1", changed)
    assert study.head() == head


def test_an_amended_run_stays_amended_when_it_is_ingested_again(study):
    run = study.nouns("run", id="run-1")[0]
    study.amend("run", "run-1", {"state": "stopped"}, reason="the operator stopped it")
    study.append_run(run)
    assert study.get("run", "run-1")["state"] == "stopped"


def test_a_run_number_belongs_to_one_run(study):
    with pytest.raises(RecordFault, match="another run"):
        study.append(replace(study.nouns("run", id="run-1")[0], id="run-2"))


def test_people_and_visits_are_entered_once(study):
    with pytest.raises(RecordFault, match="participant with pseudonym 'P01' already"):
        study.append(Participant("P01"))
    with pytest.raises(RecordFault, match="visit with participant_id .*, name 'baseline' already"):
        study.append(Visit(study.ids["participant"], "baseline"))
    with pytest.raises(RecordFault, match="already"):
        study.append(Participant("P09", id=study.ids["participant"]))


@pytest.mark.parametrize("assisted", [False, True])
@pytest.mark.parametrize("device_on", [False, True])
@pytest.mark.parametrize("stimulation_on", [False, True])
def test_the_same_assessment_under_the_same_condition_twice_is_an_error(
    study, assisted, device_on, stimulation_on
):
    condition = Condition(assisted, device_on, stimulation_on)
    one = Assessment(study.ids["visit"], "arat", "1981", condition, {}, {}, "rater", side="right")
    study.append(one)
    study.append(
        replace(one, side="left") if any((assisted, device_on, stimulation_on)) else replace(one, side="")
    )
    with pytest.raises(
        RecordFault, match=f"assisted {assisted}, device_on {device_on}.*amend that one with a reason"
    ):
        study.append(one)


def test_an_assessment_without_its_condition_cannot_be_stored(study):
    nullable = databases.nullable(study, "assessment")
    assert nullable == {"since_session_h", "washout_h"}
    with pytest.raises(BadValue, match=r"assessment\.assisted: True or False was expected, got 1"):
        study.append(Assessment(study.ids["visit"], "arat", "1", Condition(1, False, False), {}, {}, "r"))


def kept(study, **changes):
    """A stored assessment, and what the record gives back."""
    plain = Condition(False, False, False)
    one = Assessment(study.ids["visit"], "arat", "1981", plain, {}, {}, "rater", side="right", **changes)
    row_id = study.append(one)
    return replace(one, id=row_id), study.nouns("assessment", id=row_id)[0]


def test_an_assessment_keeps_what_it_was_made_under(study):
    given, stored = kept(
        study,
        orthosis="wrist splint",
        mode="observed",
        blinded="yes",
        since_session_h=20.5,
        washout_h=2.0,
        administered_at="2026-03-01T09:30:00.125Z",
        repeat=2,
        options={"skip_rule": True},
        alerts=("ask today",),
        state="incomplete",
    )
    assert stored == given
    assert study.verify().ok


def test_what_was_not_said_about_an_assessment_stays_unsaid(study):
    _, stored = kept(study)
    assert (stored.blinded, stored.administered_at, stored.orthosis, stored.mode) == ("unknown", "", "", "")
    assert (stored.since_session_h, stored.washout_h, stored.repeat) == (None, None, 1)


@pytest.mark.parametrize("other", [{"repeat": 2}, {"orthosis": "splint"}, {"mode": "fast"}])
def test_two_administrations_at_one_visit_differ_in_repeat_orthosis_or_mode(study, other):
    kept(study)
    kept(study, **other)
    with pytest.raises(RecordFault, match="amend that one with a reason"):
        kept(study, **other)


@pytest.mark.parametrize("state", ["draft", "incomplete", "complete"])
def test_an_assessment_is_a_draft_incomplete_or_complete(study, state):
    assert kept(study, state=state)[1].state == state


def test_a_draft_becomes_complete_by_an_amendment(study):
    _, stored = kept(study, state="draft")
    study.amend("assessment", stored.id, {"state": "complete"}, reason="last item entered")
    assert study.get("assessment", stored.id)["state"] == "complete"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"state": "done"}, "must be one of 'draft', 'incomplete', 'complete'; got 'done'"),
        ({"blinded": True}, "must be one of 'yes', 'no', 'unknown'; got True"),
        ({"repeat": 0}, "repeat of an assessment must be 1 or more, got 0"),
        ({"washout_h": -0.5}, "washout_h of an assessment must be 0 or more, got -0.5"),
        ({"since_session_h": float("nan")}, "since_session_h of an assessment must be 0 or more, got nan"),
        ({"administered_at": "2026-03-01T09:30:00+08:00"}, "administered_at must be UTC"),
        ({"administered_at": "2026-02-30T09:30:00Z"}, "administered_at must be UTC"),
    ],
)
def test_what_an_assessment_was_made_under_is_checked(study, wrong, told):
    with pytest.raises(BadValue, match=told):
        kept(study, **wrong)


def test_an_amendment_cannot_make_two_assessments_the_same(study):
    kept(study)
    second, _ = kept(study, repeat=2)
    with pytest.raises(RecordFault):
        study.amend("assessment", second.id, {"repeat": 1}, reason="counted wrongly")


def test_amending_needs_a_reason_and_keeps_what_was(study):
    ids = study.ids
    with pytest.raises(BadValue, match="needs a reason"):
        study.amend("assessment", ids["assessment"], {"rater": "B"}, reason=" ")
    version = study.amend(
        "assessment",
        ids["assessment"],
        {"condition": Condition(True, True, False), "items": {"grasp_1": 3}},
        reason="entered under the wrong condition",
    )
    assert version == 2
    created, amended = study.history("assessment", ids["assessment"])
    assert created["old"] is None
    assert created["new"]["items"] == {"grasp_1": 2}
    assert amended["old"] == {"assisted": False, "device_on": False, "items": {"grasp_1": 2}}
    assert amended["new"]["assisted"] is True
    assert amended["reason"] == "entered under the wrong condition"
    assert study.verify().ok


def test_an_amendment_made_for_another_version_is_refused(study):
    person = study.ids["participant"]
    study.amend("participant", person, {"ais": "C"}, reason="r", row_version=1)
    with pytest.raises(RecordFault, match="somebody changed it meanwhile"):
        study.amend("participant", person, {"ais": "D"}, reason="r", row_version=1)
    assert study.get("participant", person)["ais"] == "C"


def test_what_never_changes_is_not_amended(study):
    with pytest.raises(RecordFault, match="trial is append-only"):
        study.amend("trial", study.rows("trial")[0]["id"], {"outcome": "wrong"}, reason="r")
    with pytest.raises(RecordFault, match="decoder is append-only"):
        study.amend("decoder", study.ids["decoder"], {"sha256": "cd" * 32}, reason="r")
    with pytest.raises(RecordFault, match="approval is append-only"):
        study.amend("approval", study.ids["approval"], {"decision": "reject"}, reason="r")
    with pytest.raises(RecordFault, match="login of a person never changes"):
        study.amend("person", study.ids["person"], {"login": "x"}, reason="r")
    with pytest.raises(RecordFault, match="never changes"):
        study.amend("participant", study.ids["participant"], {"id": "x"}, reason="r")
    with pytest.raises(UnknownName, match="no column 'colour'"):
        study.amend("participant", study.ids["participant"], {"colour": "x"}, reason="r")
    with pytest.raises(UnknownName, match="no participant 'nobody'"):
        study.amend("participant", "nobody", {"ais": "A"}, reason="r")
    with pytest.raises(BadValue, match="nothing to amend"):
        study.amend("participant", study.ids["participant"], {"ais": "B"}, reason="r")


def test_the_studys_own_title_may_be_amended(study):
    study.amend("study", study.id, {"title": "Grasp trial 2"}, reason="protocol amendment 1")
    assert study.title == "Grasp trial 2"


def decide(study, decision, *, effector="glove", utc="2026-03-02T09:30:00.000Z", **changes):
    fields = {"participant_id": study.ids["participant"], "method": "password", "person_id": study.ids["person"]}
    approval = Approval(
        study.ids["sha256"], effector=effector, decision=decision, signer="Dr A", utc=utc, **fields
    )
    return study.append(replace(approval, **changes))


def test_a_decoder_is_approved_by_hash_for_one_effector_and_participant(study):
    person, sha256 = study.ids["participant"], study.ids["sha256"]
    assert study.is_approved(sha256, effector="glove", participant_id=person)
    assert not study.is_approved(sha256, effector="cursor", participant_id=person)
    assert not study.is_approved("cd" * 32, effector="glove", participant_id=person)
    assert not study.is_approved(sha256, effector="glove", participant_id="nobody")
    with pytest.raises(UnknownName, match="fit and append it first"):
        decide(study, "approve", decoder_sha256="cd" * 32)
    with pytest.raises(UnknownName, match="no participant 'nobody'"):
        decide(study, "approve", participant_id="nobody")
    with pytest.raises(BadValue, match="needs a signer"):
        decide(study, "approve", signer=" ")
    with pytest.raises(BadValue, match="decision of a approval must be one of"):
        decide(study, "maybe")
    assert study.append(replace(study.nouns("decoder")[0], metrics={"n": 2})) == study.ids["decoder"]


def test_every_decision_stays_and_the_newest_one_holds(study):
    person, sha256 = study.ids["participant"], study.ids["sha256"]
    use = {"effector": "glove", "participant_id": person}
    for decision, holds in (("withdraw", False), ("approve", True), ("reject", False), ("approve", True)):
        decide(study, decision, signer=f"Dr {decision}")
        assert study.is_approved(sha256, **use) is holds
        assert study.approval_of(sha256, **use)["signer"] == f"Dr {decision}"
        assert (study.approved_decoder(**use) is not None) is holds
    kept = [row["decision"] for row in study.approvals(participant_id=person, sha256=sha256)]
    assert kept == ["approve", "withdraw", "approve", "reject", "approve"]
    assert study.approvals()[0]["signer"] == "Dr A"
    assert study.approved_decoder(**use)["approval"]["decision"] == "approve"
    assert study.verify().ok


def test_a_script_approves_for_simulated_participants_only(study):
    person, sha256 = study.ids["participant"], study.ids["sha256"]
    decide(study, "approve", method="script", person_id="", signer="a script")
    use = {"effector": "glove", "participant_id": person}
    assert study.is_approved(sha256, **use)
    study.amend("participant", person, {"simulated": False}, reason="entered wrongly")
    assert not study.is_approved(sha256, **use)


def test_a_fitted_decoder_awaits_a_decision_of_its_own_participant(study):
    person = study.ids["participant"]
    assert study.decoders_awaiting(person) == []
    recording = study.rows("recording")[0]["sha256"]
    study.append(FittedDecoder("cd" * 32, "bandpower_lda", "decoders/cd", (recording,)))
    other = study.append(Participant("P99"))
    assert [row["sha256"] for row in study.decoders_awaiting(person)] == ["cd" * 32]
    assert study.decoders_awaiting(other) == []
    decide(study, "reject", decoder_sha256="cd" * 32, reason="pattern over the neck muscles")
    assert study.decoders_awaiting(person) == []


def test_redaction_removes_the_text_and_the_chain_still_holds(study):
    rows = study.append_ledger(
        "run-1", [*study.nouns("ledger"), LedgerRow("note", 3.0, 3.0, consequence="Mrs Smith")]
    )
    assert rows == 1
    row_id = study.rows("ledger", kind="note")[0]["id"]
    assert b"Mrs Smith" in databases.content(study)
    assert study.redact("ledger", row_id, {"consequence": "(redacted)"}, reason="a name was entered") == 1
    assert study.get("ledger", row_id)["consequence"] == "(redacted)"
    first, second = study.history("ledger", row_id)
    assert first["redacted"]
    assert first["new"] is None
    assert (second["action"], second["reason"], second["old"]) == ("redact", "a name was entered", None)
    assert study.verify().ok
    assert b"Mrs Smith" not in databases.content(study)


@pytest.mark.parametrize("table", ["study_key", "audit", "signed_head"])
def test_what_the_record_is_verified_with_is_never_redacted(study, table):
    row_id = study.rows("study_key")[0]["id"] if table == "study_key" else "1"
    with pytest.raises(RecordFault, match=f"{table} is never redacted"):
        study.redact(table, row_id, {}, reason="by mistake")
    assert study.verify().ok


def test_a_text_that_no_database_can_hold_is_refused_in_a_sentence(study):
    for ask in (lambda: study.rows("participant", pseudonym="\ud800"), lambda: study.sign_in("\ud800", "x" * 9)):
        with pytest.raises(BadValue, match="text must be valid Unicode"):
            ask()


def test_redaction_is_refused_while_the_record_of_before_a_migration_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    folder = tmp_path / "study"
    shutil.copytree(FIXTURES / "v2", folder)
    kept = migrate(folder, actor="tests").kept
    with Study.open(folder, actor="tests") as study:
        person = study.rows("participant")[0]["id"]
        head = study.head()
        with pytest.raises(Refused, match=r"study\.schema-2\.db beside the record.*move it.*redact again"):
            study.redact("participant", person, {"injury_level": "C6"}, reason="a name was entered")
        assert study.head() == head
        kept.rename(tmp_path / "elsewhere.db")
        assert study.redact("participant", person, {"injury_level": "C6"}, reason="a name was entered") >= 1
        assert study.verify().ok


def test_redacting_an_amended_row_and_amending_it_again_still_replays(study):
    person = study.ids["participant"]
    study.amend("participant", person, {"injury_level": "John"}, reason="r")
    assert study.redact("participant", person, {"injury_level": "C6"}, reason="a name was entered") == 2
    study.amend("participant", person, {"ais": "C"}, reason="r")
    assert study.verify().ok


@pytest.mark.parametrize(
    ("noun", "error", "match"),
    [
        (Participant(" "), BadValue, "needs a pseudonym"),
        (Participant(7), BadValue, "a text was expected, got int"),
        (Participant("P", injury_level="\udc80"), BadValue, "valid Unicode"),
        (Participant("P", simulated="no"), BadValue, "True or False"),
        (Visit("nobody", "v"), UnknownName, "no participant 'nobody'"),
        (Session("none", "op"), UnknownName, "no visit 'none'"),
        (Run("none", 1, "online", "p", "finished"), UnknownName, "no session"),
        (
            Run("none", 1, "rehearsal", "p", "finished"),
            BadValue,
            "'calibration', 'online', 'passive', 'open_loop', 'sham', 'mapping'; got 'rehearsal'",
        ),
        (Run("none", True, "online", "p", "finished"), BadValue, "an integer"),
        (Run("none", 2**63, "online", "p", "finished"), BadValue, "at most 64 bits"),
        (Run("none", 1, "online", "p", "finished", decoder_sha256="12"), BadValue, "64 hexadecimal"),
        (Run("none", 1, "online", "p", "finished", summary={"x": float("nan")}), BadValue, "must be finite"),
        (Run("none", 1, "online", "p", "finished", summary={1: 2}), BadValue, "keys in the record must be text"),
        (Run("none", 1, "online", "p", "finished", summary={"x": object()}), BadValue, "got object"),
        (Recording("none", "p", "12", 1, 1, 1.0, "finished"), BadValue, "64 hexadecimal"),
        (Recording("none", "p", "ab" * 32, 1, 1, float("inf"), "finished"), BadValue, "finite number"),
        (FittedDecoder("AB" * 32, "n", "p", ()), BadValue, "64 hexadecimal"),
        (Decision(1, 1.0, "", ()), BadValue, "the record takes Participant, .*; got Decision"),
        (Trial(0, "grasp", 0, 0.0, 1, "correct"), BadValue, "needs its run"),
    ],
)
def test_what_the_record_refuses_to_append(empty, noun, error, match):
    head = empty.head()
    with pytest.raises(error, match=match):
        empty.append(noun)
    assert empty.head() == head


def test_an_unknown_trial_outcome_is_refused(study):
    with pytest.raises(BadValue, match="outcome of a trial must be one of .*; got 'nice'"):
        study.append(Trial(7, "grasp", 0, 0.0, 1, "nice"), run_id="run-1")


def test_unknown_tables_columns_and_rows_list_what_there_is(study):
    with pytest.raises(UnknownName, match="it has study, participant"):
        study.rows("subject")
    with pytest.raises(UnknownName, match="it has id, pseudonym"):
        study.rows("participant", name="x")
    with pytest.raises(UnknownName, match="no run 'x'"):
        study.get("run", "x")


def test_rows_come_in_the_order_they_were_entered(empty):
    ids = [empty.append(Participant(name)) for name in ("P3", "P1", "P2")]
    assert [row["id"] for row in empty.rows("participant")] == ids == sorted(ids)


def test_ids_are_version_7_and_sort_by_time():
    ids = [uuid7() for _ in range(200)]
    assert len(set(ids)) == 200
    assert all(len(x) == 36 and x[14] == "7" and x[19] in "89ab" for x in ids)
    assert [x[:18] for x in ids] == sorted(x[:18] for x in ids)


TABLES = (
    "study",
    "participant",
    "visit",
    "session",
    "run",
    "trial",
    "recording",
    "decoder",
    "assessment",
    "ledger",
)


@pytest.mark.parametrize("table", [*TABLES, "report", "audit", "audit_payload"])
def test_the_triggers_refuse_to_update_or_delete_behind_the_record(study, table):
    refused = databases.refused(study)
    with databases.connected(study) as connection:
        column = {"audit": "actor", "audit_payload": "payload"}.get(table, "row_version")
        value = f"{column} + 1" if column == "row_version" else f"{column} || '0'"
        with pytest.raises(refused, match=f"{table}: (append-only|not audited)"):
            connection.execute(f"UPDATE {table} SET {column} = {value}")
        with pytest.raises(refused, match=f"{table}: (append-only|only redaction deletes)"):
            connection.execute(f"DELETE FROM {table}")
        # A server has no REPLACE, which would change a row past its history: there the key refuses.
        with pytest.raises(refused, match=f"{table}: (append-only|not audited)|duplicate key"):
            connection.execute(databases.put_again(study, table))


@pytest.mark.sqlite_file("a server keeps no file of its own for a study")
def test_the_file_is_wal_strict_durable_and_private(study):
    with study.database.engine.connect() as connection:
        values = [
            connection.exec_driver_sql(f"PRAGMA {p}").scalar()
            for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
        listed = connection.exec_driver_sql("PRAGMA table_list").mappings().all()
    assert values == ["wal", 2, 1]
    assert {row["name"] for row in listed if not row["strict"]} == {"sqlite_schema", "sqlite_temp_schema"}
    assert study.path.stat().st_mode & 0o777 == 0o600


def test_two_studies_start_from_different_hashes(tmp_path):
    hashes = set()
    for name in "ab":
        with Study.create(tmp_path / name, code="NEO", title="t", actor="a") as study:
            hashes.add(study.head()[1])
    assert len(hashes) == 2


def test_a_study_opens_without_the_rest_of_the_stack():
    code = (
        "import sys, workbench.study, workbench.outcomes\n"
        "heavy = {'numba', 'scipy', 'sklearn', 'mne', 'pandas', 'plotly', 'matplotlib', 'pylsl', 'zmq'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_file_of_a_record_says_by_its_state_that_something_was_written_and_reading_leaves_it(tmp_path):
    Study.create(tmp_path, code="S", title="T", actor="a").close()
    states = [stores.state(tmp_path)]
    with Study.open(tmp_path, actor="reader") as reader:
        reader.rows("participant")
        assert stores.state(tmp_path) == states[0]
        with Study.open(tmp_path, actor="writer") as writer:
            for name in ("P1", "P2"):
                writer.append(Participant(name))
                states.append(stores.state(tmp_path))
    assert len(set(states)) == 3
    after = stores.state(tmp_path)
    with Study.open(tmp_path, actor="reader") as reader:
        assert len(reader.rows("participant")) == 2
    assert stores.state(tmp_path) == after


def test_a_study_that_was_made_read_only_refuses_every_write_with_the_reason(tmp_path):
    with Study.create(tmp_path / "s", code="S", title="T", actor="a") as study:
        before = study.head()
        study.read_only = "this study is only shown; open it in your own name to write"
        for write in (
            lambda: study.append(Participant("P01")),
            lambda: study.amend("study", study.id, {"title": "U"}, reason="r"),
            lambda: study.sign({"a": 1}, purpose="test"),
            lambda: study.rotate_keys(reason="r"),
        ):
            with pytest.raises(RecordFault, match="only shown; open it in your own name"):
                write()
        assert study.head() == before


def test_messages_come_back_with_their_codes_from_columns_json_lists_and_reasons(study):
    late, alert = Message("amount.ms", n="3"), Message("amount.s", n="7")
    study.append(Trial(3, "grasp", 400, 4.0, 490, "excluded", excluded=late), run_id="run-1", reason=late)
    study.append(replace(study.nouns("ledger")[0], extent=late), run_id="run-1")
    study.append(
        Run(study.ids["session"], 2, "online", "x", "failed", id="r2", summary={"replay": {"sentence": late}})
    )
    assessment = study.rows("assessment")[0]
    study.amend("assessment", assessment["id"], {"alerts": [alert], "rater": "Lin Q."}, reason=alert)
    trial, row = study.nouns("trial")[-1], study.nouns("ledger")[-1]
    again = study.get("assessment", assessment["id"])
    history = study.history("assessment", assessment["id"])[-1]
    found = [
        trial.excluded, row.extent, study.get("run", "r2")["summary"]["replay"]["sentence"],
        study.history("trial", study.rows("trial")[-1]["id"])[0]["reason"], again["alerts"][0], history["reason"],
        history["new"]["alerts"][0],
    ]  # fmt: skip
    assert [one.code for one in found] == ["amount.ms"] * 4 + ["amount.s"] * 3
    assert type(row.consequence) is str
    assert not any("said" in one for one in (again, history["new"], history["old"]))
    assert study.verify().ok


def test_a_row_whose_message_a_later_version_words_differently_is_the_same_row(study):
    rows = [replace(study.nouns("ledger")[0], extent="3 ms", consequence="kept")]
    assert study.append_ledger(
        "run-1", study.nouns("ledger") + [replace(rows[0], extent=Message("amount.ms", n="3"))]
    )
    assert study.append_ledger("run-1", study.nouns("ledger")[:1] + rows) == 0


def test_a_redaction_takes_the_codes_of_a_message_with_it(study):
    study.append(replace(study.nouns("ledger")[0], extent=Message("amount.ms", n="3")), run_id="run-1")
    row = study.rows("ledger")[-1]
    study.redact("ledger", row["id"], {"extent": "redacted"}, reason="it held a name")
    assert type(study.rows("ledger")[-1]["extent"]) is str
    (again,) = databases.rows(study, "SELECT said FROM ledger WHERE id = ?", (row["id"],))
    assert again["said"] == "{}"
    assert study.verify().ok
