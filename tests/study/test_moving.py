"""A record moves between a file and a server whole, with its chain, or stays where it is."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress

import pytest

from tests.shares import EVERYTHING
from tests.study import databases
from tests.study.conftest import fill
from workbench.commands import main
from workbench.errors import BadValue, RecordFault, RecordLocked, Refused
from workbench.study import Study, migrate, stores, verify
from workbench.study.moving import TO_FILE, TO_SERVER, move
from workbench.study.stores import pointer
from workbench.study.stores.postgresql import RETIRED, PostgreSQL
from workbench.study.stores.sqlite import SQLite
from workbench.vocabulary import Participant

NOWHERE = "postgresql:///none?host=/nowhere"


# ------------------------------------------------------------------------------------ refused without a server
@pytest.fixture
def filed(tmp_path, monkeypatch):
    """A study in a file, whatever database the other tests use."""
    monkeypatch.setattr(stores, "new", databases.NEW)
    with Study.create(tmp_path / "s", code="NEO", title="t", actor="tester") as made:
        made.append(Participant("P01"))
    return made.folder


def unchanged(folder):
    """Whether the file is the record, writable and as it was, with nothing beside it."""
    assert verify(folder).ok
    with closing(sqlite3.connect(folder / "study.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    left = {path.name for path in folder.iterdir()} & {pointer.FILE, f"{pointer.FILE}.moving", "study.db.moving"}
    return left == set()


def test_a_record_that_is_there_already_or_a_url_with_a_password_is_refused(filed):
    with pytest.raises(Refused, match=r"lies in study.db already; nothing needs to be moved"):
        move(filed, actor="a")
    with pytest.raises(BadValue, match="holds a password"):
        move(filed, actor="a", database="postgresql://me:secret@host/db")
    assert unchanged(filed)


def test_while_it_is_recorded_or_somebody_has_it_open_nothing_is_moved(filed, monkeypatch):
    monkeypatch.setattr(migrate, "BUSY_S", 0.2)
    with Study.open(filed, actor="a"), pytest.raises(RecordLocked, match="nothing is wrong"):
        move(filed, actor="a", database=NOWHERE)
    (filed / "engine").mkdir()
    lock = {"session_id": "s-1", "pid": os.getpid()}
    (filed / "engine" / "lock.json").write_text(json.dumps(lock))
    with pytest.raises(Refused, match=r"session s-1 runs in .*; end it with 'workbench end"):
        move(filed, actor="a", database=NOWHERE)
    (filed / "engine" / "lock.json").unlink()
    assert unchanged(filed)


def test_a_record_that_does_not_verify_or_has_no_server_stays(filed):
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    with pytest.raises(RecordFault, match="cannot be reached"):
        move(filed, actor="a", database=NOWHERE)
    assert unchanged(filed)
    databases.tamper(filed, "UPDATE participant SET pseudonym = 'P02'")
    with pytest.raises(RecordFault, match=r"study.db does not verify \(participant .*; nothing was moved"):
        move(filed, actor="a", database=NOWHERE)


# ------------------------------------------------------------------------------------ with a server
@pytest.fixture(scope="module")
def url():
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    if given := os.environ.get(databases.VARIABLE):
        yield given
        return
    if not databases.BINARIES:
        pytest.skip("no PostgreSQL server is installed here (Debian: postgresql)")
    with databases.server() as own:
        yield own


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """A study in a file in which every table holds something."""
    monkeypatch.setattr(stores, "new", databases.NEW)
    with Study.create(tmp_path / "s", code="NEO", title="t", actor="tester") as made:
        fill(made)
    return made.folder


def hashes(folder):
    """Hash of every entry by its number."""
    with stores.at(folder).reader() as reader:
        return {row["seq"]: row["hash"] for row in reader.rows("SELECT seq, hash FROM audit")}


def content(folder):
    """Every row of data, in the order of entry."""
    with stores.at(folder).reader() as reader:
        own = ("audit", "audit_payload", "signed_head")
        return {name: reader.table(name) for name in reader.tables() if name not in own}


def goes_on(folder):
    """Whether a record verifies, is written to, and verifies again."""
    with Study.open(folder, actor="later") as study:
        study.append(Participant(f"NEW-{study.head()[0]}"))
        found = study.verify()
        assert found.ok, found.problems
    return True


@pytest.mark.job
def test_a_record_moves_to_a_server_and_back_with_every_row_and_hash(whole, url, capsys):
    before, rows = hashes(whole), content(whole)
    assert main(["move", str(whole), "--to", url, "--reason", "three sites"]) == 0
    databases.made.append(stores.at(whole))
    said = capsys.readouterr().out
    assert isinstance(stores.at(whole), PostgreSQL)
    assert f"audit rows 1 to {len(before)} with the same hashes" in said
    assert {seq: hash for seq, hash in hashes(whole).items() if seq <= len(before)} == before
    assert content(whole) == rows
    assert goes_on(whole)
    with Study.open(whole, actor="a") as study:
        (entry,) = (entry for entry in study.entries() if entry.action == "move")
        assert (entry.seq, study.history("study", study.id)[-1]["reason"]) == (len(before) + 1, "three sites")
    kept = f"study.moved-{len(before)}.db"
    assert (whole / kept).exists()
    assert not (whole / "study.db").exists()

    before, rows = hashes(whole), content(whole)
    assert main(["move", str(whole), "--to", "file", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)["result"]
    assert isinstance(stores.at(whole), SQLite)
    assert answer["head"]["seq"] == len(before) + 1
    assert {seq: hash for seq, hash in hashes(whole).items() if seq <= len(before)} == before
    assert content(whole) == rows
    assert goes_on(whole)
    # What lies beside would outlive a redaction.
    with Study.open(whole, actor="a") as study, pytest.raises(Refused, match=f"{kept}"):
        study.redact("participant", study.rows("participant")[0]["id"], {"hold": ""}, reason="r")


KILLED = """
import json, os, signal, sys
from workbench.study.moving import move

