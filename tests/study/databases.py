"""Where the studies of these tests are kept, and how an owner edits one behind the record's back.

By default in SQLite's file; with a URL in ``WORKBENCH_TEST_POSTGRESQL`` on that server, each in its own schema.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workbench import world
from workbench.study import Study, schema, stores
from workbench.study.columns import Blob, Flag, Integer, Number
from workbench.study.stores import pointer, postgresql_schema
from workbench.study.stores.postgresql import PostgreSQL
from workbench.study.stores.sqlite import SQLite

VARIABLE = "WORKBENCH_TEST_POSTGRESQL"
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
"""Where Debian keeps the programs of each version of the server."""
NOBODY = 65534


# ------------------------------------------------------------------------------------ a server
@contextmanager
def server() -> Iterator[str]:
    """URL of a database on a server of one's own, on a socket in a temporary folder."""
    # Short: the path of a socket has at most 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    # The server refuses to run as root.
    user = NOBODY if os.geteuid() == 0 else os.geteuid()
    os.chown(home, user, -1)
    as_user: dict[str, Any] = {"user": user, "cwd": home} if os.geteuid() == 0 else {"cwd": home}
    data, programs = home / "data", BINARIES[-1]
    words = ("-U", "test", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D", str(data))
    settings = (
        "-c", "listen_addresses=", "-c", f"unix_socket_directories={home}", "-c", "fsync=off",
        "-c", "max_connections=200", "-c", "max_locks_per_transaction=256", "-c", "autovacuum=off",
    )  # fmt: skip
    try:
        subprocess.run([programs / "initdb", *words], check=True, stdout=subprocess.DEVNULL, **as_user)
        command = [programs / "postgres", "-D", data, *settings]
        started = subprocess.Popen(command, stderr=subprocess.DEVNULL, **as_user)
        try:
            url = f"postgresql://test@/postgres?host={quote(str(home), safe='')}"
            assert world.clock.until(lambda: (home / ".s.PGSQL.5432").exists() and _answers(url), 60)
            yield url
        finally:
            started.terminate()
            started.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


# ------------------------------------------------------------------------------------ studies on it
NEW = stores.new
"""How a study finds its place without these tests."""
made: list[PostgreSQL] = []
"""Where studies of this process were put, so that they are removed."""


@contextmanager
def studies_on(url: str) -> Iterator[None]:
    """Inside the block ``Study.create`` without a database makes its studies on the server."""
    new, before = stores.new, len(made)

    def elsewhere(folder: Path, *, database: str, code: str) -> stores.Store:
        store = new(folder, database=database or url, code=code)
        assert isinstance(store, PostgreSQL)
        made.append(store)
        return store

    stores.new = elsewhere
    try:
        yield
    finally:
        stores.new = new
        remove(before)


def remove(first: int) -> None:
    """Remove the schemas of all studies but the ``first`` ones."""
    while len(made) > first:
        store = made.pop()
        # A server that was never reached holds nothing.
        with suppress(*store.errors):
            store.drop()


def copied(study: Path, target: Path) -> Path:
    """A copy of a study that nobody has open; a record on the server gets a schema of its own."""
    shutil.copytree(study, target)
    if isinstance(source := stores.at(study), PostgreSQL):
        there = pointer.new(source.pointer.url, code="copy")
        (target / pointer.FILE).write_text(there.text())
        store = PostgreSQL(target / pointer.FILE, there)
        with source.reader() as reader:
            rows = {name: list(reader.copy(name)) for name in postgresql_schema.names()}
        made.append(store)
        store.load(lambda name: rows[name])
    return target


# ------------------------------------------------------------------------------------ behind the record's back
@contextmanager
def connected(folder: Path | Study) -> Iterator[Any]:
    """A connection past the record: its rows are tuples, and its statements are written as for SQLite."""
    store = stores.at(folder.folder if isinstance(folder, Study) else folder)
    if isinstance(store, SQLite):
        with closing(sqlite3.connect(store.path, isolation_level=None)) as connection:
            yield connection
        return
    assert isinstance(store, PostgreSQL)
    with store._connected() as connection:
        yield _Translating(connection)


class _Translating:
    """A connection of psycopg that takes statements as SQLite has them."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, values: Any = ()) -> Any:
        sql = re.sub(r"x'([0-9a-f]*)'", r"'\\x\1'::bytea", sql)
        return (
            self._connection.execute(sql.replace("?", "%s"), values) if values else self._connection.execute(sql)
        )


def refused(folder: Path | Study) -> type[Exception]:
    """What the database raises where a trigger or a constraint refuses."""
    if isinstance(stores.at(folder.folder if isinstance(folder, Study) else folder), SQLite):
        return sqlite3.IntegrityError
    import psycopg

    return psycopg.DatabaseError


def tamper(study: Study | Path, *statements: Any) -> None:
    """Edit a record as its owner can: triggers off, edit, triggers on again as they were."""
    with connected(study) as connection:
        if isinstance(connection, _Translating):
            connection.execute("SET session_replication_role = replica")
            _run(connection, statements)
            return
        kept = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in kept:
            connection.execute(f"DROP TRIGGER {name}")
        _run(connection, statements)
        for _, sql in kept:
            connection.execute(sql)


def _run(connection: Any, statements: Any) -> None:
    for statement in statements:
        connection.execute(*statement) if isinstance(statement, tuple) else connection.execute(statement)


def rows(study: Study | Path, sql: str, values: Any = ()) -> list[dict[str, Any]]:
    """Rows as they lie there, by column."""
    with connected(study) as connection:
        found = connection.execute(sql, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def content(study: Study) -> bytes:
    """Everything that the database keeps of a record, as it keeps it."""
    store = stores.at(study.folder)
    if isinstance(store, PostgreSQL):
        with store.reader() as reader:
            return b"".join(block for name in postgresql_schema.names() for block in reader.copy(name))
    return b"".join(path.read_bytes() for path in sorted(study.folder.glob("study.db*")))


def settled(study: Study) -> None:
    """Let nothing stand in two places of a database because it was just written."""
    if isinstance(stores.at(study.folder), SQLite):
        with connected(study) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def put_again(study: Study, table: str) -> str:
    """SQL that puts a row of a table in the place of itself."""
    if isinstance(stores.at(study.folder), SQLite):
        return f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1"
    names = ", ".join(f'"{column.name}"' for column in schema.metadata.tables[table].columns)
    return f"INSERT INTO {table} ({names}) SELECT {names} FROM {table} LIMIT 1"


def nullable(study: Study, table: str) -> set[str]:
    """Columns of a table in which nothing may stand, as the database has it."""
    if isinstance(stores.at(study.folder), SQLite):
        return {row["name"] for row in rows(study, f"PRAGMA table_info({table})") if not row["notnull"]}
    query = "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND "
    return {row["column_name"] for row in rows(study, f"{query} table_name = '{table}' AND is_nullable = 'YES'")}


def drop_trigger(study: Study, table: str, event: str) -> None:
    """Take one trigger away."""
    with connected(study) as connection:
        on = (
            f' ON "{"audit_payload" if table == "payload" else table}"'
            if isinstance(connection, _Translating)
            else ""
        )
        connection.execute(f"DROP TRIGGER {table}_{event}{on}")


def drop_table(study: Study, table: str) -> None:
    """Take a table away, which nothing refers to."""
    with connected(study) as connection:
        connection.execute(f"DROP TABLE {table}")


def other_value(table: str, column: str) -> str:
    """SQL of a value that a column takes and that is not the one it holds."""
    kind = schema.metadata.tables[table].columns[column].type
    if isinstance(kind, Flag):
        return f'1 - "{column}"'
    if isinstance(kind, Integer | Number):
        return f'COALESCE("{column}", 0) + 1000'
    if isinstance(kind, Blob):
        return "x'00'"
    return f"COALESCE(\"{column}\", '') || 'x'"
