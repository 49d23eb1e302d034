"""A backup of a study in use is whole, is refused when a bit of it is wrong, and restores what there was."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.doors import SteppedClock
from workbench import world
from workbench.errors import BadValue, RecordFault, Refused
from workbench.recording.recover import recover
from workbench.study import Study, anchors, manifest, verify
from workbench.study import keys as study_keys
from workbench.study.backup import LOCK, STAGES, UNFINISHED, backup
from workbench.study.manifest import DATA, File
from workbench.study.restore import drill, restore
from workbench.vocabulary import Participant

pytestmark = pytest.mark.sqlite_file("of a file; that of a server is tried in test_postgresql")


def rows(folder):
    """Every row of every table of a record that nobody writes."""
    uri = f"{(folder / 'study.db').as_uri()}?immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall() for name in tables}


def contents(folder):
    """Every file by its path, databases aside, whose bytes may differ where their rows do not."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".db" not in path.name)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


WATCHED: list[set[str]] = []


def _note(event, arguments):
    if event == "open" and WATCHED:
        WATCHED[-1].add(str(arguments[0]))


@contextmanager
def opened():
    """Paths that Python opens meanwhile; what SQLite opens is not among them."""
    # A hook cannot be taken away again: there is one, which looks where it is told to.
    if not hasattr(_note, "there"):
        sys.addaudithook(_note)
        _note.there = True
    WATCHED.append(set())
    try:
        yield WATCHED[-1]
    finally:
        WATCHED.pop()


@pytest.fixture
def made(study, tmp_path):
    """A backup of a study in which every table holds something."""
    study.close()
    return backup(study.folder, tmp_path / "backups")


# ---------------------------------------------------------------------------------------- made and restored
def test_a_restored_study_equals_the_one_that_was_backed_up_row_by_row_and_file_by_file(study, made, tmp_path):
    restored = restore(made.folder, tmp_path / "again")
    assert restored.ok, restored.problems
    assert rows(tmp_path / "again") == rows(study.folder)
    assert contents(tmp_path / "again") == contents(study.folder)
    assert (restored.head, restored.newest, restored.entry) == (made.head, None, 0)
    assert restored.rows == {name: len(found) for name, found in rows(study.folder).items()}
    with Study.open(tmp_path / "again", actor="tester") as opened:
        opened.append(Participant("P02"))
        assert opened.verify().ok
    assert verify(study.folder).ok


def test_the_manifest_says_what_was_backed_up(study, made):
    held = manifest.read(made.folder)
    with Study.open(study.folder, actor="tester") as opened:
        assert (held.study, held.code, held.head) == (opened.id, "NEO", opened.head())
    assert made.folder.name == f"{held.utc.replace('-', '').replace(':', '')}-{held.head[0]}"
    assert {file.path for file in held.files} == {*contents(study.folder), "study.db"}
    assert sum(file.bytes for file in held.files) == held.n_bytes == made.n_bytes
    text = (made.folder / manifest.FILE).read_text(encoding="ascii")
    assert json.loads(text)["keys"].startswith("not in this backup; see 'workbench keys backup'")


def test_no_key_lock_socket_or_unfinished_file_is_in_a_backup(study, tmp_path, monkeypatch):
    secret = study.folder / "secret"
    shutil.copytree(study_keys.key_folder(), secret)
    monkeypatch.setenv("WORKBENCH_KEYS", str(secret))
    engine = study.folder / "engine"
    engine.mkdir()
    for name in ("lock.json", "key", "live.bin", "heartbeat", "guard", "alarms.jsonl", "engine.log"):
        (engine / name).write_text("x")
    for name in ("decoders/x.npz.part", "recordings/.probe-1-a", "study.db.migrating", "drafts.db-journal"):
        (study.folder / name).write_text("x")
    os.mkfifo(study.folder / "pipe")
    made = backup(study.folder, tmp_path / "backups")
    names = {file.path for file in manifest.read(made.folder).files}
    assert {name for name in names if name.startswith("engine/")} == {"engine/alarms.jsonl", "engine/engine.log"}
    assert not [name for name in names if name.endswith((".part", "-wal", "-shm", "-journal", ".migrating"))]
    assert not [name for name in names if name.startswith(("secret", "pipe")) or ".probe" in name]
    hidden = [key.hmac.hex().encode() for key in study_keys.KeyRing(study.id).keys.values()]
    assert hidden
    for path in made.folder.rglob("*"):
        assert not path.is_file() or not any(key in path.read_bytes() for key in hidden)


