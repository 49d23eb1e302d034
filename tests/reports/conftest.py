"""A study record as one session leaves it: calibration, an online run, an approved decoder, ARAT twice."""

from __future__ import annotations

import pytest

from workbench import outcomes
from workbench.messages import Message
from workbench.study import Study
from workbench.vocabulary import (
    Approval,
    Assessment,
    Condition,
    FittedDecoder,
    LedgerRow,
    Participant,
    Recording,
    Run,
    Session,
    Trial,
    Visit,
)

FS = 1000.0
DECODER = "3f9a71c2" * 8
RECORDINGS = ("5d02e7b9" * 8, "b25f4470" * 8)
GRASP = {
    "condition": "grasp",
    "rest": "rest",
    "attempt_s": 3.0,
    "onset_window_s": 1.5,
    "activate": 0.7,
    "dwell": 3,
}
LATENCIES = (0.61, 0.66, 0.7, 0.72, 0.74, 0.8, 0.81, 0.83, 0.9, 0.95, 1.02, 1.1, 1.31)


def grasp_trial(index, outcome, *, latency=None, false=0, excluded=""):
    cue = 8000 * index + 3000
    hit = latency is not None
    return Trial(
        index=index, condition="grasp", cue_sample=cue, cue_stamp=100.0 + cue / FS, end_sample=cue + 8000,
        outcome=outcome, decided="grasp" if hit else "", onset_sample=cue + round(latency * FS) if hit else None,
        latency_s=latency, release_s=0.42 if hit else None, held_s=3.42 - latency if hit else None,
        false_activations=false, false_in_rest=false, rest_s=5.2, excluded=excluded,
    )  # fmt: skip


def online_trials():
    hits = [grasp_trial(i, "correct", latency=s, false=int(i == 4)) for i, s in enumerate(LATENCIES)]
    rest = [grasp_trial(13, "missed"), grasp_trial(14, "missed", false=1)]
    return [*hits, *rest, grasp_trial(15, "excluded", excluded="gap of 12 samples in the trial")]


def ledger_rows():
    return [
        LedgerRow("operator", 100.2, 100.2, 200, "", "", "Run 2 started by Chen L.", "info"),
        LedgerRow("gap", 221.4, 221.5, 121400, "ECoG", "12 samples (12 ms)", "Trial 16 excluded.", "medium"),
        LedgerRow("missed_deadline", 180.0, 180.1, 80000, "", "61 ms", "Decision emitted late, kept.", "low"),
        LedgerRow(
            "waiver", 100.1, 100.1, 100, "glove pressure", "", "Recorded without it: sensor in repair.", "low"
        ),
    ]


def add_person(study, *, name="P-001", simulated=True):
    person = study.append(Participant(name, simulated=simulated, injury_level="C5", ais="A"))
    visit = study.append(Visit(person, "Month 1", started="2026-11-20T09:00:00Z"))
    plan = {"effector": "glove", "effector_simulated": simulated, "speed": 4.0 if simulated else 1.0, "seed": 1}
    session = study.append(
        Session(visit, "Chen L.", started="2026-11-20T09:05:00Z", simulated=simulated, plan=plan)
    )
    return person, visit, session


def add_runs(study, session, *, speed=4.0):
    calibration = [
        Trial(i, "grasp", 8000 * i + 3000, 10.0 + 8 * i, 8000 * i + 11000, "recorded", rest_s=5.2)
        for i in range(16)
    ]
    first = Run(
        session, 1, "calibration", "grasp_rest", "finished", "run-cal-00000001", "", 16, GRASP, {"speed": speed}
    )
    summary = {
        "speed": speed,
        "decision_hash": "c0ffee12" * 8,
        "latency": {"p50_ms": 8.7, "p95_ms": 15.1, "p99_ms": 21.3, "max_ms": 44.0, "n": 2580},
        "replay": {"equal": True, "n": 2580, "commands": Message("replay.equal_commands", n=799)},
        "software": "workbench 0.1.0",
    }
    second = Run(session, 2, "online", "grasp_rest", "finished", "run-onl-00000002", DECODER, 16, GRASP, summary)
    for run, trials, sha, rows in (
        (first, calibration, RECORDINGS[0], []),
        (second, online_trials(), RECORDINGS[1], ledger_rows()),
    ):
        file = Recording(run.id, f"recordings/{run.id}.xdf", sha, 4_200_000, 131_000, FS, "finished")
        study.append_run(run, trials=trials, ledger=rows, recordings=[file])


def add_decoder(study, person):
    metrics = {
        "confusion": [
            {"run": 1, "labels": ["rest", "grasp"], "counts": [[15, 1], [2, 14]]},
        ]
    }
    study.append(
        FittedDecoder(DECODER, "bandpower_lda", "decoders/3f9a71c23f9a", (RECORDINGS[0],), metrics=metrics)
    )
    study.append(
        Approval(DECODER, person, "glove", "approve", "Park J.", "password", "2026-11-20T09:20:00.000Z", "p-park")
    )


def add_arat(study, visit):
    codes = [item.code for item in outcomes.load("arat").definition.items]
    for level, condition in ((0, Condition(False, False, False)), (2, Condition(True, True, False))):
        items = {code: min(3, level + place % 2) for place, code in enumerate(codes)}
        score = outcomes.score("arat", items).to_json()
        study.append(Assessment(visit, "arat", "1981", condition, items, score, "Lin Q.", side="right"))


def fill(study, *, simulated=True, speed=4.0):
    person, visit, session = add_person(study, simulated=simulated)
    add_runs(study, session, speed=speed)
    add_decoder(study, person)
    add_arat(study, visit)
    return study


@pytest.fixture
def empty_study(tmp_path):
    with Study.create(tmp_path / "study", code="SCI-HAND-01", title="Hand study", actor="tests") as study:
        yield study


@pytest.fixture
def study(empty_study):
    return fill(empty_study)
