"""What a clinician reads in a report: grades in words, honest counts of what is missing, no wall of warnings."""

from __future__ import annotations

import html
import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from workbench.reports import _facts, _measures, _results, session_report
from workbench.reports._say import Say
from workbench.reports.texts import Texts
from workbench.study import Study
from workbench.vocabulary import Assessment, Condition, LedgerRow

ONLINE = "run-onl-00000002"
HEARTBEATS = 11


def part(value, high):
    return {"value": value, "status": "" if value is not None else "ND", "low": 0, "high": high}


SCORE = {
    "total": part(26, 100),
    "subscores": {"uems": part(26, 50), "lems": part(0, 50), "light_touch": part(25, 112)},
    "classes": {
        "ais": "A", "nli": "C5", "complete": "C*", "sensory_right": "C5", "sensory_left": "C6",
        "zpp_sensory_right": "T2", "zpp_sensory_left": "S4_5", "rules": "2019", "totals": {"lems": 0},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    spec = importlib.util.spec_from_file_location("session_fixture", Path(__file__).parent / "conftest.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    folder = tmp_path_factory.mktemp("clinic") / "study"
    with Study.create(folder, code="SCI-HAND-01", title="Hand study", actor="tests") as study:
        made.fill(study)
        visit = study.rows("visit")[0]["id"]
        study.append(Assessment(visit, "isncsci", "2019", Condition(False, False, False), {}, SCORE, "Lin Q."))
        missed = [
            LedgerRow("ack_missing", 300.0 + i, 300.0 + i, 200000 + i, "glove", f"command {i} (heartbeat)",
                      "repeated", "medium")
            for i in range(HEARTBEATS)
        ]  # fmt: skip
        study.append_ledger(ONLINE, [*study.nouns("ledger", run_id=ONLINE), *missed])
        yield study


@pytest.fixture(scope="module")
def files(study):
    return session_report(study)


@pytest.fixture(scope="module")
def said(files):
    page = files.html.read_text(encoding="utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", " ", page[page.index("<body") :])).replace("\u00a0", " ")
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "ISNCSCI, motor score (upper + lower extremities), points of 100; higher is better"),
        ("zh-CN", "100"),
    ],
)
def test_the_axis_of_an_examination_says_that_it_counts_the_motor_score_alone(study, language, words):
    facts = _facts.read(study)
    say = Say(facts, Texts(language), _results.results(facts), "")
    (row,) = (row for row in facts.assessments if row["measure"] == "isncsci")
    axis = _measures.axis(say, row, "ISNCSCI", 100.0)
    assert words in axis
    assert say.t("total_isncsci") in axis


def test_grade_and_levels_come_first_and_in_words(said):
    assert "AIS A, neurological level C5, sensory level R C5, L C6, sensory ZPP R T2, L S4-5, complete*" in said
    assert "LEMS 0, light touch 25, UEMS 26, motor score 26 of 100" in said
    for raw in ("zpp_sensory", "light_touch", "S4_5", "rules 2019"):
        assert raw not in said


def test_every_cell_that_was_not_entered_is_counted_as_missing(said):
    assert "0 given, 0 implied by rule, 134 missing" in said


def test_warnings_of_one_kind_in_a_row_stand_in_one_row_with_their_number_and_every_extent(said):
    assert said.count("Acknowledgement missing medium") <= 1
    assert f"{HEARTBEATS} times: " in said
    for command in (0, HEARTBEATS - 1):
        assert said.count(f"command {command} (heartbeat)") == 1


def test_provenance_and_signatures_do_not_stand_on_an_almost_empty_page(files):
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    paper = subprocess.run(["pdftotext", "-layout", files.pdf, "-"], capture_output=True, text=True, check=True)
    pages = paper.stdout.rstrip("\f").split("\f")
    (signed,) = (page for page in pages if "principal investigator" in page)
    assert len([line for line in signed.splitlines() if line.strip()]) > 30
    assert "Who, where and when" in signed
