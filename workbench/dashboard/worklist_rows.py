"""Rows of the worklist as its page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from workbench import control, outcomes, systems
from workbench.systems import BoundSystem


def short(sha256: str) -> str:
    """The first eight digits of a hash, as screens show them."""
    return f"{sha256[:4]} {sha256[4:8]}"


def _open_points(row: Any) -> list[dict[str, Any]]:
    """What is open for a row of the worklist, what hinders first."""
    points: list[dict[str, Any]] = []
    if row.participant["hold"]:
        points.append({"state": "high", "key": "worklist.open.hold", "args": {"why": row.participant["hold"]}})
    if systems.consent_refusal(row.participant):
        points.append({"state": "medium", "key": "worklist.open.no_consent", "args": {}})
    for point in row.awaiting:
        points.append(
            {"state": "medium", "key": "worklist.open.awaiting", "args": {"hash": short(point["sha256"])}}
        )
    if row.window == "late":
        points.append({"state": "medium", "key": "worklist.open.late", "args": {}})
    if row.window == "early":
        points.append({"state": "dot", "key": "worklist.open.early", "args": {"date": row.visit["earliest"]}})
    points += [
        {"state": "dot", "key": "worklist.open.draft", "args": {"form": title_of(form)}} for form in row.drafts
    ]
    return points


def title_of(form: str) -> str:
    """A form as its screen names it; its own name where another version of the workbench began it."""
    return outcomes.load(form).definition.title if form in outcomes.available() else form


def row_of(row: Any, running: Mapping[str, str] | None, today: date, system: BoundSystem | None) -> dict[str, Any]:
    """One row of the page from one of the record.

    Parameters
    ----------
    row : of the worklist (:class:`workbench.study.worklist.WorklistRow`).
    running : the session under way, None for none.
    today : the day.
    system : what sessions run, None where no session runs.
    """
    person, visit = row.participant, row.visit
    if person["injured_on"]:
        about: dict[str, Any] = {"key": "worklist.injured", "args": {"date": person["injured_on"]}}
    elif person["simulated"]:
        about = {"key": "worklist.simulated", "args": {}}
    else:
        about = {"text": ""}
    last = row.last_session
    runs = row.last_runs
    # A visit without a window has its day for one, as the record judges it.
    window = {name: visit[name] or visit["planned"][:10] or "—" for name in ("earliest", "latest")}
    in_session = running is not None and running["visit"] == visit["id"]
    state = "check" if row.state == "ready" and systems.consent_refusal(person) else row.state
    return {
        "visit": visit["id"],
        "time": visit["planned"][11:16],
        "participant": person["pseudonym"],
        "about": about,
        "visit_name": visit["name"],
        "window": {"key": f"worklist.window.{row.window}", "args": window, "part": _part(visit, today)},
        "signal": system.signal.type if system else "",
        "effector": control.load(system.effector).title if system and system.effector else "",
        "last": {
            "key": "worklist.last" if runs != 1 else "worklist.last_one",
            "args": {"date": last["started"][:10], "n": runs},
        }
        if last
        else {"key": "worklist.first_session", "args": {}},
        "open": _open_points(row),
        "state": "session" if in_session else state,
    }


def _part(visit: Mapping[str, Any], today: date) -> float | None:
    """Where the day lies in the visit's window, 0 at its first and 1 at its last; None without a window."""
    if not (visit["earliest"] and visit["latest"]):
        return None
    first, last = date.fromisoformat(visit["earliest"]), date.fromisoformat(visit["latest"])
    # A window of one day has no length to divide by.
    return (today - first).days / max(1, (last - first).days)
