"""Sessions of a participant at their visits: when, who, and which runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from workbench.vocabulary import TrialOutcome

COUNTED: tuple[TrialOutcome, ...] = ("correct", "missed", "wrong", "recorded", "excluded")
"""Outcomes of trials in the order in which a page counts them."""


def sessions_of(record: Any, visits: Iterable[Mapping[str, Any]], *, concealed: bool) -> list[dict[str, Any]]:
    """Sessions by day, each with its runs.

    Parameters
    ----------
    record : as a page reads it.
    visits : of the page.
    concealed : leaves out the runs, which may reveal the arm.

    Returns
    -------
    list
        ``{"id", "day", "at", "visit", "visit_id", "operator", "simulated", "runs"}`` each; a run is ``{"id",
        "number", "kind", "state", "trials", "planned"}``, where ``trials`` counts those of each outcome.
    """
    names = {visit["id"]: visit["name"] for visit in visits if visit["id"]}
    found = []
    for visit_id, name in names.items():
        for row in record.rows("session", visit_id=visit_id):
            runs = [] if concealed else record.rows("run", session_id=row["id"])
            found.append(
                {
                    "id": row["id"], "day": row["started"][:10], "at": _local(row["started"]), "visit": name,
                    "visit_id": visit_id, "operator": row["operator"], "simulated": row["simulated"],
                    "runs": [_run(record, run) for run in runs],
                }
            )  # fmt: skip
    return sorted(found, key=lambda session: (session["day"], session["id"]))


def _run(record: Any, run: Mapping[str, Any]) -> dict[str, Any]:
    counts = Counter(str(trial["outcome"]) for trial in record.rows("trial", run_id=run["id"]))
    told = {name: run[name] for name in ("id", "number", "kind", "state")}
    trials = {name: counts[name] for name in COUNTED if counts[name]}
    return {**told, "trials": trials, "planned": run["n_trials_planned"]}


def _local(utc: str) -> str:
    return datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M") if utc else ""
