"""Identities apart from the record: what is kept, what shows, what a crash, a change and an erasure leave."""

from __future__ import annotations

import base64
import copy
import errno
import json
import random
import re
import stat
import subprocess
import sys
import traceback
from dataclasses import asdict

import pytest

from tests.doors import SteppedClock, WatchedDisk
from workbench import world
from workbench.errors import BadValue, RecordFault, Refused, UnknownName, WorkbenchError
from workbench.study import identities, identity_file, identity_keys
from workbench.study.identities import FILE, Identities, Identity, verify
from workbench.study.identity_file import FRAME, PERSONAL, SLOT, Seals

ANNA = Identity("Anna Canary-Müller", "CAN4711", "1977-11-03", "canary@example.org, +49 30 4711")
LI = Identity("李雷", "MRN-2", "1975-01-02", "北京")
PASSPHRASE = "four random plain words"


@pytest.fixture(autouse=True)
def keys(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    return tmp_path / "keys"


@pytest.fixture
def store(tmp_path):
    return made(tmp_path)


def made(folder):
    return Identities.create(folder / "apart", study=folder / "study", study_id="0190-study", actor="lin")


@pytest.fixture
def filled(store):
    """A store with an entry of every kind, one of the people in it erased."""
    store.add("P-1", ANNA)
    store.add("P-2", LI)
    store.add("P-3", Identity("Gone"))
    store.erase("P-3", reason="asked for it")
    store.amend("P-2", {"contact": "上海"}, reason="moved")
    store.show("P-2", reason="visit tomorrow")
    store.find("CAN4711", reason="letter of the hospital")
    return store


def actions(store):
    return [(entry.actor, entry.action, entry.pseudonym, entry.reason) for entry in store.entries()]


# ------------------------------------------------------------------------------------ what one does
def test_what_was_entered_is_shown_and_found_again(filled):
    again = Identities.open(filled.path.parent, actor="park")
    assert again.show("P-1", reason="call") == ANNA
    assert again.show("P-2", reason="call") == Identity("李雷", "MRN-2", "1975-01-02", "上海")
    assert again.find(" MRN-2 ", reason="letter") == ("P-2",)
    assert again.find("MRN-9", reason="letter") == ()
    assert again.study == "0190-study"
    assert verify(filled.path.parent).ok


def test_every_reading_is_an_entry_with_who_when_and_why(filled):
    assert actions(filled) == [
        ("lin", "create", "", ""),
        ("lin", "add", "P-1", "added"),
        ("lin", "add", "P-2", "added"),
        ("lin", "add", "P-3", "added"),
        ("lin", "erase", "P-3", "asked for it"),
        ("lin", "amend", "P-2", "moved"),
        ("lin", "show", "P-2", "visit tomorrow"),
        ("lin", "find", "P-1", "letter of the hospital"),
    ]
    clock = SteppedClock()
    with world.entered(clock=clock):
        park = Identities.open(filled.path.parent, actor="park")
        park.find("nobody's", reason="letter")
        park.show("P-1", reason="call")
    last = filled.entries()[-2:]
    assert [(e.actor, e.action, e.pseudonym, e.utc) for e in last] == [
        ("park", "find", "", "2026-03-01T09:30:00.000Z"),
        ("park", "show", "P-1", "2026-03-01T09:30:00.000Z"),
    ]
    assert [e.seq for e in filled.entries()] == list(range(1, 11))
    assert [e.action for e in filled.entries("P-3")] == ["add", "erase"]


def test_nothing_is_shown_before_its_entry_is_on_the_disk(filled):
    disk = WatchedDisk(whole=0)
    with world.entered(disk=disk), pytest.raises(RecordFault, match="nothing was stored or shown"):
        filled.show("P-1", reason="call")
    assert FILE not in disk.files
    disk = WatchedDisk()
    with world.entered(disk=disk):
        filled.show("P-1", reason="call")
    assert FILE in disk.files


def test_a_pseudonym_is_taken_as_typed_where_it_has_a_check_character(store):
    store.add("NEO-K7QF-M3XH-7", ANNA)
    assert store.show("neo k7qf m3xh 7", reason="call") == ANNA
    with pytest.raises(BadValue, match="does not fit the others"):
        store.show("NEO-K7QF-M3XH-6", reason="call")
    with pytest.raises(UnknownName, match="nobody in this store"):
        store.show("K7QF-M3XH-V", reason="call")


@pytest.mark.parametrize("code", ["P-9", "P-2024-00017", "SITE-4-PATIENT-OF-LONG-STANDING-000017"])
def test_a_code_of_the_site_that_nobody_has_is_told_as_unknown(filled, code):
    for call in (lambda: filled.show(code, reason="call"), lambda: filled.entries(code)):
        with pytest.raises(UnknownName, match="nobody in this store has this pseudonym"):
            call()


def test_a_pseudonym_is_one_persons_however_it_is_typed(store):
    store.add("neo-k7qf-m3xh-7", ANNA)
    for typed in ("NEO-K7QF-M3XH-7", "neo k7qf m3xh 7", "NEOK7QFM3XH7"):
        with pytest.raises(Refused, match="used in this store already"):
            store.add(typed, LI)
        assert store.show(typed, reason="call") == ANNA
    assert store.pseudonyms() == ("NEO-K7QF-M3XH-7",)


def test_a_pseudonym_is_used_once_also_when_its_person_was_erased(filled):
    for used in ("P-1", "P-3"):
        with pytest.raises(Refused, match="used in this store already"):
            filled.add(used, LI)
    assert filled.pseudonyms() == ("P-1", "P-2", "P-3")


@pytest.mark.parametrize(
    "call",
    [
        lambda store, why: store.add("P-4", LI, reason=why),
        lambda store, why: store.amend("P-1", {"name": "x"}, reason=why),
        lambda store, why: store.show("P-1", reason=why),
        lambda store, why: store.find("MRN-2", reason=why),
        lambda store, why: store.erase("P-1", reason=why),
    ],
)
@pytest.mark.parametrize("why", ["", "  ", "x" * 201, "a\nb", "\udcff"])
def test_nothing_is_done_without_a_reason_that_can_be_kept(filled, call, why):
    before = filled.path.read_bytes()
    with pytest.raises(BadValue, match=r"^reason: "):
        call(filled, why)
    assert filled.path.read_bytes() == before


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        (Identity(""), "name: nothing was given"),
        (Identity("x" * 121), "name: has 121 characters, at most 120"),
        (Identity("x", "y" * 41), "hospital number: has 41"),
        (Identity("x", born="31.5.1980"), "must be a date as 1980-05-31"),
        (Identity("x", born="1980-02-30"), "must be a date as 1980-05-31"),
        (Identity("x", contact="a\x1b[31m"), "contact: holds a character that does not show"),
        (Identity("x", contact=3), "contact: must be text, got a value of type int"),
    ],
)
def test_what_cannot_be_an_identity_is_refused_by_its_field(store, identity, words):
    with pytest.raises(BadValue, match=words):
        store.add("P-1", identity)
    assert store.pseudonyms() == ()


