"""What a clinician does on the pages without a command: corrections, decisions, treatments, reports, the lock."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.dashboard import safety_trial
from tests.dashboard.clinician import VITALS, Work, begin
from tests.dashboard.trial import SECRET, days_ago
from workbench.study import Study, verify


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clinician") / "study"
    begin(folder)
    return folder


@pytest.fixture
def folder(begun: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(begun, tmp_path / "study"))


def test_a_form_is_corrected_with_a_reason_as_it_was_shown_and_its_signature_turns_stale(folder: Path) -> None:
    work = Work(folder)
    (shown,) = work.form("wound")["rows"]
    work.signs("okafor", f"form:{shown['id']}")
    (signature,) = work.page.page["signatures"]
    assert (signature["state"], signature["rows"], work.form("wound")["state"]) == (
        "valid", [f"form:{shown['id']}"], "verified",
    )  # fmt: skip
    whole = work.page.answer("row", {"table": "form", "row": shown["id"]})["value"]
    asked = {"visit_id": work.visit()["id"], "form": "wound", "row_version": str(whole["row_version"])}
    assert not work.asks("wu", "SaveForm", values={"state": "open"}, **asked)["ok"]  # without a reason
    assert work.rows("form", name="wound")[0]["row_version"] == whole["row_version"]
    work.does("wu", "SaveForm", "seen again", values={"state": "open"}, **asked)
    late = work.asks("wu", "SaveForm", "again", values={"state": "infected"}, **asked)
    assert (late["ok"], "version" in late["text"]) == (False, True)
    assert [one["state"] for one in work.page.page["signatures"]] == ["stale"]
    assert work.form("wound")["state"] == "complete"
    told = work.page.answer("history", {"table": "form", "row": shown["id"], "field": "state"})["value"]
    assert [(one["from"], one["to"], one["reason"]) for one in told] == [
        (None, "closed", ""), ("closed", "open", "seen again"),
    ]  # fmt: skip
    work.signs("okafor", f"form:{shown['id']}")
    assert [one["state"] for one in work.page.page["signatures"]] == ["stale", "valid"]
    assert verify(folder).ok


def test_two_entries_that_differ_are_decided_by_somebody_else_who_sees_both(folder: Path) -> None:
    work = Work(folder)
    assert work.form("vitals")["state"] == "differ"
    rows = work.form("vitals")["rows"]
    both = [work.page.answer("row", {"table": "form", "row": row["id"]})["value"] for row in rows]
    assert [one["values"]["systolic"] for one in both] == [140, 104]
    decided = {"visit_id": work.visit()["id"], "form": "vitals", "values": {"systolic": 140}}
    refused = work.asks("wu", "Adjudicate", **decided)
    assert (refused["ok"], len(work.rows("form", name="vitals"))) == (False, 2)
    work.does("he", "Adjudicate", **decided)
    assert work.form("vitals")["state"] == "complete"
    agreed = work.rows("form", name="vitals", entry=0)[0]
    assert (agreed["values"], agreed["by"]) == (VITALS, "he data_manager")
    assert not work.asks("he", "Adjudicate", **{**decided, "values": {"systolic": 104}})["ok"]  # without a reason
    work.does("he", "Adjudicate", "the paper says so", **{**decided, "values": {"systolic": 104}})
    assert work.rows("form", name="vitals", entry=0)[0]["values"]["systolic"] == 104


def test_treatments_are_entered_revised_ended_and_taken_back_from_the_page(folder: Path) -> None:
    work = Work(folder)
    work.does("mei", "RecordTreatment", kind="drug", name="baclofen", dose="10 mg", started_on=days_ago(9))
    work.does("mei", "RecordRehabilitation", name="hand", on=days_ago(1), minutes="45")
    work.does("mei", "RecordAssistiveDevice", name="chair", ongoing="yes")
    drug, rehabilitation, chair = (one["id"] for one in work.page.page["treatments"])
    whole = work.page.answer("row", {"table": "treatment", "row": drug})["value"]
    revised = {"treatment_id": drug, "name": "baclofen", "dose": "20 mg", "row_version": str(whole["row_version"])}
    assert not work.asks("mei", "ReviseTreatment", **revised)["ok"]
    work.does("mei", "ReviseTreatment", "letter of the ward", **revised)
    work.does("mei", "EndTreatment", treatment_id=drug, ended_on=days_ago(0))
    work.does("mei", "VoidTreatment", "somebody else's", treatment_id=chair)
    assert [(one["name"], one["dose"], one["ended"]) for one in work.page.page["treatments"]] == [
        ("baclofen", "20 mg", days_ago(0)), ("hand", "", days_ago(1)),
    ]  # fmt: skip
    told = work.page.answer("history", {"table": "treatment", "row": drug, "field": "dose"})["value"]
    assert [(one["from"], one["to"]) for one in told][-1] == ("10 mg", "20 mg")
    other = Work(folder, "P-042")
    for refused in (
        other.asks("mei", "VoidTreatment", "x", treatment_id=rehabilitation),
        other.page.answer("row", {"table": "treatment", "row": rehabilitation}),
    ):
        assert (refused["ok"], "another participant" in refused["text"]) == (False, True)


def test_who_is_blinded_sees_treatments_that_they_entered_themselves_no_runs_and_no_report(
    tmp_path: Path,
) -> None:
    safety_trial.begin(tmp_path / "study")
    seeing = Work(tmp_path / "study", "P-014", login="rossi")
    blinded = Work(tmp_path / "study", "P-014", login="wu")
    assert blinded.page.page["concealed"]
    seeing.does("lin", "RecordTreatment", kind="drug", name="antibiotic after the implantation")
    blinded.does("wu", "RecordRehabilitation", name="hand", on=days_ago(1), minutes="30")
    seeing.page.read()
    assert [one["name"] for one in seeing.page.page["treatments"]] == ["antibiotic after the implantation", "hand"]
    assert [one["name"] for one in blinded.page.page["treatments"]] == ["hand"]
    drug = seeing.page.page["treatments"][0]["id"]
    for name, args in (("row", {}), ("history", {"field": "name"})):
        refused = blinded.page.answer(name, {"table": "treatment", "row": drug, **args})
        assert (refused["ok"], "may reveal the arm" in refused["text"]) == (False, True)
    assert all(session["runs"] == [] for session in blinded.page.page["sessions"])


def test_a_session_leads_to_its_start_its_result_and_its_report(folder: Path) -> None:
    work = Work(folder)
    (session,) = work.page.page["sessions"]
    (run,) = session["runs"]
    assert (session["visit"], run["kind"], run["state"], run["planned"]) == (
        "Screening", "calibration", "finished", 8,
    )  # fmt: skip
    assert work.page.answer("start_session", {"visit": work.visit("Baseline")["id"]})["ok"]
    assert work.page.answer("show_result", {"run": run["id"]})["ok"]
    assert work.led == [("session", work.visit("Baseline")["id"]), ("result", run["id"])]
    other = Work(folder, "P-042")
    for name, about in (("start_session", {"visit": work.visit()["id"]}), ("show_result", {"run": run["id"]})):
        assert not other.page.answer(name, about)["ok"]
    other.page.report(session["id"])
    other.page.wait()
    assert "another participant" in other.page.made["fault"]
    assert work.rows("report") == []
    work.page.report(session["id"])
    work.page.wait()
    made = work.page.made
    assert (made["busy"], made["fault"], made["session"]) == (False, "", session["id"])
    assert {row["path"] for row in work.rows("report")} == {made["path"], made["pdf"]}
    assert made["html"] == (folder / made["path"]).read_text(encoding="utf-8")
    assert "P-041" in made["html"]


def settle(work: Work) -> None:
    """All that stands in the way of the lock."""
    work.does("he", "Adjudicate", visit_id=work.visit()["id"], form="vitals", values={"systolic": 140})
    for row in (*work.form("wound")["rows"], *work.form("vitals")["rows"]):
        work.signs("okafor", f"form:{row['id']}")


def three(*logins: str) -> list[dict[str, str]]:
    return [{"login": login, "password": SECRET} for login in logins]


def test_the_lock_lists_what_is_missing_refuses_until_it_is_settled_and_then_every_route(folder: Path) -> None:
    work = Work(folder, login="he")
    moment = {"aware": safety_trial.ago(hours=2), "zone": "Asia/Shanghai", "country": "CN"}
    work.does("lin", "ReportEvent", term="redness", onset="", facts=safety_trial.MILD, **moment)
    found = {one["name"]: (one["n"], one["people"]) for one in work.study.answer("conditions", {})["value"]}
    assert found == {
        "queries": (0, []), "entries": (1, ["P-041"]), "unsigned": (2, ["P-041"]), "unsent": (0, []),
        "uncoded": (1, ["P-041"]), "serious": (0, []),
    }  # fmt: skip
    asked = {"change": "LockStudy", "reason": "data cut", "signers": three("he", "okafor", "sun")}
    work.study.lock(**asked)
    work.study.wait()
    for words in ("1 forms of two entries", "2 assessments and forms", "1 adverse events are not coded"):
        assert words in work.study.work["fault"], words
    settle(work)
    (shown,) = work.page.page["safety"]
    coded = {"dictionary": "MedDRA", "version": "28.1", "code": "10015150", "term": "Erythema"}
    work.does("he", "CodeEvent", event_id=shown["id"], row_version=str(shown["row_version"]), **coded)
    assert [one["n"] for one in work.study.answer("conditions", {})["value"]] == [0] * 6
    for wrong in (three("he", "okafor"), three("he", "okafor", "wu"), [*three("he", "okafor"), {"login": "sun"}]):
        work.study.lock(**{**asked, "signers": wrong})
        work.study.wait()
        assert work.study.work["fault"], wrong
    assert work.rows("lock_event") == []
    work.study.lock(**asked)
    work.study.wait()
    assert (work.study.work["fault"], "Snapshot" in work.study.work["text"]) == ("", True)
    assert [one["level"] for one in work.study.overview["locks"]] == ["hard"]
    assert SECRET not in repr(work.study.get_state())
    work.page.read()
    assert [(one["table"], one["level"]) for one in work.page.page["locks"]] == [("study", "hard")]
    (wound,) = work.form("wound")["rows"]
    visit = work.visit()["id"]
    for change, fields in (
        ("SaveForm", {"visit_id": visit, "form": "wound", "values": {"state": "open"}, "row_version": "1"}),
        ("RecordRehabilitation", {"name": "hand", "on": days_ago(0), "minutes": "30"}),
        ("OpenQuery", {"table": "form", "row_id": wound["id"], "field": "values", "text": "?"}),
        ("SetAnchor", {"anchor": "implant", "day": days_ago(0)}),
    ):
        who = {"OpenQuery": "he", "SetAnchor": "lin"}.get(change, "wu")
        refused = work.asks(who, change, "late", **fields)
        assert (refused["ok"], "this study was locked by" in refused["text"]) == (False, True), change
    work.study.lock("UnlockStudy", "a form was missed", three("he", "okafor", "sun"))
    work.study.wait()
    assert work.study.overview["locks"] == []
    assert verify(folder).ok


def test_who_is_blinded_learns_no_number_of_safety_from_the_conditions(tmp_path: Path) -> None:
    safety_trial.begin(tmp_path / "study")
    work = Work(tmp_path / "study", "P-014", login="wu")
    told = {one["name"]: one["n"] for one in work.study.answer("conditions", {})["value"]}
    assert {name for name, n in told.items() if n is None} == {"queries", "unsent", "uncoded", "serious"}


def test_what_is_frozen_is_said_on_the_page_and_given_back_there(folder: Path) -> None:
    work = Work(folder)
    work.does("he", "Freeze", "clean", table="visit", row_id=work.visit()["id"])
    (lock,) = work.page.page["locks"]
    assert (lock["table"], lock["name"], lock["reason"]) == ("visit", "Screening", "clean")
    work.does("he", "Unfreeze", "a value is missing", table="visit", row_id=work.visit()["id"])
    assert work.page.page["locks"] == []
    with Study.open(folder, actor="test") as study:
        assert [row["action"] for row in study.rows("lock_event")] == ["lock", "unlock"]
