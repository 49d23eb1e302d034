"""The result that a page shows after a run: the numbers of the run's report, from the same functions."""

from __future__ import annotations

import re
from html import unescape

import pytest

from workbench.dashboard.results import run_result
from workbench.messages import Message, translate
from workbench.reports import _facts, html, result_of_run
from workbench.reports.session import session_document
from workbench.reports.texts import Texts
from workbench.vocabulary import Approval, LedgerRow, Participant, Recording, Run, Session, Trial, Visit
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
    page = html.render(session_document(_facts.read(study), Texts("en")))
    text = unescape(re.sub(r"<[^>]+>", " ", page[page.index("<body") :])).replace("\u00a0", " ")
    return re.sub(r"\s+", " ", text)


def test_an_asynchronous_run_shows_the_numbers_of_its_report(study):
    shown, metrics = run_result(study, GRASP, awaiting=False), result_of_run(study, GRASP)
    low, high = metrics.recall_interval
    hits, missed, false, onset = shown["numbers"][:4]
    assert missed["args"]["low"] == f"{100 * (1 - high):.0f} %"
    rate = metrics.false_per_min_interval
    assert (false["args"]["low"], false["args"]["high"]) == (f"{rate.low:.2f}", f"{rate.high:.2f}")
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


@pytest.fixture
def guessed(study):
    """A run of the same session whose activations are in the record: ten hits, one false, 8 s apart."""
    (session,) = study.rows("session")
    trials = [
        Trial(i, "grasp", 8000 * i, 8.0 * i, 8000 * i + 8000, "correct", "grasp", 8000 * i + 900, 0.9, rest_s=5.0)
        for i in range(10)
    ]
    onsets = sorted([one.onset_sample for one in trials] + [4200])
    latency = {"p50_ms": 3.2, "p99_ms": 11.7, "representative": True}
    run = Run(
        session["id"], 3, "online", "grasp_rest", "finished", "run-3", "3f9a71c2" * 8, 10,
        {"condition": "grasp", "onset_window_s": 1.5}, {"onsets": onsets, "latency": latency},
    )  # fmt: skip
    file = Recording("run-3", "recordings/3.xdf", "ab" * 32, 1, 80_000, 1000.0, "finished")
    study.append_run(run, trials=trials, recordings=[file])
    return study


def test_the_guessing_limit_of_a_run_is_that_of_its_report_seeded_from_the_run(guessed):
    shown, metrics = run_result(guessed, "run-3", awaiting=False), result_of_run(guessed, "run-3")
    found = metrics.guessing
    assert (found.seed_of, found.shuffles, found.n, found.hits) == ("run-3", 2000, 10, 10)
    assert (shown["limit"], shown["above"], shown["shuffles"]) == (found.limit, True, 2000)
    assert shown["limit_share"] == found.limit / 10
    assert [one["key"] for one in shown["numbers"]] == [
        f"result.n.{name}" for name in ("hits", "missed", "false", "onset", "answer")
    ]
    assert (shown["numbers"][4]["value"], shown["numbers"][4]["args"]) == ("3", {"p99": "12"})
    said = report_of(guessed)
    assert f"{found.limit} of 10" in said
    assert "the cue times shuffled 2000 times" in said


def test_a_run_that_is_not_better_than_guessing_asks_for_a_calibration_first(guessed):
    (session,) = guessed.rows("session")
    trials = [Trial(i, "grasp", 8000 * i, 8.0 * i, 8000 * i + 8000, "missed", "", rest_s=5.0) for i in range(9)]
    trials.append(Trial(9, "grasp", 72_000, 72.0, 80_000, "correct", "grasp", 72_900, 0.9, rest_s=5.0))
    run = Run(
        session["id"], 4, "online", "grasp_rest", "finished", "run-4", "3f9a71c2" * 8, 10,
        {"condition": "grasp", "onset_window_s": 1.5}, {"onsets": list(range(500, 80_000, 5000)) + [72_900]},
    )  # fmt: skip
    file = Recording("run-4", "recordings/4.xdf", "cd" * 32, 1, 80_000, 1000.0, "finished")
    guessed.append_run(run, trials=trials, recordings=[file])
    shown = run_result(guessed, "run-4", awaiting=False)
    assert shown["above"] is False
    assert shown["next"][0] == {
        "name": "calibrate", "key": "result.next_why.not_above", "args": {}, "primary": True
    }  # fmt: skip


def test_a_run_at_another_speed_shows_no_time_from_sample_to_command(guessed):
    (session,) = guessed.rows("session")
    latency = {"p50_ms": 3.2, "p99_ms": 11.7, "representative": False}
    run = Run(
        session["id"], 4, "online", "grasp_rest", "finished", "run-4", "3f9a71c2" * 8, 1,
        {"condition": "grasp", "onset_window_s": 1.5}, {"speed": 4.0, "latency": latency},
    )  # fmt: skip
    trial = Trial(0, "grasp", 0, 0.0, 8000, "correct", "grasp", 900, 0.9, rest_s=5.0)
    file = Recording("run-4", "recordings/4.xdf", "cd" * 32, 1, 80_000, 1000.0, "finished")
    guessed.append_run(run, trials=[trial], recordings=[file])
    answer = run_result(guessed, "run-4", awaiting=False)["numbers"][-1]
    assert (answer["value"], answer["key"], answer["args"]) == ("—", "result.n.answer_speed", {"speed": "4"})


