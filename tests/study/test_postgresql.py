"""A record in PostgreSQL: the same rows and findings as in a file, on a server that refuses and breaks off."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.shares import some
from tests.study import databases
from tests.study.conftest import fill
from workbench import world
from workbench.commands import main
from workbench.errors import BadValue, RecordFault, RecordLocked, Refused
from workbench.stress import behind, crowd
from workbench.stress.scenario import gone
from workbench.study import Study, anchors, migrate, schema, stores, verify
from workbench.study.backup import backup
from workbench.study.changes.entering import SaveForm
from workbench.study.restore import drill, restore
from workbench.study.stores import pointer, postgresql_schema
from workbench.study.stores.postgresql import LOCK, PostgreSQL
from workbench.study.stores.sqlite import SQLite
from workbench.vocabulary import Participant

psycopg = pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
pytestmark = pytest.mark.job
DATA = [table.name for table in schema.DATA]
EDITED = (*DATA, "audit", "audit_payload", "signed_head")


@pytest.fixture(scope="module")
def url():
    if given_ := os.environ.get(databases.VARIABLE):
        yield given_
        return
    if not databases.BINARIES:
        pytest.skip("no PostgreSQL server is installed here (Debian: postgresql)")
    with databases.server() as own:
        yield own


@pytest.fixture(scope="module", autouse=True)
def _on_the_server(url):
    with databases.studies_on(url):
        yield


@pytest.fixture(scope="module")
def template(tmp_path_factory, _on_the_server):
    folder = tmp_path_factory.mktemp("template") / "study"
    with Study.create(folder, code="NEO", title="Grasp trial", actor="tester") as made:
        return made.folder, fill(made)


@pytest.fixture
def empty(tmp_path):
    with Study.create(tmp_path / "empty", code="NEO", title="Grasp trial", actor="tester") as made:
        yield made


@pytest.fixture(scope="module")
def edited(template):
    """A study that is edited behind the record's back, each time back to what it was."""
    with Study.open(template[0], actor="tester") as opened:
        yield opened


# ------------------------------------------------------------------------------------ the same on both
def test_rows_come_back_as_from_a_file(study, tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "new", databases.NEW)
    with Study.create(tmp_path / "file", code="NEO", title="Grasp trial", actor="tester") as there:
        fill(there)
        assert isinstance(there.database.store, SQLite)
        assert isinstance(study.database.store, PostgreSQL)
        for table in DATA:
            here, other = study.rows(table), there.rows(table)
            assert [{name: type(value) for name, value in row.items()} for row in here] == [
                {name: type(value) for name, value in row.items()} for row in other
            ], table
        own = ("id", "run_id")
        for table in ("trial", "ledger"):
            plain = [
                [{name: value for name, value in row.items() if name not in own} for row in one.rows(table)]
                for one in (study, there)
            ]
            assert plain[0] == plain[1]
        # The template was closed once, which signed its head.
        there.anchor(why="close")
        assert study.verify().checked | {"anchors": 0} == there.verify().checked | {"anchors": 0}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    number=st.floats(allow_nan=False, allow_infinity=False),
    integer=st.integers(-(2**63), 2**63 - 1),
)
def test_every_text_number_and_integer_comes_back_bit_for_bit(edited, text, number, integer):
    trial = replace(edited.nouns("trial")[0], index=0, latency_s=number, end_sample=integer, condition="c")
    with edited.writing.begin("test") as writer:
        table, values = edited._of_run(writer, trial, "run-1")
        row_id = writer.insert(
            schema.trial, {**values, "index": edited.count("trial"), "excluded": text, "said": {}}, reason=text
        )
    row = edited.get("trial", row_id)
    assert (row["excluded"], row["end_sample"]) == (schema.trial.c.excluded.type.stored(text), integer)
    assert row["latency_s"].hex() == (number + 0.0).hex()
    assert table == "trial"


def test_rows_come_in_the_order_of_entry_and_equal_texts_are_told_apart_by_their_bytes(empty):
    names = ["b", "A", "ä", "a", "B", "Ä", "aa"]
    for name in names:
        empty.append(Participant(name))
    empty.amend("participant", empty.rows("participant", pseudonym="A")[0]["id"], {"ais": "B"}, reason="r")
    assert [row["pseudonym"] for row in empty.rows("participant")] == names
    assert "rowid" not in empty.rows("participant")[0]


