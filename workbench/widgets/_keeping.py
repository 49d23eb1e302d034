"""Where a form keeps what is entered: functions that are given to it, because a widget never imports the record.

A *keeper* holds drafts, saves, corrects and remembers. :class:`RecordKeeper` does so in a study record, which it
is handed; what the record cannot take yet, because it has no condition, waits in a draft file beside the study.
:class:`FileKeeper` has a file only, :class:`SaveOnly` nothing but a function that saves.
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

from workbench.errors import RecordFault, Refused
from workbench.vocabulary import Assessment, Condition

CONDITIONS = tuple(one.name for one in fields(Condition))
DRAFTS = "drafts"
"""Folder of the draft files inside the study folder."""

Row = dict[str, Any]


class Keeper(Protocol):
    """What a form needs to keep what is entered. Each function may refuse by raising a WorkbenchError."""

    def stored(self, measure: str) -> list[Row]:
        """Drafts and saved assessments of the measure at this visit, by column, oldest first."""

    def keep(self, draft: Row, *, row: Row | None) -> Row:
        """Keep a draft; ``row`` is what an earlier call returned. The row it is in, without an id in a file."""

    def save(self, assessment: Assessment, *, row: Row | None) -> tuple[Row, str]:
        """Close an assessment: the row it is in now, and the sentence that the page shows."""

    def amend(self, row: Row, changes: Mapping[str, Any], *, reason: str) -> Row:
        """Correct a saved one; the row as it is now."""

    def history(self, row: Row) -> list[dict[str, Any]]:
        """What happened to it, oldest first, as ``Study.history`` tells it."""


class SaveOnly:
    """No drafts and no corrections: a function that saves."""

    def __init__(self, save: Callable[[Assessment], str]) -> None:
        self._save = save

    def stored(self, measure: str) -> list[Row]:
        """Nothing."""
        return []

    def keep(self, draft: Row, *, row: Row | None) -> Row:
        """Nothing is kept: the row without a time."""
        return {**draft, "id": "", "where": ""}

    def save(self, assessment: Assessment, *, row: Row | None) -> tuple[Row, str]:
        """Through the function."""
        return {**_columns(assessment), "id": ""}, self._save(assessment)

    def amend(self, row: Row, changes: Mapping[str, Any], *, reason: str) -> Row:
        """Refused: there is no record behind this form."""
        raise Refused("this form was opened without a study record; open the study to correct what is saved")

    def history(self, row: Row) -> list[dict[str, Any]]:
        """Nothing."""
        return []


class FileKeeper(SaveOnly):
    """Drafts in files, for a form without an open study; ``save`` gets the finished assessment.

    Parameters
    ----------
    path : of the draft file; its folder is made when absent. A draft begun beside another is numbered.
    save : as of :class:`SaveOnly`.
    """

    def __init__(self, path: Path | str, save: Callable[[Assessment], str]) -> None:
        super().__init__(save)
        self._files = DraftFiles(Path(path))

    def stored(self, measure: str) -> list[Row]:
        """The drafts in the files that are of this measure."""
        return [row for row in self._files.read() if row.get("measure") == measure]

    def keep(self, draft: Row, *, row: Row | None) -> Row:
        """Into its file."""
        return self._files.write(draft, row=row)

    def save(self, assessment: Assessment, *, row: Row | None) -> tuple[Row, str]:
        """Through the function; then the draft goes."""
        done = super().save(assessment, row=row)
        self._files.remove(row)
        return done


class DraftFiles:
    """Drafts as JSON, a file each: written whole beside the old one and put in its place, never half.

    The first is ``path``. A draft that is begun while others wait takes a numbered name beside it, so that it
    never takes the place of one that nobody has gone on with. A row names its file under ``"file"``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> list[Row]:
        """The drafts there are. Raises RecordFault when a file cannot be read."""
        more = sorted(self.path.parent.glob(f"{escape(self.path.stem)}.*{self.path.suffix}"))
        return [self._read(path) for path in (self.path, *more) if path.exists()]

    def _read(self, path: Path) -> Row:
        try:
            row: Row = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RecordFault(
                f"the draft file {path} cannot be read ({error}); move it away to begin anew"
            ) from error
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
                os.fsync(file.fileno())
            Path(name).replace(path)
        except OSError as error:
            raise RecordFault(f"the draft cannot be kept in {path} ({error.strerror}); free the disk") from error
        return new | {"file": path.name}

    def remove(self, row: Row | None) -> None:
        """The draft of that row is in the record now; the others stay."""
        path = self._of(row)
        if path is not None:
            path.unlink(missing_ok=True)

    def _of(self, row: Row | None) -> Path | None:
        return self.path.with_name(row["file"]) if row and row.get("file") else None

    def _free(self) -> Path:
        names = (self.path.with_name(f"{self.path.stem}.{n}{self.path.suffix}") for n in count(2))
        return next(path for path in chain((self.path,), names) if not path.exists())


