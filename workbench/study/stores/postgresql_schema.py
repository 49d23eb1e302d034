"""Tables, triggers and fingerprint of a record in PostgreSQL: the rules of :mod:`workbench.study.schema`.

Every table of data has one column more, ``rowid``, the number of the audit row that entered the row: by it rows
are in the order of entry, no reader sees it, and ``verify`` compares it with the chain. The server enforces the
triggers against everybody who does not own the tables; ``verify`` sees by the fingerprint where an owner
changed them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from workbench.study import chain

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

RECORD = "study_record"
"""Table of one row that says whose tables these are: application id and schema version."""
ORDER = "rowid"
"""The column of the order of entry, under the name that SQLite gives to its own."""
OWN = ("audit", "audit_payload", "signed_head")
"""Tables whose rows are in the order of a number of their own, which the chain covers."""
_AUDITED = "EXISTS (SELECT 1 FROM audit WHERE table_name = TG_TABLE_NAME AND row_id = NEW.id "
_AUDITED += "AND row_version = NEW.row_version"
_NEXT = f"NEW.row_version <> OLD.row_version + 1 OR NEW.id <> OLD.id OR NEW.{ORDER} <> OLD.{ORDER}"
_FUNCTIONS = {
    "append_only": ("TRUE", "append-only"),
    "data_insert": (f"NEW.row_version <> 1 OR NOT {_AUDITED})", "not audited"),
    "data_redact": (f"{_NEXT} OR NOT {_AUDITED} AND action = 'redact')", "append-only"),
    "audit_insert": ("NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit)", "append-only"),
    "payload_insert": ("NEW.seq <> (SELECT MAX(seq) FROM audit)", "append-only"),
    "payload_delete": (
        "NOT EXISTS (SELECT 1 FROM audit AS a JOIN audit AS b "
        "ON b.table_name = a.table_name AND b.row_id = a.row_id "
        "AND b.seq > a.seq AND b.action = 'redact' WHERE a.seq = OLD.seq)",
        "only redaction deletes",
    ),
    "signed_head_insert": (
        "NOT EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq AND hash = NEW.hash)",
        "no such head",
    ),
}
"""Functions of the triggers that are the same for every table: when they refuse, and with which words."""
_NUMBERED = {"data_insert": f"NEW.{ORDER} := (SELECT MAX(seq) FROM audit); "}
"""What such a function does besides: the audit row of a row is written right before it."""


def create_tables(connection: Connection) -> None:
    """Create all tables and indexes inside the caller's transaction, in the schema of the connection."""
    from sqlalchemy.schema import CreateIndex, CreateTable

    from workbench.study.schema import APPLICATION_ID, SCHEMA_VERSION, in_order_of_parents

    connection.exec_driver_sql(f"CREATE TABLE {RECORD} (application BIGINT NOT NULL, version BIGINT NOT NULL)")
    connection.exec_driver_sql(f"INSERT INTO {RECORD} VALUES ({APPLICATION_ID}, {SCHEMA_VERSION})")
    statements = []
    for table in in_order_of_parents():
        statements.append(str(CreateTable(table).compile(dialect=connection.dialect)))
        if table.name not in OWN:
            # Without a value of its own: the trigger gives it the number of the newest audit row.
            statements.append(f'ALTER TABLE "{table.name}" ADD COLUMN {ORDER} BIGINT NOT NULL')
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            statements.append(str(CreateIndex(index).compile(dialect=connection.dialect)))
    connection.exec_driver_sql(";\n".join(statements))


def create_triggers(connection: Connection, schema: str) -> None:
    """Create all functions and triggers inside the caller's transaction.

    Parameters
    ----------
    connection : to the database.
    schema : that holds the tables.
    """
    # At once: two hundred answers would be waited for one after the other.
    connection.exec_driver_sql(";\n".join((*_functions(schema), *_triggers())))


def names() -> list[str]:
    """Names of all tables of a record, each after those that it refers to."""
    from workbench.study.schema import in_order_of_parents

    return [table.name for table in in_order_of_parents()]


def order_of(table: str) -> str:
    """The column by which rows of a table are in the order of entry."""
    return "seq" if table in OWN else ORDER


def search_path(schema: str) -> str:
    """Where names are looked up: in the schema alone, and never in somebody's temporary tables before it."""
    return f"{schema}, pg_temp"


def _function(schema: str, name: str, condition: str, words: str) -> str:
    numbered = _NUMBERED.get(name, "")
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {search_path(schema)} AS $$ "
        f"BEGIN IF {condition} THEN RAISE EXCEPTION '%%: {words}', TG_TABLE_NAME; END IF; {numbered}"
        "RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END; END $$"
    )


def _functions(schema: str) -> Iterator[str]:
    for name, (condition, words) in _FUNCTIONS.items():
        yield _function(schema, name, condition, words)
    for table in _amendable():
        yield _function(schema, f"{table.name}_update", _changed(table), "not audited")


def _amendable() -> list[Table]:
    from workbench.study.schema import APPEND_ONLY, DATA

    return [table for table in DATA if table.name not in APPEND_ONLY]


def _changed(table: Table) -> str:
    """When an update of a table is refused: it changes what never changes, or no entry stands for it."""
    from workbench.study.schema import fixed_columns

    never, texts = (
        " OR ".join(f'NEW."{name}" IS DISTINCT FROM OLD."{name}"' for name in names) or "FALSE"
        for names in fixed_columns(table.name)
    )
    # A text that no amendment takes leaves by a redaction.
    redacted = f"({texts}) AND NOT {_AUDITED} AND action = 'redact')"
    return f"{_NEXT} OR {never} OR {redacted} OR NOT {_AUDITED})"