def test_the_character_nul_is_refused_with_one_sentence_on_both(empty, tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "new", databases.NEW)
    with Study.create(tmp_path / "file", code="NEO", title="t", actor="a") as there:
        for study in (empty, there):
            with pytest.raises(
                BadValue, match=r"participant\.injury_level: text must not hold the character U\+0000"
            ):
                study.append(Participant("P01", injury_level="a\0b"))
            assert study.count("participant") == 0


# ------------------------------------------------------------------------------------ what verifying sees
def every_column():
    columns = [(table, column.name) for table in EDITED for column in schema.metadata.tables[table].columns]
    # And the one that no reader sees, in which the order of entry lies.
    return [*columns, *((table, postgresql_schema.ORDER) for table in DATA)]


@pytest.mark.parametrize(("table", "column"), some(every_column(), of=40))
def test_every_single_field_edit_is_seen(edited, table, column):
    order = postgresql_schema.order_of(table)
    (before,) = databases.rows(
        edited, f'SELECT "{column}" AS value, ctid FROM {table} ORDER BY {order} DESC LIMIT 1'
    )
    number = column == postgresql_schema.ORDER
    other = "rowid + 1000" if number else databases.other_value(table, column)
    databases.tamper(edited, f"UPDATE {table} SET \"{column}\" = {other} WHERE ctid = '{before['ctid']}'")
    found = edited.verify()
    (now,) = databases.rows(edited, f"SELECT ctid FROM {table} ORDER BY {order} DESC LIMIT 1")
    where = f"ctid = '{now['ctid']}'"
    databases.tamper(edited, (f'UPDATE {table} SET "{column}" = ? WHERE {where}', (before["value"],)))
    assert not found.ok
    assert edited.verify().ok


SCHEMA_EDITS = {
    "a trigger less": "DROP TRIGGER trial_update ON trial",
    "a trigger that is off": "ALTER TABLE trial DISABLE TRIGGER trial_update",
    "foreign keys that are off": "ALTER TABLE trial DISABLE TRIGGER ALL",
    "a trigger on a condition": (
        "DROP TRIGGER trial_delete ON trial; CREATE TRIGGER trial_delete BEFORE DELETE ON trial FOR EACH ROW "
        "WHEN (OLD.index < 0) EXECUTE FUNCTION append_only()"
    ),
    "a function that refuses nothing": (
        "CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN OLD; END$$"
    ),
    "a function that looks elsewhere": "ALTER FUNCTION data_insert() SET search_path = public",
    "a function with another's rights": "ALTER FUNCTION data_insert() SECURITY DEFINER",
    "a rule": "CREATE RULE quiet AS ON INSERT TO note DO INSTEAD NOTHING",
    "rows that are hidden": "ALTER TABLE trial ENABLE ROW LEVEL SECURITY",
    "a column more": "ALTER TABLE trial ADD COLUMN more TEXT",
    "a column of another type": "ALTER TABLE trial ALTER COLUMN rest_s TYPE REAL",
    "a column that may be empty": "ALTER TABLE trial ALTER COLUMN rest_s DROP NOT NULL",
    "a default": "ALTER TABLE trial ALTER COLUMN rest_s SET DEFAULT 1",
    "another order of texts": 'ALTER TABLE trial ALTER COLUMN condition TYPE TEXT COLLATE "default"',
    "a check less": "ALTER TABLE trial DROP CONSTRAINT trial_row_version_check",
    "a key less": "ALTER TABLE participant DROP CONSTRAINT participant_pseudonym_key",
    "an index less": "DROP INDEX audit_by_row",
    "a table of rows that count as another's": "CREATE TABLE more () INHERITS (trial)",
    "another version": (
        "ALTER TABLE study_record DISABLE TRIGGER ALL; UPDATE study_record SET version = 5; "
        "ALTER TABLE study_record ENABLE TRIGGER ALL"
    ),
}


@pytest.mark.parametrize("statement", some([pytest.param(edit, id=name) for name, edit in SCHEMA_EDITS.items()]))
def test_every_change_of_tables_and_triggers_is_seen(empty, statement):
    assert verify(empty.folder).ok
    with databases.connected(empty) as connection:
        connection.execute(statement)
    assert any("schema is not the one" in problem for problem in verify(empty.folder).problems)