def test_drafts_are_in_a_backup_also_while_somebody_types_and_a_damaged_file_of_them_is_left_out(study, tmp_path):
    study.drafts.save("v", "arat", None, "rater", {"grasp_1": 2})
    first = backup(study.folder, tmp_path / "backups")
    with Study.open(restored_to(first, tmp_path / "again"), actor="tester") as again:
        assert again.drafts.load("v", "arat", None, "rater").values == {"grasp_1": 2}
    (study.folder / "drafts.db").write_bytes(b"no database" * 100)
    with opened() as paths:
        second = backup(study.folder, tmp_path / "backups")
    assert str(study.folder / "anchors.jsonl") in paths
    assert str(study.folder / "drafts.db") not in paths
    assert not (second.folder / DATA / "drafts.db").exists()
    assert any("drafts.db is damaged and was left out" in warning for warning in second.warnings)
    assert restore(second.folder, tmp_path / "third").ok


def restored_to(made, folder):
    assert restore(made.folder, folder).ok
    return folder


def test_an_older_study_is_backed_up_and_restored_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    old = Path(shutil.copytree(Path(__file__).parents[1] / "fixtures" / "studies" / "v2", tmp_path / "study"))
    before = rows(old)
    restored = restore(backup(old, tmp_path / "backups").folder, tmp_path / "again")
    assert restored.ok, restored.problems
    assert rows(tmp_path / "again") == before
    with pytest.raises(RecordFault, match="reading only"):
        restore(
            Path(next((tmp_path / "backups").glob("2*"))), tmp_path / "third", actor="a", reason="the disk broke"
        )
    assert not list(tmp_path.glob("third*"))


def test_unchanged_files_share_their_bytes_with_the_backup_before_unless_those_rotted(study, tmp_path):
    study.close()
    for path in contents(study.folder):
        os.utime(study.folder / path, (1e9, 1e9))
    os.utime(study.folder / anchors.FILE)  # written to just now, and so growing
    first = backup(study.folder, tmp_path / "backups")
    second = backup(study.folder, tmp_path / "backups")
    assert second.n_linked == len(contents(study.folder)) - 1 == 7
    assert (second.folder / DATA / "recordings/r1.xdf").samefile(first.folder / DATA / "recordings/r1.xdf")
    rotten = second.folder / DATA / "recordings" / "r1.xdf"
    rotten.write_bytes(b"XDF: sigmal")
    os.utime(rotten, (1e9, 1e9))
    third = backup(study.folder, tmp_path / "backups")
    assert third.n_linked == 6
    assert drill(third.folder).ok
    with pytest.raises(RecordFault, match="recordings/r1.xdf is not what was backed up"):
        drill(second.folder)


# ---------------------------------------------------------------------------------------- in use
WRITER = """
import sys
from workbench.study import Study
from workbench.vocabulary import Participant
with Study.open(sys.argv[1], actor="writer") as study:
    number = 0
    while True:
        study.append(Participant(f"W{number}"))
        number += 1
        if number == 3:
            print("writing", flush=True)
"""


