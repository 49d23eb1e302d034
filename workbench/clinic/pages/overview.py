"""The overview of a study: how it stands, or the part of it that somebody sees, and its verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, ClassVar

from workbench import world
from workbench.clinic.asking import Question, Seen
from workbench.study import Study, implants, overview, verified
from workbench.study.concealment import Sight
from workbench.study.obligations import OpenObligation, obligations
from workbench.study.overview import FormStanding, OpenQuery, Overview, Standing, Task
from workbench.study.verified import LastVerification

LETTERS: Mapping[FormStanding, str] = {
    "verified": "v", "complete": "c", "draft": "d", "missing": "m", "not_due": "n", "not_held": "h",
    "withdrawn": "w", "not_asked": " ",
}  # fmt: skip
MOST = 200
"""Tasks and queries of one page; the rest are counted."""
WAITING = ("overdue", "due_soon", "running")
"""States of a report that was not sent yet."""
VERIFIERS = ("data_manager", "monitor", "statistician", "investigator", "safety_officer")


@dataclass(frozen=True, slots=True)
class OverviewPage(Question):
    """Everything that the overview shows of the record (see ``widgets.StudyPage``)."""

    POLLED: ClassVar[bool] = True

    def answer(self, seen: Seen) -> dict[str, Any]:
        """The page. Whoever is blinded or of a site gets no entries of the chain, and no reports of others."""
        study, now = seen.study, world.clock.now()
        made = overview.read(study, seen.today, now=now, concealed=seen.blind, sites=seen.reader.sites)
        asked = _shown(study, _of_record(seen, made.queries), seen.sight)
        # Which reports are due is worked out from the events of every arm.
        due = [] if seen.blind else _may_be_seen(seen, obligations(study, now))
        told = _told(replace(made, queries=asked), due)
        return {**told, "checks": _checks(seen), "without": _not_screened(seen, made)}


@dataclass(frozen=True, slots=True)
class VerifyRecord(Question):
    """Verify chain and tables, and enter the result in the name of who asks."""

    ROLES: ClassVar[tuple[str, ...]] = VERIFIERS
    BLIND: ClassVar[bool] = False
    WRITES: ClassVar[bool] = True

    def answer(self, seen: Seen) -> dict[str, Any]:
        """As :class:`workbench.study.verified.LastVerification`."""
        return asdict(verified.verify_now(seen.study, by=seen.reader.name))


def verification(newest: LastVerification, on: date, seq: int) -> dict[str, Any]:
    """What a page tells of a verification.

    Parameters
    ----------
    newest : of the record.
    on : the day of the page.
    seq : number of the newest entry.
    """
    since = max(0, seq - newest.seq - int(newest.kept))
    return {**asdict(newest), "first": newest.first, "at": _moment(newest.utc, on), "since": since}


def _told(seen: Overview, due: Sequence[OpenObligation]) -> dict[str, Any]:
    return {
        "study": seen.code,
        "title": seen.title,
        "version": seen.version,
        "date": seen.on.isoformat(),
        "flow": asdict(seen.flow),
        "visits": [
            {"name": one.visit, "forms": [seen.titles.get(name, name) for name in one.forms]}
            for one in seen.visits
        ],
        "rows": [_row(one) for one in seen.participants],
        "counts": {**dict.fromkeys(LETTERS, 0), **seen.counts()},
        "reports": [_report(one) for one in due if one.state in WAITING],
        "tasks": [_task(one, seen.titles) for one in seen.tasks[:MOST]],
        "n_tasks": len(seen.tasks),
        "queries": [asdict(one) for one in seen.queries[:MOST]],
        "n_queries": len(seen.queries),
        "deviations": dict(seen.deviations),
        "locks": [{**asdict(one), "day": _local(one.utc)[:10]} for one in seen.locks],
        "entries": [
            {**asdict(one), "at": _moment(one.utc, seen.on), "hash": f"{one.hash[:4]} {one.hash[4:8]}"}
            for one in seen.entries
        ],
        # Whoever is blinded or of a site is told nothing of the chain, not even whether it was verified.
        "whole": bool(seen.head[0]),
        "head": {"seq": seen.head[0], "hash": f"{seen.head[1][:4]} {seen.head[1][4:8]}"} if seen.head[0] else {},
        "verification": seen.verification and verification(seen.verification, seen.on, seen.head[0]),
    }  # fmt: skip


def _shown(study: Study, queries: Sequence[OpenQuery], sight: Sight) -> tuple[OpenQuery, ...]:
    """Queries that may be seen: the text of one tells what stands in the row that it is about."""
    hides = {
        place: sight.hides(study, "query", {"table_name": place[0], "row_id": place[1]})
        for place in {(one.table, one.row_id) for one in queries}
    }
    return tuple(one for one in queries if not hides[one.table, one.row_id])


def _of_record(seen: Seen, queries: Sequence[OpenQuery]) -> Sequence[OpenQuery]:
    """Queries whose rows are among those that the person may be answered from."""
    if not seen.blind:
        return queries
    known = {row["id"] for row in seen.record.rows("query")}
    return [one for one in queries if one.id in known]


def _may_be_seen(seen: Seen, due: Sequence[OpenObligation]) -> list[OpenObligation]:
    """Reports of events that are not kept from who looks, and of participants of their sites."""
    if not (seen.sight.concealed or seen.reader.sites):
        return list(due)
    rows = [(one, seen.study.get(one.table, one.row_id)) for one in due]
    return [one for one, row in rows if not seen.sight.hides(seen.study, one.table, row) and _of_site(seen, row)]


def _checks(seen: Seen) -> list[dict[str, Any]]:
    """Implant checks that are due or were missed, missed ones first; none for who is blinded."""
    if seen.blind or seen.sight.concealed:
        return []
    found: list[dict[str, Any]] = [
        {
            "state": check.state, "participant": one.participant, "name": check.name, "kind": check.kind,
            "day": check.latest, "days": (seen.today - date.fromisoformat(check.latest)).days,
        }
        for one in implants.surveillance(seen.study, seen.today)
        if _of_site(seen, {"participant_id": one.participant_id})
        for check in one.checks
        if check.state in ("missed", "due")
    ]  # fmt: skip
    return sorted(found, key=lambda check: -check["days"])[:MOST]


def _of_site(seen: Seen, row: Mapping[str, Any]) -> bool:
    if not seen.reader.sites:
        return True
    return bool(row["participant_id"]) and seen.shows(row["participant_id"])


def _not_screened(seen: Seen, made: Overview) -> list[str]:
    """Participants of the record who never entered screening: no row leads to them."""
    known = {one.participant for one in made.participants}
    people = [row["pseudonym"] for row in seen.record.rows("participant") if seen.shows(row["id"])]
    return [name for name in people if name not in known][:MOST]


def _row(one: Standing) -> dict[str, Any]:
    letters = ["".join(LETTERS[state] for state in forms) for forms in one.visits]
    return {"participant": one.participant, "site": one.site, "status": one.status, "cells": letters}


def _report(one: OpenObligation) -> dict[str, Any]:
    """A report that was not sent yet."""
    return {"state": one.state, "participant": one.participant, "what": one.what, "text": one.text}


def _task(one: Task, titles: Mapping[str, str]) -> dict[str, Any]:
    named = {"kind": one.kind, "participant": one.participant, "visit": one.visit, "days": one.days}
    return {**named, "forms": [titles.get(name, name) for name in one.forms], "day": one.day.isoformat()}


def _local(utc: str) -> str:
    return datetime.fromisoformat(utc).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _moment(utc: str, on: date) -> str:
    """The local time of something of today; of anything earlier its day and time to the minute."""
    local = _local(utc)
    return local[11:] if local[:10] == on.isoformat() else local[:16]
