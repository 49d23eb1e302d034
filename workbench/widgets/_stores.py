"""Stores of a form's entries, handed to it as objects because a widget never imports the record.

A *store* keeps drafts, saves, corrects and returns the history. :class:`RecordStore` does so in a study record,
with the drafts beside the audit chain. :class:`FileStore` keeps drafts in files only, and :class:`NoStore` has
nothing but a function that saves.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, fields
from datetime import UTC, datetime
from glob import escape
from itertools import chain, count
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from workbench.errors import RecordFault, Refused
from workbench.messages import Message
from workbench.vocabulary import Assessment, Condition

CONDITIONS = tuple(field.name for field in fields(Condition))
NATURAL_KEY = ("visit_id", "measure", *CONDITIONS, "side", "orthosis", "mode", "repeat")
"""Columns that identify an assessment: the record has at most one for each combination."""
CLOSED = {"complete": Message("form.complete"), "incomplete": Message("form.incomplete")}
"""States of an assessment that is closed."""
DRAFTS = "drafts"
"""Folder inside the study folder where earlier versions kept drafts without a condition."""

Row = dict[str, Any]


class AssessmentStore(Protocol):
    """What a form needs of its store. Each function may refuse by raising a WorkbenchError."""

    def stored(self, measure: str) -> list[Row]:
        """Drafts and saved assessments of the measure at this visit, by column, oldest first."""

    def keep(self, draft: Row, *, row: Row | None) -> Row:
        """Keep a draft; ``row`` is what an earlier call returned. Returns its row, without an id in a file."""

    def save(self, assessment: Assessment, *, row: Row | None) -> tuple[Row, str]:
        """Close an assessment; returns its row, and the sentence that the page shows."""

    def amend(self, row: Row, changes: Mapping[str, Any], *, reason: str) -> Row:
        """Correct a saved assessment; returns its row.

        Parameters
        ----------
        row : what an earlier call returned.
        changes : column → new value.
        reason : why, in words.
        """

    def history(self, row: Row) -> list[dict[str, Any]]:
        """Its history, oldest first, as ``Study.history`` returns it."""


class NoStore:
    """A function that saves, without drafts and corrections."""

    def __init__(self, save: Callable[[Assessment], str]) -> None:
        self._save = save

    def stored(self, measure: str) -> list[Row]:
        """Nothing."""
        return []

    def keep(self, draft: Row, *, row: Row | None) -> Row:
        """Nothing is kept; the row without a time."""
        return {**draft, "id": "", "where": ""}

    def save(self, assessment: Assessment, *, row: Row | None) -> tuple[Row, str]:
        """Through the function."""
        return {**_columns(assessment), "id": ""}, self._save(assessment)

    def amend(self, row: Row, changes: Mapping[str, Any], *, reason: str) -> Row:
        """Refused: there is no record behind this form.

        Parameters
        ----------
        row : what an earlier call returned.
        changes : column → new value.
        reason : why, in words.
        """
        raise Refused(Message("store.no_record"))

    def history(self, row: Row) -> list[dict[str, Any]]:
        """Nothing."""
        return []


class FileStore(NoStore):
    """Drafts in files, for a form without an open study; ``save`` gets the finished assessment.

    Parameters
    ----------
    path : of the draft file; its folder is created when absent. A draft begun beside another gets a number.
    save : as of :class:`NoStore`.
    """

    def __init__(self, path: Path | str, save: Callable[[Assessment], str]) -> None:
        super().__init__(save)
        self._files = DraftFiles(Path(path))

    def stored(self, measure: str) -> list[Row]:
        """The drafts of this measure in the files."""
        return [row for row in self._files.read() if row.get("measure") == measure]

    def keep(self, draft: Row, *, row: Row | None) -> Row:
        """Into its file."""
        return self._files.write(draft, row=row)

    def save(self, assessment: Assessment, *, row: Row | None) -> tuple[Row, str]:
        """Through the function; then the draft is removed."""
        saved = super().save(assessment, row=row)
        self._files.remove(row)
        return saved


class DraftFiles:
    """Drafts as JSON, one file each: written beside the old one and then put in its place, so never half.

    The first is ``path``. A draft that is begun while others wait gets a numbered name beside it, so that it
    never replaces an unfinished one. A row names its file under ``"file"``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Row]:
        """All drafts. Raises RecordFault when a file cannot be read."""
        more = sorted(self.path.parent.glob(f"{escape(self.path.stem)}.*{self.path.suffix}"))
        return [self._read(path) for path in (self.path, *more) if path.exists()]

    def _read(self, path: Path) -> Row:
        try:
            row: Row = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RecordFault(Message("store.draft_unreadable", path=str(path), why=str(error))) from error
        return row | {"id": "", "state": "draft", "where": "file", "file": path.name}

    def write(self, draft: Row, *, row: Row | None) -> Row:
        """Into the file of ``row``, or a new one without. Raises RecordFault when the disk refuses."""
        path = self._of(row) or self._free()
        new = {**draft, "id": "", "state": "draft", "where": "file", "kept_at": utc_now()}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(new, file, ensure_ascii=False)
                file.flush()
                # Before the rename: otherwise a power cut could leave an empty file under the draft's name.
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError as error:
            raise RecordFault(Message("store.draft_not_kept", path=str(path), why=str(error.strerror))) from error
        return new | {"file": path.name}

    def remove(self, row: Row | None) -> None:
        """Remove the draft of a row that is in the record now; the others stay."""
        path = self._of(row)
        if path is not None:
            path.unlink(missing_ok=True)

    def _of(self, row: Row | None) -> Path | None:
        return self.path.with_name(row["file"]) if row and row.get("file") else None

    def _free(self) -> Path:
        names = (self.path.with_name(f"{self.path.stem}.{n}{self.path.suffix}") for n in count(2))
        return next(path for path in chain((self.path,), names) if not path.exists())


