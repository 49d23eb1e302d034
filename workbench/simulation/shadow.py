"""The record as its chain tells it, read from the file alone: neither the product's readers nor its writer help.

Every entry is checked as it comes: its number, its link to the one before it, its payload, the version of its row,
what it says was there before, and the row that lies in the table.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.study import schema
from workbench.study.chain import RECORD
from workbench.study.columns import Json
from workbench.study.keys import KeyRing
from workbench.study.nouns import PARENTS

Row = dict[str, Any]
JSON = {
    table.name: tuple(column.name for column in table.columns if isinstance(column.type, Json))
    for table in schema.DATA
}
"""Columns of each table that hold JSON."""
ENTRIES = (
    "SELECT a.*, p.salt, p.payload FROM audit a LEFT JOIN audit_payload p ON p.seq = a.seq WHERE a.seq > ? "
    "ORDER BY a.seq"
)


@dataclass(frozen=True, slots=True)
class Written:
    """An entry of the chain.

    Attributes
    ----------
    seq, hash, utc, actor, action, table, row_id : as it says.
    new, old : the row afterwards, and the columns that changed as they were; None where the entry has none.
    reason : why.
    """

    seq: int
    hash: str
    utc: str
    actor: str
    action: str
    table: str
    row_id: str
    new: Row | None
    old: Row | None
    reason: str


class Shadow:
    """What stands in a record, kept up with its chain.

    Parameters
    ----------
    folder : of the study.

    Attributes
    ----------
    seq, hash : of the newest entry that was read.
    problems : what did not fit, since they were last taken.
    touched : rows that were written since they were last taken.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "study.db"
        # One connection for a life: to open it takes longer than to read what is new.
        self._connection = self._connected()
        (self._study,) = self._connection.execute("SELECT * FROM study")
        self._tables: dict[str, dict[str, Row]] = {}
        self._raw: dict[tuple[str, str], Row] = {}
        self._key: bytes | None = None
        self.seq = 0
        facts = ("id", "schema_sha256", "created_utc", "nonce")
        genesis = ["workbench study record chain 1", *(self._study[name] for name in facts)]
        self.hash = hashlib.sha256(canonical(genesis).encode()).hexdigest()
        self.problems: list[str] = []
        self.touched: dict[tuple[str, str], None] = {}
        self._writers: dict[tuple[str, str], str] = {}

    def _connected(self) -> sqlite3.Connection:
        connection = sqlite3.connect(f"{self._path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection

    # ------------------------------------------------------------------------------------- reading
    def read(self) -> Iterator[Written]:
        """Entries that are new, each before it counts: meanwhile the shadow is as it was before it."""
        connection = self._connection
        connection.execute("BEGIN")
        try:
            last = connection.execute("SELECT hash FROM audit WHERE seq = ?", (self.seq,)).fetchone()
            if self.seq and (last is None or last["hash"] != self.hash):
                self.problems.append(f"entry {self.seq} was there and is gone")
                return
            newest: dict[tuple[str, str], Row] = {}
            for row in connection.execute(ENTRIES, (self.seq,)).fetchall():
                entry = self._checked(row)
                yield entry
                self._enter(entry, row, newest)
            for (table, row_id), raw in newest.items():
                self._compare(connection, table, row_id, raw)
        finally:
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _checked(self, row: sqlite3.Row) -> Written:
        record = {name: row[name] for name in RECORD}
        text = self.hash + canonical(record)
        if self._key is None:
            link = hashlib.sha256(text.encode()).hexdigest()
        else:
            link = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        if row["seq"] != self.seq + 1 or link != row["hash"]:
            self.problems.append(f"entry {row['seq']} does not follow entry {self.seq}")
        if hashlib.sha256(row["salt"] + row["payload"].encode()).hexdigest() != row["commitment"]:
            self.problems.append(f"entry {row['seq']} has another payload than it commits to")
        payload = json.loads(row["payload"])
        new, old = payload["new"], payload["old"]
        self._check_version(row, new, old)
        return Written(
            row["seq"], row["hash"], row["utc"], row["actor"], row["action"], row["table_name"], row["row_id"],
            _read(row["table_name"], new), _read(row["table_name"], old), str(payload["reason"]),
        )  # fmt: skip

    def _check_version(self, row: sqlite3.Row, new: Row | None, old: Row | None) -> None:
        if new is None:
            return
        before = self._raw.get((row["table_name"], row["row_id"]))
        wanted = 1 if before is None else before["row_version"] + 1
        if (new["row_version"], row["row_version"], new["id"]) != (wanted, wanted, row["row_id"]):
            self.problems.append(f"entry {row['seq']} leaves version {new['row_version']} after {wanted - 1}")
        changed = {} if before is None else {n: v for n, v in before.items() if new[n] != v and n != "row_version"}
        if row["action"] != "redact" and changed != (old or {}):
            self.problems.append(f"entry {row['seq']} does not say what it changed")

    def _enter(self, entry: Written, row: sqlite3.Row, newest: dict[tuple[str, str], Row]) -> None:
        self.seq, self.hash = entry.seq, entry.hash
        if entry.new is None:
            return
        place = entry.table, entry.row_id
        self._raw[place] = newest[place] = json.loads(row["payload"])["new"]
        self._tables.setdefault(entry.table, {})[entry.row_id] = entry.new
        self.touched[place], self._writers[place] = None, entry.actor
        if entry.table == "study_key":
            self._key = KeyRing(self._study["id"]).key(int(entry.new["epoch"])).hmac

    def _compare(self, connection: sqlite3.Connection, table: str, row_id: str, raw: Row) -> None:
        lies = connection.execute(f"SELECT * FROM {table} WHERE id = ?", (row_id,)).fetchone()
        there = {} if lies is None else dict(lies)
        if table == "person":  # of a password the chain holds the hash
            there["password"] = f"sha256:{hashlib.sha256(there['password'].encode()).hexdigest()}"
        if there != raw:
            self.problems.append(f"{table} {row_id} is not in its table as its entry says")

    # ------------------------------------------------------------------------------------- what stands there
    def rows(self, table: str, **where: Any) -> list[Row]:
        """Rows of a table in the order of entry, those that equal ``where``."""
        found = self._tables.get(table, {}).values()
        return [row for row in found if all(row[name] == value for name, value in where.items())]

    def get(self, table: str, row_id: str) -> Row | None:
        """A row by its id, None where there is none."""
        return self._tables.get(table, {}).get(row_id)

    def written_by(self, table: str, row_id: str) -> str:
        """Who wrote a row last."""
        return self._writers.get((table, row_id), "")

    def bound(self, table: str, row_id: str) -> list[Any] | None:
        """A row as a signature of it would hold it now, None where there is none."""
        raw = self._raw.get((table, row_id))
        if raw is None:
            return None
        return [table, row_id, raw["row_version"], hashlib.sha256(canonical(raw).encode()).hexdigest()]

    def places(self, table: str, row: Mapping[str, Any]) -> list[tuple[str, str]]:
        """A row, all that it belongs to up to its participant, and the study."""
        found = [(table, str(row.get("id", "")))]
        while table in PARENTS and row.get(PARENTS[table][0]):
            column, above = PARENTS[table]
            found.append((above, str(row[column])))
            parent = self.get(above, str(row[column]))
            if parent is None:
                break
            table, row = above, parent
        return [*found, ("study", "")]

    def owners(self, table: str, row: Mapping[str, Any]) -> set[str]:
        """Ids of the participants that a row is about, none for what is nobody's."""
        if table == "signature":
            return {one for target in row["targets"] for one in self.owner_of(*target[:2])}
        if table == "lock_event":
            return self.owner_of(row["table_name"], row["row_id"])
        return {row_id for name, row_id in self.places(table, row) if name == "participant"}

    def owner_of(self, table: str, row_id: str) -> set[str]:
        """Ids of the participants that the row of an id is about; none where there is no such row."""
        row = self.get(table, row_id)
        return set() if row is None else self.owners(table, row)


def canonical(value: Any) -> str:
    """JSON as the chain commits to it, made without the product."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _read(table: str, values: Row | None) -> Row | None:
    """Stored columns as Python has them."""
    if values is None:
        return None
    texts = {name: values[name] for name in JSON[table] if values.get(name) is not None}
    return {**values, **{name: json.loads(text) for name, text in texts.items()}}