def test_a_row_without_its_parent_and_a_table_that_is_gone_are_named(study):
    databases.tamper(study, "UPDATE visit SET participant_id = 'gone'")
    assert any("a row of visit belongs to a participant that is not there" in p for p in study.verify().problems)
    databases.drop_table(study, "report")
    assert any("report" in problem for problem in study.verify().problems)


@pytest.mark.parametrize(
    "table", ["participant", "trial", "audit", "audit_payload", "signed_head", "study_record"]
)
def test_the_server_refuses_what_is_done_behind_the_record(edited, table):
    column = {"signed_head": "why", "audit": "actor", "audit_payload": "payload", "study_record": "version"}
    name = column.get(table, "row_version")
    for statement in (
        f"UPDATE {table} SET {name} = {name}",
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
        f"INSERT INTO {table} SELECT * FROM {table}"
        if table == "study_record"
        else databases.put_again(edited, table),
    ):
        words = "append-only|not audited|only redaction deletes|duplicate key"
        with databases.connected(edited) as connection, pytest.raises(psycopg.DatabaseError, match=words):
            connection.execute(statement)
    assert edited.verify().ok


def _another_login(study):
    with study.writing.begin("forged") as writer:
        row = writer.rows(schema.person.select())[0]
        version = row["row_version"] + 1
        writer.log("amend", "person", row["id"], version=version, payload={"new": None, "old": None, "reason": ""})
        query = schema.person.update().where(schema.person.c.id == row["id"])
        writer._connection.execute(query.values(login="other", row_version=version))


def test_a_column_that_never_changes_is_refused_even_with_its_entry(study):
    with pytest.raises(RecordFault, match="refused the entry .*person: not audited"):
        _another_login(study)
    assert study.verify().ok


def test_a_text_that_no_amendment_takes_leaves_by_a_redaction_and_by_nothing_else(study):
    row = study.rows("enrolment")[0]
    with pytest.raises(RecordFault, match="never change"):
        study.amend("enrolment", row["id"], {"screening_number": "(removed)"}, reason="r", row_version=1)
    taken = {
        (table, name)
        for table in schema.MAY_BE_REDACTED
        if table not in schema.APPEND_ONLY
        for name in schema.fixed_columns(table)[1]
    }
    assert ("enrolment", "screening_number") in taken
    for table, name in taken:
        first = study.rows(table)[0]
        study.redact(table, first["id"], {name: "(removed)"}, reason="a name stood there")
        assert study.get(table, first["id"])[name] == "(removed)"
    assert study.verify().ok


def test_a_cut_tail_is_seen_by_the_anchors(empty):
    empty.append(Participant("P01"))
    row_id = empty.append(Participant("P02"))
    newest = empty.head()[0]
    databases.tamper(
        empty,
        f"DELETE FROM audit_payload WHERE seq = {newest}",
        f"DELETE FROM audit WHERE seq = {newest}",
        f"DELETE FROM participant WHERE id = '{row_id}'",
    )
    assert any("its tail was cut" in problem for problem in verify(empty.folder).problems)
    (empty.folder / anchors.FILE).unlink()
    assert verify(empty.folder).ok


@contextmanager
def as_role(study, url, rights):
    """The study folder leads to its schema as another role, with these rights on every table."""
    there = study.database.store.pointer
    role = f"other_{there.schema[-8:]}"
    with databases.connected(study) as connection:
        connection.execute(
            f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {there.schema} TO {role}; "
            f"GRANT {rights} ON ALL TABLES IN SCHEMA {there.schema} TO {role}"
        )
    parts = urlsplit(url)
    mine = parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}").geturl()
    (study.folder / pointer.FILE).write_text(pointer.Pointer(mine, there.schema).text())
    try:
        yield
    finally:
        (study.folder / pointer.FILE).write_text(there.text())
        with databases.connected(study) as connection:
            connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_who_may_write_but_owns_nothing_writes_and_cannot_lift_a_trigger(empty, url):
    with (
        as_role(empty, url, "SELECT, INSERT, UPDATE, DELETE"),
        Study.open(empty.folder, actor="writer") as study,
    ):
        study.append(Participant("P01"))
        row_id = study.rows("participant")[0]["id"]
        assert study.redact("participant", row_id, {"injury_level": "C6"}, reason="a name") == 1
        assert study.verify().ok
        for statement in (
            "ALTER TABLE trial DISABLE TRIGGER ALL",
            "DROP TRIGGER participant_update ON participant",
            "SET session_replication_role = replica",
            "DROP TABLE note",
        ):
            with databases.connected(study) as own, pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute(statement)