def test_the_longest_texts_fit_and_no_entry_tells_by_its_length_what_it_is(store):
    wide = "\N{MUSICAL SYMBOL G CLEF}"
    most = Identity(wide * 120, wide * 40, "1980-05-31", wide * 300)
    sizes = [store.path.stat().st_size]
    store._actor = wide * 100
    for call in (
        lambda: store.add("ä" * 40, most, reason=wide * 200),
        lambda: store.add("P-2", Identity("x")),
        lambda: store.show("P-2", reason="x"),
        lambda: store.amend("P-2", asdict(most), reason=wide * 200),
        lambda: store.erase("P-2", reason="x"),
    ):
        call()
        sizes.append(store.path.stat().st_size)
    assert {b - a for a, b in zip(sizes, sizes[1:], strict=False)} == {FRAME}
    assert store.show("ä" * 40, reason="x") == most


# ------------------------------------------------------------------------------------ where it lies
def test_identities_lie_outside_the_study_unless_the_site_wants_it(tmp_path):
    study = tmp_path / "study"
    (study / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(study)
    for folder in (study, study / "deep", tmp_path / "link" / "new"):
        with pytest.raises(Refused, match="lies within the study"):
            Identities.create(folder, study=study, study_id="s", actor="lin")
    store = Identities.create(study, study=study, study_id="s", actor="lin", inside=True)
    assert store.path == study / FILE
    with pytest.raises(RecordFault, match="there are identities in"):
        Identities.create(study, study=study, study_id="s", actor="lin", inside=True)


def test_file_and_key_are_their_owners_alone_and_the_key_is_not_the_records(filled, keys):
    key = identity_keys.path_of(filled.id)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (filled.path, key)} == {0o600}
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert sorted(path.suffixes[0] for path in keys.iterdir()) == [".anchors", ".json"]
    assert identity_keys.load(filled.id).master.encode() not in filled.path.read_bytes()
    key.chmod(0o640)
    with pytest.raises(RecordFault, match="can be read by other users"):
        Identities.open(filled.path.parent, actor="lin")


