"""A study record in which every table holds something."""

from __future__ import annotations

import hashlib
import shutil

import pytest

from workbench import outcomes
from workbench.study import Study
from workbench.vocabulary import (
    Assessment,
    Condition,
    FittedDecoder,
    LedgerRow,
    Participant,
    Recording,
    Report,
    Run,
    Session,
    Trial,
    Visit,
)


def trials(n=3):
    return [
        Trial(i, "grasp", 100 * i, 0.1 * i, 100 * i + 90, "correct", "grasp", latency_s=i / 7) for i in range(n)
    ]


def fill(study):
    """Ids by table."""
    ids = {"participant": study.append(Participant("P01", simulated=True, injury_level="C6", ais="B"))}
    ids["visit"] = study.append(Visit(ids["participant"], "baseline"))
    ids["session"] = study.append(Session(ids["visit"], "therapist", simulated=True, plan={"speed": 2.0}))
    (study.folder / "recordings").mkdir()
    (study.folder / "recordings" / "r1.xdf").write_bytes(b"XDF: signal")
    digest = hashlib.sha256(b"XDF: signal").hexdigest()
    run = Run(ids["session"], 1, "online", "grasp_rest", "finished", id="run-1", summary={"p99_ms": 12.5})
    ledger = [LedgerRow("gap", 1.5, 2.5, 10, "ecog", "3 samples (12 ms)", "window not used", "high")]
    study.append_session_ledger(ids["session"], [LedgerRow("note", 0.5, 1.5, extent="before the first run")])
    recording = Recording("run-1", "recordings/r1.xdf", digest, 11, 1000, 250.0, "finished")
    ids["run"] = study.append_run(run, trials=trials(), ledger=ledger, recordings=[recording])
    ids["decoder"] = study.append(FittedDecoder("ab" * 32, "bandpower_lda", "decoders/abab", (digest,)))
    study.approve_decoder("ab" * 32, by="Dr A", effector="glove", participant_id=ids["participant"])
    score = outcomes.score("arat", {"grasp_1": 2}).to_json()
    ids["assessment"] = study.append(
        Assessment(
            ids["visit"],
            "arat",
            "1981",
            Condition(False, False, False),
            {"grasp_1": 2},
            score,
            "rater",
            side="left",
        )
    )
    (study.folder / "reports").mkdir()
    (study.folder / "reports" / "s.html").write_bytes(b"<html>")
    seq, head = study.head()
    page = hashlib.sha256(b"<html>").hexdigest()
    ids["report"] = study.append(Report("session", "reports/s.html", page, seq, head))
    return ids


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    """``(folder, ids)`` of a filled and closed record, to be copied."""
    with Study.create(
        tmp_path_factory.mktemp("template") / "study", code="NEO", title="Grasp trial", actor="tester"
    ) as s:
        return s.folder, fill(s)


@pytest.fixture
def study(template, tmp_path):
    folder, ids = template
    shutil.copytree(folder, tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tester") as opened:
        opened.ids = ids
        yield opened


@pytest.fixture
def empty(tmp_path):
    with Study.create(tmp_path / "empty", code="NEO", title="Grasp trial", actor="tester") as made:
        yield made