def test_who_may_only_read_verifies_the_whole_record_and_each_change_is_refused_in_one_sentence(empty, url):
    row_id = empty.append(Participant("P01"))
    head = empty.head()
    with as_role(empty, url, "SELECT"), Study.open(empty.folder, actor="reader") as study:
        assert study.verify().ok
        assert [row["id"] for row in study.rows("participant")] == [row_id]
        with pytest.raises(RecordFault) as refused:
            study.append(Participant("P02"))
        assert getattr(refused.value.args[0], "code", "") == "study.not_writable"
        assert study.head() == head
    # A policy of the administrator's own would hide rows from whoever verifies: it is another schema.
    with databases.connected(empty) as connection:
        connection.execute("ALTER TABLE participant ENABLE ROW LEVEL SECURITY")
    assert "verify.schema" in [problem.code for problem in verify(empty.folder).problems]


# ------------------------------------------------------------------------------------ faults
@pytest.mark.parametrize(
    ("name", "size", "told"),
    [
        (
            "record",
            "2",
            ("kill -9: 2 kills", "0 lost, 0 broken", "bit flips in values of live rows: 2 of 2 found",
             "single fields edited with the triggers off: 20 of 20 found",
             "newest entries taken out of the chain: 2 of 2 found", "older state put back: 2 of 2 shown"),
        ),
        (
            "trial",
            "1",
            ("kill -9: 1 kills", "failing writes: 1, 1 told in a sentence", "0 broken", "0 overwritten",
             "the record verifies"),
        ),
    ],
)  # fmt: skip
def test_one_command_kills_edits_cuts_and_puts_back_records_on_a_server_and_goes_on_where_it_was_ended(
    url, tmp_path, capsys, name, size, told
):
    document, kept = tmp_path / "stress.md", tmp_path / "kept.json"
    command = ["stress", name, "--n", size, "--database", url, "--keep", str(kept), "--out", str(document)]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert [words for words in told if words not in said] == []
    assert re.search(r"^PostgreSQL [0-9.]+.*, fsync=(on|off)$", said, re.MULTILINE)
    written = document.read_text()
    assert f"## `workbench stress {name} --n {size} --seed 1 --database URL`" in written
    assert said.splitlines()[0] in written
    assert url not in written
    assert {part: one["cases"] for part, one in json.loads(kept.read_text())["parts"].items()} == (
        {"kills": 2, "flips": 2, "edits": 20, "tails": 2} if name == "record" else {"kills": 1, "failing": 1}
    )


def test_a_zero_of_another_sign_that_the_owner_of_a_server_puts_there_is_found(url, tmp_path):
    folder = tmp_path / "s"
    behind.filled(folder, url)
    with closing(behind.owner_of(folder)) as owner:
        # Equal to the zero that the chain has, and not what was stored.
        zero = next(field for field in owner.fields() if field.column == "latency_s" and owner.value(field) == 0.0)
        assert verify(folder).ok
        owner.edit(zero, -0.0)
        assert [problem.code for problem in verify(folder).problems] == ["verify.row_differs"]
    gone(folder)


@pytest.mark.release
@pytest.mark.parametrize("writers", [4, 20])
def test_writers_at_the_same_time_lose_no_update(url, writers):
    from workbench.stress import trial

    figures = trial.broken(1, 3, database=url, writers=writers)
    together = figures.crowd
    assert (together.writers, together.overwritten, together.doubled, together.twice) == (writers, 0, 0, 0)
    assert (figures.lost, figures.mixed, figures.broken) == (0, 0, 0)
    assert figures.passed, figures.text()


def test_a_writer_that_holds_the_record_is_named_and_nothing_is_stored(empty, monkeypatch):
    monkeypatch.setattr("workbench.study.database.BUSY_S", 0.2)
    with Study.open(empty.folder, actor="second") as study, databases.connected(study) as holder:
        holder.execute("BEGIN")
        holder.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        head = study.head()
        with pytest.raises(RecordLocked, match=r"is held by \w+ \(workbench process \d+\); nothing is wrong"):
            study.append(Participant("P01"))
        assert study.head() == head
        assert verify(study.folder).ok
        holder.execute("ROLLBACK")
        study.append(Participant("P01"))


