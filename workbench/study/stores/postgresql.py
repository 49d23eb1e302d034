"""The record in a schema of a PostgreSQL database, through psycopg.

One writer at a time, as in SQLite: a transaction begins with a lock that belongs to the schema and that ends with
the transaction. libpq's own settings say who logs in and how (password file, service, certificates, peer).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from workbench import world
from workbench.errors import RecordFault, RecordLocked
from workbench.messages import Message
from workbench.study import chain, record_file
from workbench.study.stores import Answer, Asked, TableRows
from workbench.study.stores import postgresql_schema as tables
from workbench.study.stores.pointer import Pointer

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy import Connection, Engine

CONNECT_S = 10
"""How long a server may take to answer, s."""
AT_ONCE = 2000
"""Rows that verifying holds at once."""
APPLICATION = "workbench process {}"
"""Name of a connection at the server, by the number of its process."""
LOCK = "hashtextextended('workbench study record ' || current_schema(), 0)"
"""Number of the lock that one writer holds."""
HERE = "relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
"""What is true of a relation of the record's schema."""
SETTINGS = (
    # What was reported as stored survives a power cut: the server waits for its disk.
    "SET synchronous_commit = on",
    # Numbers are given with all their digits.
    "SET extra_float_digits = 1",
    "SET client_encoding = 'UTF8'",
    "SET standard_conforming_strings = on",
)
HELD = ("55P03", "40001", "40P01")
"""Codes of a lock that another process holds (postgresql.org/docs/15/errcodes-appendix.html)."""
LOST = ("08", "28", "57P", "53300", "3D000")
"""Beginnings of the codes with which a server turns a connection away or ends it."""
DAMAGED = ("XX001", "XX002")
NOT_WRITABLE = ("42501", "25006")
MOVED_AWAY = ("42P01", "3F000")
"""Codes of a table or schema that is gone: the record was moved while this connection was open."""
RETIRED = "{}_moved"
"""Name of a schema whose record was moved into a file."""
DISK_FULL = "53100"