def test_without_the_key_or_with_another_nothing_is_read(filled, tmp_path, keys):
    folder, path = filled.path.parent, identity_keys.path_of(filled.id)
    kept = path.read_text()
    other = json.loads(kept) | {"master": "ab" * 32}
    for text, words in (
        (json.dumps(other), "is not the one of this store"),
        ("{}", "holds no key of identities"),
        (json.dumps(other | {"master": "zz"}), "holds no key of identities"),
        (json.dumps(other | {"master": 3}), "holds no key of identities"),
        ("[", "no JSON"),
    ):
        path.write_text(text)
        for call in (lambda: Identities.open(folder, actor="lin"), lambda: verify(folder)):
            with pytest.raises(RecordFault, match=words):
                call()
    path.unlink()
    with pytest.raises(RecordFault, match="is not on this computer"):
        Identities.open(folder, actor="lin")


def test_the_key_comes_back_from_its_backup_alone_with_the_passphrase(filled, tmp_path, keys, monkeypatch):
    file = identities.backup(filled.path.parent, tmp_path / "backup.json", PASSPHRASE)
    assert identity_keys.load(filled.id).master not in file.read_text()
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "elsewhere"))
    with pytest.raises(Refused, match="does not open"):
        identity_keys.restore(file, "another passphrase")
    identity_keys.restore(file, PASSPHRASE)
    elsewhere = Identities.open(filled.path.parent, actor="park")
    assert elsewhere.show("P-1", reason="call") == ANNA
    own = identity_keys.path_of(filled.id)
    own.write_text(json.dumps(json.loads(own.read_text()) | {"master": "ab" * 32}))
    with pytest.raises(Refused, match="another key of the same store"):
        identity_keys.restore(file, PASSPHRASE)


# ------------------------------------------------------------------------------------ changed bytes
def named(folder):
    """Numbers of the entries that verify names, 0 for the header."""
    try:
        said = verify(folder).problems
    except RecordFault as fault:
        return {0} if "its beginning is damaged" in str(fault) else {-1}
    return {int(re.match(r"entry (\d+) ", sentence)[1]) for sentence in said}