@contextmanager
def counted(url):
    """A way to the server, and what was sent over it: one item for each answer that was waited for."""
    turns, last, threads = [], ["server"], []

    def pump(source, target, who):
        with suppress(OSError):
            while block := source.recv(65536):
                if who == "client" and last[0] == "server":
                    turns.append(b"")
                if who == "client":
                    turns[-1] += block
                last[0] = who
                target.sendall(block)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def serve(client):
        with client, upstream(url) as server:
            answers = threading.Thread(target=pump, args=(server, client, "server"))
            answers.start()
            pump(client, server, "client")
            answers.join()

    with door(url, serve, threads) as way:
        yield way, turns


def upstream(url):
    """A connection to the server itself."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    if str(parts.get("host", "")).startswith("/"):
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{parts['host']}/.s.PGSQL.{parts.get('port', 5432)}")
        return server
    return socket.create_connection((parts.get("host", "localhost"), int(parts.get("port", 5432))))


@contextmanager
def door(url, serve, threads):
    """A place on this computer whose connections are served, by its URL; ends when all of them have."""
    parts = psycopg.conninfo.conninfo_to_dict(url)
    with closing(socket.create_server(("127.0.0.1", 0))) as place:

        def accept():
            with suppress(OSError):
                while True:
                    threads.append(threading.Thread(target=serve, args=(place.accept()[0],), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        user = f"{parts['user']}@" if "user" in parts else ""
        yield f"postgresql://{user}127.0.0.1:{place.getsockname()[1]}/{quote(parts['dbname'])}?sslmode=disable"
        place.shutdown(socket.SHUT_RDWR)
        accepting.join(10)
        for thread in threads:
            thread.join(10)


def test_a_form_that_is_saved_holds_the_record_for_five_answers_and_one_that_comes_too_late_for_two(url, tmp_path):
    folder = tmp_path / "s"
    form = crowd._begun(folder, url)
    there = pointer.read(folder)
    with counted(url) as (way, turns):
        (folder / pointer.FILE).write_text(pointer.Pointer(way, there.schema).text())
        with Study.open(folder, actor="tests") as study:
            script = study.script_signer("tests")

            def save(version):
                row = study.get("form", form)
                turns.clear()
                more = SaveForm(row["visit_id"], "count", {"n": row["values"]["n"] + 1}, row_version=version(row))
                with suppress(RecordFault):
                    study.apply(more, script, "one more")
                # The first asks whether the connection is still there, before anything is held.
                return len([turn for turn in turns if b"Q\0\0\0\x06;" not in turn])

            # A statement is prepared at its sixth time, which costs an answer more.
            saved = [save(lambda row: row["row_version"]) for _ in range(8)]
            late = [save(lambda row: 1) for _ in range(8)]
            assert study.get("form", form)["values"]["n"] == 8
    (folder / pointer.FILE).write_text(there.text())
    assert (min(saved), min(late)) == (5, 2)
    assert verify(folder).ok
    gone(folder)


def test_what_the_server_refuses_of_several_statements_that_were_sent_together_leaves_nothing(empty):
    empty.append(Participant("P01"))
    head = empty.head()
    with databases.connected(empty) as owner:
        owner.execute(
            "CREATE FUNCTION full_() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END$$"
        )
        owner.execute("CREATE TRIGGER full_ BEFORE INSERT ON audit_payload FOR EACH ROW EXECUTE FUNCTION full_()")
    with pytest.raises(RecordFault, match="disk") as refused:
        empty.append(Participant("P02"))
    assert "nothing was stored" in str(refused.value) or "was not stored" in str(refused.value)
    assert (empty.head(), empty.count("participant")) == (head, 1)
    with databases.connected(empty) as owner:
        owner.execute("DROP TRIGGER full_ ON audit_payload")
        owner.execute("DROP FUNCTION full_()")
    empty.append(Participant("P03"))
    assert verify(empty.folder).ok


@contextmanager
def cut_at_commit(url, *, stored):
    """A way to the server that breaks in the middle of a commit: once it is stored there, or before it is sent."""
    armed, cut, said = threading.Event(), threading.Event(), threading.Event()

    def serve(client):
        with client, upstream(url) as server:
            answers = threading.Thread(target=pump, args=(server, client))
            answers.start()
            with suppress(OSError):
                while block := client.recv(65536):
                    if b"COMMIT\0" in block and armed.is_set() and not cut.is_set():
                        cut.set()
                        if stored:
                            server.sendall(block)
                            said.wait(10)
                        said.set()
                        break
                    server.sendall(block)
            for one in (client, server):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            answers.join()

    def pump(server, client):
        with suppress(OSError):
            while block := server.recv(65536):
                if cut.is_set() and not said.is_set():
                    said.set()
                    return
                client.sendall(block)

    with door(url, serve, []) as way:
        yield way, armed


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "not sent"])
def test_a_connection_that_breaks_in_the_commit_is_told_as_what_happened(empty, url, stored):
    there = empty.database.store.pointer
    before = empty.head()
    with cut_at_commit(url, stored=stored) as (way, armed):
        (empty.folder / pointer.FILE).write_text(pointer.Pointer(way, there.schema).text())
        with Study.open(empty.folder, actor="far away") as study:
            armed.set()
            if stored:
                row_id = study.append(Participant("P01"))
                assert study.get("participant", row_id)["pseudonym"] == "P01"
            else:
                with pytest.raises(RecordFault, match="ended the connection .*; nothing was stored"):
                    study.append(Participant("P01"))
                assert study.head() == before
                study.append(Participant("P01"))
            assert study.count("participant") == 1
    (empty.folder / pointer.FILE).write_text(there.text())
    assert verify(empty.folder).ok


@pytest.fixture
def interruptible():
    """A job in the background is started with the signal ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("waits", ["advisory", "PgSleep"])
