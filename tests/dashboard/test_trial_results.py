"""The page of a trial's results: one rule of who learns arms, refusals in words, and rows that lead to samples."""

from __future__ import annotations

import difflib
import json
import shutil
from pathlib import Path

import pytest

from tests.dashboard import results_trial
from workbench import estimation
from workbench.dashboard import ResultsService, VisitService, signed_report
from workbench.dashboard.access import ServedRecord
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.estimation import known_trial
from workbench.reports import result_words, signing, trial_report
from workbench.study import Study
from workbench.study.changes import GrantRole, UnlockStudy
from workbench.widgets import ResultsPage

pytestmark = pytest.mark.job

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
        study.add_person("okafor", "Dr Okafor A.", SECRET, ("investigator",))
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


# ------------------------------------------------------------------------------------ the report, and who signs it
@pytest.fixture
def page(folder, monkeypatch):
    """The page of the statistician with its results; of the report the file alone that is read and signed."""
    monkeypatch.setattr(signed_report, "FORMATS", ("html",))
    made = ResultsPage(service_of(folder, "sato"))
    made.run("look", "sap-1.toml")
    made.wait()
    return made


def sign(page, role, login, password=SECRET, sha256=None):
    """Ask for a signature; the sentence that refuses it, ``""`` where it was given."""
    draft = sha256 or page.report.get("draft", "")
    assert page.answer("sign", {"sha256": draft, "role": role, "login": login, "password": password})["ok"]
    page.wait()
    return page.work["fault"]


def signed_in(folder):
    with Study.open(folder, actor="tests") as study:
        return [(row["signer"], row["meaning"]) for row in study.rows("signature") if "report" in row["meaning"]]


def test_two_people_sign_the_report_of_the_page_which_then_differs_from_its_draft_by_them_alone(folder, page):
    steps = []
    page.observe(lambda change: steps.append((change.new["n"], change.new["name"])), "work")
    assert page.answer("write", {})["ok"]
    page.wait()
    assert steps[1:3] == [(1, "facts"), (2, "html")]
    (draft,) = page.report["files"]
    assert (page.report["kind"], draft["sha256"], page.report["signed"]) == ("interim", page.report["draft"], [])
    assert page.read_report() == (folder / draft["path"]).read_text()
    assert sign(page, "investigator", "okafor") == ""
    assert ([one["name"] for one in page.report["signed"]], page.report["missing"]) == (
        ["Dr Okafor A."], ["statistician"],
    )  # fmt: skip
    assert sign(page, "statistician", "sato") == ""
    (issue,) = page.report["files"]
    assert (page.report["draft"], page.report["missing"]) == (draft["sha256"], [])
    before, after = ((folder / one["path"]).read_text().splitlines() for one in (draft, issue))
    changed = "".join(line for line in difflib.ndiff(before, after) if line[:1] == "+")
    assert all(said in changed for said in ("Dr Okafor A.", "Sato", draft["sha256"]))
    assert changed.count("\n") < 12
    assert sorted(signed_in(folder)) == [("Dr Okafor A.", signing.MEANINGS["investigator"]),
                                         ("Sato", signing.MEANINGS["statistician"])]  # fmt: skip
    # It is the report that the commands make of the same files.
    with Study.open(folder, actor="tests") as study:
        reader = study.sign_in("sato", SECRET)
        made = estimation.analyse(study, plan=results_trial.PLAN, signer=reader)
        estimation.write(made, folder.parent / "results")
        told = trial_report(
            study, "interim", snapshot="look", reader=reader, formats=("html",), results=folder.parent / "results"
        )
    assert told.files["html"][1] == issue["sha256"]


def test_a_signature_that_may_not_be_given_is_refused_in_one_sentence_and_nothing_is_signed(folder, page):
    page.write()
    page.wait()
    draft = page.report["draft"]
    assert sign(page, "investigator", "okafor", "wrong horse").code == "people.mismatch"
    # Everybody is simulated, and still no script signs in the place of people.
    assert sign(page, "investigator", "", "").code == "people.mismatch"
    assert sign(page, "investigator", "rossi").code == "report.sign_other_role"
    assert sign(page, "statistician", "kim").code == "report.sign_blinded"
    assert sign(page, "monitor", "rossi").code == "report.sign_role"
    assert sign(page, "investigator", "okafor", sha256="0" * 64).code == "results.other_report"
    assert (signed_in(folder), page.report["draft"], page.report["signed"]) == ([], draft, [])
    with Study.open(folder, actor="tests") as study:
        sato = study.rows("person", login="sato")[0]["id"]
        study.apply(GrantRole(sato, "investigator", "GCP"), study.script_signer("manager"), "stands in")
    assert sign(page, "investigator", "sato") == ""
    assert sign(page, "statistician", "sato").code == "report.sign_one_person"


def test_no_report_is_made_for_a_blinded_reader_nor_of_what_was_run_for_somebody_else(folder):
    blinded = ResultsPage(service_of(folder, "kim"))
    blinded.run("look", "sap-1.toml")
    blinded.wait()
    for ask, arguments in (("write", {}), ("sign", {"sha256": "", "role": "statistician"})):
        assert blinded.answer(ask, arguments)["ok"]
        blinded.wait()
        assert blinded.work["fault"].code in ("results.no_comparison", "results.no_report")
    assert blinded.answer("read_report", {})["text"].code == "results.no_report"
    assert not (folder / "reports").exists()


def test_a_draft_that_would_be_made_otherwise_today_is_not_signed(folder, page, monkeypatch):
    page.write()
    page.wait()
    monkeypatch.setattr(signing, "programs_sha256", lambda: "f" * 64)
    assert sign(page, "investigator", "okafor").code == "report.sign_program"
    assert signed_in(folder) == []


def test_the_final_report_of_a_lock_that_was_ended_is_not_signed(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    monkeypatch.setattr(signed_report, "FORMATS", ("html",))
    folder = tmp_path / "study"
    known_trial.simulate(folder, known_trial.KnownTrial(n=8, leave=0.0, seed=2), cut=False)
    with Study.open(folder, actor="tests") as study:
        name = known_trial.lock(study)
    page = ResultsPage(service_of(folder))
    assert page.page["signing"] == "script"
    page.run(name, "")
    page.wait()
    page.write()
    page.wait()
    assert (page.report["kind"], page.work["fault"]) == ("final", "")
    assert sign(page, "investigator", "") == ""
    with Study.open(folder, actor="tests") as study:
        three = [study.script_signer(one).confirm() for one in ("a", "b", "c")]
        study.apply(UnlockStudy(), three, "a value was wrong")
    assert sign(page, "statistician", "").code == "report.sign_unlocked"
    assert len(page.report["signed"]) == 1


def test_in_clinic_mode_the_page_says_who_makes_results_and_reads_nothing():
    page = ResultsPage(ResultsService(ServedRecord(None)))
    assert page.page["fault"].code == "clinic.no_results"
    page.answer("run", {"snapshot": "look", "plan": ""})
    page.wait()
    assert (page.result, page.work["fault"].code) == ({}, "clinic.no_results")