@pytest.mark.release
def test_backups_made_while_another_process_writes_verify_and_are_beginnings_of_the_chain(empty, tmp_path):
    empty.close()
    made = []
    with subprocess.Popen([sys.executable, "-c", WRITER, empty.folder], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == b"writing\n"
            made = [backup(empty.folder, tmp_path / "backups") for _ in range(5)]
        finally:
            child.kill()
    ends = [one.head[0] for one in made]
    assert ends == sorted(set(ends))
    with Study.open(empty.folder, actor="tester") as study:
        chain = {row["seq"]: row["hash"] for row in study.rows("audit")}
        assert study.verify().ok
    for number, one in enumerate(made):
        assert chain[one.head[0]] == one.head[1]
        folder = tmp_path / f"again {number}"
        restore(one.folder, folder)
        alone = verify(folder)
        assert (alone.ok, alone.head) == (True, one.head)
    assert drill(made[-1].folder).ok


def test_a_recording_that_is_being_written_is_copied_as_far_as_it_is_and_can_be_taken_in(study, tmp_path):
    study.close()
    path = study.folder / "recordings" / "live.xdf"
    command = [sys.executable, "-m", "workbench.stress.recording", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout.readline() == b"writing\n"
            made = backup(study.folder, tmp_path / "backups")
            restored = restore(made.folder, tmp_path / "again")
        finally:
            child.kill()
    grown = {file.path for file in manifest.read(made.folder).files if file.growing}
    assert {"recordings/live.xdf", "recordings/live.xdf.idx"} <= grown == set(made.growing)
    copy = tmp_path / "again" / "recordings" / "live.xdf"
    assert path.read_bytes().startswith(copy.read_bytes())
    assert copy.stat().st_size > 1000
    assert (restored.ok, restored.to_take_in) == (True, ("live.xdf",))
    assert "to take in with 'workbench end" in restored.text()
    assert recover(copy).state == "recovered"


def test_a_recording_that_never_entered_the_record_is_told_apart_from_damage(study, tmp_path):
    study.close()
    left = study.folder / "recordings" / "left.xdf"
    left.write_bytes(b"XDF: left")
    os.utime(left, (1e9, 1e9))
    made = backup(study.folder, tmp_path / "backups")
    restored = restore(made.folder, tmp_path / "again")
    assert (restored.ok, restored.to_take_in, made.growing.count("recordings/left.xdf")) == (
        True,
        ("left.xdf",),
        0,
    )
    assert not verify(tmp_path / "again").ok


KILLED = """
import os, signal, sys
from workbench.study.backup import STAGES, backup

def killed_in(wanted, part):
    def progress(stage, done, total):
        if stage == wanted and (not part or done):
            os.kill(os.getpid(), signal.SIGKILL)
    return progress

for number, (stage, part) in enumerate([*((stage, False) for stage in STAGES), ("record", True), ("files", True)]):
    child = os.fork()
    if not child:
        backup(sys.argv[1], f"{sys.argv[2]}/{number}", progress=killed_in(stage, part))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.job
def test_killed_at_every_step_a_backup_leaves_the_study_as_it_was_and_the_next_one_works(study, tmp_path):
    study.close()
    before, lying = rows(study.folder), contents(study.folder)
    command = [sys.executable, "-c", KILLED, study.folder, tmp_path / "killed"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [int(line) for line in done.stdout.split()] == [-signal.SIGKILL] * (len(STAGES) + 2)
    assert (rows(study.folder), contents(study.folder)) == (before, lying)
    assert verify(study.folder).ok
    finished = []
    for number in range(len(STAGES) + 2):
        target = tmp_path / "killed" / str(number)
        finished.append(len(manifest.names_in(target)))
        for left in target.glob(f"*{UNFINISHED}"):
            with pytest.raises(RecordFault, match="is no backup: it has no manifest.json"):
                restore(left, tmp_path / "never")
        made = backup(study.folder, target)
        assert not list(target.glob(f"*{UNFINISHED}"))
        assert drill(made.folder).ok
    assert finished == [stage == "finished" for stage in STAGES] + [False, False]
    assert not (tmp_path / "never").exists()


def test_a_backup_that_is_interrupted_leaves_nothing(study, tmp_path):
    def interrupted(stage, done, total):
        if stage == "files":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup(study.folder, tmp_path / "backups", progress=interrupted)
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [LOCK]


def test_a_folder_of_another_name_is_never_taken_for_an_unfinished_backup(study, tmp_path):
    (tmp_path / "backups" / f"mine{UNFINISHED}").mkdir(parents=True)
    backup(study.folder, tmp_path / "backups")
    assert (tmp_path / "backups" / f"mine{UNFINISHED}").is_dir()


def test_two_backups_into_one_folder_are_made_one_after_the_other(study, tmp_path):
    def second(stage, done, total):
        if stage == "record":
            with pytest.raises(Refused, match="another backup is being made in .*wait until it has ended"):
                backup(study.folder, tmp_path / "backups")

    assert backup(study.folder, tmp_path / "backups", progress=second).n_files


def test_between_any_two_parts_others_are_given_the_disk(study, tmp_path):
    (study.folder / "recordings" / "long.xdf").write_bytes(bytes(12_000_000))
    clock = SteppedClock()
    with world.entered(clock=clock):
        backup(study.folder, tmp_path / "backups")
    assert clock.now_s >= 3 * 0.005


# ---------------------------------------------------------------------------------------- refusals
def test_a_target_inside_the_study_is_refused(study):
    for target in (study.folder, study.folder / "backups", study.folder / "recordings" / ".." / "b"):
        with pytest.raises(Refused, match="lies inside the study folder"):
            backup(study.folder, target)
    assert not (study.folder / "backups").exists()


def test_a_target_on_the_disk_of_the_study_is_told(study, tmp_path):
    made = backup(study.folder, tmp_path / "backups")
    assert any("when that disk breaks, both are lost" in warning for warning in made.warnings)


@pytest.mark.parametrize("to", ["file outside", "folder outside", "folder inside", "nothing", "itself"])
def test_a_link_that_leads_out_is_refused_and_named(study, tmp_path, to):
    (tmp_path / "file").write_text("x")
    link = study.folder / "reports" / "link"
    place = {
        "file outside": tmp_path / "file",
        "folder outside": tmp_path,
        "folder inside": study.folder / "recordings",
        "nothing": tmp_path / "nothing",
        "itself": link,
    }[to]
    link.symlink_to(place)
    with pytest.raises(Refused, match="reports/link is a link that leads out of"):
        backup(study.folder, tmp_path / "backups")
    assert manifest.names_in(tmp_path / "backups") == []


def test_a_link_to_a_file_of_the_study_is_backed_up_as_that_file(study, tmp_path):
    (study.folder / "reports" / "newest.html").symlink_to("s.html")
    made = backup(study.folder, tmp_path / "backups")
    restore(made.folder, tmp_path / "again")
    copy = tmp_path / "again" / "reports" / "newest.html"
    assert (copy.read_bytes(), copy.is_symlink()) == (b"<html>", False)


@pytest.mark.parametrize("of", ["study.db", "study.db-wal", "study.db-shm", "drafts.db", "drafts.db-journal"])
@pytest.mark.parametrize("how", ["symbolic", "hard"])
def test_a_second_name_of_a_database_is_refused_and_never_opened(study, tmp_path, of, how):
    study.drafts.save("v", "arat", None, "rater", {"grasp_1": 2})
    (study.folder / "drafts.db-journal").touch()
    link = study.folder / "reports" / "link"
    backup(study.folder, tmp_path / "backups")
    if how == "hard":
        os.link(study.folder / of, link)
    else:
        link.symlink_to(study.folder / of)
    with opened() as paths, pytest.raises(Refused, match="reports/link is a link .* or a database"):
        backup(study.folder, tmp_path / "backups")
    assert paths
    assert str(link) not in paths
    assert len(manifest.names_in(tmp_path / "backups")) == 1


UNREADABLE = """
import os, sys
from workbench.study.backup import backup
if not os.getuid():
    os.setuid(65534)
try:
    backup(sys.argv[1], sys.argv[2])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def public():
    """A folder that every account may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["reports/s.html", "reports"])
def test_an_unreadable_file_or_folder_is_named_and_no_backup_is_left(study, public, name):
    study.close()
    shutil.copytree(study.folder, public / "study")
    for path in (public / "study", *(public / "study").rglob("*")):
        path.chmod(0o777)
    (public / "study" / name).chmod(0o000)
    command = [sys.executable, "-c", UNREADABLE, public / "study", public / "backups"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (public / "study" / name).chmod(0o777)
    assert said.startswith("RecordFault "), said
    assert f"study/{name}" in said
    assert "Permission denied" in said
    assert [path.name for path in (public / "backups").iterdir()] == [LOCK]


FULL = """
import sys
from workbench import world
from workbench.study.backup import backup

class Roomy(world.Disk):
    def free(self, folder):
        return 2**60

try:
    with world.entered(disk=Roomy()):
        backup(sys.argv[1], sys.argv[2])
except Exception as error:
    print(type(error).__name__, error)
import os
print(os.listdir(sys.argv[2]))
try:
    backup(sys.argv[1], sys.argv[2])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("kib", [100, 700])
def test_a_full_disk_says_so_and_leaves_nothing_unfinished(study, tmp_path, kib):
    """100 KiB are full in the middle of the record, 700 in the middle of the recordings."""
    study.close()
    (study.folder / "recordings" / "long.xdf").write_bytes(bytes(2_000_000))
    small = tmp_path / "small"
    small.mkdir()
    mount = f"mount -t tmpfs -o size={kib}k tmpfs {small}"
    unshare = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*unshare, mount], capture_output=True, check=False).returncode
    ):
        pytest.skip("no small disk can be made here: it takes a mount namespace")
    program = f"{mount} && exec {sys.executable} -c '{FULL}' {study.folder} {small}"
    said = subprocess.run([*unshare, program], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].startswith(f"RecordFault the disk of {small} is full; nothing was finished there")
    assert said[1] == f"['{LOCK}']"
    assert said[2].startswith(f"Refused {small} has ")
    assert verify(study.folder).problems == () or "long.xdf" in verify(study.folder).problems[0]