def test_an_interrupt_while_the_server_is_waited_for_stores_nothing_and_the_next_entry_is_stored(
    empty, waits, interruptible
):
    head = empty.head()
    asked = "SELECT 1 FROM pg_stat_activity WHERE wait_event = %s"

    def interrupted(server):
        if world.clock.until(lambda: server.execute(asked, [waits]).fetchone() is not None, 20):
            signal.raise_signal(signal.SIGINT)

    with (
        databases.connected(empty) as owner,
        psycopg.connect(empty.database.store.pointer.url, autocommit=True) as me,
    ):
        if waits == "advisory":
            owner.execute("BEGIN")
            owner.execute(f"SELECT pg_advisory_xact_lock({LOCK})")
        else:
            # In the middle of what was sent together.
            sleeps = "$$BEGIN PERFORM pg_sleep(20); RETURN NEW; END$$"
            owner.execute(f"CREATE FUNCTION slow_() RETURNS trigger LANGUAGE plpgsql AS {sleeps}")
            owner.execute(
                "CREATE TRIGGER slow_ BEFORE INSERT ON participant FOR EACH ROW EXECUTE FUNCTION slow_()"
            )
        watching = threading.Thread(target=interrupted, args=(me,))
        watching.start()
        with pytest.raises(KeyboardInterrupt):
            empty.append(Participant("P01"))
        watching.join()
        if waits == "advisory":
            owner.execute("ROLLBACK")
        else:
            owner.execute("DROP TRIGGER slow_ ON participant")
            owner.execute("DROP FUNCTION slow_()")
    assert (empty.head(), empty.count("participant")) == (head, 0)
    empty.append(Participant("P02"))
    assert verify(empty.folder).ok


def test_a_server_that_ended_a_connection_is_reached_again_by_the_next_entry(empty):
    empty.append(Participant("P01"))
    with databases.connected(empty) as other:
        other.execute(f"SELECT pg_terminate_backend({_pid(empty)})")
    empty.append(Participant("P02"))
    assert empty.verify().ok


@pytest.mark.parametrize("pause_s", [0.0, 0.05, 0.3])
def test_a_connection_that_ends_in_the_middle_of_what_was_sent_together_is_told_in_a_sentence_alone(
    empty, caplog, pause_s
):
    with databases.connected(empty) as owner:
        # The server ends it while further commands of the same message wait behind this one.
        steps = f"PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep({pause_s}); RETURN NEW;"
        ends = f"$$BEGIN {steps} END$$"
        owner.execute(f"CREATE FUNCTION ends_() RETURNS trigger LANGUAGE plpgsql AS {ends}")
        owner.execute("CREATE TRIGGER ends_ BEFORE INSERT ON participant FOR EACH ROW EXECUTE FUNCTION ends_()")
        head = empty.head()
        with pytest.raises(RecordFault) as told:
            empty.append(Participant("P01"))
        owner.execute("DROP TRIGGER ends_ ON participant")
        owner.execute("DROP FUNCTION ends_()")
    assert "\n" not in str(told.value).strip()
    assert [record for record in caplog.records if record.name.startswith("sqlalchemy")] == []
    assert (empty.head(), empty.count("participant")) == (head, 0)
    empty.append(Participant("P02"))
    assert empty.verify().ok


