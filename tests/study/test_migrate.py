"""A study of version 2 or 3 becomes one of today: whole, verified, and old or new at every moment."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from workbench import world
from workbench.errors import RecordFault, RecordLocked, Refused
from workbench.messages import Message
from workbench.recording import read_rows
from workbench.study import Study, chain, migrations, verify
from workbench.study.keys import KeyRing
from workbench.study.migrate import COPY, STEPS, _approvals, migrate, version_of
from workbench.vocabulary import LedgerRow, Participant

pytestmark = pytest.mark.sqlite_file("only in files there are older records")

FIXTURES = Path(__file__).parents[1] / "fixtures" / "studies"


@pytest.fixture
def old(tmp_path, monkeypatch):
    """A version 2 study, and a key folder of its own."""
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    return Path(shutil.copytree(FIXTURES / "v2", tmp_path / "study"))


@pytest.fixture
def keyed(tmp_path, monkeypatch):
    """A version 3 study with its keys."""
    keys = Path(shutil.copytree(FIXTURES / "v3-keys", tmp_path / "keys"))
    for file in keys.iterdir():
        file.chmod(0o600)
    monkeypatch.setenv("WORKBENCH_KEYS", str(keys))
    return Path(shutil.copytree(FIXTURES / "v3", tmp_path / "study"))


def chain_of(folder):
    with closing(sqlite3.connect(folder / "study.db")) as connection:
        audit = connection.execute("SELECT * FROM audit WHERE seq <= 30 ORDER BY seq").fetchall()
        return audit, connection.execute("SELECT * FROM audit_payload WHERE seq <= 30 ORDER BY seq").fetchall()


def test_a_version_2_study_verifies_and_opens_for_reading_only(old):
    found = verify(old)
    assert found.ok, found.problems
    before = (old / "study.db").read_bytes()
    with Study.open(old, actor="tests") as study:
        assert "open for reading only; run 'workbench migrate" in study.read_only
        assert len(study.rows("trial")) == 16
        assert study.rows("participant")[0]["injured_on"] == ""
        decoder = study.rows("decoder")[0]
        use = {"effector": "screen", "participant_id": study.rows("participant")[0]["id"]}
        assert study.is_approved(decoder["sha256"], **use)
        assert "approved_by" not in study.history("decoder", decoder["id"])[-1]["new"]
        assert study.head()[0] == 30
        for write in (lambda: study.append(Participant("P2")), lambda: study.sign({}, purpose="x")):
            with pytest.raises(RecordFault, match="reading only; run 'workbench migrate"):
                write()
    assert (old / "study.db").read_bytes() == before


def test_the_lifted_copy_of_an_old_study_lives_exactly_as_long_as_the_study_is_open(old):
    study = Study.open(old, actor="tests")
    copy = Path(study.database.engine.url.database)
    assert copy.is_file()
    assert copy != old / "study.db"
    study.close()
    assert not copy.exists()
    assert not copy.parent.exists()


def test_a_migrated_study_verifies_and_keeps_every_old_audit_row(old):
    before = chain_of(old)
    migration = migrate(old, actor="tests")
    assert (migration.before, migration.after, migration.approvals) == (2, 6, 1)
    assert chain_of(old) == before
    found = verify(old)
    assert found.ok, found.problems
    assert found.head == migration.head
    with Study.open(old, actor="tests") as study:
        entry = study.history("study", study.id)[-1]
        assert entry["action"] == "migrate"
        assert study.read_only == ""
        approval = study.approvals()[0]
        assert (approval["signer"], approval["method"]) == ("sample script", "lifted")
        assert approval["utc"] == "2026-11-21T08:57:40.440Z"
        study.append(Participant("P2"))
        schema_at_creation = study.rows("study")[0]["schema_sha256"]
        payload = study.rows("audit", action="migrate")[0]["seq"]
    with closing(sqlite3.connect(old / "study.db")) as connection:
        text = connection.execute("SELECT payload FROM audit_payload WHERE seq = ?", (payload,)).fetchone()[0]
        now = chain.schema_hash(tuple(row) for row in connection.execute(chain.MASTER))
    assert f'"before":"{schema_at_creation}"' in text
    assert f'"after":"{now}"' in text
    assert verify(old).ok
    assert version_of(migration.kept) == 2


def test_a_migrated_study_has_the_schema_of_a_new_one(old, tmp_path):
    migrate(old, actor="tests")
    Study.create(tmp_path / "new", code="N", title="t", actor="tests").close()
    hashes = set()
    for folder in (old, tmp_path / "new"):
        with closing(sqlite3.connect(folder / "study.db")) as connection:
            hashes.add(chain.schema_hash(tuple(row) for row in connection.execute(chain.MASTER)))
    assert len(hashes) == 1


KILLED = """
import os, signal, sys
from workbench.study.migrate import STEPS, migrate

def step(name):
    if name == killed_at:
        os.kill(os.getpid(), signal.SIGKILL)