@dataclass(frozen=True, slots=True)
class PostgreSQL:
    """See :class:`workbench.study.stores.Store`.

    Parameters
    ----------
    path : of the file that names the database.
    pointer : what it says.
    """

    path: Path
    pointer: Pointer

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What psycopg raises."""
        return (_driver().Error,)

    def claim(self, undo: ExitStack) -> None:
        """Write the file that names the database, once the database answers; removed again when the rest fails."""
        try:
            with self._connected() as connection:
                encoding = connection.execute("SHOW server_encoding").fetchone()
        except self.errors as error:
            raise self.explain(error) from error
        if encoding != ("UTF8",):
            got = str(encoding and encoding[0])
            raise RecordFault(Message("store.encoding", url=self.pointer.url, got=got))
        if (self.path.parent / record_file.FILE).exists():
            raise RecordFault(Message("study.holds_record", folder=str(self.path.parent), file=record_file.FILE))
        with world.disk.open(self.path, "xb") as file:
            undo.callback(world.disk.unlink, self.path, missing_ok=True)
            file.write(self.pointer.text().encode())
            file.flush()
            world.disk.sync(file.fileno())
        world.disk.sync_folder(self.path.parent)

    def check(self) -> None:
        """Nothing: whether the record is there is seen when it is opened."""

    def engine(self, *, busy_s: float) -> Engine:
        """An engine whose connections know the schema and how long to wait."""
        from sqlalchemy import create_engine

        def connect() -> psycopg.Connection[Any]:
            connection = self._connect()
            connection.execute(f"SET lock_timeout = {int(busy_s * 1000)}")
            return connection

        return create_engine(
            "postgresql+psycopg://",
            creator=connect,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            # Spares a question to every server: a record has no such column.
            use_native_hstore=False,
            # A server that was started again has closed the connections that lie here.
            pool_pre_ping=True,
            execution_options={"store": self},
        )

    def prepare(self, connection: Connection) -> None:
        """Nothing: all of it is part of the transaction."""

    def create(self, connection: Connection) -> None:
        """Create the schema with all tables, indexes and triggers."""
        connection.exec_driver_sql(f"CREATE SCHEMA {self.pointer.schema}")
        tables.create_tables(connection)
        tables.create_triggers(connection, self.pointer.schema)

    def version(self, connection: Connection) -> int:
        """As the table of one row says."""
        return self._version(lambda sql: connection.exec_driver_sql(sql).fetchall())

    def _version(self, query: Any) -> int:
        if query(f"SELECT to_regclass('{self.pointer.schema}.{tables.RECORD}')")[0][0] is None:
            if self.pointer.moving:
                raise RecordFault(Message("move.unfinished", folder=str(self.path.parent)))
            raise RecordFault(Message("store.no_schema", path=str(self.pointer)))
        rows = query(f"SELECT application, version FROM {tables.RECORD}")
        if [row[0] for row in rows] != [chain.APPLICATION_ID]:
            raise RecordFault(Message("store.no_schema", path=str(self.pointer)))
        return int(rows[0][1])

    def has_tables(self, connection: Connection) -> bool:
        """A record has all of its tables or no schema."""
        return True

    def schema_hash(self, connection: Connection) -> str:
        """Over the server's catalogue."""
        return tables.fingerprint(lambda sql: [tuple(row) for row in connection.exec_driver_sql(sql)])

    def begin_writing(self, connection: Connection, asked: Sequence[Asked] = ()) -> list[Answer]:
        """What is read after the lock is what the writer before it stored: each query sees what is there then."""
        begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
        lock = f"SELECT pg_advisory_xact_lock({LOCK})"
        return self.answers(connection, [(begin, ()), (lock, ()), *asked])[2:]

    def answers(self, connection: Connection, asked: Sequence[Asked]) -> list[Answer]:
        """All of them in one message."""
        raw: Any = connection.connection.dbapi_connection
        cursors = [raw.cursor() for _ in asked]
        try:
            with raw.pipeline():
                for cursor, (query, values) in zip(cursors, asked, strict=True):
                    cursor.execute(query.replace("?", "%s"), values or None)
        except self.errors as error:
            _tell_broken(connection, raw, error)
            raise
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]

    @contextmanager
    def sending(self, connection: Connection) -> Iterator[None]:
        """A pipeline of libpq: each is carried out after the one before it, and none after one that failed."""
        raw: Any = connection.connection.dbapi_connection
        try:
            with raw.pipeline():
                yield
        except self.errors as error:
            _tell_broken(connection, raw, error)
            raise

    def begin_reading(self, connection: Connection) -> None:
        """One snapshot."""
        connection.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def in_transaction(self, dbapi: Any) -> bool:
        """As libpq knows."""
        return not dbapi.closed and dbapi.info.transaction_status != _driver().pq.TransactionStatus.IDLE

    def overwrite(self, connection: Connection, *tables: str) -> bool:
        """Give the room of the old rows back; the server's log and its own copies keep the text for longer."""
        names = ", ".join(f'"{name}"' for name in tables)
        connection.exec_driver_sql(f"VACUUM {names}")
        return True

    @contextmanager
    def reader(self) -> Iterator[PostgreSQLReader]:
        """One snapshot of all tables, while others may still write."""
        try:
            connection = self._connect()
        except self.errors as error:
            raise self.explain(error) from error
        with connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield PostgreSQLReader(connection, self)

    def state(self) -> Hashable:
        """Newest entry and newest signed head."""
        try:
            with self._connected() as connection:
                query = "SELECT (SELECT MAX(seq) FROM audit), (SELECT MAX(seq) FROM signed_head)"
                newest: Hashable = connection.execute(query).fetchone()
                return newest
        except self.errors as error:
            raise self.explain(error) from error

    # ------------------------------------------------------------------------------ copies
    def load(self, rows: Callable[[str], Iterable[bytes]]) -> None:
        """Create the schema with rows as :meth:`PostgreSQLReader.copy` gives them, all of it or nothing.

        Parameters
        ----------
        rows : gives those of a table.
        """

        def fill(connection: Connection) -> None:
            raw: Any = connection.connection.dbapi_connection
            for name in tables.names():
                with raw.cursor() as cursor, cursor.copy(f'COPY "{name}" FROM STDIN') as copy:
                    for block in rows(name):
                        copy.write(block)

        with self.filled(fill):
            pass

    @contextmanager
    def filled(self, fill: Callable[[Connection], None]) -> Iterator[Connection]:
        """Create the schema, let it be filled, and give it its triggers; the block's end stores all of it.

        Parameters
        ----------
        fill : called with the connection once the tables are there.
        """
        from sqlalchemy.exc import DBAPIError

        engine = self.engine(busy_s=CONNECT_S)
        caught: tuple[type[Exception], ...] = (DBAPIError, *self.errors)
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("BEGIN")
                connection.exec_driver_sql(f"CREATE SCHEMA {self.pointer.schema}")
                tables.create_tables(connection)
                fill(connection)
                # After the rows, which the triggers would refuse: they demand an entry that is the newest.
                tables.create_triggers(connection, self.pointer.schema)
                yield connection
                connection.exec_driver_sql("COMMIT")
        except caught as error:
            raise self.explain(error) from error
        finally:
            engine.dispose()

    def holds_schema(self, name: str = "") -> bool:
        """Whether the database has a schema, by default that of the record."""
        with self._connected() as connection:
            query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
            return connection.execute(query, (name or self.pointer.schema,)).fetchone() is not None

    def retire(self, connection: Connection) -> str:
        """Give the schema another name inside the caller's transaction, so that nobody finds it; that name."""
        # A name has at most 63 bytes (postgresql.org/docs/15/sql-syntax-lexical.html).
        name = RETIRED.format(self.pointer.schema[:57])
        connection.exec_driver_sql(f"ALTER SCHEMA {self.pointer.schema} RENAME TO {name}")
        return name

    def drop(self) -> None:
        """Remove the schema with everything in it: what :meth:`load` made and nobody used."""
        with self._connected() as connection:
            connection.execute(f"DROP SCHEMA IF EXISTS {self.pointer.schema} CASCADE")

    # ------------------------------------------------------------------------------ errors
    def explain(self, error: Exception) -> RecordFault:
        """The server's words as a sentence, told by the code of its error."""
        origin: Any = getattr(error, "orig", None) or error
        where, code, why = str(self.pointer), _code(origin), _words(origin)
        if code in HELD:
            who = self._holders() or Message("study.another_process")
            return RecordLocked(Message("study.held", path=where, who=who))
        if code.startswith(LOST) or (not code and isinstance(origin, _driver().OperationalError)):
            return RecordFault(Message("store.unreachable", path=where, why=why))
        if code == DISK_FULL:
            return RecordFault(Message("study.disk_full", path=where))
        if code in NOT_WRITABLE:
            return RecordFault(Message("study.not_writable", path=where, why=why))
        if code in MOVED_AWAY:
            return RecordFault(Message("store.no_schema", path=where))
        if code in DAMAGED:
            return RecordFault(Message("study.damaged", path=where, why=why))
        return RecordFault(Message("study.entry_refused", path=where, why=why))

    def refusal(self, error: Exception) -> RecordFault | None:
        """A server that cannot be reached, a lock, a missing right; anything else is a finding."""
        if not isinstance(error, self.errors):
            return None
        code = _code(error)
        lost = code.startswith(LOST) or (not code and isinstance(error, _driver().OperationalError))
        return self.explain(error) if lost or code in (*HELD, *NOT_WRITABLE) else None

    def _holders(self) -> list[str]:
        """Who holds the lock of the writers, as far as the server says."""
        query = (
            "SELECT a.usename, a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
            "WHERE l.locktype = 'advisory' AND l.granted "
            f"AND ((l.classid::bigint << 32) | l.objid::bigint) = {LOCK}"
        )
        with suppress(RecordFault, *self.errors), self._connected() as connection:
            return [f"{user} ({name})" for user, name in connection.execute(query)]
        return []

    # ------------------------------------------------------------------------------ connections
    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    def _connect(self) -> psycopg.Connection[Any]:
        connection = world.network.database(
            self.pointer.url,
            autocommit=True,
            connect_timeout=CONNECT_S,
            application_name=APPLICATION.format(world.computer.pid()),
        )
        connection.execute("; ".join((*SETTINGS, f"SET search_path = {tables.search_path(self.pointer.schema)}")))
        return connection