ENDS = "SELECT pg_terminate_backend(pg_backend_pid())"


def _sent(store, connection, raw):
    with store.sending(connection):
        # An answer that nobody has read yet: the driver cannot leave its pipeline.
        raw.pgconn.send_query_params(b"SELECT pg_sleep(0.1)", [])
        raw.execute(ENDS)
        raw.execute("SELECT 1")


def _answered(store, connection, raw):
    store.answers(connection, [(ENDS, ()), ("SELECT 1", ())])


@pytest.mark.parametrize("asks", [_sent, _answered])
def test_a_connection_that_cannot_leave_a_pipeline_is_given_up(empty, caplog, asks):
    """The driver then says neither that it is closed nor that it can be asked."""
    with empty.database.connected() as connection:
        store, raw = stores.of(connection), connection.connection.dbapi_connection
        with pytest.raises(store.errors):
            asks(store, connection, raw)
        assert connection.invalidated
    assert [record for record in caplog.records if record.name.startswith("sqlalchemy")] == []


def _pid(study):
    with study.database.connected() as connection:
        return connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()


# ------------------------------------------------------------------------------------ the file that names it
@pytest.mark.parametrize(
    ("given_url", "match"),
    [
        ("postgresql://me:s3cret@host/db", "holds a password"),
        ("postgresql://host/db?password=s3cret", "holds a password"),
        ("postgresql://host/db?sslpassword=s3cret", "holds a password"),
        ("postgresql://host/db?pass%77ord=s3cret", "holds a password"),
        ("mysql://host/db", "given as postgresql://"),
        ("host=somewhere dbname=x", "given as postgresql://"),
        ("postgresql://[::1/db", "given as postgresql://"),
        ("postgresql://host", "must name a database"),
    ],
)
def test_a_url_that_is_none_or_holds_a_password_is_refused_without_repeating_it(tmp_path, given_url, match):
    with pytest.raises(BadValue, match=match) as told:
        Study.create(tmp_path / "s", code="S", title="T", actor="a", database=given_url)
    assert "s3cret" not in str(told.value)
    assert not (tmp_path / "s").exists()


def test_a_study_that_could_not_be_created_leaves_the_folder_free(tmp_path, url):
    nowhere = f"postgresql://test@/postgres?host={quote(str(tmp_path), safe='')}"
    with pytest.raises(RecordFault, match="cannot be reached .*; nothing was stored"):
        Study.create(tmp_path / "s", code="S", title="T", actor="a", database=nowhere)
    with Study.create(tmp_path / "s", code="S", title="T", actor="a", database=url) as study:
        assert study.verify().ok
    with pytest.raises(RecordFault, match=r"holds a study record already \(database\.toml\)"):
        Study.create(tmp_path / "s", code="S", title="T", actor="a", database=url)


@pytest.mark.parametrize(
    "text",
    ["", "url = 3", "url = 'postgresql://h/d'", "schema = 'x; DROP TABLE y'\nurl = 'postgresql://h/d'", "\0"],
)
def test_a_file_that_names_no_database_is_told(empty, text):
    (empty.folder / pointer.FILE).write_text(text)
    for ask in (lambda: Study.open(empty.folder, actor="a"), lambda: verify(empty.folder)):
        with pytest.raises(RecordFault, match="does not say in which database the study record lies"):
            ask()
    (empty.folder / pointer.FILE).write_text(empty.database.store.pointer.text())


