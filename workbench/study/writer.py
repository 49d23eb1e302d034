"""The one write path: every change and its audit row in one transaction, of one writer at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, update
from sqlalchemy.exc import DBAPIError

from workbench import messages, world
from workbench.errors import BadValue, RecordFault, UnknownName
from workbench.messages import SAID, Message, carried
from workbench.study import chain, locks, stores
from workbench.study.clock import tz_offset, utc_now, uuid7
from workbench.study.columns import StrictType
from workbench.study.keys import Key, KeyRing, seal
from workbench.study.nouns import KEYS, PARENTS, REPEATABLE, Values, check, told
from workbench.study.schema import (
    AMENDABLE,
    DATA,
    MAY_BE_REDACTED,
    OWN,
    SCHEMA_VERSION,
    audit,
    audit_payload,
    lock_event,
    order_of,
    signed_head,
    study,
    study_key,
)
from workbench.study.stores import Answer, Asked

HEAD: Asked = (
    f"SELECT (SELECT MAX(epoch) FROM {study_key.name}), (SELECT MAX(seq) FROM {signed_head.name}), seq, hash "
    f"FROM {audit.name} ORDER BY seq DESC LIMIT 1",
    (),
)
"""What a transaction begins with: the key in use, the newest head that was signed, and the head of the chain."""
Question = tuple[str, Mapping[str, Any]]
"""A table, and what its rows equal in some of its columns."""
LONGEST_REASON = 10_000
"""Characters of a reason: some pages of text, and no file that was pasted by mistake."""
BY_NAME = {table.name: table for table in DATA}
INSERTS = {table.name: insert(table) for table in (*DATA, *OWN)}
ALGORITHM = "HMAC-SHA256 and Ed25519"
MIGRATE = "migrate"
"""Action of the entry that a migration leaves on the study's row."""
MOVE = "move"
"""Action of the entry on the study's row that says that the record was moved to another database."""
RESTORE = "restore"
"""Action of the entry that says that the record was restored from a backup."""
SIGN_EVERY = 1000
"""Audit rows after which a head is signed at the latest."""


def _type(table: Table, name: str) -> StrictType:
    kind = table.columns[name].type
    assert isinstance(kind, StrictType)
    return kind


def raw(table: Table, values: Mapping[str, Any]) -> Values:
    """Values as SQLite stores them: what the audit chain commits to.

    Raises
    ------
    BadValue
        For a value its column does not take; the text names table and column.
    """
    row: Values = {}
    for name, value in values.items():
        try:
            row[name] = None if value is None else _type(table, name).stored(value)
        except BadValue as error:
            raise BadValue(
                Message("study.column", column=f"{table.name}.{name}", why=messages.of(error))
            ) from error
    return row


def seen(table: Table, stored: Mapping[str, Any]) -> Values:
    """Values of what SQLite keeps: the other way of :func:`raw`."""
    return {name: None if value is None else _type(table, name).seen(value) for name, value in stored.items()}


def codes(values: Mapping[str, Any]) -> Values:
    """Codes of the messages that stand in these columns, as the column ``said`` keeps them."""
    codes: Values = carried(values).get(SAID, {})
    return codes


@contextmanager
def transaction(
    connection: Connection, *, stored: Callable[[], bool] = lambda: False, asked: Sequence[Asked] = ()
) -> Iterator[list[Answer]]:
    """All of what is written inside it, or nothing, also where an interrupt falls into a statement.

    Parameters
    ----------
    connection : to the record.
    stored : tells whether it was stored all the same when the connection breaks in the middle of the commit.
    asked : queries whose rows it begins with.
    """
    store, dbapi = stores.of(connection), connection.connection.dbapi_connection
    answers = store.begin_writing(connection, asked)
    try:
        yield answers
        _commit(connection, stored)
    finally:
        # An interrupt inside a statement has closed the connection, which rolls back.
        if not connection.invalidated and store.in_transaction(dbapi):
            connection.exec_driver_sql("ROLLBACK")


def _commit(connection: Connection, stored: Callable[[], bool]) -> None:
    try:
        connection.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        # Neither "stored" nor "not stored" follows from a connection that broke here: the record is asked.
        if not error.connection_invalidated or not stored():
            raise
        # SQLAlchemy's own idea of a transaction, without which the connection is made again.
        connection.rollback()


