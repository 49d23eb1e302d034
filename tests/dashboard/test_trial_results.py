"""The page of a trial's results: one rule of who learns arms, refusals in words, and rows that lead to samples."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.dashboard import results_trial
from workbench import estimation
from workbench.dashboard import ResultsService, VisitService
from workbench.dashboard.access import ServedRecord
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.reports import result_words
from workbench.study import Study
from workbench.study.changes import GrantRole
from workbench.widgets import ResultsPage

SECRET = "correct horse"


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "study"
    with results_trial.keys_beside(folder):
        yield results_trial.make(folder, n=8)


@pytest.fixture
def folder(begun, tmp_path):
    """A copy, with people who can sign in: a statistician, one who is blinded, and a monitor."""
    made = Path(shutil.copytree(begun, tmp_path / "study"))
    with Study.open(made, actor="tests") as study:
        script = study.script_signer("manager")
        for login, role, blinded in (("sato", "statistician", False), ("kim", "statistician", True)):
            who = study.add_person(login, login.title(), SECRET, ("monitor",))
            study.apply(GrantRole(who, role, "GCP 2026", blinded=blinded), script, "joins")
        study.add_person("rossi", "Rossi M.", SECRET, ("monitor",))
    return made


def service_of(folder, login=""):
    visits = VisitService(folder, operator="Chen L.")
    if login:
        visits.sign_in(login=login, password=SECRET)
    return ResultsService(visits.access)


def read_in_chain(folder):
    with Study.open(folder, actor="tests") as study:
        return [(one.action, one.actor) for one in study.entries() if one.action.startswith("arm_re")]


def run(service, plan="sap-1.toml"):
    return service.run("look", plan, progress=lambda *_: None)


def test_the_numbers_are_those_of_the_command_and_each_arm_that_is_read_is_an_entry(folder):
    before = read_in_chain(folder)
    told, steps = service_of(folder, "sato"), []
    made = told.run("look", "sap-1.toml", progress=lambda *step: steps.append(step))
    assert (made["compares"], made["by"], made["simulated"]) == (True, "Sato", True)
    assert [one[2] for one in steps] == ["primary", "responders", "complete-cases", "grasp"]
    assert read_in_chain(folder)[len(before) :] == [("arm_read", "Sato")] * 8
    with Study.open(folder, actor="tests") as study:
        wanted = estimation.analyse(study, plan=results_trial.PLAN, signer=study.script_signer("tests"))
    estimate = wanted.results.analyses[0].estimates[0]
    words = made["words"]["en"]["estimands"][0]
    assert words["rows"][0]["estimate"].startswith(f"{estimate.value:.2f} (".replace("-", "−"))
    forest = json.loads(words["forest"])
    assert [one["x"] for one in forest["data"] if one["mode"] == "markers"][0] == [float(f"{estimate.value:.10g}")]
    assert made["plan_sha256"] == wanted.results.plan["sha256"]


@pytest.mark.parametrize(
    ("login", "why"), [("kim", "results.blinded"), ("", "results.sign_in"), ("rossi", "allocation.no_reader")]
)
def test_whoever_may_not_learn_the_arms_gets_all_together_and_no_arm_difference_entry_or_recording(
    folder, login, why
):
    before = read_in_chain(folder)
    service = service_of(folder, login)
    assert (service.page()["compares"], service.page()["why"].code) == (False, why)
    made = run(service)
    assert (made["compares"], made["why"].code, made["words"]["en"]["estimands"]) == (False, why, [])
    (course,) = made["words"]["zh-CN"]["courses"]
    rows = service.rows("arat.total")
    behind = [service.behind(one["key"]) for one in rows if one["source"]]
    said = json.dumps([made, rows, behind], ensure_ascii=False)
    for arm in ("sham", "stimulation", "grasp_f1", "run-week-12"):
        assert arm not in said
    assert {(one["entry"], one["hash"], len(one["sessions"])) for one in behind} == {(0, "", 0)}
    assert course["table"][0]["points"][-1]["n"] == 8
    with pytest.raises(UnknownName, match="no analysis 'primary' was run here"):
        service.rows("primary")
    sha256 = recording_of(folder)
    with pytest.raises(Refused, match="not shown to a blinded reader"):
        service.samples(sha256, "0-10", 0, 0, "en")
    # Nobody tried to read an arm.
    assert read_in_chain(folder) == before


@pytest.mark.parametrize("login", ["kim", ""])
def test_what_was_compared_is_told_to_nobody_who_comes_after(folder, login):
    visits = VisitService(folder, operator="Chen L.")
    visits.sign_in(login="sato", password=SECRET)
    service = ResultsService(visits.access)
    run(service)
    (row, *_) = service.rows("primary")
    visits.sign_out()
    if login:
        visits.sign_in(login=login, password=SECRET)
    for ask in (lambda: service.rows("primary"), lambda: service.behind(row["key"])):
        with pytest.raises((Refused, UnknownName)) as refused:
            ask()
        assert "sham" not in str(refused.value)
    with pytest.raises(Refused):
        service.samples(recording_of(folder), "0-10", 0, 0, "en")


def test_a_variable_is_called_as_its_measure_form_or_run_is():
    said = [
        result_words.of_variable(one, "", "", "en")
        for one in ("arat.total", "performance.grasp_f1", "vitals.pulse")
    ]
    assert said == ["ARAT total", "online grasp F1", "vitals pulse"]


def recording_of(folder):
    with Study.open(folder, actor="tests") as study:
        return study.rows("recording")[0]["sha256"]


def test_what_is_behind_a_row_is_its_exam_or_run_with_the_samples_that_gave_it(folder):
    service = service_of(folder, "sato")
    run(service)
    rows = service.rows("primary")
    exam = service.behind(rows[0]["key"])
    with Study.open(folder, actor="tests") as study:
        assert study.get(exam["source_table"], exam["source_id"])["rater"] == exam["rater"]
        (entry,) = [one for one in study.entries() if one.seq == exam["entry"]]
        assert (entry.hash, entry.row_id) == (exam["hash"], exam["source_id"])
        (recording,) = study.rows("recording")
        trials = study.rows("trial", run_id=recording["run_id"])
    (row,) = [one for one in service.rows("performance.grasp_f1") if one["source"]]
    (given,) = service.behind(row["key"])["samples"]
    first, last = min(one["cue_sample"] for one in trials), max(one["end_sample"] for one in trials)
    assert given == {"sha256": recording["sha256"], "span": f"{first}-{last}"}
    shown = service.samples(given["sha256"], given["span"], first, 0, "zh-CN")
    assert (shown["begin"], shown["end"], shown["lanes"]) == (first, first + 10 * round(shown["fs"]) - 1, 8)
    assert "记录内时间" in json.loads(shown["figure"])["layout"]["xaxis"]["title"]["text"]
    (folder / recording["path"]).write_bytes(b"something else")
    with pytest.raises(RecordFault, match="its SHA-256 differs"):
        service.samples(given["sha256"], given["span"], first, 0, "en")


def test_a_plan_that_is_not_offered_or_no_plan_is_refused_in_one_sentence(folder):
    service = service_of(folder, "sato")
    (folder / "plans" / "broken.toml").write_text("[plan\n")
    assert service.page()["plans"] == ["", "broken.toml", "sap-1.toml"]
    with pytest.raises(UnknownName, match=r"no plan '\.\./study\.db' in its folder plans"):
        run(service, "../study.db")
    with pytest.raises(BadValue, match="broken.toml"):
        run(service, "broken.toml")
    with pytest.raises(UnknownName, match="there are look"):
        service.run("lock", "", progress=lambda *_: None)


def test_before_a_lock_the_page_offers_nothing_and_a_refused_run_keeps_no_earlier_result(folder, tmp_path):
    Study.create(tmp_path / "new", code="NEW", title="New", actor="tests").close()
    page = ResultsPage(service_of(tmp_path / "new"))
    assert (page.page["snapshots"], page.page["fault"]) == ([], "")
    page = ResultsPage(service_of(folder, "sato"))
    page.answer("run", {"snapshot": "look", "plan": "sap-1.toml"})
    page.wait()
    assert page.result["compares"]
    page.answer("run", {"snapshot": "nothing", "plan": ""})
    page.wait()
    assert (page.result, page.work["of"], "there are look" in page.work["fault"]) == ({}, 0, True)
    # A page may ask for whatever it likes.
    assert not page.answer("participant", {"participant": "SIM-001"})["ok"]
    assert not page.answer("samples", {"recording": "../x", "span": "0-1"})["ok"]
    assert not page.answer("behind", {"key": "SIM-001"})["ok"]


def test_in_clinic_mode_the_page_says_who_makes_results_and_reads_nothing():
    page = ResultsPage(ResultsService(ServedRecord(None)))
    assert page.page["fault"].code == "clinic.no_results"
    page.answer("run", {"snapshot": "look", "plan": ""})
    page.wait()
    assert (page.result, page.work["fault"].code) == ({}, "clinic.no_results")