class RecordKeeper:
    """Drafts, saves, corrections and history in a study record.

    Parameters
    ----------
    study : an open ``Study``, or a function that opens one for each request (``with study() as file``).
    visit_id : of the visit whose assessments are entered.
    folder : of the study; drafts that still lack their condition wait in its ``drafts`` folder.
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
        """Rows of the record, and the drafts that wait in files."""
        with self._study() as study:
            rows = study.rows("assessment", visit_id=self._visit_id, measure=measure)
            for row in rows:
                told = study.history("assessment", row["id"])
                row |= {"kept_at": told[-1]["utc"] if told else "", "where": "record"}
        return [*rows, *self._files(measure).read()]

    def keep(self, draft: Row, *, row: Row | None) -> Row:
        """Into the record as soon as the condition is known, else into the file.

        What the record refuses stays in the file; the row says so under ``"fault"``.
        """
        known = all(draft.get(name) is not None for name in CONDITIONS)
        there = row if row and row.get("id") else None
        if not known and there is None:
            return self._files(draft["measure"]).write(draft, row=row)
        try:
            kept = self._into_record(draft, there)
        except RecordFault as error:
            return {**self._files(draft["measure"]).write(draft, row=row), **(there or {}), "fault": str(error)}
        self._files(draft["measure"]).remove(row)
        return kept

    def _into_record(self, draft: Row, there: Row | None) -> Row:
        values = {name: value for name, value in draft.items() if value is not None or name not in CONDITIONS}
        with self._study() as study:
            if there is None:
                made = study.append(_assessment(values, state="draft"), reason="draft begun")
            else:
                made = there["id"]
                self._change(study, there, {**values, "state": "draft"}, reason="draft, being entered")
            return self._now(study, made)

    def save(self, assessment: Assessment, *, row: Row | None) -> tuple[Row, str]:
        """The draft's row becomes the assessment; without a draft it is appended."""
        with self._study() as study:
            if row and row.get("id"):
                made = row["id"]
                self._change(study, row, _columns(assessment), reason=f"entered and closed as {assessment.state}")
            else:
                made = study.append(assessment)
            now = self._now(study, made)
        self._files(assessment.measure).remove(row)
        return now, f"Saved in the record as assessment {made}"

    def amend(self, row: Row, changes: Mapping[str, Any], *, reason: str) -> Row:
        """Correct columns of a row, for the version that the form shows."""
        with self._study() as study:
            self._change(study, row, changes, reason=reason)
            return self._now(study, row["id"])

    def history(self, row: Row) -> list[dict[str, Any]]:
        """From the audit chain."""
        with self._study() as study:
            told: list[dict[str, Any]] = study.history("assessment", row["id"]) if row.get("id") else []
            return told

    def _change(self, study: Any, row: Row, changes: Mapping[str, Any], *, reason: str) -> None:
        there = study.get("assessment", row["id"])
        new = {name: value for name, value in changes.items() if name in there and there[name] != value}
        if new:
            study.amend("assessment", row["id"], new, reason=reason, row_version=row["row_version"])

    @staticmethod
    def _now(study: Any, row_id: str) -> Row:
        row: Row = study.get("assessment", row_id)
        return row | {"kept_at": utc_now(), "where": "record"}


def utc_now() -> str:
    """The time as the record writes it, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _columns(assessment: Assessment) -> Row:
    row = {name: value for name, value in asdict(assessment).items() if name not in ("id", "condition")}
    row |= asdict(assessment.condition)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in row.items()}


def _assessment(values: Mapping[str, Any], *, state: str) -> Assessment:
    """The noun of a row by column."""
    known = {one.name for one in fields(Assessment)} - {"condition", "id"}
    rest = {name: value for name, value in values.items() if name in known}
    lists = {name: tuple(rest[name]) for name in ("implied", "alerts") if name in rest}
    condition = Condition(**{name: values[name] for name in CONDITIONS})
    return Assessment(**{**rest, **lists, "state": state, "condition": condition})