def test_every_flipped_bit_is_found_and_its_entry_named(filled):
    folder, data = filled.path.parent, filled.path.read_bytes()
    chance = random.Random(7)
    parts = (0, SLOT - 1, SLOT, SLOT + PERSONAL - 1, SLOT + PERSONAL, FRAME - 1)
    places = [start + part for start in range(0, len(data), FRAME) for part in parts]
    places += [chance.randrange(len(data)) for _ in range(150)]
    missed = []
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << chance.randrange(8)
        filled.path.write_bytes(changed)
        # Without the entry of the erasure, entry 5, the empty slot of entry 4 is a change too.
        if (said := named(folder)) - ({4} if place // FRAME == 5 else set()) != {place // FRAME}:
            missed.append((place, said))
    assert missed == []
    filled.path.write_bytes(data)
    assert verify(folder).ok


def test_a_damaged_file_is_neither_read_nor_written(filled):
    data = bytearray(filled.path.read_bytes())
    data[2 * FRAME + 100] ^= 1
    filled.path.write_bytes(data)
    with pytest.raises(RecordFault, match="nothing is read or written"):
        Identities.open(filled.path.parent, actor="lin")
    assert filled.path.read_bytes() == data


@pytest.mark.parametrize(
    "order", [(1, 3, 2, 4, 5, 6, 7, 8), (1, 2, 4, 5, 6, 7, 8), (1, 2, 2, 3, 4, 5, 6, 7, 8)], ids=str
)
def test_entries_that_were_moved_taken_out_or_doubled_are_found(filled, order):
    data = filled.path.read_bytes()
    filled.path.write_bytes(data[:FRAME] + b"".join(data[n * FRAME : (n + 1) * FRAME] for n in order))
    assert "entry 2 (" in verify(filled.path.parent).problems[0] or order[1] == 2
    assert not verify(filled.path.parent).ok


def test_a_cut_tail_shows_against_the_heads_beside_the_key(filled):
    data = filled.path.read_bytes()
    filled.path.write_bytes(data[:-FRAME])
    (problem,) = verify(filled.path.parent).problems
    assert "the file ends at entry 7, and entry 8 was stored once" in problem
    with pytest.raises(RecordFault, match="fewer entries than it had a moment ago"):
        filled.show("P-1", reason="call")


@pytest.mark.parametrize("how", ["older", "written again"])
def test_an_old_copy_is_neither_read_nor_written_until_the_heads_are_moved_away(filled, how):
    folder, heads, old = filled.path.parent, identity_keys.anchors_of(filled.id), filled.path.read_bytes()
    before = heads.read_bytes()
    filled.erase("P-1", reason="asked for it")
    kept = heads.read_bytes()
    heads.write_bytes(before)
    filled.path.write_bytes(old)
    if how == "written again":
        Identities.open(folder, actor="lin").show("P-1", reason="in place of the erasure")
    heads.write_bytes(kept)
    content = filled.path.read_bytes()
    with pytest.raises(
        RecordFault, match="people who were erased may be whole in it.*identities verify.* move .*"
    ):
        Identities.open(folder, actor="lin")
    assert filled.path.read_bytes() == content
    assert not verify(folder).ok
    heads.rename(heads.with_suffix(".away"))
    assert Identities.open(folder, actor="lin").show("P-1", reason="the loss is accepted") == ANNA


def test_a_chain_written_again_behind_an_old_copy_is_found(filled):
    data = filled.path.read_bytes()
    filled.path.write_bytes(data[: -2 * FRAME])
    # As somebody would who moves the heads away and puts them back.
    heads = identity_keys.anchors_of(filled.id)
    away = heads.rename(heads.with_suffix(".away"))
    other = Identities.open(filled.path.parent, actor="lin")
    other.show("P-1", reason="in place of what was there")
    other.show("P-1", reason="and again")
    away.replace(heads)
    (problem,) = verify(filled.path.parent).problems
    assert "the chain was written again" in problem


def test_a_new_header_of_the_same_store_is_found(filled):
    data = filled.path.read_bytes()
    about = identity_file.about(data[:FRAME])
    filled.path.write_bytes(identity_file.header({**about, "study": "another"}) + data[FRAME:])
    assert "the beginning of the file is not the one" in " ".join(verify(filled.path.parent).problems)
    with pytest.raises(RecordFault, match="was changed or is damaged"):
        Identities.open(filled.path.parent, actor="lin")


def test_missing_heads_are_told_as_what_cannot_be_seen(filled):
    identity_keys.anchors_of(filled.id).unlink()
    found = verify(filled.path.parent)
    assert found.ok
    assert "entries missing at the end would not show" in found.warnings[0]


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * FRAME, identity_file.MAGIC, b"{" * FRAME, "folder", None])
def test_what_is_no_store_is_refused(tmp_path, content):
    folder = tmp_path / "apart"
    folder.mkdir()
    if content == "folder":
        (folder / FILE).mkdir()
    elif content is not None:
        (folder / FILE).write_bytes(content)
    for call in (lambda: Identities.open(folder, actor="lin"), lambda: verify(folder)):
        with pytest.raises(RecordFault):
            call()


