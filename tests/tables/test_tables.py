"""Every noun of the record as a DataFrame, joined to where it belongs."""

from __future__ import annotations

from dataclasses import fields

import pandas as pd
import pytest

from workbench import analysis, outcomes, tables
from workbench.study import Study
from workbench.study.changes import ReportEvent
from workbench.vocabulary import (
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

NAMES = [name for name in tables.__all__ if name not in ("Record", "of_columns", "of_dataclass")]
OFF = Condition(assisted=False, device_on=False, stimulation_on=False)


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    with Study.create(
        tmp_path_factory.mktemp("empty") / "s", code="E", title="Empty", actor="t", keyed=False
    ) as study:
        yield study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two participants; the first has two visits, and two sessions at the second visit."""
    with Study.create(
        tmp_path_factory.mktemp("full") / "s", code="F", title="Full", actor="t", keyed=False
    ) as made:
        first = made.append(Participant("P-001"))
        second = made.append(Participant("SIM-2", simulated=True))
        base = made.append(Visit(first, "baseline", started="2026-01-05T09:00:00Z"))
        later = made.append(Visit(first, "month 1"))
        other = made.append(Visit(second, "baseline"))
        sessions = [made.append(Session(visit, "op")) for visit in (base, later, later, other)]
        for number, session in enumerate(sessions):
            run = made.append(Run(session, 1, "online", "grasp_rest", "finished"))
            made.append_trials(
                run, [Trial(0, "grasp", 10, 1.0, 20, "correct" if number else "missed", latency_s=0.5)]
            )
            digest = f"{number:064x}"
            made.append(Recording(run, f"recordings/{number}.xdf", digest, 1, 100, 250.0, "finished"))
            made.append_ledger(run, [LedgerRow("gap", 1.0, 1.0)])
        made.append_session_ledger(sessions[0], [LedgerRow("operator", 2.0, 2.0)])
        metrics = {"n": 20, "correct": 15, "accuracy": 0.75, "chance_limit": 15, "validation": "leave one run out"}
        recordings = (f"{1:064x}", f"{2:064x}")
        made.append(FittedDecoder("a" * 64, "csp_lda", "decoders/a", recordings, metrics=metrics))
        made.append(FittedDecoder("b" * 64, "csp_lda", "decoders/b", ("c" * 64,)))
        items = dict.fromkeys((item.code for item in outcomes.load("arat").definition.items), 2)
        score = outcomes.score("arat", items)
        made.append(Assessment(base, "arat", score.version, OFF, items, score.to_json(), "rater", side="right"))
        facts = {
            "serious": False, "severity": "mild", "device": "not_related", "procedure": "not_related",
            "stimulation": "not_related", "expected": None,
        }  # fmt: skip
        rash = ReportEvent(second, "rash", "", facts, "2026-03-01T08:00Z", "UTC", "DE", jurisdictions=("EU",))
        made.apply(rash, made.script_signer("ward"))
        yield made


@pytest.mark.parametrize("name", [*NAMES, "outcomes"])
def test_a_table_without_rows_has_the_columns_and_types_of_one_with_rows(empty, study, name):
    without, filled = getattr(empty, name)(), getattr(study, name)()
    assert len(without) == 0
    assert len(filled) > 0
    assert without.dtypes.to_dict() == filled.dtypes.to_dict()


@pytest.mark.parametrize("name", NAMES)
def test_a_study_gives_every_table_itself(study, name):
    pd.testing.assert_frame_equal(getattr(study, name)(), getattr(tables, name)(study))


def test_the_table_of_outcomes_is_that_of_the_analysis(study):
    table, rows = study.outcomes(), analysis.outcomes_table(study).rows
    assert list(table.columns) == [one.name for one in fields(analysis.Outcome)]
    for name in ("participant", "measure", "subscore", "run_ids", "recordings"):
        assert list(table[name]) == [getattr(row, name) for row in rows]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("participants", "adverse_events")])
def test_every_table_below_a_participant_names_participant_and_visit(study, name):
    table = getattr(study, name)()
    assert list(table.columns[:2]) == ["participant", "visit"]
    placed = table[table.participant != ""]
    assert set(placed.participant) <= {"P-001", "SIM-2"}
    assert set(placed.visit) <= {"baseline", "month 1"}


def test_sessions_are_counted_within_their_visit(study):
    table = study.sessions()
    assert list(zip(table.participant, table.visit, table.session, strict=True)) == [
        ("P-001", "baseline", 1),
        ("P-001", "month 1", 1),
        ("P-001", "month 1", 2),
        ("SIM-2", "baseline", 1),
    ]


def test_tables_join_by_their_ids(study):
    joined = study.trials().merge(study.runs(), left_on="run_id", right_on="id", suffixes=("", "_of_run"))
    assert len(joined) == study.count("trial")
    assert (joined.participant == joined.participant_of_run).all()


def test_what_a_simulated_participant_did_is_simulated_in_every_table(study):
    for name in ("visits", "sessions", "runs", "trials", "recordings", "ledger"):
        table = getattr(study, name)()
        assert (table.simulated == (table.participant == "SIM-2")).all()


def test_a_decoder_stands_where_the_last_recording_that_it_was_fitted_on_belongs(study):
    known, unknown = study.decoders().itertuples()
    assert (known.participant, known.visit, known.session) == ("P-001", "month 1", 2)
    assert (known.n, known.accuracy, known.chance_limit) == (20, 0.75, 15)
    assert unknown.participant == ""
    assert pd.isna(unknown.accuracy)


def test_an_assessment_has_its_condition_and_total_in_columns(study):
    row = study.assessments().iloc[0]
    assert (row.measure, row.total, row.status, bool(row.assisted)) == ("arat", 38.0, "ok", False)


def test_a_time_is_a_timestamp_of_utc_and_missing_where_it_is_not_stated(study):
    started = study.visits().started
    assert started[0] == pd.Timestamp("2026-01-05T09:00:00Z")
    assert started[1:].isna().all()


def test_a_recording_names_the_file_to_open(study):
    table = study.recordings()
    assert table.file[0] == study.folder / "recordings" / "0.xdf"
    assert set(table.paradigm) == {"grasp_rest"}
