"""The study overview of a page: the record read for it, verified and exported on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench import delimited, world
from workbench.dashboard import study_lock
from workbench.errors import Refused
from workbench.messages import Message
from workbench.study import Study, audit_trail, stores, verified
from workbench.study.concealment import Sight, sight_of
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
FOLDER = "exports"


class StudyService:
    """What the overview of a study may ask.

    Parameters
    ----------
    folder : of the study.
    record : opens the record for one request.
    who : name of who asks.
    reader : id and name of who is signed in, ``""`` for nobody; no query shows what is kept from them.
    """

    def __init__(
        self,
        folder: Path,
        record: Callable[[], AbstractContextManager[Study]],
        *,
        who: Callable[[], str],
        reader: Callable[[], tuple[str, str]] = lambda: ("", ""),
    ) -> None:
        self.folder, self._record, self._who, self._reader = Path(folder), record, who, reader
        self._read: tuple[Any, dict[str, Any]] = (None, {})
        self._unkept: LastVerification | None = None

    def overview(self) -> dict[str, Any]:
        """Everything that the page shows (see ``widgets.StudyPage``); read again when the record has changed."""
        now = world.clock.local()
        # By the minute: queries age, and drafts are kept outside the record.
        reader = self._reader()
        state = (stores.state(self.folder), now.strftime("%Y-%m-%d %H:%M"), self._unkept, reader)
        if self._read[0] != state:
            with self._record() as study:
                sight = sight_of(study, *reader)
                due = _may_be_seen(study, obligations(study, world.clock.now()), sight)
                seen = study.overview(now.date())
                asked = _shown(study, seen.queries, sight)
                told = self._told(replace(seen, queries=asked), due)
                self._read = (state, {**told, "without": _not_screened(study, seen)})
        return {**self._read[1], "read_at": now.strftime("%H:%M")}

    def verify(self, progress: Callable[[float], None]) -> str:
        """Verify chain and tables and enter the result in the name of who asks.

        Parameters
        ----------
        progress : told the share that is done, 0 to 1.
        """
        # A record of its own: the page's other requests must not wait for the minutes that this may take.
        with Study.open(self.folder, actor=self._who()) as study:
            result = verified.verify_now(study, progress=progress)
        self._unkept = None if result.kept else result
        return ""

    def export(self, progress: Callable[[float], None]) -> str:
        """Keep the audit trail as a CSV file beside the record. Returns the sentence that names it.

        Parameters
        ----------
        progress : told the share that is done, 0 to 1.

        Raises
        ------
        Refused
            While the newest verification says that the record does not hold.
        """
        columns = [field.name for field in fields(audit_trail.AuditRow)]
        with Study.open(self.folder, actor=self._who()) as study:
            newest = self._newest(verified.last(study))
            if newest is not None and not newest.ok:
                raise Refused(Message("overview.export_broken", why=newest.first))
            rows = list(audit_trail.read(study))
        progress(0.5)
        stamp = world.clock.local().strftime("%Y%m%d-%H%M%S")
        path = self.folder / FOLDER / f"audit-{stamp}.csv"
        world.disk.mkdir(path.parent, exist_ok=True)
        text = delimited.to_text(columns, ([getattr(row, name) for name in columns] for row in rows))
        world.disk.save(path, text.encode("utf-8"))
        shown = path.relative_to(self.folder).as_posix()
        return Message("overview.exported", path=shown, n=f"{len(rows):,}")

    def conditions(self) -> list[dict[str, Any]]:
        """What must hold before the study is locked (see ``study_lock.conditions_of``); read when it is asked."""
        with self._record() as study:
            return study_lock.conditions_of(study, sight_of(study, *self._reader()))

    def lock(self, change: str, reason: str, signers: Sequence[Mapping[str, str]]) -> str:
        """Lock or unlock the study in the name of those who sign. Returns the sentence for the page.

        Parameters
        ----------
        change, reason, signers : as of ``study_lock.carry_out``.
        """
        # A record of its own, as for a verification, which is part of it.
        with Study.open(self.folder, actor=self._who()) as study:
            return study_lock.carry_out(study, change, reason, signers)

    def _newest(self, kept: LastVerification | None) -> LastVerification | None:
        """The newest verification: that of the record, or one that it could not take in."""
        found = [one for one in (kept, self._unkept) if one is not None]
        return max(found, key=lambda one: one.utc, default=None)

    def _told(self, seen: Overview, due: Sequence[OpenObligation]) -> dict[str, Any]:
        newest = self._newest(seen.verification)
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
                {**asdict(one), "at": _moment(one.utc, seen), "hash": f"{one.hash[:4]} {one.hash[4:8]}"}
                for one in seen.entries
            ],
            "head": {"seq": seen.head[0], "hash": f"{seen.head[1][:4]} {seen.head[1][4:8]}"},
            "verification": newest and {
                **asdict(newest), "first": newest.first, "at": _moment(newest.utc, seen),
                "since": max(0, seen.head[0] - newest.seq - int(newest.kept)),
            },
        }  # fmt: skip


def _shown(study: Study, queries: Sequence[OpenQuery], sight: Sight) -> tuple[OpenQuery, ...]:
    """Queries that may be seen: the text of one tells what stands in the row that it is about."""
    hides = {
        place: sight.hides(study, "query", {"table_name": place[0], "row_id": place[1]})
        for place in {(one.table, one.row_id) for one in queries}
    }
    return tuple(one for one in queries if not hides[one.table, one.row_id])


def _may_be_seen(study: Study, due: Sequence[OpenObligation], sight: Sight) -> list[OpenObligation]:
    """Reports of events that are not kept from who looks."""
    if not sight.concealed:
        return list(due)
    return [one for one in due if not sight.hides(study, one.table, study.get(one.table, one.row_id))]


def _not_screened(study: Study, seen: Overview) -> list[str]:
    """Participants of the record who never entered screening: no row leads to them."""
    known = {one.participant for one in seen.participants}
    return [row["pseudonym"] for row in study.rows("participant") if row["pseudonym"] not in known][:MOST]


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


def _moment(utc: str, seen: Overview) -> str:
    """The local time of something of today; of anything earlier its day and time to the minute."""
    local = _local(utc)
    return local[11:] if local[:10] == seen.on.isoformat() else local[:16]