# ------------------------------------------------------------------------------------ crashes
LIVED = """
import os, random, signal, sys
from workbench import world
from workbench.study.identities import Identities, Identity

folder, kills = sys.argv[1], int(sys.argv[2])

class Dying(world.Disk):
    def __init__(self, chance):
        self.chance, self.left = chance, chance.randrange(40)
    def step(self):
        self.left -= 1
        return self.left < 0
    def write(self, descriptor, data):
        if self.step():
            super().write(descriptor, data[:self.chance.randrange(len(data) + 1)])
            os.kill(os.getpid(), signal.SIGKILL)
        return super().write(descriptor, data)
    def sync(self, descriptor):
        if self.step():
            os.kill(os.getpid(), signal.SIGKILL)
        super().sync(descriptor)
    def truncate(self, descriptor, size):
        if self.step():
            os.kill(os.getpid(), signal.SIGKILL)
        super().truncate(descriptor, size)

def live(life):
    with world.entered(disk=Dying(random.Random(life))):
        store = Identities.open(folder, actor="lin")
        for n in range(20):
            code = f"P-{life}-{n}"
            store.add(code, Identity(f"name of {code}"))
            os.write(1, f"added {code}\\n".encode())
            store.show(code, reason="test")
            os.write(1, f"shown {code}\\n".encode())
            if n % 3 == 2:
                os.write(1, f"erasing {code}\\n".encode())
                store.erase(code, reason="test")
                os.write(1, f"erased {code}\\n".encode())
    os._exit(0)

ended = set()
for life in range(kills):
    child = os.fork()
    if not child:
        live(life)
    ended.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
assert ended == {-signal.SIGKILL}, ended
"""


