"""One function a table; the columns and their types are read from the nouns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

TIMES = ("started", "fitted_at", "administered_at")
"""Fields that hold a time of UTC as text."""

PLACE = {"participant": "str", "visit": "str", "session": "Int64", "run": "Int64"}
"""Where a row belongs: the first columns of every table, as far down as its noun lies."""


class Record(Protocol):
    """What the tables need of a study record; ``workbench.study.Study`` has it."""

    @property
    def folder(self) -> Path:
        """The study folder; paths of the record are relative to it."""

    def rows(self, table: str, **where: Any) -> list[Row]:
        """Rows of a table that equal ``where``."""


class _Places:
    """Where each visit, session and run belongs."""

    def __init__(self, record: Record) -> None:
        self.people: dict[str, Row] = {}
        self.visits: dict[str, Row] = {}
        self.sessions: dict[str, Row] = {}
        self.runs: dict[str, Row] = {}
        for one in record.rows("participant"):
            self.people[one["id"]] = {
                "participant": one["pseudonym"],
                "simulated": one["simulated"],
                "participant_id": one["id"],
            }
        for one in record.rows("visit"):
            self.visits[one["id"]] = {
                **self.people[one["participant_id"]],
                "visit": one["name"],
                "visit_id": one["id"],
            }
        numbers: dict[str, int] = {}
        for one in record.rows("session"):
            number = numbers[one["visit_id"]] = numbers.get(one["visit_id"], 0) + 1
            above = self.visits[one["visit_id"]]
            self.sessions[one["id"]] = {
                **above,
                "session": number,
                "session_id": one["id"],
                "simulated": above["simulated"] or one["simulated"],
            }
        for one in record.rows("run"):
            self.runs[one["id"]] = {**self.sessions[one["session_id"]], "run": one["number"], "run_id": one["id"]}


def participants(record: Record) -> pd.DataFrame:
    """Participants of a record, in order of entry."""
    rows = [
        {**row, "participant": row["pseudonym"], "participant_id": row["id"]} for row in record.rows("participant")
    ]
    return _frame(rows, vocabulary.Participant, depth=1, without=("pseudonym",))


def visits(record: Record) -> pd.DataFrame:
    """Visits, planned and held."""
    places = _Places(record).visits
    return _frame(
        ({**row, **places[row["id"]]} for row in record.rows("visit")), Visit, depth=2, without=("name",)
    )


def sessions(record: Record) -> pd.DataFrame:
    """Sessions; ``session`` counts within the visit."""
    places = _Places(record).sessions
    return _frame(({**row, **places[row["id"]]} for row in record.rows("session")), vocabulary.Session, depth=3)


def runs(record: Record) -> pd.DataFrame:
    """Runs; ``run`` is their number within the session."""
    places = _Places(record).runs
    rows = ({**row, **places[row["id"]]} for row in record.rows("run"))
    return _frame(rows, vocabulary.Run, depth=4, without=("number",))


def trials(record: Record) -> pd.DataFrame:
    """Trials of every run; ``index`` is the trial's number within its run, 0-based."""
    places = _Places(record).runs
    return _frame(({**row, **places[row["run_id"]]} for row in record.rows("trial")), Trial, depth=4)


def recordings(record: Record) -> pd.DataFrame:
    """Recordings, with ``kind`` and ``paradigm`` of their run, and ``file``, the path to open."""
    places = _Places(record).runs
    of_run = {row["id"]: row for row in record.rows("run")}
    rows = [
        {
            **row,
            **places[row["run_id"]],
            "kind": of_run[row["run_id"]]["kind"],
            "paradigm": of_run[row["run_id"]]["paradigm"],
            "file": record.folder / row["path"],
        }
        for row in record.rows("recording")
    ]
    more = {"kind": "str", "paradigm": "str", "file": "object"}
    return _frame(rows, vocabulary.Recording, depth=4, more=more)