def _tell_broken(connection: Connection, raw: Any, error: Exception) -> None:
    """Tell SQLAlchemy of a connection that broke where it was not asked, unless it knows by now.

    One that ended while an answer was under way cannot leave its pipeline, and nothing more can be asked of it.
    """
    stuck = raw.closed or raw.pgconn.pipeline_status != _driver().pq.PipelineStatus.OFF
    # An invalidated connection is not asked for its driver's one: that would make another.
    if stuck and not connection.invalidated:
        connection.invalidate(error)


class PostgreSQLReader:
    """See :class:`workbench.study.stores.Reader`.

    Parameters
    ----------
    connection : in a transaction.
    store : where the record lies.
    """

    def __init__(self, connection: psycopg.Connection[Any], store: PostgreSQL) -> None:
        self._connection = connection
        self._store = store
        self._numbers: dict[str, list[int]] = {}

    @property
    def path(self) -> Path:
        """The file that names the database."""
        return self._store.path

    def _all(self, sql: str) -> list[Any]:
        return self._connection.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]

    def version(self) -> int:
        """As the table of one row says."""
        return self._store._version(self._all)

    def faults(self) -> Iterator[Message]:
        """Rows without their parent; pages and indexes are checked by the server."""
        query = (
            "SELECT c.relname, f.relname, a.attname, b.attname FROM pg_constraint o "
            "JOIN pg_class c ON c.oid = o.conrelid JOIN pg_class f ON f.oid = o.confrelid "
            "JOIN pg_attribute a ON a.attrelid = o.conrelid AND a.attnum = o.conkey[1] "
            "JOIN pg_attribute b ON b.attrelid = o.confrelid AND b.attnum = o.confkey[1] "
            f"WHERE o.contype = 'f' AND c.{HERE} ORDER BY c.relname, o.conname"
        )
        # In one question: sixty answers would be waited for one after the other.
        orphans = " UNION ALL ".join(
            f"SELECT '{table}', '{parent}' FROM \"{table}\" AS child WHERE child.\"{column}\" IS NOT NULL AND NOT "
            f'EXISTS (SELECT 1 FROM "{parent}" AS parent WHERE parent."{key}" = child."{column}")'
            for table, parent, column, key in self._all(query)
        )
        for table, parent in self._all(orphans) if orphans else ():
            yield Message("verify.no_parent", table=table, parent=parent)
        yield from self._minus_zeros()

    def _minus_zeros(self) -> Iterator[Message]:
        """Rows with a minus zero, which equals the zero that the chain has and is no value that we store."""
        query = (
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            f"WHERE a.atttypid = 'float8'::regtype AND c.relkind = 'r' AND c.{HERE} ORDER BY c.relname, a.attnum"
        )
        columns = self._all(query)
        looked = " UNION ALL ".join(
            f"""SELECT '{table}', id, '{name}' FROM "{table}" WHERE "{name}" = 0 AND "{name}"::text = '-0'"""
            for table, name in columns
        )
        for table, row_id, name in self._all(looked) if looked else ():
            yield Message("verify.row_differs", table=table, id=row_id, columns=[name])

    def rows(self, query: str) -> Iterable[Any]:
        """Fetched in parts, because a chain may be longer than the memory."""
        from psycopg.rows import dict_row

        with self._connection.cursor("rows", row_factory=dict_row) as cursor:
            cursor.itersize = AT_ONCE
            cursor.execute(query)
            yield from cursor

    def values(self, query: str) -> Iterable[tuple[Any, ...]]:
        """Fetched in parts too, as numbers and bytes and not as their text, and the next part while one is used:
        the server is a process of its own.
        """
        # Left in this order: what is still being fetched ends before its cursor does.
        with self._connection.cursor("values", binary=True) as cursor, ThreadPoolExecutor(1) as ahead:
            cursor.execute(query, binary=True)
            rows = cursor.fetchmany(AT_ONCE)
            while rows:
                coming = ahead.submit(cursor.fetchmany, AT_ONCE)
                yield from rows
                rows = coming.result()

    def tables(self) -> list[str]:
        """Those of the schema, without the one that says whose they are."""
        query = (
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'f', 'v', 'm') AND relnamespace = "
            '(SELECT oid FROM pg_namespace WHERE nspname = current_schema()) ORDER BY relname COLLATE "C"'
        )
        return [name for (name,) in self._all(query) if name != tables.RECORD]

    def table(self, name: str) -> TableRows:
        """All columns but that of the order."""
        with self._connection.cursor(binary=True) as cursor:
            cursor.execute(f'SELECT * FROM "{name}" ORDER BY {tables.order_of(name)}', binary=True)
            names = tuple(column.name for column in cursor.description or ())
            found = cursor.fetchall()
        if tables.ORDER not in names:
            self._numbers[name] = []
            return TableRows(names, found)
        place = names.index(tables.ORDER)
        self._numbers[name] = [row[place] for row in found]
        return TableRows(names[:place] + names[place + 1 :], [row[:place] + row[place + 1 :] for row in found])

    def numbers(self, name: str) -> list[int]:
        """The column of the order, kept since the rows were read."""
        return self._numbers[name]

    def schema_hash(self) -> str:
        """Over the server's catalogue."""
        return tables.fingerprint(self._all)

    def size(self) -> int:
        """Bytes that the tables take at the server."""
        query = f"SELECT SUM(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relkind = 'r' AND {HERE}"
        return int(self._all(query)[0][0])

    def copy(self, name: str) -> Iterator[bytes]:
        """The rows of a table in the order of entry, as the text of COPY, which reads them back bit for bit.

        Parameters
        ----------
        name : of the table.
        """
        query = f'COPY (SELECT * FROM "{name}" ORDER BY {tables.order_of(name)}) TO STDOUT'
        with self._connection.cursor() as cursor, cursor.copy(query) as copy:
            for block in copy:
                yield bytes(block)


def _driver() -> ModuleType:
    """psycopg. Raises RecordFault where it is not installed."""
    try:
        import psycopg
    # libpq itself may be missing too, which psycopg says with an ImportError of its own.
    except ImportError as error:
        raise RecordFault(Message("store.no_driver", why=str(error).splitlines()[0])) from error
    driver: ModuleType = psycopg
    return driver


def _code(error: Any) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def _words(error: Any) -> str:
    """The server's own sentence in one line, without what it says of its place."""
    said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return " ".join(said.split())[:500]
