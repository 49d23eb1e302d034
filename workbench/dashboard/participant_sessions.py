"""Sessions of a participant at their visits: when, who, which runs, and the report of each as a page opens it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from workbench.study import Study
from workbench.vocabulary import TrialOutcome

COUNTED: tuple[TrialOutcome, ...] = ("correct", "missed", "wrong", "recorded", "excluded")
"""Outcomes of trials in the order in which a page counts them."""


def sessions_of(study: Study, visits: Iterable[Mapping[str, Any]], *, concealed: bool) -> list[dict[str, Any]]:
    """Sessions by day, each with its runs.

    Parameters
    ----------
    study : the open record.
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
        for row in study.rows("session", visit_id=visit_id):
            runs = [] if concealed else study.rows("run", session_id=row["id"])
            found.append(
                {
                    "id": row["id"], "day": row["started"][:10], "at": _local(row["started"]), "visit": name,
                    "visit_id": visit_id, "operator": row["operator"], "simulated": row["simulated"],
                    "runs": [_run(study, run) for run in runs],
                }
            )  # fmt: skip
    return sorted(found, key=lambda session: (session["day"], session["id"]))


def _run(study: Study, run: Mapping[str, Any]) -> dict[str, Any]:
    counts = Counter(str(trial["outcome"]) for trial in study.rows("trial", run_id=run["id"]))
    told = {name: run[name] for name in ("id", "number", "kind", "state")}
    trials = {name: counts[name] for name in COUNTED if counts[name]}
    return {**told, "trials": trials, "planned": run["n_trials_planned"]}


def report_of(study: Study, session_id: str, *, language: str) -> dict[str, str]:
    """Make the report of a session, which is kept and registered in the record.

    Parameters
    ----------
    study : the open record.
    session_id : which session.
    language : ``"en"`` or ``"zh-CN"``.

    Returns
    -------
    dict
        ``{"path", "pdf", "html"}``: the two files, relative to the study's folder, and the text of the first.
    """
    from workbench.reports import session_report

    files = session_report(study, language=language, session_id=session_id)
    path, pdf = (one.relative_to(study.folder).as_posix() for one in (files.html, files.pdf))
    return {"path": path, "pdf": pdf, "html": files.html.read_text(encoding="utf-8")}


def _local(utc: str) -> str:
    return datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M") if utc else ""
