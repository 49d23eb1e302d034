"""One function per table; the columns and their types are read from the nouns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from workbench import vocabulary
from workbench.vocabulary import Assessment, Condition, LedgerRow, Trial, Visit

Row = dict[str, Any]

TYPES = {
    "str": "str",
    "bool": "bool",
    "int": "int64",
    "float": "float64",
    "int | None": "Int64",
    "float | None": "float64",
    "bool | None": "boolean",
}
"""Type that a field is declared with → type of its column; all others are ``object``."""

TIMES = ("started", "ended", "fitted_at", "administered_at", "aware")
"""Fields that contain a UTC time as text."""

LEADING = {"participant": "str", "visit": "str", "session": "Int64", "run": "Int64"}
"""The first columns of every table, down to the level of its noun."""


class Record(Protocol):
    """What the tables need of a study record; ``workbench.study.Study`` has it."""

    @property
    def folder(self) -> Path:
        """The study folder; paths of the record are relative to it."""

    def rows(self, table: str, **where: Any) -> list[Row]:
        """Rows of a table that equal ``where``."""


class _Context:
    """Leading columns and ids of each participant, visit, session and run."""

    def __init__(self, record: Record) -> None:
        self.people: dict[str, Row] = {}
        self.visits: dict[str, Row] = {}
        self.sessions: dict[str, Row] = {}
        self.runs: dict[str, Row] = {}
        for row in record.rows("participant"):
            self.people[row["id"]] = {
                "participant": row["pseudonym"],
                "simulated": row["simulated"],
                "participant_id": row["id"],
            }
        for row in record.rows("visit"):
            self.visits[row["id"]] = {
                **self.people[row["participant_id"]],
                "visit": row["name"],
                "visit_id": row["id"],
            }
        numbers: dict[str, int] = {}
        for row in record.rows("session"):
            # Rows come in the order of entry, so counting them gives the session's number.
            number = numbers[row["visit_id"]] = numbers.get(row["visit_id"], 0) + 1
            visit = self.visits[row["visit_id"]]
            self.sessions[row["id"]] = {
                **visit,
                "session": number,
                "session_id": row["id"],
                # A real participant may have a simulated session, such as a rehearsal.
                "simulated": visit["simulated"] or row["simulated"],
            }
        for row in record.rows("run"):
            self.runs[row["id"]] = {**self.sessions[row["session_id"]], "run": row["number"], "run_id": row["id"]}


def participants(record: Record) -> pd.DataFrame:
    """Participants of a record, in order of entry."""
    rows = [
        {**row, "participant": row["pseudonym"], "participant_id": row["id"]} for row in record.rows("participant")
    ]
    return _frame(rows, vocabulary.Participant, depth=1, without=("pseudonym",))


def visits(record: Record) -> pd.DataFrame:
    """Visits, planned and attended."""
    context = _Context(record).visits
    return _frame(
        ({**row, **context[row["id"]]} for row in record.rows("visit")), Visit, depth=2, without=("name",)
    )


def sessions(record: Record) -> pd.DataFrame:
    """Sessions; ``session`` counts within the visit."""
    context = _Context(record).sessions
    return _frame(({**row, **context[row["id"]]} for row in record.rows("session")), vocabulary.Session, depth=3)


def runs(record: Record) -> pd.DataFrame:
    """Runs; ``run`` is their number within the session."""
    context = _Context(record).runs
    rows = ({**row, **context[row["id"]]} for row in record.rows("run"))
    return _frame(rows, vocabulary.Run, depth=4, without=("number",))


def trials(record: Record) -> pd.DataFrame:
    """Trials of every run; ``index`` is the trial's number within its run, 0-based."""
    context = _Context(record).runs
    return _frame(({**row, **context[row["run_id"]]} for row in record.rows("trial")), Trial, depth=4)


def recordings(record: Record) -> pd.DataFrame:
    """Recordings, with ``kind`` and ``paradigm`` of their run, and ``file``, the path to open."""
    context = _Context(record).runs
    of_run = {row["id"]: row for row in record.rows("run")}
    rows = [
        {
            **row,
            **context[row["run_id"]],
            "kind": of_run[row["run_id"]]["kind"],
            "paradigm": of_run[row["run_id"]]["paradigm"],
            "file": record.folder / row["path"],
        }
        for row in record.rows("recording")
    ]
    extra = {"kind": "str", "paradigm": "str", "file": "object"}
    return _frame(rows, vocabulary.Recording, depth=4, extra=extra)


def ledger(record: Record) -> pd.DataFrame:
    """Rows of the integrity ledger, of runs and of the time between them (those have no ``run``)."""
    context = _Context(record)
    rows = [{**row, **context.runs[row["run_id"]]} for row in record.rows("ledger")]
    # Between two runs there is no run number, and the table says so.
    rows += [{**row, **context.sessions[row["session_id"]], "run": None} for row in record.rows("session_ledger")]
    return _frame(rows, LedgerRow, depth=4)