def asks(question: Question) -> Asked:
    """The query of a question, in the order of entry. Raises BadValue for a value that a column does not take."""
    table = BY_NAME[question[0]]
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    values = raw(table, question[1])
    equals = (f'"{name}" IS NULL' if value is None else f'"{name}" = ?' for name, value in values.items())
    where = " AND ".join(equals)
    query = f'SELECT {columns} FROM "{table.name}"{" WHERE " if where else ""}{where} ORDER BY rowid'
    return query, tuple(value for value in values.values() if value is not None)


class Writer:
    """One open write transaction. Made by ``Study`` only; lives as long as the transaction.

    Parameters
    ----------
    connection : inside a transaction.
    actor : who writes.
    start : hash before the first row of a new chain.
    ring : the study's keys; needed where the record is keyed.
    head : answer to :data:`HEAD`; None asks.

    Attributes
    ----------
    seq, hash : head of the chain as of this transaction's last row.
    key : what entries are keyed with; None in a record without keys.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        actor: str,
        start: str = "",
        ring: KeyRing | None = None,
        head: Answer | None = None,
    ) -> None:
        self._connection, self._store = connection, stores.of(connection)
        self._sent: ExitStack | None = None
        self._waits = False
        self._actor = actor
        self._locks: dict[locks.Place, Mapping[str, Any]] | None = None
        self._read: dict[str, dict[Any, list[Values]]] = {}
        # Inside the transaction, so that a rotation by another process is either complete or not begun.
        (found,) = self._store.answers(connection, [HEAD]) if head is None else (head,)
        epoch, signed, seq, digest = found[0] if found else (None, 0, 0, start)
        self.key: Key | None = None if epoch is None else self._held(ring).key(int(epoch))
        self._signed, self.seq, self.hash = int(signed or 0), int(seq), str(digest)

    @staticmethod
    def _held(ring: KeyRing | None) -> KeyRing:
        if ring is None:
            raise RecordFault(Message("study.key_not_given"))
        return ring

    # ------------------------------------------------------------------------------ what is waited for
    @contextmanager
    def sending(self) -> Iterator[None]:
        """Inside the block what is written is sent without waiting for each answer: until something is read.

        All of it was carried out where the block ends, or the block raises what one of the statements raised.
        """
        self._sent = ExitStack()
        try:
            yield
            self._settle()
        finally:
            # After an error: what was sent is taken back with the transaction, whatever became of it.
            sent, self._sent = self._sent, None
            with suppress(*self._store.errors):
                sent.close()

    def _write(self, statement: Any, values: Mapping[str, Any] | None = None) -> None:
        if self._sent is not None and not self._waits:
            self._sent.enter_context(self._store.sending(self._connection))
            self._waits = True
        self._connection.execute(statement, values)

    def _settle(self) -> None:
        """Wait for what was sent: what is read next must see it."""
        if self._sent is not None and self._waits:
            self._waits = False
            self._sent.close()

    def ahead(self, questions: Iterable[Question], answers: Iterable[Answer] | None = None) -> None:
        """Know what :meth:`found` will be asked, so that a server is waited for once and not for each.

        Parameters
        ----------
        questions : which rows.
        answers : as the database keeps them; None asks for those that are not known yet.
        """
        wanted = list(questions)
        if answers is None:
            wanted = [one for one in wanted if _key(one[1]) not in self._read.get(one[0], {})]
            if not wanted:
                return
            self._settle()
            answers = self._store.answers(self._connection, [asks(one) for one in wanted])
        for (name, where), rows in zip(wanted, answers, strict=True):
            table = BY_NAME[name]
            columns = table.columns.keys()
            known = [seen(table, dict(zip(columns, row, strict=True))) for row in rows]
            self._read.setdefault(name, {})[_key(where)] = known

    # ------------------------------------------------------------------------------ entries
    def log(self, action: str, table: str, row_id: str, *, version: int, payload: Mapping[str, Any]) -> None:
        """Append one audit row and its payload, without touching data.

        Parameters
        ----------
        action : what was done.
        table, row_id : to which row.
        version : of the row afterwards.
        payload : ``new``, ``old`` and ``reason``, plain data.

        Raises
        ------
        BadValue
            When the reason has more than :data:`LONGEST_REASON` characters.
        """
        if len(str(payload.get("reason", ""))) > LONGEST_REASON:
            n = f"{len(str(payload['reason'])):,}"
            raise BadValue(Message("study.long_reason", most=f"{LONGEST_REASON:,}", n=n))
        coded = {**payload, **carried({"reason": payload["reason"]})}
        # The salt keeps a short payload, such as a grade of 0 to 5, from being guessed once it is redacted.
        salt, text = world.chance.token_bytes(16), chain.canonical(chain.clean(coded))
        record: Values = {
            "seq": self.seq + 1,
            "utc": utc_now(),
            "tz": tz_offset(),
            "mono_ns": world.clock.monotonic_ns(),
            "boot_id": world.clock.boot_id(),
            "actor": _type(audit, "actor").stored(self._actor),
            "action": action,
            "table_name": table,
            "row_id": row_id,
            "row_version": version,
            "schema_version": SCHEMA_VERSION,
            "commitment": chain.commitment(salt, text),
        }
        digest = chain.link(self.hash, record, self.key.hmac if self.key else None)
        self._write(INSERTS["audit"], {**record, "hash": digest})
        self._write(INSERTS["audit_payload"], {"seq": record["seq"], "salt": salt, "payload": text})
        self.seq, self.hash = record["seq"], digest

    def enter_key(self, ring: KeyRing, *, reason: str) -> Key:
        """Bring the next epoch's key into use: the entry is the last one under the key before it, heads are
        signed.
        """
        epoch = self.key.epoch + 1 if self.key else 1
        if self.key:
            self.sign_head(why="rotate")
        fresh = ring.make(epoch)
        row = {"epoch": epoch, "public_key": fresh.public, "algorithm": ALGORITHM, "utc": fresh.utc}
        self.insert(study_key, row, reason=reason)
        # From here: the entry above is the last one under the key before.
        self.key = fresh
        self.sign_head(why="key")
        return fresh

    def sign_head(self, *, why: str) -> None:
        """Sign the head as it is now, unless that is done or the record has no keys."""
        if self.key is None or self._signed == self.seq:
            return
        self._settle()
        row = self._connection.execute(select(study.c.id)).one()
        payload = {
            "seq": self.seq, "hash": self.hash, "digest": self._digest(), "utc": utc_now(), "why": why,
        }  # fmt: skip
        envelope = seal(payload, purpose="head", study_id=str(row.id), key=self.key)
        self._connection.execute(
            INSERTS["signed_head"], {**payload, "epoch": self.key.epoch, "signature": envelope["signature"]}
        )
        self._signed = self.seq

    def sign_if_due(self) -> None:
        """Sign the head when :data:`SIGN_EVERY` rows are not covered by a signature."""
        # Signing reads every row since the last signed head: done rarely enough, and never left too long.
        if self.seq - self._signed >= SIGN_EVERY:
            self.sign_head(why=f"every {SIGN_EVERY} entries")

    def _digest(self) -> str:
        """Running digest of the chain at the head, carried on from the newest signed one."""
        newest = select(signed_head.c.digest).where(signed_head.c.seq == self._signed)
        value, after = self._connection.execute(newest).scalar() or "", self._signed
        query = select(audit).where(audit.c.seq > after).order_by(audit.c.seq)
        for row in self._connection.execute(query).mappings():
            value = chain.digest(value, dict(row))
        return str(value)

    def owners(self, table: str, row: Mapping[str, Any]) -> list[locks.Place]:
        """A row and everything that it belongs to, up to its participant, and the study.

        Parameters
        ----------
        table : of the row.
        row : its columns; a new one may have no id yet.
        """
        places = [(table, str(row.get("id") or ""))]
        above = locks.parent(table, row)
        while above is not None:
            places.append(above)
            # A row at the root has no owner: each answer of a server is waited for while the record is held.
            owner = self.get(BY_NAME[above[0]], id=above[1]) if above[0] in PARENTS else None
            above = locks.parent(above[0], owner) if owner else None
        return [*places, ("study", "")]

    def refuse_locked(self, table: str, row: Mapping[str, Any]) -> None:
        """Refuse to write a row that is locked, or that belongs to something locked. Raises Refused."""
        if self._locks is None:
            self._locks = locks.in_force(self.found(lock_event))
        if self._locks:
            locks.refuse(self._locks, table, self.owners(table, row))

    def get(self, table: Table, **where: Any) -> Values | None:
        """The first row that equals ``where`` in those columns."""
        return next(iter(self.found(table, **where)), None)

    def found(self, table: Table, **where: Any) -> list[Values]:
        """Rows of a table in the order of entry, those that equal ``where``.

        Each question is put once: nobody else writes while this transaction lasts, and what it writes itself
        forgets what was read of that table.
        """
        known = self._read.setdefault(table.name, {})
        asked = _key(where)
        if asked not in known:
            query = in_order(table).where(*(table.columns[name] == value for name, value in where.items()))
            known[asked] = self.rows(query)
        return [dict(row) for row in known[asked]]

    def rows(self, query: Any) -> list[Values]:
        """Rows of a query inside this transaction."""
        self._settle()
        return [dict(row) for row in self._connection.execute(query).mappings()]

    def stored(self, table: Table) -> Iterator[Values]:
        """Every row of a table as the database keeps it, in order of entry."""
        self._settle()
        names = table.columns.keys()
        columns = ", ".join(f'"{name}"' for name in names)
        for row in self._connection.exec_driver_sql(f'SELECT {columns} FROM "{table.name}" ORDER BY rowid'):
            yield dict(zip(names, row, strict=True))

    def count(self, table: Table, **where: Any) -> int:
        """Number of rows that equal ``where``."""
        self._settle()
        query = select(func.count()).select_from(table)
        query = query.where(*(table.columns[name] == value for name, value in where.items()))
        return int(self._connection.execute(query).scalar_one())

    def _refuse_orphan(self, table: str, row: Mapping[str, Any]) -> None:
        above = locks.parent(table, row)
        if above and self.get(BY_NAME[above[0]], id=above[1]) is None:
            raise UnknownName(Message("study.no_parent", parent=above[0], id=told(above[1]), table=table))

    def insert(self, table: Table, values: Values, *, reason: str) -> str:
        """Insert one row, audit row first. Returns its id.

        Parameters
        ----------
        table : where to.
        values : by column; an empty ``id`` is given one.
        reason : kept in the audit chain.

        Raises
        ------
        UnknownName
            When the row it belongs to is not in the record.
        Refused
            When it is locked.
        """
        self._refuse_orphan(table.name, values)
        row = {**values, "id": values.get("id") or uuid7(), "row_version": 1}
        self.refuse_locked(table.name, row)
        stored = raw(table, row)
        self.log(
            "create",
            table.name,
            stored["id"],
            version=1,
            payload={"new": chain.veiled(table.name, stored), "old": None, "reason": reason},
        )
        self._write(INSERTS[table.name], row)
        self._read.pop(table.name, None)
        if table is lock_event:
            self._locks = None
        return str(stored["id"])

    def put(self, table_name: str, values: Values, *, reason: str) -> tuple[str, bool]:
        """Insert a row unless it is there. Returns ``(id, was it new)``.

        Parameters
        ----------
        table_name : where to.
        values : by column.
        reason : kept in the audit chain.

        Raises
        ------
        RecordFault
            When a row of that id or key is there and differs, or is entered by people and may not repeat.
        UnknownName
            When the row it belongs to is not in the record.
        """
        table = BY_NAME[table_name]
        check(table_name, values)
        if SAID in table.columns:
            values = {**values, SAID: codes(values)}
        stored = raw(table, values)
        key = {name: values[name] for name in KEYS[table_name]}
        current = (values["id"] and self.get(table, id=values["id"])) or self.get(table, **key)
        if not current:
            return self.insert(table, values, reason=reason), True
        keys = (
            ", ".join(f"{name} {value!r}" for name, value in key.items() if name != "id") or f"id {current['id']}"
        )
        if table_name not in REPEATABLE:
            raise RecordFault(Message("study.there_already", table=table_name, keys=keys))
        # A decoder is identified by its hash, and an amended row differs from what the machine made on purpose.
        settled = table_name == "decoder" or current["row_version"] > 1
        kept = raw(table, current)
        # Codes are not compared: a text that a later version words differently comes without one.
        same = settled or all(kept[name] == value for name, value in stored.items() if name not in ("id", SAID))
        if not same or values["id"] not in ("", current["id"]):
            raise RecordFault(Message("study.there_differs", table=table_name, keys=keys, id=current["id"]))
        return str(current["id"]), False

    def change(
        self, table: Table, row_id: str, changes: Values, *, action: str, reason: str, expected: int | None = None
    ) -> int:
        """Change one row, audit row first. Returns its new version.

        Parameters
        ----------
        table, row_id : which row.
        changes : column → new value.
        action : ``"amend"`` or ``"redact"``.
        reason : why; must not be empty.
        expected : version that the change was made for; None is any.

        Raises
        ------
        UnknownName
            No such row or column.
        RecordFault
            A column that never changes, or another version than ``expected``.
        BadValue
            No reason, or nothing to change.
        """
        if not reason.strip():
            raise BadValue(Message("study.change_needs_reason", table=table.name))
        _refuse_columns(table, changes, action)
        check(table.name, changes)
        current = self.get(table, id=row_id)
        if current is None:
            raise UnknownName(Message("study.no_row", table=table.name, id=told(row_id)))
        # Where it belongs now, and where it would belong: nothing is moved out of a lock or into one.
        self.refuse_locked(table.name, current)
        self.refuse_locked(table.name, {**current, **changes})
        refuse_changed(table.name, current, expected)
        if SAID in table.columns:
            untouched = {name: code for name, code in current[SAID].items() if name not in changes}
            changes = {**changes, SAID: {**untouched, **codes(changes)}}
        before, stored = raw(table, current), raw(table, changes)
        old = {name: before[name] for name in stored if before[name] != stored[name]}
        if not old and action == "amend":
            raise BadValue(Message("study.nothing_to_amend", table=table.name, id=row_id))
        version = int(current["row_version"]) + 1
        new = chain.veiled(table.name, {**before, **stored, "row_version": version})
        # A redaction must not repeat what it removes.
        shown = None if action == "redact" else chain.veiled(table.name, old)
        self.log(action, table.name, row_id, version=version, payload={"new": new, "old": shown, "reason": reason})
        query = update(table).where(table.c.id == row_id, table.c.row_version == current["row_version"])
        self._write(query.values(**changes, row_version=version))
        self._read.pop(table.name, None)
        return version

    def drop_payloads(self, table: Table, row_id: str) -> int:
        """Delete the payloads of a row's entries before its newest one. Returns how many.

        That of a migration or a move stays: it holds hashes of two schemas, which ``verify`` needs, and nothing
        of the row.
        """
        earlier = select(audit.c.seq).where(
            audit.c.table_name == table.name, audit.c.row_id == row_id, audit.c.seq < self.seq,
            audit.c.action.not_in((MIGRATE, MOVE)),
        )  # fmt: skip
        self._settle()
        done = self._connection.execute(audit_payload.delete().where(audit_payload.c.seq.in_(earlier)))
        return int(done.rowcount)


def _key(where: Mapping[str, Any]) -> Any:
    """What a question is remembered by."""
    return tuple(sorted(where.items()))


def refuse_changed(table: str, row: Mapping[str, Any], expected: int | None) -> None:
    """Refuse a change that was made for another version of a row than the one that stands in the record.

    Parameters
    ----------
    table, row : which row.
    expected : version that the change was made for; None is any.

    Raises
    ------
    RecordFault
        When it is another one.
    """
    if expected is not None and row["row_version"] != expected:
        now = row["row_version"]
        raise RecordFault(
            Message("study.changed_meanwhile", table=table, id=row["id"], now=now, expected=expected)
        )


def _refuse_columns(table: Table, names: Iterable[str], action: str) -> None:
    """Refuse columns that are not there, that never change, or that a redaction may not take."""
    every = tuple(table.columns.keys())[1:-1]
    redacted = MAY_BE_REDACTED.get(table.name) if action == "redact" else None
    allowed = AMENDABLE.get(table.name, every) if redacted is None else redacted
    for name in names:
        if name not in table.columns:
            known = list(table.columns.keys())
            raise UnknownName(Message("study.no_column", table=table.name, column=told(name), known=known))
        if name not in allowed:
            raise RecordFault(Message("study.never_changes", column=name, table=table.name))


def in_order(table: Table) -> Any:
    """Rows of ``table`` in the order they were entered."""
    return select(table).order_by(order_of(table))