def ledger(record: Record) -> pd.DataFrame:
    """Rows of the integrity ledger, of runs and of the time between them (those have no ``run``)."""
    places = _Places(record)
    rows = [{**row, **places.runs[row["run_id"]]} for row in record.rows("ledger")]
    rows += [{**row, **places.sessions[row["session_id"]], "run": None} for row in record.rows("session_ledger")]
    return _frame(rows, LedgerRow, depth=4)


def decoders(record: Record) -> pd.DataFrame:
    """Fitted decoders, placed where the last recording that they were fitted on belongs.

    ``n``, ``correct``, ``accuracy``, ``chance_limit`` (a number of right periods) and ``validation`` are those of
    the fit's own cross-validation, missing where the fit states none.
    """
    places = _Places(record).runs
    run_of = {row["sha256"]: row["run_id"] for row in record.rows("recording")}
    rows = []
    for row in record.rows("decoder"):
        known = [run_of[sha256] for sha256 in row["recordings"] if sha256 in run_of]
        above = places[known[-1]] if known else {}
        found = {name: row["metrics"].get(name) for name in ("n", "correct", "accuracy", "chance_limit")}
        rows.append({**row, **above, **found, "validation": row["metrics"].get("validation") or ""})
    more = {
        "n": "Int64",
        "correct": "Int64",
        "accuracy": "float64",
        "chance_limit": "Int64",
        "validation": "str",
    }
    return _frame(rows, vocabulary.FittedDecoder, depth=3, more=more)


def assessments(record: Record) -> pd.DataFrame:
    """Assessments, with their condition, and ``total`` and ``status`` of their score."""
    places = _Places(record).visits
    rows = []
    for row in record.rows("assessment"):
        total = row["score"].get("total") or {}
        rows.append(
            {**row, **places[row["visit_id"]], "total": total.get("value"), "status": total.get("status") or ""}
        )
    more = {**{one.name: "bool" for one in fields(Condition)}, "total": "float64", "status": "str"}
    return _frame(rows, Assessment, depth=2, more=more, without=("condition",))


def of_dataclass(kind: type, rows: Iterable[object]) -> pd.DataFrame:
    """Objects of a dataclass, one a row: its fields are the columns, under their declared types."""
    columns = {one.name: TYPES.get(str(one.type), "object") for one in fields(kind)}
    return _typed(({name: getattr(row, name) for name in columns} for row in rows), columns)


def _frame(
    rows: Iterable[Mapping[str, Any]],
    noun: type,
    *,
    depth: int,
    more: Mapping[str, str] | None = None,
    without: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Rows as a table: place, fields of the noun, further columns, ids.

    Parameters
    ----------
    rows : with the names of the columns.
    noun : whose fields are columns, under their declared types.
    depth : how many of the columns of :data:`PLACE` the noun has.
    more : further columns with their types.
    without : fields that stand in the place already.
    """
    place = dict(list(PLACE.items())[:depth])
    # What lies above a noun is told by its place; the ids stand at the end.
    ids = {f"{name}_id": "str" for name in place}
    own = {
        one.name: TYPES.get(str(one.type), "object")
        for one in fields(noun)
        if one.name not in (*without, *ids, "id", "simulated")
    }
    return _typed(rows, {**place, **own, **(more or {}), "simulated": "bool", **ids, "id": "str"})


def _typed(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Rows as a table with these columns and types; texts of UTC become timestamps."""
    table = pd.DataFrame([{name: row.get(name) for name in columns} for row in rows], columns=list(columns))
    for name, kind in columns.items():
        if name in TIMES:
            times = pd.to_datetime(table[name], utc=True, format="ISO8601", errors="coerce")
            table[name] = times.dt.as_unit("us")
        elif kind == "str":
            table[name] = table[name].fillna("").astype("str")
        elif kind == "bool":
            table[name] = table[name].fillna(value=False).astype("bool")
        else:
            table[name] = table[name].astype(kind)
    return table