def test_an_anchor_is_never_newer_than_the_record_that_it_is_beside(study, tmp_path):
    """An entry made after the anchors were copied is in the record; else its tail would look cut."""

    def meanwhile(stage, done, total):
        if (stage, done) not in seen and stage in ("record", "files"):
            seen.add((stage, done))
            study.append(Participant(f"M{len(seen)}"))

    seen = set()
    made = backup(study.folder, tmp_path / "backups", progress=meanwhile)
    assert len(seen) >= 2
    assert drill(made.folder).ok
    written, _ = anchors.read(made.folder / DATA / anchors.FILE)
    assert max(anchor.seq for anchor in written) <= made.head[0]


# ---------------------------------------------------------------------------------------- refused at restore
def test_each_file_of_a_backup_with_one_flipped_bit_is_refused_and_named(made, tmp_path):
    names = [file.path for file in manifest.read(made.folder).files]
    assert len(names) == 9
    for name in names:
        path = made.folder / DATA / name
        whole = path.read_bytes()
        for at, bit in ((0, 0), (len(whole) // 2, 3), (len(whole) - 1, 7)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            with pytest.raises(RecordFault, match=f"{name} is not what was backed up.*1 of 9 files"):
                restore(made.folder, tmp_path / "again")
        path.unlink()
        with pytest.raises(RecordFault, match=f"{name} is not what was backed up: it is missing"):
            restore(made.folder, tmp_path / "again")
        path.write_bytes(whole)
    assert not list(tmp_path.glob("again*"))
    assert restore(made.folder, tmp_path / "again").ok


def test_every_flipped_bit_of_the_manifest_is_found(made):
    path = made.folder / manifest.FILE
    whole = path.read_bytes()
    held = manifest.read(made.folder)
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 8]) + whole[at + 1 :])
        with suppress(RecordFault):
            assert manifest.read(made.folder) == held, (at, whole[at])