def decoders(record: Record) -> pd.DataFrame:
    """Fitted decoders, joined to the session of the last recording that they were fitted on.

    ``n``, ``correct``, ``accuracy``, ``chance_limit`` (a number of right periods) and ``validation`` are those of
    the fit's own cross-validation, missing where the fit states none.
    """
    context = _Context(record).runs
    run_of = {row["sha256"]: row["run_id"] for row in record.rows("recording")}
    rows = []
    for row in record.rows("decoder"):
        run_ids = [run_of[sha256] for sha256 in row["recordings"] if sha256 in run_of]
        place = context[run_ids[-1]] if run_ids else {}
        metrics = {name: row["metrics"].get(name) for name in ("n", "correct", "accuracy", "chance_limit")}
        rows.append({**row, **place, **metrics, "validation": row["metrics"].get("validation") or ""})
    extra = {
        "n": "Int64",
        "correct": "Int64",
        "accuracy": "float64",
        "chance_limit": "Int64",
        "validation": "str",
    }
    return _frame(rows, vocabulary.FittedDecoder, depth=3, extra=extra)


def assessments(record: Record) -> pd.DataFrame:
    """Assessments, with their condition, and ``total`` and ``status`` of their score."""
    context = _Context(record).visits
    rows = []
    for row in record.rows("assessment"):
        total = row["score"].get("total") or {}
        rows.append(
            {**row, **context[row["visit_id"]], "total": total.get("value"), "status": total.get("status") or ""}
        )
    extra = {**{field.name: "bool" for field in fields(Condition)}, "total": "float64", "status": "str"}
    return _frame(rows, Assessment, depth=2, extra=extra, without=("condition",))


EVENT = {
    "participant": "str", "term": "str", "classification": "str", "serious": "bool", "criteria": "object",
    "severity": "str", "device": "str", "procedure": "str", "stimulation": "str", "expected": "boolean",
    "imminent_risk": "bool", "onset": "str", "precision": "str", "aware": "object", "outcome": "str",
    "action": "str", "dictionary": "str", "code": "str", "coded_term": "str", "country": "str", "state": "str",
    "simulated": "bool", "participant_id": "str", "id": "str",
}  # fmt: skip
"""Columns of an adverse event with their types."""


def adverse_events(record: Record) -> pd.DataFrame:
    """Adverse events as they were stated last; ``aware`` is the first awareness, ``onset`` what is known of it."""
    context = _Context(record).people
    aware: dict[str, str] = {}
    for row in record.rows("awareness", table_name="adverse_event"):
        aware[row["row_id"]] = min(row["aware_utc"], aware.get(row["row_id"], row["aware_utc"]))
    rows = [
        {
            **row,
            **row["facts"],
            **row["coding"],
            **context[row["participant_id"]],
            "term": row["term"],
            "coded_term": row["coding"].get("term"),
            "aware": aware.get(row["id"]),
            "criteria": tuple(row["facts"]["criteria"]),
        }
        for row in record.rows("adverse_event")
    ]
    return _typed(rows, EVENT)


def of_dataclass(kind: type, rows: Iterable[object]) -> pd.DataFrame:
    """Objects of a dataclass, one per row: its fields are the columns, under their declared types."""
    columns = {field.name: TYPES.get(str(field.type), "object") for field in fields(kind)}
    return _typed(({name: getattr(row, name) for name in columns} for row in rows), columns)


def of_columns(columns: Mapping[str, tuple[str, Sequence[Any]]]) -> pd.DataFrame:
    """Values as a table.

    Parameters
    ----------
    columns : pandas type and values of each column by its name, all of one length.
    """
    return pd.DataFrame({name: pd.Series(list(values), dtype=kind) for name, (kind, values) in columns.items()})


def _frame(
    rows: Iterable[Mapping[str, Any]],
    noun: type,
    *,
    depth: int,
    extra: Mapping[str, str] | None = None,
    without: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Rows as a table: place, fields of the noun, further columns, ids.

    Parameters
    ----------
    rows : with the names of the columns.
    noun : whose fields are columns, under their declared types.
    depth : how many of the columns of :data:`LEADING` the noun has.
    extra : further columns with their types.
    without : fields that the first columns have already.
    """
    leading = dict(list(LEADING.items())[:depth])
    # Levels above the noun are named in the first columns; their ids come last.
    ids = {f"{name}_id": "str" for name in leading}
    noun_fields = {
        field.name: TYPES.get(str(field.type), "object")
        for field in fields(noun)
        if field.name not in (*without, *ids, "id", "simulated")
    }
    return _typed(rows, {**leading, **noun_fields, **(extra or {}), "simulated": "bool", **ids, "id": "str"})


def _typed(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows as a table with these columns and types; texts of UTC become timestamps."""
    table = pd.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns=list(columns))
    for name, kind in columns.items():
        if name in TIMES:
            # Texts that are not times become NaT: a table must open whatever an old record contains.
            times = pd.to_datetime(table[name], utc=True, format="ISO8601", errors="coerce")
            table[name] = times.dt.as_unit("us")
        elif kind == "str":
            # Texts are never missing: "" compares and groups, NaN does not.
            table[name] = table[name].fillna("").astype("str")
        elif kind == "bool":
            table[name] = table[name].fillna(value=False).astype("bool")
        else:
            table[name] = table[name].astype(kind)
    return table
