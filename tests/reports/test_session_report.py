"""The session report: numbers are those of analysis, every number leads back, nothing simulated is hidden."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import string
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import workbench
from workbench import analysis, figures
from workbench.errors import RecordFault, UnknownName
from workbench.reports import _facts, _results, session_report
from workbench.reports._results import trial_of
from workbench.reports.texts import LANGUAGES, Texts, catalogue
from workbench.study import Study
from workbench.vocabulary import Participant, Run, Session, Trial, Visit

NBSP = "\u00a0"


def plain(page: str) -> str:
    """Text of an HTML page, white space folded."""
    import html

    body = page[page.index("<body") :]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body)).replace(NBSP, " "))


def page_of(study, **options) -> str:
    return plain(session_report(study, **options).html.read_text(encoding="utf-8"))


def metrics_of(study):
    trials = [trial_of(row) for row in study.rows("trial", run_id="run-onl-00000002")]
    return analysis.event_metrics(trials, onset_window_s=1.5, fs=1000.0)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_record_gives_the_same_bytes_and_is_registered_once(study, language):
    if language == "zh-CN" and figures.chinese_font() is None:
        pytest.skip("no Simplified Chinese face is installed")
    first, second = (session_report(study, language=language) for _ in range(2))
    assert first == second
    stored = {row["path"]: row["sha256"] for row in study.rows("report")}
    assert len(stored) == len(study.rows("report")) == 2
    for path, digest in stored.items():
        assert hashlib.sha256((study.folder / path).read_bytes()).hexdigest() == digest


def test_a_change_of_the_record_changes_the_report(study):
    before = session_report(study)
    study.append(Participant("P-002"))
    after = session_report(study)
    assert after.head_seq > before.head_seq
    assert after.pdf_sha256 != before.pdf_sha256
    assert before.pdf.exists()
    assert after.pdf.exists()


def test_the_printed_head_stands_on_the_chain(study):
    files = session_report(study)
    entry = next(entry for entry in study.entries() if entry.seq == files.head_seq)
    assert entry.hash == files.head_hash
    assert files.head_hash in page_of(study)
    assert study.verify(files=False).ok


def test_numbers_are_those_of_analysis(study):
    found, said = metrics_of(study), page_of(study)
    low, high = found.f1_interval
    assert f"event F1 {found.f1:.2f} (95 % interval {low:.2f} to {high:.2f})" in said
    assert f"{found.hits} of {found.n} grasp attempts" in said
    assert f"{found.recall:.2f} ({found.recall_interval.low:.2f} to {found.recall_interval.high:.2f})" in said
    assert f"{found.false_per_min:.2f} per minute" in said
    assert (
        f"{found.onset.median:.2f} s ({found.onset.low:.2f} to {found.onset.high:.2f}), n {found.onset.n}" in said
    )
    assert "onset in 1.5 s" in said


def test_every_metric_names_its_run_and_recording(study):
    page = session_report(study).html.read_text(encoding="utf-8")
    results = page[page.index("Results of the online runs") : page.index("What to keep in mind")]
    rows = [
        row for row in re.findall(r"<tr.*?</tr>", results, re.DOTALL) if "<td" in row and 'class="axis"' not in row
    ]
    assert len(rows) == 4
    assert all("00000002 · b25f4470b25f" in row for row in rows)


def test_provenance_holds_full_hashes(study):
    said = page_of(study)
    for word in ("5d02e7b9" * 8, "b25f4470" * 8, "3f9a71c2" * 8, "c0ffee12" * 8, "run-onl-00000002"):
        assert word in said
    assert "equal: 2580 of 2580 decisions, bit for bit" in said
    assert "Park J." in said


def test_a_simulated_session_says_so_on_every_page(study, tmp_path):
    files = session_report(study)
    said = plain(files.html.read_text(encoding="utf-8"))
    assert "Simulated data. What is simulated: the participant and the signals, the effector (glove)" in said
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    paper = subprocess.run(["pdftotext", files.pdf, "-"], capture_output=True, text=True, check=True).stdout
    pages = paper.rstrip("\f").split("\f")
    assert len(pages) > 2
    assert all("Simulated data" in page and "Draft, not signed" in page for page in pages)


def test_a_real_session_carries_no_simulated_label(empty_study):
    import_of(empty_study, simulated=False, speed=1.0)
    said = page_of(empty_study)
    assert "Simulated" not in said
    assert "not representative" not in said


def import_of(study, **options):
    """Fill a study the way the fixture does."""
    import importlib.util

    path = Path(__file__).parent / "conftest.py"
    spec = importlib.util.spec_from_file_location("session_fixture", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.fill(study, **options)


def test_latency_at_another_speed_is_not_representative(study):
    said = page_of(study)
    assert "not representative at speed 4" in said
    assert "8.7 15.1 21.3 44.0 2580" in said


def test_ledger_is_counted_with_its_consequence(study):
    said = page_of(study)
    assert "Gap medium 1 Trial 16 excluded." in said
    assert "4 ledger entries: 0 high, 1 medium, 2 low, 1 information." in said


def test_arat_stands_under_its_condition_and_no_change_is_computed(study):
    said = page_of(study)
    scores = {row["device_on"]: row["score"]["total"]["value"] for row in study.rows("assessment")}
    assert f"device off, unassisted, stimulation off {scores[False]} of 57" in said
    assert f"device on, assisted, stimulation off {scores[True]} of 57" in said
    difference = scores[True] - scores[False]
    assert f"{difference} points" not in said
    assert f"+{difference}" not in said
    assert "no change between them is computed" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_empty_study_prints_every_section(empty_study, language):
    if language == "zh-CN" and figures.chinese_font() is None:
        pytest.skip("no Simplified Chinese face is installed")
    said, t = page_of(empty_study, language=language), Texts(language)
    for key in (
        "results",
        "runs",
        "decoder",
        "trials",
        "latency",
        "ledger",
        "assessments",
        "provenance",
        "limits",
    ):
        assert t(key) in said
    assert said.count(t("no_data")) >= 8
    assert t("unsigned") in said


def test_a_calibration_alone_is_no_result(empty_study):
    person = empty_study.append(Participant("P-001", simulated=True))
    visit = empty_study.append(Visit(person, "Baseline"))
    session = empty_study.append(Session(visit, "Chen L.", simulated=True))
    run = Run(session, 1, "calibration", "grasp_rest", "finished", id="run-1")
    trials = [Trial(i, "grasp", 1000 * i, float(i), 1000 * i + 900, "recorded") for i in range(16)]
    empty_study.append_run(run, trials=trials)
    assert "Only calibration was recorded: 16 trials in 1 run." in page_of(empty_study)


def cued_study(study, right, n):
    person = study.append(Participant("P-001", simulated=True))
    visit = study.append(Visit(person, "Baseline"))
    session = study.append(Session(visit, "Chen L.", simulated=True))
    run = Run(
        session, 1, "online", "left_right", "finished", id="run-1", decoder_sha256="3f9a71c2" * 8,
        parameters={"conditions": ["hands", "feet"]},
    )  # fmt: skip
    labels = ["hands" if i % 2 else "feet" for i in range(n)]
    other = {"hands": "feet", "feet": "hands"}
    trials = [
        Trial(i, label, 1000 * i, float(i), 1000 * i + 900, "correct" if i < right else "wrong",
              label if i < right else other[label], 1000 * i + 600, 0.6)
        for i, label in enumerate(labels)
    ]  # fmt: skip
    study.append_run(run, trials=trials)


@pytest.mark.parametrize(("right", "word"), [(12, "above"), (11, "not above")])
def test_accuracy_stands_beside_n_interval_and_chance_limit(empty_study, right, word):
    cued_study(empty_study, right, 15)
    said = page_of(empty_study)
    sure = analysis.wilson(right, 15)
    assert analysis.chance_limit(15, classes=2) == 12
    assert f"{right} of 15 trials were decoded as cued, {right / 15:.2f}" in said
    assert f"({sure.low:.2f} to {sure.high:.2f})" in said
    assert "12 of 15" in said
    assert f"; {word} the chance limit of 12 of 15." in said


def test_trials_judged_by_another_definition_give_a_reason_instead_of_numbers(empty_study):
    person = empty_study.append(Participant("P-001"))
    visit = empty_study.append(Visit(person, "Baseline"))
    session = empty_study.append(Session(visit, "Chen L."))
    run = Run(
        session, 1, "online", "grasp_rest", "finished", id="run-1", decoder_sha256="3f9a71c2" * 8,
        parameters={"onset_window_s": 1.5, "condition": "grasp"},
    )  # fmt: skip
    late = Trial(0, "grasp", 0, 0.0, 8000, "correct", "grasp", 2500, 2.5)
    empty_study.append_run(run, trials=[late])
    assert "Run 1 has no result: " in page_of(empty_study)


def test_hostile_names_stay_text(empty_study):
    hostile = '<img src=x onerror="alert(1)"> #panic() *x* {run}'
    person = empty_study.append(Participant(hostile, simulated=True))
    visit = empty_study.append(Visit(person, hostile))
    empty_study.append(Session(visit, hostile, simulated=True, plan={"effector": hostile}))
    files = session_report(empty_study)
    page = files.html.read_text(encoding="utf-8")
    assert "<img" not in page
    assert page.count("&lt;img src=x onerror=") >= 4
    if shutil.which("pdftotext"):
        said = subprocess.run(
            ["pdftotext", "-raw", files.pdf, "-"], capture_output=True, text=True, check=True
        ).stdout
        assert "#panic() *x* {run}" in re.sub(r"\s+", " ", said)


def test_the_newest_session_is_reported_unless_another_is_named(study):
    visit = study.rows("visit")[0]["id"]
    old = study.rows("session")[0]["id"]
    study.append(Session(visit, "Lin Q.", started="2026-11-21T09:00:00Z", simulated=True))
    assert "2 of 2 in this study" in page_of(study)
    assert "1 of 2 in this study" in page_of(study, session_id=old)
    with pytest.raises(UnknownName, match="no session 'gone'"):
        session_report(study, session_id="gone")


def test_another_language_is_refused_with_those_there_are(study):
    with pytest.raises(UnknownName, match="language must be one of en, zh-CN, got 'fr'"):
        session_report(study, language="fr")


def test_an_unwritable_folder_is_a_sentence(study, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordFault, match="the report cannot be written to"):
        session_report(study, out_folder=tmp_path / "file" / "reports")
    assert study.rows("report") == []


def test_no_part_of_a_file_is_left_behind(study, tmp_path):
    files = session_report(study, out_folder=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([files.html.name, files.pdf.name])
    assert {row["path"] for row in study.rows("report")} == {files.html.name, files.pdf.name}


def test_facts_are_read_once_and_hold_no_report(study):
    before = _facts.read(study)
    session_report(study)
    after = _facts.read(study)
    assert replace(after) == before


def test_report_is_the_sixth_verb():
    assert workbench.report is session_report


# ------------------------------------------------------------------------------------ catalogue
def fields_of(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys_and_placeholders():
    texts = catalogue()
    assert set(texts) == set(LANGUAGES)
    assert set(texts["en"]) == set(texts["zh-CN"])
    for key, text in texts["en"].items():
        assert fields_of(text) == fields_of(texts["zh-CN"][key]), key


def test_chinese_texts_are_chinese():
    same = {key for key, text in catalogue()["zh-CN"].items() if not figures.holds_chinese(text)}
    assert same <= {"col_n", "decoder_hash", "score_of", "not_determined", "limit_of", "confusion_note"}


def test_every_text_is_used_and_every_used_text_exists():
    folder = Path(workbench.__file__).parent / "reports"
    source = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    asked = set(re.findall(r"""\bt(?:\.raw)?\(\s*["']([a-z0-9_]+)["']""", source))
    known = set(catalogue()["en"])
    assert asked <= known
    prefixes = ("outcome_", "state_", "kind_", "ledger_", "priority_", "side_", "simulated_")
    unused = {key for key in known - asked if f'"{key}"' not in source and not key.startswith(prefixes)}
    assert unused == set()


def test_the_catalogue_is_the_file_in_the_package():
    path = Path(workbench.__file__).parent / "reports" / "locale.json"
    assert json.loads(path.read_text(encoding="utf-8")) == catalogue()


def test_a_study_reports_after_it_was_closed_and_opened_again(study):
    first = session_report(study)
    study.close()
    with Study.open(study.folder, actor="somebody else") as again:
        assert session_report(again) == first


def test_another_process_with_another_hash_seed_gives_the_same_bytes(study, tmp_path):
    import os
    import sys

    code = (
        "import sys; from workbench.study import Study; from workbench.reports import session_report\n"
        "study = Study.open(sys.argv[1], actor='t'); files = session_report(study, out_folder=sys.argv[2])\n"
        "print(files.html_sha256, files.pdf_sha256)"
    )
    here = session_report(study, out_folder=tmp_path / "here")
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "12345",
        "TZ": "Asia/Shanghai",
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
    }
    root = Path(workbench.__file__).resolve().parents[1]
    found = subprocess.run(
        [sys.executable, "-c", code, study.folder, tmp_path / "there"],
        capture_output=True, text=True, check=True, env={**environment, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert found.stdout.split() == [here.html_sha256, here.pdf_sha256]


def test_a_decoders_confusion_is_printed_with_what_was_not_decided(study):
    shown = _results.crossed_in(
        {
            "confusion": [
                {"run": 3, "labels": ["a", "b"], "counts": [[5, 1], [2, 6]], "undecided": [0, 4]},
                "no matrix",
            ]
        },
        word="Run",
        undecided="no decision",
    )
    assert [(each.title, each.right, each.n) for each in shown] == [("Run 3", 11, 18)]
    assert shown[0].columns == ("a", "b", "no decision")
    assert shown[0].counts == ((5, 1, 0), (2, 6, 4))
    assert "Confusion by fold, cross-validated" in page_of(study)
    assert "29 of 32" in page_of(study)


def test_replayed_recordings_are_labelled(empty_study):
    person = empty_study.append(Participant("S001"))
    visit = empty_study.append(Visit(person, "Baseline"))
    plan = {"players": [{"device": "replay", "options": {}}], "speed": 4.0}
    empty_study.append(Session(visit, "Chen L.", plan=plan))
    said = page_of(empty_study)
    assert "Replayed data. Recorded signals were replayed" in said
    assert "Draft, not signed · Replayed data" in said


def test_every_kind_of_ledger_entry_that_the_screen_names_has_a_name_in_the_report():
    package = Path(workbench.__file__).parent
    screen = json.loads((package / "widgets" / "locale.json").read_text(encoding="utf-8"))["en"]
    report = json.loads((package / "reports" / "locale.json").read_text(encoding="utf-8"))["en"]
    words = {"all", "empty", "fold", "no_stream", "title"}
    kinds = {key.removeprefix("ledger.") for key in screen if key.startswith("ledger.")} - words
    assert {kind for kind in kinds if f"ledger_{kind}" not in report} == set()