class RecordStore:
    """Saves, corrections and history in a study record; drafts in ``study.drafts``, outside the audit chain.

    A draft is not signed by anybody, so it does not belong in the record. Each has its own key from the first
    entry to saving, so that a condition chosen later moves nothing and a second draft replaces none. Drafts that
    earlier versions kept in the record or in files are offered too; further entries go to ``study.drafts``.

    Parameters
    ----------
    study : an open ``Study``, or a function that opens one for each request (``with study() as file``).
    visit_id : of the visit whose assessments are entered.
    folder : of the study.
    """

    def __init__(self, study: Any, *, visit_id: str, folder: Path | str) -> None:
        self._study: Callable[[], AbstractContextManager[Any]] = (
            (lambda: nullcontext(study)) if hasattr(study, "append") else study
        )
        self._visit_id = visit_id
        self._folder = Path(folder) / DRAFTS

    def _files(self, measure: str) -> DraftFiles:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{self._visit_id}-{measure}")
        return DraftFiles(self._folder / f"{name}.json")

    def stored(self, measure: str) -> list[Row]:
        """Rows of the record, then the drafts; a draft of a row in the record takes that row's place."""
        with self._study() as study:
            rows = study.rows("assessment", visit_id=self._visit_id, measure=measure)
            drafts = {
                draft.condition["entry"]: _row_of(draft)
                for draft in study.drafts.list(visit_id=self._visit_id)
                if draft.form == measure
            }
            for row in rows:
                entries = study.history("assessment", row["id"])
                row |= {"kept_at": entries[-1]["utc"] if entries else "", "where": "record"}
        merged = [row | drafts.pop(row["id"], {}) if row["state"] == "draft" else row for row in rows]
        return [*merged, *drafts.values(), *self._files(measure).read()]

    def keep(self, draft: Row, *, row: Row | None) -> Row:
        """Into ``study.drafts``; why the record would refuse it when saved is in the row under ``"fault"``.

        Raises
        ------
        RecordFault
            When another page changed, saved or discarded this draft, or it cannot be written.
        """
        before = row or {}
        with self._study() as study:
            entry = before.get("entry") or before.get("id") or uuid4().hex
            person = before.get("person") or study.actor
            key = self._visit_id, draft["measure"], {"entry": entry}, person
            self._refuse_overtaken(study, key, before)
            # The revision detects a second page on the same draft: the last one to type must not win silently.
            values = {**draft, "revision": before.get("revision", 0) + 1}
            values |= {name: before[name] for name in ("id", "row_version") if before.get("id")}
            saved = _row_of(study.drafts.save(*key, values))
            fault = self._refused_later(study, draft, before.get("id", ""))
        if not before.get("entry"):
            self._files(draft["measure"]).remove(row)
        return saved | ({"fault": fault} if fault else {})

    @staticmethod
    def _refuse_overtaken(study: Any, key: tuple[Any, ...], before: Row) -> None:
        if not before.get("entry") or not study.drafts.path.exists():
            return  # A first entry, or the file of drafts was moved away: this page has the only copy.
        current = study.drafts.load(*key)
        if current is None:
            raise RecordFault(Message("store.draft_gone"))
        if current.values["revision"] != before["revision"]:
            raise RecordFault(Message("store.draft_changed", utc=current.utc))

    def _refused_later(self, study: Any, draft: Row, own: str) -> str:
        """Why the record would refuse this draft as a new assessment, ``""`` when it would not."""
        key = {name: draft.get(name) for name in NATURAL_KEY}
        # Without a complete condition there is no key yet that could collide.
        if any(value is None for value in key.values()):
            return ""
        same = [row for row in study.rows("assessment", **key) if row["id"] != own]
        if not same:
            return ""
        return Message("store.there_already", id=same[0]["id"])

    def save(self, assessment: Assessment, *, row: Row | None) -> tuple[Row, str]:
        """Append the assessment, then discard its draft; a draft in the record itself is closed there."""
        with self._study() as study:
            if row and row.get("id"):
                row_id = row["id"]
                reason = Message("store.closed", state=CLOSED.get(assessment.state, assessment.state))
                self._change(study, row, _columns(assessment), reason=reason)
            else:
                row_id = study.append(assessment)
            # In this order: a crash in between leaves a draft too many, never an assessment too few.
            now = self._now(study, row_id)
            if row and row.get("entry"):
                study.drafts.discard(self._visit_id, assessment.measure, {"entry": row["entry"]}, row["person"])
        if row and not row.get("entry"):
            self._files(assessment.measure).remove(row)
        return now, Message("store.saved", id=row_id)

    def amend(self, row: Row, changes: Mapping[str, Any], *, reason: str) -> Row:
        """Correct columns of a row, for the version that the form shows.

        Parameters
        ----------
        row : what an earlier call returned.
        changes : column → new value.
        reason : why, in words.
        """
        with self._study() as study:
            self._change(study, row, changes, reason=reason)
            return self._now(study, row["id"])

    def history(self, row: Row) -> list[dict[str, Any]]:
        """From the audit chain."""
        with self._study() as study:
            entries: list[dict[str, Any]] = study.history("assessment", row["id"]) if row.get("id") else []
            return entries

    def _change(self, study: Any, row: Row, changes: Mapping[str, Any], *, reason: str) -> None:
        stored = study.get("assessment", row["id"])
        new = {name: value for name, value in changes.items() if name in stored and stored[name] != value}
        if new:
            study.amend("assessment", row["id"], new, reason=reason, row_version=row["row_version"])

    @staticmethod
    def _now(study: Any, row_id: str) -> Row:
        row: Row = study.get("assessment", row_id)
        return row | {"kept_at": utc_now(), "where": "record"}


def utc_now() -> str:
    """The present time in the record's format, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _columns(assessment: Assessment) -> Row:
    row = {name: value for name, value in asdict(assessment).items() if name not in ("id", "condition")}
    row |= asdict(assessment.condition)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


def _row_of(draft: Any) -> Row:
    """A draft of ``study.drafts`` as a row; ``file`` is the name under which it is offered."""
    entry = draft.condition["entry"]
    more = {"state": "draft", "where": "file", "kept_at": draft.utc, "entry": entry, "person": draft.person}
    return {"id": "", "file": entry, **draft.values, **more}