def test_heartbeats_that_were_not_acknowledged_themselves_say_so_beside_the_result(guessed):
    (session,) = guessed.rows("session")
    run = Run(session["id"], 5, "online", "grasp_rest", "finished", "run-5", "3f9a71c2" * 8, 1)
    missed = LedgerRow("heartbeats", 1.0, 1.0, extent=Message("control.heartbeats", n=3, all=3818))
    guessed.append_run(run, ledger=[missed])
    said = [one.get("text") for one in run_result(guessed, "run-5", awaiting=False)["integrity"]]
    assert "Without an acknowledgement of their own: 3 of 3818 commands and heartbeats of the session" in said
    found = translate(next(one for one in said if one), language="zh-CN")
    assert found == "未逐条确认：本次会话 3818 条指令和心跳中的 3 条"


def test_a_fault_of_the_effector_stands_beside_a_result_that_counts_what_was_decoded(guessed):
    (session,) = guessed.rows("session")
    run = Run(session["id"], 5, "online", "grasp_rest", "finished", "run-5", "3f9a71c2" * 8, 1)
    faults = [
        LedgerRow("fault", t, t, extent=Message(f"fault.{code}"))
        for t, code in ((1.0, "status_missing"), (2.0, "acks_missing"))
    ]
    guessed.append_run(run, ledger=faults)
    found = [one for one in run_result(guessed, "run-5", awaiting=False)["integrity"] if one["state"] == "high"]
    assert [one["text"].split(":")[0] for one in found] == ["Effector fault"]
    assert "no signed status of the effector came for 1 s. No decision reached it" in found[0]["text"]


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
    assert approval(study) == "Park J., 2026-11-20"


def approval(study):
    """By whom and when the decoder of run-3 was approved, in English."""
    shown = {one["name"]: one for one in run_result(study, "run-3", awaiting=False)["decoder"]}["approved"]
    return _locale.text(shown["key"], language="en", **shown["args"])


def test_a_script_that_approved_a_decoder_is_not_shown_as_a_person(study):
    (session,), (person,) = study.rows("session"), study.rows("participant")
    sha256 = study.rows("decoder")[0]["sha256"]
    summary = {"started": "2026-11-20T09:30:00Z"}
    study.append_run(Run(session["id"], 3, "online", "grasp_rest", "stopped", "run-3", sha256, 0, {}, summary))
    study.append(Approval(sha256, person["id"], "glove", "approve", "root", "script", "2026-11-20T09:29:00.000Z"))
    assert approval(study) == "script “root”, 2026-11-20"


def test_the_rule_for_use_at_home_that_took_a_decoder_is_not_shown_as_a_person(study):
    (session,), (person,) = study.rows("session"), study.rows("participant")
    sha256 = study.rows("decoder")[0]["sha256"]
    summary = {"started": "2026-11-20T09:30:00Z"}
    study.append_run(Run(session["id"], 3, "online", "grasp_rest", "stopped", "run-3", sha256, 0, {}, summary))
    taken = Approval(sha256, person["id"], "glove", "approve", "Zhao", "home rule", "2026-11-20T09:29:00.000Z")
    study.append(taken)
    assert approval(study) == "the rule for use at home (asked for by Zhao), 2026-11-20"


@pytest.mark.parametrize("language", _locale.LANGUAGES)
def test_every_text_of_a_result_has_words(cued, language):
    found = run_result(cued, "run-1", awaiting=True)
    texts = [one for one in (*found["numbers"], *found["integrity"], *found["next"]) if "key" in one]
    assert len(texts) > 2
    assert all(_locale.text(one["key"], language=language, **one["args"]) for one in texts)


def test_a_tracked_force_stands_on_the_page_and_in_the_report_with_the_share_of_assistance(empty_study):
    person = empty_study.append(Participant("P-001", simulated=True))
    visit = empty_study.append(Visit(person, "Baseline"))
    plan = {"law": {"law": "proportional", "share": 0.3}}
    started = "2026-11-20T09:05:00Z"
    session = empty_study.append(Session(visit, "Chen L.", started=started, simulated=True, plan=plan))
    run = Run(session, 1, "online", "force_track", "finished", "run-1", "3f9a71c2" * 8, 9, {})
    trials = [
        Trial(
            *(i, f"force_{round(100 * level)}", 8000 * i, 8.0 * i, 8000 * i + 5000, "correct"),
            decided=f"force_{round(100 * level)}",
            result={"target": level, "mean": level + 0.02 * (i % 3 - 1), "rmse": 0.06, "in_band": 0.8 + 0.01 * i},
        )
        for i, level in enumerate([0.3, 0.6, 0.9] * 3)
    ]
    empty_study.append_run(run, trials=trials)
    found, shown = result_of_run(empty_study, "run-1").tracking, run_result(empty_study, "run-1", awaiting=False)
    texts = [f"{found.rmse:.3f}", f"{found.r_squared:.2f}", "84", f"{found.limit:.3f}"]
    assert [number["value"] for number in shown["numbers"][1:5]] == texts
    page = report_of(empty_study)
    assert f"Run 1 {texts[0]} {texts[1]} 0.84" in page
    assert "Assistance 0.3 of the velocity that the effector follows" in page