for number, killed_at in enumerate(STEPS):
    child = os.fork()
    if not child:
        os.environ["WORKBENCH_KEYS"] = f"{sys.argv[1]}/keys {number}"
        migrate(f"{sys.argv[1]}/study {number}", actor="tests", step=step)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""One process that is killed at each step, forked from one that has imported what all of them need."""


@pytest.mark.job
def test_killed_at_every_step_of_the_migration_the_study_is_old_or_new(old, tmp_path, monkeypatch):
    folders = [Path(shutil.copytree(old, tmp_path / f"study {number}")) for number in range(len(STEPS))]
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path], capture_output=True, text=True, check=True)
    assert [int(line) for line in done.stdout.split()] == [-signal.SIGKILL] * len(STEPS)
    versions = []
    for number, (step, folder) in enumerate(zip(STEPS, folders, strict=True)):
        monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / f"keys {number}"))
        found = verify(folder)
        assert found.ok, (step, found.problems)
        versions.append(version_of(folder / "study.db"))
        with Study.open(folder, actor="tests") as study:
            assert len(study.rows("trial")) == 16
        if versions[-1] == 2:
            assert migrate(folder, actor="tests").after == 6
        assert verify(folder).ok
        assert not (folder / COPY).exists()
    assert versions == [2] * 8 + [6] * 3


def test_an_older_copy_of_a_migrated_study_is_told_from_it_by_its_key(old, tmp_path):
    copy = Path(shutil.copytree(old, tmp_path / "copy"))
    migrate(old, actor="tests")
    assert any("an older copy of it was restored" in problem for problem in verify(copy).problems)


def test_a_study_that_is_open_elsewhere_is_not_migrated(old, monkeypatch):
    monkeypatch.setattr("workbench.study.migrate.BUSY_S", 0.01)
    with closing(sqlite3.connect(old / "study.db")) as holder:
        holder.execute("SELECT COUNT(*) FROM audit").fetchone()
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordLocked, match="try again"):
            migrate(old, actor="tests")
    assert version_of(old / "study.db") == 2
    assert verify(old).ok


def test_a_study_whose_file_was_replaced_while_it_was_open_refuses_to_write(tmp_path):
    with Study.create(tmp_path / "s", code="N", title="t", actor="a") as study:
        shutil.copy(study.path, tmp_path / "copy")
        os.replace(tmp_path / "copy", study.path)
        with pytest.raises(RecordFault, match="was replaced while it was open .*open the study again"):
            study.append(Participant("P1"))


def test_a_study_that_does_not_verify_is_not_migrated(old):
    with closing(sqlite3.connect(old / "study.db")) as connection:
        connection.execute("DROP TRIGGER trial_update")
        connection.commit()
    before = (old / "study.db").read_bytes()
    with pytest.raises(RecordFault, match="does not verify before the migration"):
        migrate(old, actor="tests")
    with closing(sqlite3.connect(old / "study.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 2
    assert len((old / "study.db").read_bytes()) == len(before)


def test_todays_and_newer_schemas_are_refused_loudly(tmp_path):
    with Study.create(tmp_path / "s", code="N", title="t", actor="a") as study:
        path = study.path
    with pytest.raises(Refused, match="has schema version 6 already"):
        migrate(path.parent, actor="a")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=7")
    for reads in (lambda: migrate(path.parent, actor="a"), lambda: verify(path.parent)):
        with pytest.raises(RecordFault, match="has schema version 7.*the version that wrote it"):
            reads()
    with pytest.raises(RecordFault, match="has schema version 7.*Nothing was changed"):
        Study.open(path.parent, actor="a")


def test_every_approval_in_the_chain_is_lifted_also_those_the_row_forgot():
    def entry(seq, by, uses):
        new = f'{{"sha256":"d","approved_by":"{by}","approved_for":"{uses}"}}'
        return {"seq": seq, "utc": f"t{seq}", "actor": "a", "payload": f'{{"new":{new},"reason":"r{seq}"}}'}

    entries = [
        entry(1, "", ""),
        entry(2, "Dr A", "glove@p1"),
        {"seq": 3, "utc": "t3", "actor": "a", "payload": None},
        entry(4, "Dr B", "glove@p1 cursor@p2"),
        entry(5, "Dr C", "cursor@p2"),
    ]
    lifted = list(migrations.approvals_of_2(entries))
    assert [(r["decision"], r["signer"], r["effector"], r["participant_id"], r["utc"]) for r in lifted] == [
        ("approve", "Dr A", "glove", "p1", "t2"),
        ("approve", "Dr B", "cursor", "p2", "t4"),
        ("withdraw", "Dr C", "glove", "p1", "t5"),
    ]
    assert len({row["id"] for row in lifted}) == 3


def test_a_field_changed_after_the_migration_is_found_in_old_rows_too(old):
    migrate(old, actor="tests")
    with closing(sqlite3.connect(old / "study.db", isolation_level=None)) as connection:
        trigger = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'trial_update'").fetchone()[0]
        connection.execute("DROP TRIGGER trial_update")
        connection.execute("UPDATE trial SET outcome = 'wrong' WHERE rowid = 12")
        connection.execute(trigger)
    assert any("differs from the audit chain in outcome" in problem for problem in verify(old).problems)


def test_a_redaction_in_a_migrated_study_keeps_what_the_migration_says(old):
    migrate(old, actor="tests").kept.unlink()
    with Study.open(old, actor="tests") as study:
        study.redact("study", study.id, {"title": "(redacted)"}, reason="it held a name")
        entries = {entry["action"]: entry for entry in study.history("study", study.id)}
        assert entries["create"]["redacted"]
        assert not entries["migrate"]["redacted"]
    found = verify(old)
    assert found.ok, found.problems


def test_where_a_file_cannot_have_two_names_the_old_record_is_kept_as_a_copy(old, monkeypatch):
    def refused(source, target):
        raise OSError("no second names here")

    monkeypatch.setattr(world.disk, "link", refused)
    kept = migrate(old, actor="tests").kept
    assert version_of(kept) == 2
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM trial").fetchone() == (16,)
    assert verify(old).ok


def test_the_key_made_with_a_migration_is_pinned(old):
    migrate(old, actor="tests")
    with Study.open(old, actor="tests") as study:
        ring = KeyRing(study.id)
        seq, digest = ring.pins[1]
        assert (seq, digest) == next((e.seq, e.hash) for e in study.entries() if e.table == "study_key")


def test_trials_of_version_4_have_no_result_of_their_task(tmp_path):
    folder = Path(shutil.copytree(FIXTURES / "v4", tmp_path / "study"))
    with Study.open(folder, actor="tests") as study:
        assert "open for reading only" in study.read_only
        before = study.nouns("trial", run_id=study.rows("run")[-1]["id"])
    assert {str(trial.result) for trial in before} == {"{}"}
    migration = migrate(folder, actor="tests", keyed=False)
    assert (migration.before, migration.after) == (4, 6)
    with Study.open(folder, actor="tests") as study:
        assert study.nouns("trial", run_id=study.rows("run")[-1]["id"]) == before


OLD_TEXTS = ["cue grasp, 300 ms late", "cue rest"]


def test_a_keyed_version_3_study_is_migrated_under_its_own_key(keyed):
    assert verify(keyed).ok
    before = chain_of(keyed)
    migration = migrate(keyed, actor="tests")
    assert (migration.before, migration.after, migration.approvals) == (3, 6, 0)
    audit, payloads = chain_of(keyed)
    assert (audit[: len(before[0])], payloads[: len(before[1])]) == before
    found = verify(keyed)
    assert found.ok, found.problems
    with Study.open(keyed, actor="tests") as study:
        assert [row["epoch"] for row in study.rows("study_key")] == [1]
        assert study.rows("signed_head")[-1]["why"] == "migrate"


def test_a_keyed_study_is_not_migrated_without_its_key(keyed, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "elsewhere"))
    with pytest.raises(RecordFault, match="key 1 of this study is not on this computer"):
        migrate(keyed, actor="tests")
    assert version_of(keyed / "study.db") == 3


def test_a_study_that_was_migrated_before_keeps_its_lifted_approvals_once(old, tmp_path):
    with closing(sqlite3.connect(old / "study.db")) as connection:
        entries = connection.execute("SELECT COUNT(*) FROM audit WHERE table_name = 'decoder'").fetchone()[0]
    assert entries
    migrate(old, actor="tests")
    with closing(sqlite3.connect(old / "study.db")) as connection:
        connection.row_factory = sqlite3.Row
        assert list(_approvals(connection, 3)) == []
        assert len(list(_approvals(connection, 2))) == 1


def test_texts_of_an_old_study_stay_english_and_new_ones_keep_their_codes(keyed):
    with Study.open(keyed, actor="tests") as study:
        texts = [row["extent"] for row in study.rows("ledger")]
        assert (texts, {type(text) for text in texts}) == (OLD_TEXTS, {str})
    migrate(keyed, actor="tests")
    with Study.open(keyed, actor="tests") as study:
        run = study.rows("run")[0]["id"]
        session = study.rows("session")[0]["id"]
        new = LedgerRow("gap", 1.0, 1.0, extent=Message("amount.ms", n="12"))
        study.append(new, run_id=run)
        file = keyed / "recordings" / f"{session}.ledger.jsonl"
        assert study.append_session_ledger(session, read_rows(file)) == 0
        texts = [row["extent"] for row in study.rows("ledger")]
        assert texts == [*OLD_TEXTS, "12 ms"]
        assert [type(text) for text in texts] == [str, str, Message]
        assert type(study.rows("trial")[1]["excluded"]) is str
    found = verify(keyed)
    assert found.ok, found.problems
