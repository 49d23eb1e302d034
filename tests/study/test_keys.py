"""Keys outside the study folder: what they show, what is told without them, and that secrets stay secret."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.study import databases
from workbench import world
from workbench.errors import BadValue, RecordFault, Refused
from workbench.study import Study, anchors, chain, keys, verify
from workbench.study.schema import signed_head
from workbench.vocabulary import Participant

PASSPHRASE = "four random plain words"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


@pytest.fixture
def keyed(tmp_path, folder):
    with Study.create(tmp_path / "keyed", code="NEO", title="t", actor="tester") as study:
        study.append(Participant("P01"))
    with Study.open(tmp_path / "keyed", actor="tester") as study:
        yield study


def as_owner(path, *statements):
    """Edit the record as its owner can: triggers off, edit, triggers on again as they were."""
    databases.tamper(path.parent, *((statement, values) for statement, *values in statements))


def written_again(study, *, change, signer=None):
    """The attack: change a payload, and compute commitments, chain and signatures again without the key."""
    rows = databases.rows(study, "SELECT * FROM audit ORDER BY seq")
    payloads = {r["seq"]: (r["salt"], r["payload"]) for r in databases.rows(study, "SELECT * FROM audit_payload")}
    (row,) = databases.rows(study, "SELECT * FROM study")
    signed = databases.rows(study, "SELECT * FROM signed_head ORDER BY seq")
    given = {name: row[name] for name in ("schema_sha256", "created_utc", "nonce")}
    previous, digest, statements, digests = chain.genesis(study_id=row["id"], **given), "", [], {}
    for record in rows:
        salt, payload = payloads[record["seq"]]
        text = change(payload)
        record["commitment"] = chain.commitment(salt, text)
        previous = record["hash"] = chain.link(previous, record)
        digest = digests[record["seq"]] = chain.digest(digest, record)
        statements.append(("UPDATE audit_payload SET payload = ? WHERE seq = ?", text, record["seq"]))
        statements.append(
            (
                "UPDATE audit SET commitment = ?, hash = ? WHERE seq = ?",
                record["commitment"],
                previous,
                record["seq"],
            )
        )
    hashes = {record["seq"]: record["hash"] for record in rows}
    for head in signed:
        payload = {n: head[n] for n in ("seq", "utc", "why")}
        payload |= {"hash": hashes[head["seq"]], "digest": digests[head["seq"]]}
        signature, epoch = head["signature"], head["epoch"]
        if signer:
            sealed = keys.seal(payload, purpose="head", study_id=row["id"], key=signer)
            epoch, signature = sealed["epoch"], sealed["signature"]
        statements.append(
            (
                "UPDATE signed_head SET hash = ?, digest = ?, signature = ?, epoch = ? WHERE seq = ?",
                payload["hash"], payload["digest"], signature, epoch, head["seq"],
            )
        )  # fmt: skip
    as_owner(study.path, *statements, ("UPDATE participant SET pseudonym = 'P99' WHERE pseudonym = 'P01'",))
    (study.folder / anchors.FILE).unlink()


def other_person(payload):
    return payload.replace('"P01"', '"P99"')


def test_a_chain_written_again_without_the_key_does_not_verify(keyed):
    written_again(keyed, change=other_person)
    found = verify(keyed.folder)
    assert any("does not follow from the row before it" in problem for problem in found.problems)


def test_entries_from_before_the_key_cannot_be_written_again_either(keyed):
    written_again(keyed, change=lambda payload: payload.replace('"NEO"', '"XXX"'))
    as_owner(keyed.path, ("UPDATE study SET code = 'XXX'",))
    found = verify(keyed.folder)
    assert any("which the record does not have: its chain was written again" in p for p in found.problems)


def test_a_chain_written_again_with_another_key_is_shown_by_the_pin_even_as_an_unkeyed_study(keyed, tmp_path):
    study_id = keyed.id
    keyed.close()
    shutil.rmtree(keyed.folder)
    with Study.create(tmp_path / "other", code="NEO", title="t", actor="tester", keyed=False) as other:
        forged = other.folder
        other_id = other.id
    ring = keys.KeyRing(study_id)
    ring.study_id, ring.path = other_id, keys.key_folder() / f"{other_id}.json"
    ring.pin(2, 2, "0" * 64)
    assert any(
        "came into use at audit row 2, which the record does not have" in p for p in verify(forged).problems
    )


def test_without_the_keys_the_signatures_still_show_a_change(keyed, folder):
    keyed.close()
    moved = folder.rename(folder.with_name("elsewhere"))
    plain = verify(keyed.folder)
    assert plain.ok, plain.problems
    assert "keyed audit rows could not be recomputed" in " ".join(plain.warnings)
    written_again(keyed, change=other_person)
    found = verify(keyed.folder)
    assert any("the signature of the head at audit row" in problem for problem in found.problems)
    assert moved.is_dir()


def test_a_key_that_was_rotated_away_signs_nothing_more(keyed, folder):
    stolen = keys.KeyRing(keyed.id).keys[1]
    keyed.rotate_keys(reason="somebody may have read the first")
    keyed.append(Participant("P02"))
    keyed.close()
    folder.rename(folder.with_name("elsewhere"))
    assert verify(keyed.folder).ok
    written_again(keyed, change=other_person, signer=stolen)
    found = verify(keyed.folder)
    assert any("was signed with key 1, in use was key 2" in problem for problem in found.problems), found.problems


def test_without_the_keys_a_study_opens_and_writing_is_refused_with_the_remedy(keyed, folder):
    keyed.close()
    folder.rename(folder.with_name("elsewhere"))
    with Study.open(keyed.folder, actor="tester") as study:
        assert study.rows("participant")[0]["pseudonym"] == "P01"
        for write in (lambda: study.append(Participant("P02")), lambda: study.sign({}, purpose="grant")):
            with pytest.raises(RecordFault, match="not on this computer.*workbench keys restore FILE"):
                write()


@pytest.mark.parametrize("column", [c.name for c in signed_head.columns])
def test_every_single_field_edit_of_a_signed_head_is_seen(keyed, column):
    value = f"\"{column}\" || 'x'" if column not in ("seq", "epoch") else f'"{column}" - 2'
    as_owner(
        keyed.path,
        (f'UPDATE signed_head SET "{column}" = {value} WHERE rowid = (SELECT MAX(rowid) FROM signed_head)',),
    )
    assert not verify(keyed.folder).ok


def test_signatures_that_were_taken_out_are_missed(keyed):
    as_owner(keyed.path, ("DELETE FROM signed_head",))
    assert any("no signed head" in problem for problem in verify(keyed.folder).problems)


def test_entries_that_no_signature_covers_yet_are_counted(keyed):
    """Without the HMAC key only signatures tell; while a study is open its last entries have none."""
    for number in range(3):
        keyed.append(Participant(f"Q{number}"))
    keys.key_folder().rename(keys.key_folder().with_name("elsewhere"))
    found = verify(keyed.folder)
    with databases.connected(keyed) as connection:
        (newest,) = connection.execute("SELECT MAX(seq) FROM audit").fetchone()
        (signed,) = connection.execute("SELECT MAX(seq) FROM signed_head").fetchone()
    assert newest - signed >= 3
    assert f"the newest {newest - signed} audit rows are not covered by a signature yet" in found.warnings


def test_a_head_is_signed_when_a_study_closes_at_an_anchor_and_every_thousand_entries(keyed, monkeypatch):
    monkeypatch.setattr("workbench.study.writer.SIGN_EVERY", 4)
    for number in range(9):
        keyed.append(Participant(f"Q{number}"))
    keyed.anchor(why="report")
    keyed.append(Participant("last"))
    keyed.close()
    why = [row["why"] for row in databases.rows(keyed, "SELECT why FROM signed_head ORDER BY seq")]
    assert why[:2] == ["key", "close"]
    assert "every 4 entries" in why
    assert why[-2:] == ["report", "close"]
    assert verify(keyed.folder).ok


def test_rotated_keys_verify_over_both_epochs(keyed):
    assert keyed.rotate_keys(reason="yearly") == 2
    keyed.append(Participant("P02"))
    assert keyed.verify().ok
    assert set(keys.public_keys(keyed.folder)) == {1, 2}
    assert set(keys.KeyRing(keyed.id).pins) == {1, 2}
    envelope = keyed.sign({"a": 1}, purpose="grant")
    assert envelope["epoch"] == 2
    with pytest.raises(BadValue, match="need a reason"):
        keyed.rotate_keys(reason=" ")


def test_rotations_and_entries_at_the_same_time_all_find_their_key(keyed):
    def work(number):
        with Study.open(keyed.folder, actor=f"writer {number}") as study:
            study.append(Participant(f"Q{number}"))
            return study.rotate_keys(reason="at the same time")

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(work, range(4))) == [2, 3, 4, 5]
    assert set(keys.KeyRing(keyed.id).pins) == {1, 2, 3, 4, 5}
    found = verify(keyed.folder)
    assert found.ok, found.problems


class SlowLock(world.Disk):
    """A disk on which another process writes a file, while this one waits for its lock."""

    def __init__(self, path, content):
        self._path, self._content = path, content

    def lock(self, descriptor, *, wait=False, shared=False):
        assert wait
        self._path.write_bytes(self._content)
        super().lock(descriptor, wait=wait, shared=shared)


def test_a_key_that_another_process_makes_while_this_one_waits_is_kept(folder):
    other = keys.KeyRing("a-study")
    other.make(2)
    theirs = other.path.read_bytes()
    other.path.unlink()
    own = keys.KeyRing("a-study")
    (folder / own.path.name).touch(0o600)
    with world.entered(disk=SlowLock(own.path, theirs)):
        made = own.make(1)
    assert keys.KeyRing("a-study").keys == {1: made, 2: other.keys[2]}


def test_a_study_without_keys_gets_its_first_ones_by_rotation(tmp_path):
    with Study.create(tmp_path / "plain", code="N", title="t", actor="a", keyed=False) as study:
        with pytest.raises(RecordFault, match="has no keys.*workbench keys rotate"):
            study.sign({}, purpose="grant")
        study.rotate_keys(reason="from now on")
        study.append(Participant("P01"))
        found = study.verify()
        assert found.ok
        assert found.warnings == ()


def test_an_envelope_is_bound_to_its_purpose_key_and_content(keyed):
    public = keys.public_keys(keyed.folder)[1]
    envelope = keyed.sign({"level": 0.5, "who": "Zoë"}, purpose="grant")
    assert keys.verify_envelope(json.loads(json.dumps(envelope)), public, purpose="grant") == envelope["payload"]
    with pytest.raises(Refused, match="got one for 'grant'"):
        keys.verify_envelope(envelope, public, purpose="head")
    for name, value in (("payload", {"level": 1.0}), ("study", "x"), ("epoch", 2), ("signature", "00" * 64)):
        with pytest.raises(Refused, match="does not hold"):
            keys.verify_envelope({**envelope, name: value}, public, purpose="grant")
    with pytest.raises(Refused, match="does not hold"):
        keys.verify_envelope(envelope, keys.KeyRing("other").make(1).public, purpose="grant")
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for wrong in (
        {},
        {**envelope, "signature": "no"},
        {**envelope, "payload": 3},
        [],
        {**envelope, "payload": {"a": deep}},
    ):
        with pytest.raises(Refused, match="malformed"):
            keys.verify_envelope(wrong, public, purpose="grant")


def test_verifying_an_envelope_needs_no_sqlalchemy():
    code = "import sys, workbench.study.keys; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_key_files_are_their_owners_alone_and_never_in_the_study(keyed, folder):
    path = keys.KeyRing(keyed.id).path
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder not in keyed.folder.parents
    ring = keys.KeyRing(keyed.id)
    secrets = [ring.keys[1].hmac, ring.keys[1].private]
    for file in (p for p in keyed.folder.rglob("*") if p.is_file()):
        data = file.read_bytes()
        assert not any(s in data or s.hex().encode() in data for s in secrets)
    assert not any(s.hex() in repr(ring.keys[1]) for s in secrets)
    path.chmod(0o644)
    with pytest.raises(RecordFault, match="can be read by other users.*chmod 600"):
        keyed.append(Participant("P02"))


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {}, "home/.config/workbench/keys"),
        ("linux", {"XDG_CONFIG_HOME": "configuration"}, "configuration/workbench/keys"),
        ("darwin", {"XDG_CONFIG_HOME": "configuration"}, "home/Library/Application Support/workbench/keys"),
        ("win32", {}, "home/AppData/Roaming/workbench/keys"),
        ("win32", {"APPDATA": "roaming"}, "roaming/workbench/keys"),
        ("linux", {"WORKBENCH_KEYS": "named"}, "named"),
    ],
)
def test_keys_lie_where_each_system_keeps_what_a_user_configures(monkeypatch, platform, variables, expected):
    for name in ("XDG_CONFIG_HOME", "APPDATA", "WORKBENCH_KEYS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"HOME": "home"} | variables).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert keys.key_folder() == Path(expected)


def test_an_account_that_has_configured_nothing_yet_can_keep_keys(tmp_path, monkeypatch):
    place = tmp_path / "home" / ".config" / "workbench" / "keys"
    monkeypatch.setenv("WORKBENCH_KEYS", str(place))
    made = keys.KeyRing("a-study").make(1)
    assert keys.KeyRing("a-study").keys == {1: made}
    assert place.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("n", [11, 12])
def test_a_passphrase_has_twelve_characters_or_more(keyed, tmp_path, n):
    if n < 12:
        with pytest.raises(BadValue, match="12 characters or more, got 11"):
            keys.backup(keyed.id, tmp_path / "backup.json", "x" * n)
    else:
        assert keys.restore(keys.backup(keyed.id, tmp_path / "backup.json", "x" * n), "x" * n)


def test_a_backup_brings_the_keys_back_and_hides_them(keyed, folder, tmp_path):
    file = keys.backup(keyed.id, tmp_path / "backup.json", PASSPHRASE)
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.KeyRing(keyed.id).keys[1].private.hex() not in file.read_text()
    folder.rename(tmp_path / "lost")
    with pytest.raises(Refused, match="passphrase does not open"):
        keys.restore(file, "another passphrase")
    assert keys.KeyRing(keyed.id).keys == {}
    keys.restore(file, PASSPHRASE)
    keyed.append(Participant("P02"))
    assert keyed.verify().ok
    keys.restore(file, PASSPHRASE)
    with pytest.raises(RecordFault, match="name a new file"):
        keys.backup(keyed.id, file, PASSPHRASE)
    with pytest.raises(BadValue, match="12 characters or more, got 5"):
        keys.backup(keyed.id, tmp_path / "b", "short")
    with pytest.raises(RecordFault, match="no keys of this study"):
        keys.backup("other", tmp_path / "b", PASSPHRASE)


@pytest.mark.parametrize(
    "damage",
    [
        b"", b"not json", b"[]", b"{}", b'{"format": "x", "study": "s", "kdf": {}, "nonce": "00", "keys": ""}',
        b"[" * 100_000, b"\xff\xfe", b'{"a":' * 100_000,
        b'{"study": "%s", "keys": [{"epoch": 1e400}], "pins": []}',
        b'{"format": "workbench key backup 1", "study": "s", "nonce": "000000000000000000000000", "keys": "",'
        b' "kdf": {"time_cost": 1e400, "memory_kib": 8, "parallelism": 1, "salt": "00"}}',
    ],
)  # fmt: skip
def test_a_damaged_backup_or_key_file_is_named(keyed, tmp_path, damage):
    file = tmp_path / "damaged"
    damage = damage.replace(b"%s", keyed.id.encode())
    file.write_bytes(damage)
    with pytest.raises(RecordFault):
        keys.restore(file, PASSPHRASE)
    keys.KeyRing(keyed.id).path.write_bytes(damage)
    with pytest.raises(RecordFault, match="restore|workbench keys"):
        keyed.append(Participant("P02"))


@pytest.mark.parametrize("kdf", [{"memory_kib": 2**40}, {"memory_kib": 1}, {"salt": "00"}, {"salt": ""}])
def test_a_backup_cannot_ask_for_all_memory_nor_for_what_argon2_refuses(keyed, tmp_path, kdf):
    file = keys.backup(keyed.id, tmp_path / "backup.json", PASSPHRASE)
    whole = json.loads(file.read_text())
    whole["kdf"] |= kdf
    file.write_text(json.dumps(whole))
    with pytest.raises(RecordFault, match="no key backup"):
        keys.restore(file, PASSPHRASE)


def test_a_backup_may_ask_for_the_least_and_for_no_more_than_the_most(keyed, tmp_path, monkeypatch):
    monkeypatch.setattr(keys, "KDF", {"time_cost": 1, "memory_kib": 8, "parallelism": 1})
    file = keys.backup(keyed.id, tmp_path / "backup.json", PASSPHRASE)
    assert keys.restore(file, PASSPHRASE).keys == keys.KeyRing(keyed.id).keys
    monkeypatch.setattr(keys, "MOST_KDF", {"time_cost": 1, "memory_kib": 8, "parallelism": 1})
    assert keys.restore(file, PASSPHRASE).keys
    whole = json.loads(file.read_text())
    for name, least in keys.KDF.items():
        for cost in (0, least + 1):
            file.write_text(json.dumps({**whole, "kdf": {**whole["kdf"], name: cost}}))
            with pytest.raises(RecordFault, match="key derivation"):
                keys.restore(file, PASSPHRASE)


def test_a_pipe_or_folder_is_no_backup(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "absent"):
        with pytest.raises(RecordFault, match=r"backup .* cannot be read \(.+\); "):
            keys.restore(path, PASSPHRASE)


@pytest.mark.parametrize("study_id", ["../../etc/passwd", "", "a/b", "a\x00b"])
def test_a_study_id_cannot_name_a_file_elsewhere(study_id):
    with pytest.raises(RecordFault, match="letters, digits and hyphens"):
        keys.KeyRing(study_id)
