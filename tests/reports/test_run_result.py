"""The result that a page shows after a run: the numbers of the run's report, from the same functions."""

from __future__ import annotations

import html
import re

import pytest

from workbench.reports import result_of_run, session_report
from workbench.runs.results import run_result
from workbench.vocabulary import Approval, Participant, Run, Session, Trial, Visit
from workbench.widgets import _locale

GRASP = "run-onl-00000002"


@pytest.fixture
def cued(empty_study):
    """A run of two cued classes: 12 of 16 right, 3 wrong, one without a decision, onsets later than 1 s."""
    person = empty_study.append(Participant("P-001", simulated=True))
    visit = empty_study.append(Visit(person, "Baseline"))
    session = empty_study.append(Session(visit, "Chen L.", started="2026-11-20T09:05:00Z", simulated=True))
    plan = {"conditions": ["hands", "feet"]}
    run = Run(session, 1, "online", "left_right", "finished", "run-1", "3f9a71c2" * 8, 16, plan)
    labels = ["hands", "feet"] * 8
    outcomes = ["correct"] * 12 + ["wrong"] * 3 + ["missed"]
    decided = {
        "correct": lambda name: name,
        "wrong": {"hands": "feet", "feet": "hands"}.get,
        "missed": lambda _: "",
    }
    trials = [
        Trial(i, name, 8000 * i, 8.0 * i, 8000 * i + 4000, out, decided[out](name), 8000 * i + 2400, 2.4)
        for i, (name, out) in enumerate(zip(labels, outcomes, strict=True))
    ]
    empty_study.append_run(run, trials=trials)
    return empty_study


def report_of(study):
    page = session_report(study).html.read_text(encoding="utf-8")
    text = html.unescape(re.sub(r"<[^>]+>", " ", page[page.index("<body") :])).replace("\u00a0", " ")
    return re.sub(r"\s+", " ", text)


def test_an_asynchronous_run_shows_the_numbers_of_its_report(study):
    shown, metrics = run_result(study, GRASP, awaiting=False), result_of_run(study, GRASP)
    low, high = metrics.recall_interval
    hits, missed, false, onset = shown["numbers"]
    assert (shown["hits"], shown["n"], shown["median_s"]) == (metrics.hits, metrics.n, metrics.onset.median)
    assert (hits["value"], hits["unit"], missed["value"]) == (f"{metrics.hits}", f"/ {metrics.n}", "2")
    assert hits["args"] == {
        "p": f"{100 * metrics.recall:.0f} %",
        "low": f"{100 * low:.0f} %",
        "high": f"{100 * high:.0f} %",
    }
    (beside,) = shown["runs"]
    assert (beside["value"], beside["low"], beside["high"]) == (metrics.recall, low, high)
    said = report_of(study)
    assert f"{shown['hits']} of {shown['n']} grasp attempts" in said
    assert f"{beside['value']:.2f} ({beside['low']:.2f} to {beside['high']:.2f})" in said
    assert f"{false['value']} per minute" in said
    assert f"{false['args']['n']} in {false['args']['min']} min" in said
    assert f"{onset['value']} s ({onset['args']['low']} to {onset['args']['high'].removesuffix(' s')})" in said


def test_a_cued_run_counts_wrong_trials_and_names_the_chance_limit_of_its_report(cued):
    shown, found = run_result(cued, "run-1", awaiting=False), result_of_run(cued, "run-1").accuracy
    assert (shown["hits"], shown["n"]) == (found.correct, found.n) == (12, 16)
    assert (shown["limit"], shown["above"]) == (found.limit, found.above_chance)
    assert shown["limit_share"] == found.limit / 16
    ((value, unit, key),) = [(one["value"], one["unit"], one["key"]) for one in shown["numbers"]]
    assert (value, unit, key) == ("12", "/ 16", "result.n.right")
    (beside,) = shown["runs"]
    assert (beside["value"], (beside["low"], beside["high"])) == (found.value, found.interval)
    said = report_of(cued)
    assert "12 of 16 trials were decoded as cued, 0.75" in said
    assert f"{shown['limit']} of 16" in said


def test_a_run_judged_by_another_definition_shows_the_reason_of_its_report(study):
    (session,) = study.rows("session")
    asked = {"condition": "grasp", "onset_window_s": 1.5}
    run = Run(session["id"], 3, "online", "grasp_rest", "finished", "run-3", "3f9a71c2" * 8, 1, asked)
    study.append_run(run, trials=[Trial(0, "grasp", 0, 0.0, 8000, "correct", "grasp", 2500, 2.5)])
    shown = run_result(study, "run-3", awaiting=False)
    assert (shown["numbers"], shown["runs"]) == ([], [])
    assert {"state": "medium", "text": shown["failed"]} in shown["integrity"]
    assert f"Run 3 has no result: {shown['failed']}" in report_of(study)


def test_runs_of_another_paradigm_are_not_compared_with_a_run(study):
    (session,) = study.rows("session")
    trials = [Trial(i, "hands", 0, 0.0, 8000, "correct", "hands", 600, 0.6) for i in range(4)]
    plan = {"conditions": ["hands", "feet"]}
    study.append_run(
        Run(session["id"], 3, "online", "left_right", "finished", "run-3", "3f9a71c2" * 8, 4, plan), trials=trials
    )
    assert [one["name"][0] for one in run_result(study, GRASP, awaiting=False)["runs"]] == ["2"]
    assert [one["name"][0] for one in run_result(study, "run-3", awaiting=False)["runs"]] == ["3"]


def test_who_approved_the_decoder_of_a_run_is_who_had_done_so_for_its_effector_when_it_began(study):
    (session,) = study.rows("session")
    (person,) = study.rows("participant")
    sha256 = study.rows("decoder")[0]["sha256"]
    summary = {"started": "2026-11-20T09:30:00Z"}
    study.append_run(Run(session["id"], 3, "online", "grasp_rest", "stopped", "run-3", sha256, 0, {}, summary))
    assert session["plan"]["effector"] == "glove"
    for effector, signer, utc in (
        ("screen", "Lin Q.", "2026-11-20T09:29:00.000Z"), ("glove", "Vogel K.", "2026-11-20T10:00:00.000Z"),
    ):  # fmt: skip
        study.append(Approval(sha256, person["id"], effector, "approve", signer, "password", utc))
    shown = {one["name"]: one["text"] for one in run_result(study, "run-3", awaiting=False)["decoder"]}
    assert shown["approved"] == "Park J., 2026-11-20"


@pytest.mark.parametrize("language", _locale.LANGUAGES)
def test_every_text_of_a_result_has_words(cued, language):
    found = run_result(cued, "run-1", awaiting=True)
    texts = [one for one in (*found["numbers"], *found["integrity"], *found["next"]) if "key" in one]
    assert len(texts) > 2
    assert all(_locale.text(one["key"], language=language, **one["args"]) for one in texts)