def forged(made, **changes):
    """Write a changed manifest with a hash that fits it, as whoever may write the backup can."""
    held = replace(manifest.read(made.folder), **changes)
    (made.folder / manifest.FILE).write_text(held.text())


@pytest.mark.parametrize(
    "changes",
    [{"head": (3, "a" * 64)}, {"rows": {"audit": 3}}, {"study": "x"}, {"code": "OTHER"}, {"schema_version": 4}],
)
def test_a_manifest_that_describes_another_record_is_refused(made, tmp_path, changes):
    forged(made, **changes)
    with pytest.raises(RecordFault, match="describes another record than the one beside it"):
        restore(made.folder, tmp_path / "again")
    assert not list(tmp_path.glob("again*"))


@pytest.mark.parametrize(
    "path",
    [
        "../evil", "a/../../evil", "/tmp/evil", "a/..", "..", ".", "", "a//b", "./a", "a\0b", "study.db-wal",
        "engine/lock.json", "engine/key", "study.db",
    ],
)  # fmt: skip
def test_a_manifest_that_names_a_file_elsewhere_or_one_that_no_backup_holds_is_refused(made, tmp_path, path):
    files = manifest.read(made.folder).files
    forged(made, files=(*files, File(path, 0, "e" * 64, 0, growing=False)))
    with pytest.raises(RecordFault, match="cannot be trusted .*it names"):
        restore(made.folder, tmp_path / "home" / "again")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "\xff", "[" * 100_000, '{"sha256": 3}', '{"format": 1, "sha256": []}']
)
def test_what_is_no_manifest_is_refused_in_a_sentence(made, tmp_path, text):
    (made.folder / manifest.FILE).write_text(text, encoding="latin-1")
    with pytest.raises(RecordFault):
        restore(made.folder, tmp_path / "again")


