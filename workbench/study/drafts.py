"""Drafts: what was typed and is not yet an assessment. Outside the chain, in a file of their own.

A draft is nobody's signed word, so it leaves no audit row, and discarding one leaves no trace. SQLite makes each
save atomic and lets several pages and processes write.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from workbench import reading, world
from workbench.errors import BadValue, RecordFault
from workbench.messages import Message
from workbench.study.chain import canonical, clean
from workbench.study.clock import utc_now

FILE = "drafts.db"
MOST_BYTES = 1_000_000
"""Largest draft, bytes of JSON."""
BUSY_S = 5.0
TABLE = (
    "CREATE TABLE IF NOT EXISTS draft (visit_id TEXT, form TEXT, condition TEXT, person TEXT, page TEXT, utc "
    "TEXT, "
    "draft TEXT, PRIMARY KEY (visit_id, form, condition, person)) STRICT"
)
KEY = "visit_id = ? AND form = ? AND condition = ? AND person = ?"


@dataclass(frozen=True, slots=True)
class Draft:
    """What one person typed into one form of one visit under one condition; ``page`` saved it at ``utc``."""

    visit_id: str
    form: str
    condition: Any
    person: str
    values: Mapping[str, Any]
    page: str
    utc: str


class Drafts:
    """The drafts of a study: ``study.drafts``.

    Attributes
    ----------
    path : the file; made at the first save.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def save(
        self, visit_id: str, form: str, condition: Any, person: str, values: Mapping[str, Any], *, page: str = ""
    ) -> Draft:
        """Keep a draft, in place of the one there was.

        Parameters
        ----------
        visit_id, form : the visit it is bound to, and the measure.
        condition : under what help, a :class:`~workbench.vocabulary.Condition` or plain data.
        person : who types.
        values : plain data.
        page : which page saved it, so that another one can say so.

        Raises
        ------
        BadValue
            When a part of the key is empty, or the draft is no plain data or too large.
        RecordFault
            When it cannot be written.
        """
        if not (visit_id and form and person):
            raise BadValue(Message("drafts.needs"))
        text = canonical(clean(dict(values)))
        if len(text.encode()) > MOST_BYTES:
            raise BadValue(Message("drafts.too_large", most=MOST_BYTES, n=len(text.encode())))
        key, utc = (visit_id, form, _plain(condition), person), utc_now()
        with self._open(create=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO draft VALUES (?, ?, ?, ?, ?, ?, ?)", (*key, page, utc, text)
            )
        return Draft(visit_id, form, json.loads(key[2]), person, json.loads(text), page, utc)

    def load(self, visit_id: str, form: str, condition: Any, person: str) -> Draft | None:
        """The draft of that key, None when there is none. Raises RecordFault.

        Parameters
        ----------
        visit_id, form, condition, person : as in :meth:`save`.
        """
        drafts = self._select(f"WHERE {KEY}", (visit_id, form, _plain(condition), person))
        return drafts[0] if drafts else None

    def discard(self, visit_id: str, form: str, condition: Any, person: str) -> bool:
        """Forget a draft; whether there was one. Raises RecordFault.

        Parameters
        ----------
        visit_id, form, condition, person : as in :meth:`save`.
        """
        if not self.path.exists():
            return False
        with self._open() as connection:
            key = (visit_id, form, _plain(condition), person)
            return connection.execute(f"DELETE FROM draft WHERE {KEY}", key).rowcount > 0

    def list(self, visit_id: str | None = None, person: str | None = None) -> Sequence[Draft]:
        """Drafts, oldest first, of a visit or person or of all. Raises RecordFault."""
        where = {name: value for name, value in (("visit_id", visit_id), ("person", person)) if value is not None}
        terms = " AND ".join(f"{name} = ?" for name in where)
        return self._select(f"WHERE {terms}" if terms else "", tuple(where.values()))

    def _select(self, where: str, values: tuple[str, ...]) -> Sequence[Draft]:
        if not self.path.exists():
            return []
        with self._open() as connection:
            query = f"SELECT visit_id, form, condition, person, draft, page, utc FROM draft {where} ORDER BY utc"
            return [_draft(row) for row in connection.execute(query, values)]

    @contextmanager
    def _open(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        try:
            # Made here and not by SQLite, so that the file is its owner's alone from the beginning.
            if create and not self.path.exists():
                world.disk.touch(self.path)
            with closing(world.disk.database(self.path, timeout=BUSY_S, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous=FULL")
                # A discarded draft is overwritten: it may name what somebody decided not to say.
                connection.execute("PRAGMA secure_delete=ON")
                connection.execute(TABLE)
                yield connection
        except (sqlite3.Error, OSError, ValueError) as error:
            raise RecordFault(Message("drafts.unusable", path=str(self.path), why=str(error))) from error


def _draft(row: Sequence[str]) -> Draft:
    visit_id, form, condition, person, values, page, utc = row
    typed = reading.parse_json(values, Message("file.noun_draft"))
    if not isinstance(typed, dict):
        raise BadValue(Message("drafts.no_mapping", got=f"{values!r:.60}"))
    return Draft(
        visit_id, form, reading.parse_json(condition, Message("file.noun_condition")), person, typed, page, utc
    )


def _plain(condition: Any) -> str:
    data = asdict(condition) if is_dataclass(condition) and not isinstance(condition, type) else condition
    return canonical(clean(data))