def test_a_schema_that_is_gone_a_second_record_and_a_foreign_study_are_told(empty, tmp_path):
    with Study.create(tmp_path / "other", code="S", title="T", actor="a") as other:
        theirs = other.database.store.pointer
    mine = empty.database.store.pointer
    (empty.folder / pointer.FILE).write_text(theirs.text())
    assert any("belongs to another study" in problem for problem in verify(empty.folder).problems)
    (empty.folder / pointer.FILE).write_text(replace(theirs, schema="study_nowhere").text())
    for ask in (lambda: Study.open(empty.folder, actor="a"), lambda: verify(empty.folder)):
        with pytest.raises(RecordFault, match="there is no study record at .*study_nowhere"):
            ask()
    (empty.folder / "study.db").touch()
    with pytest.raises(RecordFault, match="holds two study records"):
        verify(empty.folder)
    (empty.folder / "study.db").unlink()
    (empty.folder / pointer.FILE).write_text(mine.text())


def test_there_is_nothing_to_migrate(empty):
    with pytest.raises(Refused, match="lies in PostgreSQL, where there is no version before"):
        migrate.migrate(empty.folder, actor="a")


def test_the_command_line_makes_a_study_on_a_server_and_verifies_and_refuses_it_as_any_other(
    tmp_path, url, capsys
):
    from workbench.commands import main

    folder = str(tmp_path / "s")
    assert main(["new", folder, "--database", url]) == 0
    databases.made.append(stores.at(folder))
    assert main(["verify", folder]) == 0
    assert "the record holds" in capsys.readouterr().out
    assert main(["new", str(tmp_path / "t"), "--database", "postgresql://me:s3cret@host/db"]) == 2
    assert main(["stress", "recording", "--n", "1", "--database", url]) == 2
    said = capsys.readouterr().err
    assert "holds a password" in said
    assert "s3cret" not in said
    assert "the stress test recording uses no database" in said


# ------------------------------------------------------------------------------------ copies
def test_rows_that_were_copied_elsewhere_equal_them_bit_for_bit_and_go_on(study, tmp_path):
    study.close()
    there = databases.copied(study.folder, tmp_path / "copy")
    with stores.at(study.folder).reader() as one, stores.at(there).reader() as other:
        for name in postgresql_schema.names():
            assert b"".join(one.copy(name)) == b"".join(other.copy(name))
        assert one.schema_hash() == other.schema_hash()
    with Study.open(there, actor="x") as again:
        again.append(Participant("P77"))
        assert [row["pseudonym"] for row in again.rows("participant")][-1] == "P77"
        assert again.verify().ok


def holding(connection, pseudonym):
    """Schemas with a participant of this name; others come and go where tests share a server."""
    schemas = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'study%' ORDER BY nspname"
    found = []
    for (name,) in connection.execute(schemas).fetchall():
        query = f'SELECT 1 FROM "{name}".participant WHERE pseudonym = %s'
        with suppress(psycopg.errors.UndefinedTable):
            found += [name] * bool(connection.execute(query, (pseudonym,)).fetchone())
    return found


def test_a_backup_is_proved_by_a_drill_and_restored_into_another_schema_bit_for_bit(study, tmp_path, url):
    study.append(Participant("P-9", injury_level="Ä\t\\N\n\r\\"))
    with databases.connected(study) as connection:
        before = holding(connection, "P-9")
        assert len(before) == 1
        made = backup(study.folder, tmp_path / "backups")
        assert made.head == study.head()
        assert drill(made.folder).ok
        assert holding(connection, "P-9") == before
    assert "study.db" not in [path.name for path in made.folder.rglob("*")]
    restored = restore(made.folder, tmp_path / "restored", actor="a", reason="the disk broke", database=url)
    databases.made.append(stores.at(tmp_path / "restored"))
    assert restored.ok, restored.problems
    with Study.open(tmp_path / "restored", actor="x") as again:
        assert again.database.store.pointer.schema != study.database.store.pointer.schema
        for table in DATA:
            assert again.rows(table) == study.rows(table)
        again.append(Participant("P77"))
        assert again.verify().ok


def test_a_backup_of_which_a_row_was_changed_is_not_restored_and_leaves_no_schema(study, tmp_path):
    made = backup(study.folder, tmp_path / "backups")
    path = made.folder / "study" / "record" / "trial.copy"
    path.write_bytes(path.read_bytes().replace(b"correct", b"corrupt"))
    with databases.connected(study) as connection:
        before = connection.execute("SELECT COUNT(*) FROM pg_namespace").fetchone()
        with pytest.raises(RecordFault, match=r"record/trial\.copy"):
            restore(made.folder, tmp_path / "restored")
        assert connection.execute("SELECT COUNT(*) FROM pg_namespace").fetchone() == before
    assert not (tmp_path / "restored").exists()