@pytest.mark.parametrize(
    ("name", "value"), [("bytes", -1), ("bytes", True), ("sha256", "x"), ("growing", 1), ("mtime_ns", 2**63)]
)
def test_an_entry_of_a_manifest_that_is_none_is_refused(made, name, value):
    files = manifest.read(made.folder).files
    forged(made, files=(replace(files[0], **{name: value}), *files[1:]))
    with pytest.raises(RecordFault, match="cannot be trusted"):
        manifest.read(made.folder)


def test_a_file_of_a_backup_that_was_exchanged_for_a_device_or_link_is_refused_without_being_read(made, tmp_path):
    path = made.folder / DATA / "reports" / "s.html"
    for to in ("/dev/zero", "/etc/hostname", str(tmp_path)):
        path.unlink()
        path.symlink_to(to)
        with pytest.raises(RecordFault, match="reports/s.html is not what was backed up"):
            restore(made.folder, tmp_path / "again")


def test_nothing_is_ever_overwritten_and_the_refusal_says_how_to_move_it_away(study, made, tmp_path):
    before = contents(study.folder)
    with pytest.raises(Refused, match=f"'mv {study.folder} {study.folder}-before' and keep it"):
        restore(made.folder, study.folder)
    (tmp_path / "there").mkdir()
    with pytest.raises(Refused, match="is there already; name a new folder"):
        restore(made.folder, tmp_path / "there")
    (tmp_path / "other.restoring").mkdir()
    with pytest.raises(Refused, match="other.restoring is left over from a restore that was interrupted"):
        restore(made.folder, tmp_path / "other")
    with pytest.raises(RecordFault, match=f"holds backups and is none.*the newest is {made.folder.name}"):
        restore(made.folder.parent, tmp_path / "again")
    assert contents(study.folder) == before


def test_a_restore_on_a_disk_that_fails_leaves_nothing(made, tmp_path):
    class Failing(world.Disk):
        def write(self, descriptor, data):
            raise OSError(errno.EIO, "input/output error")

    with world.entered(disk=Failing()), pytest.raises(RecordFault, match="again cannot be written .Input/output"):
        restore(made.folder, tmp_path / "again")
    assert not list(tmp_path.glob("again*"))


def test_a_reason_without_an_actor_is_refused_before_anything_is_read(made, tmp_path):
    stages = []
    with pytest.raises(BadValue, match="needs an actor"):
        restore(made.folder, tmp_path / "again", reason="the disk broke", progress=lambda *at: stages.append(at))
    assert stages == []
    assert not list(tmp_path.glob("again*"))


def test_a_bad_value_is_told_as_what_it_is_and_not_as_a_disk_that_fails(study, made, tmp_path):
    def refusing(stage, done, total):
        if stage in ("files", "verifying"):
            raise BadValue("this value")

    with pytest.raises(BadValue, match="^this value$"):
        backup(study.folder, tmp_path / "others", progress=refusing)
    with pytest.raises(BadValue, match="^this value$"):
        restore(made.folder, tmp_path / "again", progress=refusing)
    assert not list(tmp_path.glob("again*"))


def test_a_backup_has_its_name_only_when_nothing_can_fail_any_more(study, tmp_path):
    class Failing(world.Disk):
        copies = 0

        def database(self, path, **more):
            self.copies += "immutable" in str(path)
            if self.copies > 1:
                raise sqlite3.OperationalError("disk I/O error")
            return super().database(path, **more)

    first = backup(study.folder, tmp_path / "backups")
    with world.entered(disk=Failing()), pytest.raises(RecordFault, match="disk I/O error"):
        backup(study.folder, tmp_path / "backups")
    assert manifest.names_in(tmp_path / "backups") == [first.folder.name]


def test_a_drill_leaves_nothing_behind_and_says_when_there_is_no_room(made, tmp_path, monkeypatch):
    class Full(world.Disk):
        def free(self, folder):
            return 3

        def temporary_root(self):
            return tmp_path

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    assert drill(made.folder).ok
    (made.folder / DATA / "reports" / "s.html").write_bytes(b"<htmk>")
    with pytest.raises(RecordFault, match="reports/s.html"):
        drill(made.folder)
    assert list((tmp_path / "temporary").iterdir()) == []
    with world.entered(disk=Full()), pytest.raises(Refused, match="has 3 bytes free, the drill needs"):
        drill(made.folder)