for folder, database, at in json.loads(sys.argv[1]):
    child = os.fork()
    if not child:
        step = lambda name: name == at and os.kill(os.getpid(), signal.SIGKILL)
        move(folder, actor="a", database=database, step=step)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""One process that is killed at each step, forked from one that has imported what all of them need."""
STEPS = [("server", step) for step in TO_SERVER] + [("file", step) for step in TO_FILE]
BEFORE_OR_AFTER_IT_IS_DECIDED = ("begun", "copy stored", "in force", "in place", "server retired")


@pytest.mark.job
def test_killed_at_any_step_the_record_is_in_one_place_and_moving_again_ends_it(tmp_path, url, monkeypatch):
    monkeypatch.setattr(stores, "new", databases.NEW)
    cases, before = [], {}
    for there, at in STEPS:
        if not EVERYTHING and at not in BEFORE_OR_AFTER_IT_IS_DECIDED:
            continue
        folder, given = tmp_path / f"{there} {at}", url if there == "server" else ""
        with Study.create(folder, code="K", title="t", actor="a", database="" if given else url) as study:
            study.append(Participant("P01"))
        before[folder] = hashes(folder), list(content(folder)["participant"])
        cases.append((folder, given, at))
    told = json.dumps([(str(folder), given, at) for folder, given, at in cases])
    done = subprocess.run([sys.executable, "-c", KILLED, told], capture_output=True, text=True, check=True)
    assert [int(line) for line in done.stdout.split()] == [-signal.SIGKILL] * len(cases), done.stderr
    for folder, given, at in cases:
        ended_where_it_was_killed(folder, given, at, *before[folder])


def ended_where_it_was_killed(folder, given, at, entries, people):
    if at == "server retired":
        # The only moment without a record: a server must not be written to that the study has left.
        with pytest.raises(RecordFault, match=r"run 'workbench move .* --to file', which goes on from there"):
            Study.open(folder, actor="a")
    else:
        assert verify(folder).ok, at
        assert goes_on(folder)
    with suppress(Refused):
        move(folder, actor="a", database=given)
    store = stores.at(folder)
    assert isinstance(store, PostgreSQL if given else SQLite)
    after = hashes(folder)
    assert {seq: after[seq] for seq in entries} == entries
    assert [row for row in content(folder)["participant"] if row["pseudonym"] == "P01"] == people
    assert goes_on(folder)
    if given:
        assert not store.pointer.moving
        databases.made.append(store)
    assert {path.suffix for path in folder.iterdir()} & {".moving"} == set()


@pytest.mark.job
def test_what_writes_to_the_server_from_elsewhere_finds_no_record_after_a_move_into_a_file(
    tmp_path, url, monkeypatch
):
    monkeypatch.setattr(stores, "new", databases.NEW)
    with Study.create(tmp_path / "s", code="K", title="t", actor="a", database=url):
        pass
    store = stores.at(tmp_path / "s")
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / pointer.FILE).write_text(store.pointer.text())
    with Study.open(tmp_path / "second", actor="b") as elsewhere:
        moved = move(tmp_path / "s", actor="a")
        with pytest.raises(RecordFault, match="there is no study record at"):
            elsewhere.append(Participant("P02"))
    assert moved.retired == RETIRED.format(store.pointer.schema)
    assert verify(tmp_path / "s").ok