def _triggers() -> Iterator[str]:
    from workbench.study.schema import APPEND_ONLY, DATA

    for table in DATA:
        name = table.name
        yield _trigger(name, "insert", "data_insert")
        yield _trigger(name, "update", "data_redact" if name in APPEND_ONLY else f"{name}_update")
        yield _trigger(name, "delete", "append_only")
    yield _trigger("audit", "insert", "audit_insert")
    yield _trigger("audit_payload", "insert", "payload_insert")
    yield _trigger("audit_payload", "delete", "payload_delete")
    yield _trigger("signed_head", "insert", "signed_head_insert")
    for name, events in (
        ("audit", ("update", "delete")),
        ("audit_payload", ("update",)),
        ("signed_head", ("update", "delete")),
        (RECORD, ("insert", "update", "delete")),
    ):
        for event in events:
            yield _trigger(name, event, "append_only")
    for name in (*(table.name for table in DATA), "audit", "audit_payload", "signed_head", RECORD):
        yield _trigger(name, "truncate", "append_only", each="STATEMENT")


def _trigger(table: str, event: str, function: str, *, each: str = "ROW") -> str:
    what = f'BEFORE {event.upper()} ON "{table}" FOR EACH {each} EXECUTE FUNCTION {function}()'
    return f'CREATE TRIGGER "{table.removeprefix("audit_")}_{event}" {what}'


# ------------------------------------------------------------------------------------ fingerprint
_HERE = "(SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
_KEYS = (
    "(SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest({keys}) WITH ORDINALITY AS k(attnum, n) "
    "LEFT JOIN pg_attribute a ON a.attrelid = {table} AND a.attnum = k.attnum)"
)
_FACTS = (
    "SELECT 'table', relname, relkind, relpersistence, relrowsecurity, relforcerowsecurity FROM pg_class "
    f"WHERE relnamespace = {_HERE} AND relkind NOT IN ('i', 'I', 't')",
    "SELECT 'column', c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
    "l.collname, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute a "
    "JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_collation l ON l.oid = a.attcollation "
    "LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
    f"WHERE c.relnamespace = {_HERE} AND c.relkind NOT IN ('i', 'I', 't', 'S') AND a.attnum > 0 "
    "AND NOT a.attisdropped",
    "SELECT 'constraint', c.relname, o.conname, o.contype, o.convalidated, o.condeferrable, o.condeferred, "
    f"f.relname, {_KEYS.format(keys='o.conkey', table='o.conrelid')}, "
    f"{_KEYS.format(keys='o.confkey', table='o.confrelid')}, o.confupdtype, o.confdeltype, o.confmatchtype, "
    "pg_get_expr(o.conbin, o.conrelid) FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid "
    f"LEFT JOIN pg_class f ON f.oid = o.confrelid WHERE o.connamespace = {_HERE} AND o.contype <> 'n'",
    "SELECT 'index', t.relname, c.relname, m.amname, i.indisunique, i.indisvalid, "
    f"{_KEYS.format(keys='i.indkey', table='i.indrelid')}, i.indpred IS NULL, i.indexprs IS NULL FROM pg_index i "
    "JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid "
    f"JOIN pg_am m ON m.oid = c.relam WHERE c.relnamespace = {_HERE} AND t.relkind <> 't'",
    # Those of foreign keys bear numbers in their names and count only where somebody switched them off.
    "SELECT 'trigger', c.relname, CASE WHEN t.tgisinternal THEN '' ELSE t.tgname END, t.tgtype, t.tgenabled, "
    "p.proname, p.pronamespace = c.relnamespace, encode(t.tgargs, 'hex'), t.tgqual IS NULL, t.tgattr::text "
    "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
    f"WHERE c.relnamespace = {_HERE} AND (NOT t.tgisinternal OR t.tgenabled <> 'O')",
    # The schema's own name does not count, so that a record may be restored into another one.
    "SELECT 'function', p.proname, p.pronargs, format_type(p.prorettype, NULL), l.lanname, p.prosrc, p.prosecdef, "
    "p.proconfig = ARRAY['search_path=' || current_schema() || ', pg_temp'] FROM pg_proc p "
    f"JOIN pg_language l ON l.oid = p.prolang WHERE p.pronamespace = {_HERE}",
    "SELECT 'rule', c.relname, r.rulename, r.ev_type, r.ev_enabled FROM pg_rewrite r "
    f"JOIN pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = {_HERE}",
    "SELECT 'child', c.relname, i.inhrelid::regclass::text FROM pg_inherits i "
    f"JOIN pg_class c ON c.oid = i.inhparent WHERE c.relnamespace = {_HERE} AND c.relkind NOT IN ('i', 'I')",
    f"SELECT 'record', application, version FROM {RECORD}",
)
"""What the fingerprint covers. Not what the server words itself, which another version of it may word differently;
of the checks of columns alone there is nothing else."""


def fingerprint(query: Callable[[str], Iterable[Iterable[Any]]]) -> str:
    """Hash of everything of :data:`_FACTS` in the schema of a connection.

    Parameters
    ----------
    query : gives the rows of a query.
    """
    facts = [["" if fact is None else str(fact) for fact in row] for sql in _FACTS for row in query(sql)]
    return chain.schema_hash(facts)