# ---------------------------------------------------------------------------------------- after a loss
def test_an_older_backup_is_told_from_the_newer_one_beside_it(study, tmp_path):
    old = backup(study.folder, tmp_path / "backups")
    study.append(Participant("P02"))
    new = backup(study.folder, tmp_path / "backups")
    restored = restore(old.folder, tmp_path / "again")
    assert (restored.ok, restored.newest) == (False, new.head)
    assert "OLDER THAN WHAT IS KNOWN" in restored.text()
    assert "its tail was cut" in restored.problems[0]
    assert not verify(tmp_path / "again", known=[new.head]).ok
    assert restore(new.folder, tmp_path / "newest").newest is None


def test_an_older_backup_is_told_by_the_pins_of_the_keys_and_verify_alone_goes_on_finding_it(
    study, tmp_path, monkeypatch
):
    # Keys of its own: other tests look at copies of the same study, which must not be pinned to this future.
    monkeypatch.setenv("WORKBENCH_KEYS", str(shutil.copytree(study_keys.key_folder(), tmp_path / "keys")))
    made = backup(study.folder, tmp_path / "backups")
    study.rotate_keys(reason="yearly")
    study.close()
    restored = restore(made.folder, tmp_path / "again")
    assert restored.newest[0] > made.head[0]
    assert any("an older copy of it was restored" in problem for problem in restored.problems)
    assert verify(tmp_path / "again").problems == restored.problems


def test_an_older_backup_is_told_by_the_anchors_of_the_study_that_was_moved_away(study, tmp_path):
    made = backup(study.folder, tmp_path / "backups")
    study.append(Participant("P02"))
    head = study.head()
    study.close()
    restored = restore(made.folder, tmp_path / "again", copies=[study.folder / anchors.FILE])
    assert (restored.ok, restored.newest) == (False, head)


def test_a_reason_is_entered_with_both_heads_and_explains_the_gap_without_excusing_it(study, tmp_path):
    made = backup(study.folder, tmp_path / "backups")
    study.append(Participant("P02"))
    lost = study.head()
    study.close()
    restored = restore(made.folder, tmp_path / "again", actor="dm", reason="the disk broke", known=[lost])
    assert (restored.entry, restored.ok) == (made.head[0] + 1, False)
    with Study.open(tmp_path / "again", actor="tester") as opened:
        entry = opened.history("study", opened.id)[-1]
        assert (entry["seq"], entry["action"], entry["actor"]) == (restored.entry, "restore", "dm")
        assert entry["reason"] == "the disk broke"
    (text,) = (text for seq, _, text in rows(tmp_path / "again")["audit_payload"] if seq == restored.entry)
    facts = json.loads(text)["restored"]
    assert (facts["head"], facts["newest"]) == ([*made.head], [*lost])
    alone, with_head = verify(tmp_path / "again"), verify(tmp_path / "again", known=[lost])
    assert alone.ok
    assert any(f"when row {lost[0]} was known" in note and "the disk broke" in note for note in alone.warnings)
    # The new entry bears the number of the lost one: only its hash tells them apart.
    assert "is not on the chain" in with_head.problems[0]


def test_a_reason_without_the_keys_restores_nothing_and_says_how_to_bring_them(study, made, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "elsewhere"))
    with pytest.raises(RecordFault, match="keys restore"):
        restore(made.folder, tmp_path / "again", actor="dm", reason="the disk broke")
    assert not list(tmp_path.glob("again*"))
    restored = restore(made.folder, tmp_path / "again")
    assert restored.ok
    assert any("the keys of this study are not on this computer" in note for note in restored.warnings)


def test_a_study_that_was_put_back_is_told_at_its_next_backup(study, tmp_path):
    study.close()
    copy = Path(shutil.copytree(study.folder, tmp_path / "copy"))
    with Study.open(study.folder, actor="tester") as opened:
        opened.append(Participant("P02"))
    first = backup(study.folder, tmp_path / "backups")
    second = backup(copy, tmp_path / "backups")
    assert any(f"backup {first.folder.name} has audit row" in warning for warning in second.warnings)
    assert not drill(second.folder).ok