@pytest.mark.job
def test_kill_9_at_any_write_loses_no_acknowledged_entry(store):
    command = [sys.executable, "-c", LIVED, str(store.path.parent), "60"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    said = [line.split() for line in done.stdout.splitlines()]
    of = {what: [code for kind, code in said if kind == what] for what in ("added", "shown", "erasing", "erased")}
    assert len(of["added"]) > 60
    assert of["erased"]
    again = Identities.open(store.path.parent, actor="lin")
    found = verify(store.path.parent)
    assert found.ok, found.problems
    shown = [entry.pseudonym for entry in again.entries() if entry.action == "show"]
    assert set(of["shown"]) <= set(shown)
    for code in of["added"]:
        if code in of["erased"]:
            with pytest.raises(Refused, match="was erased"):
                again.show(code, reason="test")
        elif code not in of["erasing"]:
            assert again.show(code, reason="test").name == f"name of {code}"


WRITER = """
import sys
from workbench.study.identities import Identities, Identity
folder, who = sys.argv[1:]
sys.stdin.readline()
store = Identities.open(folder, actor=who)
for n in range(30):
    store.add(f"{who}-{n}", Identity(who))
"""


def test_two_processes_that_write_at_once_lose_nothing(store):
    folder = str(store.path.parent)
    both = [
        subprocess.Popen([sys.executable, "-c", WRITER, folder, who], stdin=subprocess.PIPE) for who in ("a", "b")
    ]
    for one in both:
        one.stdin.write(b"\n")
        one.stdin.close()
    assert [one.wait(timeout=120) for one in both] == [0, 0]
    assert sorted(store.pseudonyms()) == sorted(f"{who}-{n}" for who in "ab" for n in range(30))
    assert [entry.seq for entry in store.entries()] == list(range(1, 62))
    found = verify(store.path.parent)
    assert (found.problems, found.warnings, found.entries) == ((), (), 61)


@pytest.mark.parametrize("torn", [b"x", b"x" * (FRAME - 1), b"\0" * FRAME], ids=["byte", "part", "power cut"])
def test_a_torn_tail_is_cut_to_the_last_whole_entry(filled, torn):
    data = filled.path.read_bytes()
    filled.path.write_bytes(data + torn)
    found = verify(filled.path.parent)
    assert found.ok
    assert f"{len(torn)} bytes behind the last entry" in found.warnings[0]
    assert Identities.open(filled.path.parent, actor="lin").entries() == filled.entries()
    assert filled.path.read_bytes() == data


def test_an_acknowledged_entry_is_never_taken_for_a_torn_tail(filled):
    data = filled.path.read_bytes()[:-FRAME] + bytes(FRAME)
    filled.path.write_bytes(data)
    with pytest.raises(RecordFault, match="was changed or is damaged"):
        Identities.open(filled.path.parent, actor="lin")
    assert filled.path.read_bytes() == data


@pytest.mark.parametrize("whole", range(4))
def test_a_disk_that_refuses_a_write_leaves_the_old_state_or_the_new_one(filled, whole):
    before = filled.entries()
    with world.entered(disk=WatchedDisk(whole=whole)):
        failed = list(errors_of([lambda: filled.erase("P-1", reason="test"), lambda: filled.add("P-9", LI)]))
    assert {type(error) for error in failed} == {RecordFault}
    again = Identities.open(filled.path.parent, actor="lin")
    assert again.entries()[: len(before)] == before
    assert len(again.entries()) - len(before) == (0, 1, 1, 1)[whole]
    if whole:
        with pytest.raises(Refused, match="was erased"):
            again.show("P-1", reason="test")
    else:
        assert again.show("P-1", reason="test") == ANNA
    assert verify(filled.path.parent).ok


# ------------------------------------------------------------------------------------ erasing
def readable(data, filled, code):
    """Identities of a person that somebody with the master key gets out of the bytes of a file."""
    seals = Seals(identity_keys.load(filled.id).secret, filled.id)
    frames = {n: data[n * FRAME : (n + 1) * FRAME] for n in range(1, len(data) // FRAME)}
    data_keys = [key for n, frame in frames.items() if (key := seals.unwrap(frame[:SLOT], n, code))]
    return [
        plain
        for n, frame in frames.items()
        for key in data_keys
        if (plain := seals.reveal(frame[SLOT : SLOT + PERSONAL], key, n))
    ]


def test_after_an_erasure_the_master_key_reads_nothing_of_the_person_and_everything_of_others(filled):
    filled.amend("P-1", {"name": "Anna Canary"}, reason="married")
    before = filled.path.read_bytes()
    assert [plain["name"] for plain in readable(before, filled, "P-1")] == [ANNA.name, "Anna Canary"]
    filled.erase("P-1", reason="asked for it")
    after = filled.path.read_bytes()
    assert readable(after, filled, "P-1") == []
    assert before[2 * FRAME : 2 * FRAME + SLOT] not in after
    assert len(readable(after, filled, "P-2")) == 2
    with pytest.raises(Refused, match="nothing is left to read"):
        filled.show("P-1", reason="test")
    assert filled.find("CAN4711", reason="test") == ()
    assert [entry.action for entry in filled.entries("P-1")] == ["add", "find", "amend", "erase"]
    assert verify(filled.path.parent).ok


def test_everybody_in_a_full_store_can_be_erased_and_nothing_else_is_entered(filled, monkeypatch):
    monkeypatch.setattr(identity_file, "MOST_ENTRIES", len(filled.entries()))
    for call in (lambda: filled.add("P-9", LI), lambda: filled.show("P-1", reason="call")):
        with pytest.raises(RecordFault, match="holds at most 8 entries"):
            call()
    for code in ("P-1", "P-2"):
        filled.erase(code, reason="asked for it")
        assert readable(filled.path.read_bytes(), filled, code) == []
    again = Identities.open(filled.path.parent, actor="lin")
    assert [entry.action for entry in again.entries()[-2:]] == ["erase", "erase"]
    with pytest.raises(RecordFault, match="holds at most 8 entries"):
        again.add("P-9", LI)
    assert verify(filled.path.parent).ok


def test_a_copy_from_before_an_erasure_still_reads_with_the_key_and_verify_tells_it_from_the_file(filled):
    before = filled.path.read_bytes()
    filled.erase("P-1", reason="asked for it")
    assert len(readable(before, filled, "P-1")) == 1
    filled.path.write_bytes(before)
    assert "its tail was cut, or an old copy put in its place" in verify(filled.path.parent).problems[0]


def test_an_erasure_whose_head_cannot_be_kept_has_taken_the_key_away(filled):
    class NoRoomForHeads(world.Disk):
        def descriptor(self, path, flags, mode=0o600):
            if path == identity_keys.anchors_of(filled.id):
                raise OSError(errno.ENOSPC, "no space left on device")
            return super().descriptor(path, flags, mode)

    with world.entered(disk=NoRoomForHeads()), pytest.raises(RecordFault, match="its head cannot be kept"):
        filled.erase("P-1", reason="asked for it")
    assert readable(filled.path.read_bytes(), filled, "P-1") == []
    assert verify(filled.path.parent).ok


def test_an_erasure_that_a_crash_cut_short_is_told_and_finished_at_the_next_use(filled):
    slot = filled.path.read_bytes()[2 * FRAME : 2 * FRAME + SLOT]
    with world.entered(disk=WatchedDisk(whole=1)), pytest.raises(RecordFault, match="the next use of the store"):
        filled.erase("P-1", reason="asked for it")
    # Half of the slot is gone, as the disk took half: put it back, as if it had taken none.
    data = bytearray(filled.path.read_bytes())
    data[2 * FRAME : 2 * FRAME + SLOT] = slot
    filled.path.write_bytes(data)
    (problem,) = verify(filled.path.parent).problems
    assert "entry 2 holds the key of somebody who was erased, or what is left of it; any use" in problem
    Identities.open(filled.path.parent, actor="lin")
    assert slot not in filled.path.read_bytes()
    assert verify(filled.path.parent).ok


# ------------------------------------------------------------------------------------ canaries
CANARIES = ("Canary", "Müller", "CAN4711", "1977-11-03", "canary@example.org")


def forms(text):
    """A text as it could lie somewhere."""
    raw = text.encode()
    yield from (
        raw,
        raw.hex().encode(),
        base64.b64encode(raw),
        text.encode("utf-16-le"),
        ascii(text).encode()[1:-1],
    )


def told(error):
    """Everything that an error could show: itself, what led to it, and the messages in it."""
    yield "".join(traceback.format_exception(error))
    while error is not None:
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        yield from (repr(getattr(part, "arguments", "")) for part in error.args)
        error = error.__cause__ or error.__context__


NAME, NUMBER, BORN = ANNA.name, ANNA.hospital_number, ANNA.born
TORN, LONG = f"{NAME}\udcff", NAME * 20


def hostile_calls(store):
    """Calls that fail with an identity, or a part of it in the wrong place; no line spells one out."""
    yield lambda: store.add("P-1", ANNA)
    yield lambda: store.add(NAME, ANNA)
    yield lambda: store.add("P-8", Identity(TORN, NUMBER, BORN))
    yield lambda: store.add("P-8", Identity(LONG, NUMBER))
    yield lambda: store.add("P-8", Identity("x", born=NAME))
    yield lambda: store.add("P-8", Identity("x", born=f"{BORN} "[1:]))
    yield lambda: store.add("P-8", Identity(ANNA, contact=ANNA))
    yield lambda: store.add("P-8", ANNA, reason=LONG)
    yield lambda: store.amend("P-1", {"name": TORN}, reason="x")
    yield lambda: store.amend("P-1", {"contact": NAME}, reason=TORN)
    yield lambda: store.amend("P-1", {NAME: NUMBER}, reason="x")
    yield lambda: store.amend("P-1", {"born": NUMBER}, reason="x")
    yield lambda: store.amend("P-3", asdict(ANNA), reason="x")
    yield lambda: store.amend("P-9", asdict(ANNA), reason="x")
    for typed in (NAME, NUMBER, TORN, LONG, f"{NUMBER}-{BORN}"):
        yield lambda typed=typed: store.show(typed, reason="x")
        yield lambda typed=typed: store.erase(typed, reason="x")
        yield lambda typed=typed: store.entries(typed)
    yield lambda: store.find(LONG, reason="x")
    yield lambda: store.find(TORN, reason="x")
    yield lambda: store.find(NUMBER, reason="")


def on_failing_disks(store):
    for whole in range(2):
        for call in (
            lambda: store.add("P-7", ANNA),
            lambda: store.amend("P-1", asdict(ANNA), reason="x"),
            lambda: store.show("P-1", reason="x"),
            lambda: store.find(NUMBER, reason="x"),
        ):
            with world.entered(disk=WatchedDisk(whole=whole)):
                yield call


def errors_of(calls):
    for call in calls:
        try:
            call()
        except WorkbenchError as error:
            yield error


def test_no_identity_is_in_anything_that_is_raised_printed_logged_or_written(filled, tmp_path, capfd, caplog):
    caplog.set_level(0)
    hostile = list(errors_of(hostile_calls(filled)))
    assert len(hostile) == len(list(hostile_calls(filled)))
    failing = list(errors_of(on_failing_disks(filled)))
    assert len(failing) == 8
    objects = [filled, vars(filled), vars(filled._journal), vars(filled._seals), filled._journal.people, ANNA]
    objects += [copy.copy(ANNA), [ANNA], filled.entries(), verify(filled.path.parent)]
    data = bytearray(filled.path.read_bytes())
    data[2 * FRAME + 9] ^= 1
    filled.path.write_bytes(data)
    damaged = list(errors_of([lambda: filled.show("P-1", reason="x")]))
    damaged += errors_of([lambda: Identities.open(filled.path.parent, actor="x")])
    assert len(damaged) == 2
    objects.append(verify(filled.path.parent))
    shown = [text for error in (*hostile, *failing, *damaged) for text in told(error)]
    shown += [repr(one) + str(one) + f"{one}" for one in objects] + [*capfd.readouterr(), caplog.text]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 4
    shown = [text.encode("utf-8", "surrogatepass") for text in shown]
    for canary in CANARIES:
        for form in forms(canary):
            assert [text for text in (*shown, *written) if form in text] == [], canary


def test_the_search_for_canaries_finds_them():
    error = ValueError("x")
    error.__cause__ = UnicodeEncodeError("utf-8", "Canary\udcff", 6, 7, "surrogates")
    assert any("Canary" in text for text in told(error))
    assert any(form in b"43616e617279" for form in forms("Canary"))


def test_the_key_is_in_nothing_that_is_shown(filled):
    secret = identity_keys.load(filled.id).secret
    shown = repr([vars(filled), vars(filled._seals), vars(filled._journal), identity_keys.load(filled.id)])
    assert secret.hex() not in shown
    assert repr(secret) not in shown
