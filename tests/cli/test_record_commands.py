"""verify, migrate, keys and people on the command line: exit codes, secrets from standard input, one sentence."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workbench import devices
from workbench.runs import replay_study
from workbench.study import Study, anchors, chain, record_file
from workbench.vocabulary import Participant

FIXTURES = Path(__file__).parents[1] / "fixtures" / "studies"
PASSPHRASE = "four random plain words"


@pytest.fixture
def folder(run, tmp_path):
    with Study.create(tmp_path / "study", code="N", title="t", actor="a") as study:
        study.append(Participant("P01"))
    return tmp_path / "study"


def test_verify_says_holds_differs_and_refused_by_its_exit_code(run, folder, tmp_path, monkeypatch):
    code, out, _ = run("verify", folder)
    assert (code, out.splitlines()[0]) == (0, "the record holds")
    code, out, _ = run("verify", folder, "--json")
    answer = json.loads(out)
    assert (code, answer["ok"]) == (0, True)
    head = answer["result"]["head"]
    assert run("verify", folder, "--head", f"{head['seq']}:{head['hash']}")[0] == 0
    code, out, _ = run("verify", folder, "--head", f"{head['seq'] + 1}:{head['hash']}")
    assert (code, "its tail was cut" in out) == (1, True)
    copy = shutil.copy(folder / anchors.FILE, tmp_path / "copy.jsonl")
    assert run("verify", folder, "--anchors", copy)[0] == 0
    Path(copy).write_text(Path(copy).read_text().replace(head["hash"], "0" * 64))
    assert run("verify", folder, "--anchors", copy)[0] == 1
    for wrong in (("--head", "3"), ("--head", "x:y"), ("--anchors", tmp_path / "absent")):
        code, out, err = run("verify", folder, *wrong)
        assert (code, out) == (2, "")
        assert "Traceback" not in err
    monkeypatch.setattr(record_file, "BUSY_S", 0.05)
    with closing(sqlite3.connect(folder / "study.db", isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode=EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        code, out, err = run("verify", folder)
    assert (code, out) == (2, "")
    assert "try again" in err
    assert "restore" not in err


def test_migrate_brings_a_version_2_study_up_to_date_once(run, tmp_path):
    old = shutil.copytree(FIXTURES / "v2", tmp_path / "old")
    assert run("verify", old)[0] == 0
    code, out, _ = run("migrate", old)
    assert (code, "schema 2 → 6; 1 approvals taken over" in out) == (0, True)
    assert run("verify", old)[0] == 0
    code, _, err = run("migrate", old)
    assert (code, "there is nothing to migrate" in err) == (2, True)
    assert run("replay", old)[0] == 0
    assert run("report", old)[0] == 0
    assert run("verify", old)[0] == 0


def rewrite(folder, before, after):
    """The attack of about 40 lines: every payload, commitment and hash again, anchors away, triggers put back."""
    with closing(sqlite3.connect(folder / "study.db", isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        kept = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in kept:
            connection.execute(f"DROP TRIGGER {name}")
        study = connection.execute("SELECT * FROM study").fetchone()
        given = {name: study[name] for name in ("schema_sha256", "created_utc", "nonce")}
        previous = chain.genesis(study_id=study["id"], **given)
        query = "SELECT a.*, p.salt, p.payload FROM audit a JOIN audit_payload p ON p.seq = a.seq ORDER BY a.seq"
        for row in connection.execute(query).fetchall():
            record, payload = dict(row), row["payload"]
            if row["table_name"] == "trial":
                payload = payload.replace(f'"outcome":"{before}"', f'"outcome":"{after}"')
            record["commitment"] = chain.commitment(row["salt"], payload)
            previous = chain.link(previous, record)
            connection.execute("UPDATE audit_payload SET payload = ? WHERE seq = ?", (payload, row["seq"]))
            connection.execute(
                "UPDATE audit SET commitment = ?, hash = ? WHERE seq = ?",
                (record["commitment"], previous, row["seq"]),
            )
        connection.execute("UPDATE trial SET outcome = ? WHERE outcome = ?", (after, before))
        for report in connection.execute("SELECT id, head_seq FROM report").fetchall():
            connection.execute("DELETE FROM report WHERE id = ?", (report["id"],))
        for _, sql in kept:
            connection.execute(sql)
    (folder / anchors.FILE).unlink()


def test_rewritten_trials_are_found_by_verify_and_by_replay(run, tmp_path):
    folder = Path(shutil.copytree(FIXTURES / "v2", tmp_path / "attacked"))
    assert run("migrate", folder)[0] == 0
    assert all(result.equal for result in replay_study(folder))
    rewrite(folder, "correct", "wrong")
    code, out, _ = run("verify", folder)
    assert code == 1
    assert "which the record does not have: its chain was written again" in out
    assert "the signed head at audit row" in out
    code, out, _ = run("replay", folder)
    assert code == 1
    assert "in the study record is not the one that was recorded" in out


def test_keys_are_backed_up_restored_rotated_and_shown_without_a_secret_in_arguments(run, folder, tmp_path):
    backup = tmp_path / "keys.backup"
    code, out, _ = run("keys", "backup", folder, backup, stdin=f"{PASSPHRASE}\n")
    assert (code, backup.exists()) == (0, True)
    shutil.rmtree(tmp_path / "keys")
    assert "not on this computer" in run("keys", "show", folder)[1]
    code, _, err = run("people", "add", folder, "lin", "--name", "Lin Q.", stdin="correct horse\n")
    assert (code, "workbench keys restore" in err) == (2, True)
    assert run("keys", "restore", backup, stdin="wrong one here\n")[0] == 2
    assert run("keys", "restore", backup, stdin="")[0] == 2
    assert run("keys", "restore", backup, stdin=f"{PASSPHRASE}\n")[0] == 0
    code, out, _ = run("keys", "rotate", folder, "--reason", "yearly")
    assert (code, "key 2 is in use" in out) == (0, True)
    shown = run("keys", "show", folder)[1]
    secrets = json.loads(next((tmp_path / "keys").glob("*.json")).read_text())["keys"]
    assert all(key["public"] in shown for key in secrets)
    assert not any(key[name] in shown for key in secrets for name in ("hmac", "private"))


def test_a_file_that_is_passed_for_a_passphrase_is_refused(run, folder, tmp_path):
    code, _, err = run("keys", "backup", folder, tmp_path / "keys.backup", stdin="x" * 1001)
    assert (code, (tmp_path / "keys.backup").exists()) == (2, False)
    assert "has 1,001 characters, at most 1,000 are taken" in err


def test_people_are_listed_added_closed_and_given_a_new_password(run, folder):
    assert "nobody yet" in run("people", "list", folder)[1]
    add = ("people", "add", folder, "park", "--name", "Park J.", "--roles", "engineer,investigator")
    assert run(*add, stdin="short\n")[0] == 2
    code, _, err = run(*add, stdin="correct \udcffhorse\n")
    assert (code, "must be UTF-8 text" in err) == (2, True)
    assert run(*add, stdin="correct horse\n")[0] == 0
    assert run("people", "password", folder, "park", stdin="another horse\n")[0] == 0
    with Study.open(folder, actor="tests") as study:
        assert study.sign_in("park", "another horse").can_approve
    assert run("people", "close", folder, "park", "--reason", "left")[0] == 0
    assert "park  Park J.  engineer, investigator  closed" in run("people", "list", folder)[1]
    assert run("people", "close", folder, "nobody", "--reason", "left")[0] == 2


def test_both_computers_type_the_code_and_print_the_same_link(run, folder):
    code, out, _ = run("pair", "code")
    typed = out.strip()
    assert code == 0
    code, out, _ = run("pair", "engine", folder, "glove", stdin=f"{typed}\n")
    assert code == 0
    link, there = out.splitlines()
    here = devices.pairing(folder, "glove")
    key = here.key()
    assert link == f"paired, link {here.link_id}"
    command = there.split("'")[1].split()
    assert command[:3] == ["workbench", "pair", "device"]
    here.path.unlink()
    code, out, _ = run(*command[1:], stdin=f"{typed.lower()}\n")
    assert (code, out.splitlines()[0]) == (0, link)
    assert here.key() == key
    assert here.path.stat().st_mode & 0o777 == 0o600


def test_a_pairing_code_that_is_none_is_refused_in_one_sentence_and_the_pairing_stays(run, folder):
    key = devices.pairing(folder, "glove").key()
    old = devices.new_pairing_code(now=1.7e9)
    for typed, words in (("", "nothing was given"), ("1234", "got 4 characters"), (old, "expired")):
        code, out, err = run("pair", "engine", folder, "glove", stdin=f"{typed}\n")
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert words in err
    code, _, err = run("pair", "engine", folder, "gauntlet", stdin=f"{devices.new_pairing_code()}\n")
    assert (code, len(err.splitlines())) == (2, 1)
    assert devices.pairing(folder, "glove").key() == key
