"""Randomisation in the record: who comes to a slot, who learns an arm, what a crash and a rollback leave."""

from __future__ import annotations

import dataclasses
import errno
import json
import multiprocessing
import os
import shutil
import signal
import stat

import pytest

from tests.study import databases
from tests.study.conftest import EXAMPLE
from tests.study.databases import tamper
from workbench import world
from workbench.errors import BadValue, RecordFault, Refused, UnknownName, WorkbenchError
from workbench.messages import Message
from workbench.study import Study, allocation_keys, allocations, keys, protocol, verify
from workbench.study.allocations import arm_of, prove
from workbench.study.changes import (
    AdoptProtocol,
    Enrol,
    Freeze,
    GiveConsent,
    GrantRole,
    LockStudy,
    MakeList,
    MoveToProtocol,
    Randomise,
    RecordGuess,
    RevokeRole,
    SetAnchor,
    SetStatus,
    Unblind,
    WithdrawConsent,
)
from workbench.study.people import set_state
from workbench.study.randomisation import SealedList, Secret
from workbench.vocabulary import Participant

SECRET = "correct horse"
ARMS = ("quokka", "bandicoot")
"""Words that stand nowhere else in a record."""
LEFT, RIGHT, LEFT_A = {"side": "left"}, {"side": "right"}, {"side": "left", "ais": "A"}
BLOCKS = {"kind": "blocks", "blocks": [2, 4], "strata": {"side": ["left", "right"]}, "slots": 12}
MINIMISED = {"kind": "minimisation", "strata": {"side": ["left", "right"], "ais": ["A", "B"]}}
PEOPLE = {
    "inv": "investigator",
    "stat": "statistician",
    "dm": "data_manager",
    "a1": "assessor",
    "ther": "therapist",
}
TODAY = "2026-03-01"
FORK = multiprocessing.get_context("fork")
"""Real processes, which begin where the test is: to import everything twenty times would take half a minute."""


def definition(table, version="1.0.0"):
    """A small protocol: two arms, no criteria, a visit that is counted from the randomisation."""
    example = protocol.read(EXAMPLE).definition()
    after = {"name": "After", "anchor": "randomisation", "day": 7, "earliest": 5, "latest": 9}
    return {
        "study": {**example["study"], "version": version},
        "arm": [{"name": arm, "title": f"Arm {n}"} for n, arm in enumerate(ARMS)],
        "visit": [after],
        "consent": example["consent"],
        "randomisation": table,
    }


def trial_of(folder, table):
    """A study under a protocol with its list made; `who` are the people that signed in."""
    study = Study.create(folder, code="NEO", title="Grasp trial", actor="tester")
    study.who = {}
    for login, role in PEOPLE.items():
        study.add_person(login, f"Dr {login}", SECRET, (role,))
        study.who[login] = study.sign_in(login, SECRET)
    study.apply(AdoptProtocol(definition(table)), both(study))
    study.apply(MakeList("1.0.0"), study.who["stat"])
    return study


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A trial of each kind and the keys of both, to be copied, and who signed in."""
    home, who = tmp_path_factory.mktemp("made"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(home / "keys"))
        for name, table in (("blocks", BLOCKS), ("minimised", MINIMISED)):
            with trial_of(home / name, table) as study:
                who[name] = study.who
    return home, who


def copied(made, name, tmp_path, monkeypatch):
    home, who = made
    shutil.copytree(home / "keys", tmp_path / "keys", dirs_exist_ok=True)
    databases.copied(home / name, tmp_path / name)
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    study = Study.open(tmp_path / name, actor="tester")
    study.who = {login: dataclasses.replace(signer, folder=study.folder) for login, signer in who[name].items()}
    return study


@pytest.fixture
def trial(made, tmp_path, monkeypatch):
    with copied(made, "blocks", tmp_path, monkeypatch) as study:
        yield study


@pytest.fixture
def minimised(made, tmp_path, monkeypatch):
    with copied(made, "minimised", tmp_path, monkeypatch) as study:
        yield study


def both(study):
    return [study.who[login].confirm(SECRET) for login in ("inv", "stat")]


def enrolled(study, pseudonym, *, consent=("participation", "neural_data_use"), status="enrolled"):
    person = study.append(Participant(pseudonym))
    study.apply(Enrol(person, f"S-{pseudonym}"), study.who["inv"])
    study.apply(GiveConsent(person, ("participation", "neural_data_use"), "1.0", TODAY), study.who["inv"])
    if status != "screening":
        study.apply(SetStatus(person, "enrolled"), study.who["inv"], "screened")
    withdrawn = tuple({"participation", "neural_data_use"} - set(consent))
    if withdrawn:
        study.apply(WithdrawConsent(person, withdrawn, TODAY), study.who["inv"])
    return person


def randomised(study, pseudonym, covariates=LEFT):
    person = enrolled(study, pseudonym)
    study.apply(Randomise(person, covariates), study.who["inv"])
    return person


def unblinded(study, login="ther", role="operator"):
    """Somebody who may learn arms."""
    study.apply(GrantRole(study.who[login].person_id, role, "GCP 2026-02"), study.who["dm"], "unblinded team")
    return study.who[login]


def unblinding(study, person, pseudonym, **more):
    return Unblind(person, pseudonym, "ward 3", more.pop("told", ("Dr Night",)), **more)


def slots_of(study):
    return [(row["stratum"], row["seq"]) for row in study.rows("allocation")]


def proven(study):
    """The differences of the only list."""
    (proof,) = prove(study, unblinded(study, "stat", "engineer"))
    return proof.differences


def refused(study, change, words, by="inv", reason=""):
    """Refused in one sentence, and nothing was written."""
    before = study.head()
    files = {path: path.read_bytes() for path in keys.key_folder().glob("randomisation-*")}
    with pytest.raises((Refused, BadValue, UnknownName, RecordFault), match=words) as raised:
        study.apply(change, study.who[by], reason)
    assert isinstance(raised.value.args[0], Message)
    assert "\n" not in str(raised.value)
    assert not any(arm in str(raised.value) for arm in ARMS)
    assert study.head() == before
    assert {path: path.read_bytes() for path in keys.key_folder().glob("randomisation-*")} == files


# ------------------------------------------------------------------------------ the list
def test_a_list_is_committed_to_in_the_chain_and_its_secret_lies_in_a_file_of_its_own_for_its_owner_alone(trial):
    (listed,) = trial.rows("rand_list")
    (entry,) = trial.history("rand_list", listed["id"])
    assert entry["new"]["commitment"] == listed["commitment"] == listed["sealed"]["root"]
    path = allocation_keys.path_of(listed["id"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    content = json.loads(path.read_text())["secret"]
    held = b"".join(file.read_bytes() for file in trial.folder.rglob("*") if file.is_file())
    for secret in (content["seed"], content["key"]):
        assert len(secret) >= 32
        assert secret.encode() not in held
        assert bytes.fromhex(secret) not in held
    assert content["seed"] not in repr(allocation_keys.load(listed["id"]))


def test_a_design_has_one_list_made_by_a_statistician_before_anybody_is_enrolled(trial):
    refused(trial, MakeList("1.0.0"), "serves the design of version 1.0.0 already", by="stat")
    refused(trial, MakeList("1.0.0"), "MakeList is for statistician", by="inv")
    refused(trial, MakeList("7"), "no version '7'", by="stat")
    trial.apply(AdoptProtocol(definition(BLOCKS, "1.1.0")), both(trial))
    refused(trial, MakeList("1.1.0"), "serves the design of version 1.1.0 already", by="stat")
    trial.apply(AdoptProtocol(definition({**BLOCKS, "slots": 24}, "2.0.0")), both(trial))
    person = enrolled(trial, "P-1")
    refused(trial, MakeList("2.0.0"), "1 participants are enrolled under version 2.0.0", by="stat")
    refused(trial, Randomise(person, LEFT), "no list for version 2.0.0")
    trial.apply(AdoptProtocol(definition({**BLOCKS, "slots": 26}, "2.1.0")), both(trial))
    trial.apply(MakeList("2.1.0"), trial.who["stat"])
    trial.apply(MoveToProtocol(person, "2.1.0"), trial.who["inv"], "longer list")
    trial.apply(Randomise(person, LEFT), trial.who["inv"])
    assert [row["versions"] for row in allocations.lists(trial)] == [["1.0.0", "1.1.0"], ["2.1.0"]]


def test_a_protocol_without_randomisation_has_no_list(empty):
    empty.who = {}
    for login in ("inv", "stat"):
        empty.add_person(login, f"Dr {login}", SECRET, (PEOPLE[login],))
        empty.who[login] = empty.sign_in(login, SECRET)
    plain = {name: part for name, part in definition(BLOCKS).items() if name != "randomisation"}
    empty.apply(AdoptProtocol(plain), both(empty))
    refused(empty, MakeList("1.0.0"), r"no \[randomisation\] section", by="stat")
    empty.apply(GrantRole(empty.who["stat"].person_id, "engineer", "GCP"), empty.who["inv"], "x")
    assert prove(empty, empty.who["stat"]) == ()


def test_a_blinded_statistician_makes_no_list(trial):
    trial.apply(AdoptProtocol(definition({**BLOCKS, "slots": 24}, "2.0.0")), both(trial))
    grant = GrantRole(trial.who["stat"].person_id, "monitor", "GCP", blinded=True)
    trial.apply(grant, trial.who["dm"], "x")
    refused(trial, MakeList("2.0.0"), "Dr stat is blinded as monitor", by="stat")


class WithoutSecrets(world.Disk):
    """A disk on which no secret of a randomisation finds room."""

    def save(self, path, data, *, keep=False, mode=0o600):
        if path.name.startswith("randomisation-"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().save(path, data, keep=keep, mode=mode)


def test_a_list_whose_secret_cannot_be_stored_is_not_in_the_record(trial):
    trial.apply(AdoptProtocol(definition({**BLOCKS, "slots": 24}, "2.0.0")), both(trial))
    with world.entered(disk=WithoutSecrets()):
        refused(trial, MakeList("2.0.0"), "No space left", by="stat")
    trial.apply(MakeList("2.0.0"), trial.who["stat"])
    assert trial.count("rand_list") == 2


# ------------------------------------------------------------------------------ who is randomised
def test_a_participant_comes_to_the_next_slot_of_the_stratum_and_visits_are_counted_from_that_day(trial):
    first, second, third = (randomised(trial, *one) for one in (("P-1", LEFT), ("P-2", RIGHT), ("P-3", LEFT)))
    rows = {row["participant_id"]: row for row in trial.rows("allocation")}
    assert [(rows[one]["covariates"], rows[one]["seq"]) for one in (first, second, third)] == [
        (LEFT, 1), (RIGHT, 1), (LEFT, 2),
    ]  # fmt: skip
    (day,) = trial.rows("anchor_day", participant_id=first)
    assert day["anchor"] == "randomisation"
    (visit,) = trial.rows("visit", participant_id=first)
    assert (visit["name"], visit["status"]) == ("After", "planned")
    assert verify(trial.folder).ok


def test_a_day_that_was_entered_by_hand_follows_the_randomisation(trial):
    person = enrolled(trial, "P-1")
    trial.apply(SetAnchor(person, "randomisation", "2026-01-01"), trial.who["inv"])
    planned = trial.rows("visit", participant_id=person)[0]["planned"]
    trial.apply(Randomise(person, LEFT), trial.who["inv"])
    assert trial.rows("anchor_day", participant_id=person)[0]["day"] > "2026-01-01"
    assert trial.rows("visit", participant_id=person)[0]["planned"] > planned


def test_who_is_not_ready_is_refused_and_nothing_is_written(trial):
    ready = enrolled(trial, "P-1")
    screened = enrolled(trial, "P-2", status="screening")
    refused(trial, Randomise(screened, LEFT), "only an enrolled participant is randomised, this one is screening")
    unconsented = enrolled(trial, "P-3", consent=())
    refused(trial, Randomise(unconsented, LEFT), "no consent in force to participation")
    partly = enrolled(trial, "P-4", consent=("participation",))
    refused(trial, Randomise(partly, LEFT), "no consent in force to neural_data_use")
    refused(trial, Randomise(trial.append(Participant("P-5")), LEFT), "not in the study yet")
    refused(trial, Randomise("nobody", LEFT), "nobody")
    for covariates, words in (
        ({}, "side is missing"),
        ({"side": ""}, "side is missing"),
        ({"side": "middle"}, "side must be one of left, right"),
        ({**LEFT, "mood": "good"}, "'mood' is no factor"),
        (None, "covariates must give"),
    ):
        refused(trial, Randomise(ready, covariates), words)
    refused(trial, Randomise(ready, LEFT), "Randomise is for investigator, coordinator", by="a1")
    trial.apply(Freeze("participant", ready), trial.who["dm"], "x")
    refused(trial, Randomise(ready, LEFT), "locked")
    assert trial.rows("allocation") == []


def test_a_role_that_was_taken_away_randomises_nobody(trial):
    person, signer = enrolled(trial, "P-1"), trial.who["inv"]
    trial.apply(GrantRole(signer.person_id, "monitor", "GCP"), trial.who["dm"], "x")
    trial.apply(RevokeRole(signer.person_id, "investigator"), trial.who["dm"], "left the site")
    refused(trial, Randomise(person, LEFT), "Dr inv is monitor")


def test_nobody_is_randomised_twice_and_a_list_ends(trial):
    people = [randomised(trial, f"P-{n}") for n in range(BLOCKS["slots"])]
    refused(trial, Randomise(people[0], LEFT), "randomised already")
    refused(trial, Randomise(people[0], RIGHT), "randomised already")
    refused(trial, Randomise(enrolled(trial, "P-99"), LEFT), "all 12 slots of the stratum")
    assert [seq for _, seq in slots_of(trial)] == list(range(1, 13))
    rows = allocations.slots(trial)
    assert [(row["used"], row["slots"]) for row in rows] == [(12, 12), (0, 12)]
    assert proven(trial) == ()


# ------------------------------------------------------------------------------ many writers, crashes, rollbacks
def _writer(folder, signer, people, barrier, said):
    """A process: opens the record for itself and randomises, each participant a second time too."""
    with Study.open(folder, actor=signer.name) as study:
        barrier.wait()
        for person in people:
            for _ in range(2):
                try:
                    study.apply(Randomise(person, LEFT), signer)
                    said.put("randomised")
                except Refused:
                    said.put("refused")


@pytest.mark.job
def test_twenty_writers_use_no_slot_and_no_participant_twice(trial):
    n = BLOCKS["slots"]
    people = [enrolled(trial, f"P-{number}") for number in range(n)]
    trial.close()
    barrier, said = FORK.Barrier(20), FORK.Queue()
    # Each writer tries two participants, so that most are wanted by several writers at the same time.
    writers = [
        FORK.Process(
            target=_writer,
            args=(trial.folder, trial.who["inv"], [people[k % n], people[(k + 7) % n]], barrier, said),
        )
        for k in range(20)
    ]
    for writer in writers:
        writer.start()
    answers = [said.get(timeout=120) for _ in range(80)]
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 20
    assert (answers.count("randomised"), answers.count("refused")) == (n, 80 - n)
    with Study.open(trial.folder, actor="tester") as study:
        rows = study.rows("allocation")
        assert sorted(row["seq"] for row in rows) == list(range(1, n + 1))
        assert sorted(row["participant_id"] for row in rows) == sorted(people)
        study.who = trial.who
        assert proven(study) == ()
        assert len(allocation_keys.released(rows[0]["list_id"])) == n
    assert verify(trial.folder).ok


PUT_IN = (
    # By name: on a server the order of the rows is a column of the table.
    "INSERT INTO allocation (rowid, id, participant_id, list_id, stratum, seq, covariates, sealed, state, "
    "\"by\", utc, row_version) VALUES (9999, 'x', ?, ?, ?, ?, '{}', '', '', '', '', 1)"
)


def test_a_slot_stays_unique_where_the_code_that_asks_for_it_is_passed_by(trial):
    randomised(trial, "P-1")
    (row,) = trial.rows("allocation")
    other = enrolled(trial, "P-2")
    databases.drop_trigger(trial, "allocation", "insert")
    with databases.connected(trial) as connection:
        values = (other, row["list_id"], row["stratum"], row["seq"])
        with pytest.raises(databases.refused(trial), match="(?i)unique"):
            connection.execute(PUT_IN, values)


def _endless(folder, signer, people, pipe):
    with Study.open(folder, actor=signer.name) as study:
        for person in people:
            study.apply(Randomise(person, LEFT), signer)
            pipe.send(person)
    signal.pause()


@pytest.mark.parametrize("acknowledged", [1, 3, 5])
def test_a_kill_in_the_middle_leaves_each_slot_used_with_its_allocation_or_unused(trial, acknowledged):
    people = [enrolled(trial, f"P-{n}") for n in range(9)]
    trial.close()
    ours, theirs = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_endless, args=(trial.folder, trial.who["inv"], people, theirs))
    process.start()
    done = [ours.recv() for _ in range(acknowledged)]
    os.kill(process.pid, signal.SIGKILL)
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    with Study.open(trial.folder, actor="tester") as study:
        study.who = trial.who
        rows = study.rows("allocation")
        assert {row["participant_id"] for row in rows} >= set(done)
        assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
        for person in people[len(rows) :]:
            study.apply(Randomise(person, LEFT), study.who["inv"])
        assert sorted(seq for _, seq in slots_of(study)) == list(range(1, 10))
        assert {row["participant_id"] for row in study.rows("anchor_day")} == set(people)
        assert proven(study) == ()
    assert verify(trial.folder).ok


def older(study):
    """A copy of the record as it is now, to be put back later."""
    study.close()
    kept = study.folder.with_name("older")
    databases.copied(study.folder, kept)
    return kept


def put_back(study, kept):
    study.close()
    shutil.rmtree(study.folder)
    databases.copied(kept, study.folder)
    again = Study.open(study.folder, actor="tester")
    again.who = study.who
    return again


@pytest.mark.parametrize("kind", ["blocks", "minimised"])
def test_a_record_of_before_gives_no_released_slot_to_somebody_else(made, tmp_path, monkeypatch, kind):
    covariates = LEFT if kind == "blocks" else LEFT_A
    study = copied(made, kind, tmp_path, monkeypatch)
    randomised(study, "P-1", covariates)
    lost, other = enrolled(study, "P-2"), enrolled(study, "P-3")
    kept = older(study)
    with Study.open(study.folder, actor="tester") as live:
        live.apply(Randomise(lost, covariates), study.who["inv"])
        before = live.rows("allocation")
    with put_back(study, kept) as restored:
        assert restored.count("allocation") == 1
        restored.apply(Randomise(other, covariates), restored.who["inv"])
        assert [row["seq"] - before[0]["seq"] for row in restored.rows("allocation")] == [0, 2]
        reader = unblinded(restored, "stat", "engineer")
        (proof,) = prove(restored, reader)
        assert any("was released to P-2 and is not in the record" in line for line in proof.differences)
        if kind == "blocks":
            refused(
                restored,
                Randomise(lost, RIGHT),
                "was given a slot before this record was restored, with side left",
            )
        restored.apply(Randomise(lost, covariates), restored.who["inv"])
        again = restored.rows("allocation")[-1]
        same = ("participant_id", "stratum", "seq", "sealed", "state")
        assert [again[name] for name in same] == [before[-1][name] for name in same]
        assert prove(restored, reader)[0].holds


def test_slots_that_a_backup_holds_as_used_are_used_also_where_nothing_else_remembers(trial):
    randomised(trial, "P-1")
    listed = trial.rows("rand_list")[0]["id"]
    kept = older(trial)
    allocation_keys.releases_of(listed).unlink()
    with put_back(trial, kept) as restored:
        randomised(restored, "P-2")
        assert [seq for _, seq in slots_of(restored)] == [1, 2]
        assert len(allocation_keys.released(listed)) == 2


@pytest.mark.parametrize(
    "left", [b"", b"{", b'{"seq": 1}\n', b"\xff\xfe\n", b"[]\n[1e999]\n", b'{"covariates": 3}\n']
)
def test_a_torn_file_of_releases_is_filled_again_from_the_record(trial, left):
    randomised(trial, "P-1")
    listed = trial.rows("rand_list")[0]["id"]
    allocation_keys.releases_of(listed).write_bytes(left)
    randomised(trial, "P-2")
    assert sorted(release.pseudonym for release in allocation_keys.released(listed).values()) == ["P-1", "P-2"]
    assert [seq for _, seq in slots_of(trial)] == [1, 2]


# ------------------------------------------------------------------------------ what tells an arm
def test_no_arm_stands_in_the_record_while_it_is_sealed(trial):
    person = enrolled(trial, "P-1")

    def written():
        content = databases.content(trial)
        return [content.count(arm.encode()) for arm in ARMS]

    databases.settled(trial)
    trial.rows("allocation")
    before, head = written(), trial.head()[0]
    row = trial.apply(Randomise(person, LEFT), trial.who["inv"])
    assert written() == before
    (allocated,) = trial.rows("allocation", id=row)
    history = trial.history("allocation", row)
    with databases.connected(trial) as connection:
        payloads = connection.execute("SELECT payload FROM audit_payload WHERE seq > ?", (head,)).fetchall()
    said = repr((row, allocated, history, payloads, trial.rows("visit"), trial.rows("anchor_day")))
    said += repr((trial.participants().to_dict(), trial.visits().to_dict(), allocations.lists(trial)))
    said += repr(allocations.slots(trial)) + trial._repr_html_()
    assert len(payloads) == 3
    assert [arm for arm in ARMS if arm in said] == []
    arm = arm_of(trial, person, unblinded(trial))
    assert arm in ARMS
    # The reading is entered, what was read is not.
    assert written() == before


def test_arms_of_different_length_are_sealed_to_one_length(minimised, trial):
    for study, covariates in ((minimised, LEFT_A), (trial, LEFT)):
        for n in range(8):
            randomised(study, f"P-{n}", covariates)
        assert len({len(row["sealed"]) for row in study.rows("allocation")}) == 1


def test_each_reading_of_an_arm_is_a_row_of_the_chain_and_so_is_each_refused_one(trial):
    person = randomised(trial, "P-1")
    (allocated,) = trial.rows("allocation")
    reader = unblinded(trial)
    first = arm_of(trial, person, reader, "sets up the sham")
    assert arm_of(trial, person, reader) == first
    with pytest.raises(Refused, match="has no role among"):
        arm_of(trial, person, trial.who["a1"])
    told = [
        (entry["actor"], entry["action"], entry["reason"])
        for entry in trial.history("allocation", allocated["id"])
    ]
    assert told[1:] == [
        ("Dr ther", "arm_read", "sets up the sham"), ("Dr ther", "arm_read", ""), ("Dr a1", "arm_refused", ""),
    ]  # fmt: skip
    assert verify(trial.folder).ok


def test_who_is_blinded_in_any_role_or_was_granted_none_learns_no_arm(trial):
    person = randomised(trial, "P-1")
    for login in ("inv", "stat", "ther"):
        with pytest.raises(Refused, match="granted without blinding"):
            arm_of(trial, person, trial.who[login])
    reader = unblinded(trial)
    assert arm_of(trial, person, reader) in ARMS
    trial.apply(GrantRole(reader.person_id, "assessor", "GCP", blinded=True), trial.who["dm"], "rates too")
    with pytest.raises(Refused, match="Dr ther is blinded as assessor and learns no arm"):
        arm_of(trial, person, reader)
    with pytest.raises(Refused, match="blinded as assessor"):
        prove(trial, reader)
    trial.apply(RevokeRole(reader.person_id, "assessor"), trial.who["dm"], "rates no more")
    assert arm_of(trial, person, reader) in ARMS
    trial.apply(RevokeRole(reader.person_id, "operator"), trial.who["dm"], "x")
    with pytest.raises(Refused, match="granted without blinding"):
        arm_of(trial, person, reader)
    # Of the roles that were granted, none of those who rate and monitor opens anything.
    trial.apply(GrantRole(trial.who["a1"].person_id, "monitor", "GCP"), trial.who["dm"], "x")
    with pytest.raises(Refused, match="granted without blinding"):
        arm_of(trial, person, trial.who["a1"])
    with pytest.raises(Refused, match="is a script"):
        arm_of(trial, person, trial.script_signer("demo"))


def test_who_has_no_access_any_more_learns_no_arm(trial):
    person, reader = randomised(trial, "P-1"), unblinded(trial)
    set_state(trial, "ther", "closed", reason="left")
    with pytest.raises(Refused, match="no access"):
        arm_of(trial, person, reader)


def test_an_arm_needs_the_secret_and_one_that_others_can_read_is_refused(trial):
    person, reader = randomised(trial, "P-1"), unblinded(trial)
    path = allocation_keys.path_of(trial.rows("rand_list")[0]["id"])
    path.chmod(0o644)
    with pytest.raises(RecordFault, match="other users can read the secret"):
        arm_of(trial, person, reader)
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(RecordFault, match="not on this computer"):
        arm_of(trial, person, reader)
    for bad in (
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"secret": {}}',
        content[:-20],
        content.replace(b'"seed":"', b'"seed":"g'),
    ):
        path.write_bytes(bad)
        path.chmod(0o600)
        with pytest.raises(WorkbenchError) as raised:
            arm_of(trial, person, reader)
        assert json.loads(content)["secret"]["seed"] not in str(raised.value)


# ------------------------------------------------------------------------------ unblinding, guesses
def test_an_unblinding_takes_a_reason_who_is_told_the_pseudonym_again_and_a_fresh_confirmation(trial):
    person = randomised(trial, "P-1")
    with pytest.raises(Refused, match="Unblind needs 1 fresh signatures"):
        trial.apply(unblinding(trial, person, "P-1"), trial.who["inv"], "surgery")
    for change, reason, words in (
        (unblinding(trial, person, "P-2"), "surgery", "must repeat the participant's pseudonym, got 'P-2'"),
        (unblinding(trial, person, "P-1"), " ", "needs a reason"),
        (unblinding(trial, person, "P-1", told=()), "surgery", "names who is told"),
        (unblinding(trial, person, "P-1", told=(" ",)), "surgery", "names who is told"),
        (Unblind(person, "P-1", " ", ("Dr Night",)), "surgery", "requester"),
        (unblinding(trial, enrolled(trial, "P-9"), "P-9"), "surgery", "not randomised yet"),
    ):
        before, confirmed = trial.head(), trial.who["inv"].confirm(SECRET)
        with pytest.raises((Refused, BadValue), match=words):
            trial.apply(change, confirmed, reason)
        assert trial.head()[0] == before[0] + 1
        assert trial.rows("unblinding") == []


def test_after_an_unblinding_who_did_it_and_who_was_told_read_that_arm_and_no_other(trial):
    person, other = randomised(trial, "P-1"), randomised(trial, "P-2")
    signer = trial.who["inv"]
    change = unblinding(trial, person, "P-1", told=("Dr Night", "a1"), emergency=True)
    row = trial.apply(change, signer.confirm(SECRET), "must know before surgery")
    (entered,) = trial.rows("unblinding", id=row)
    assert (entered["reason"], entered["told"], entered["emergency"]) == (
        "must know before surgery", ["Dr Night", "a1"], True,
    )  # fmt: skip
    assert not any(arm in repr(entered) for arm in ARMS)
    assert [one["targets"][0][:2] for one in trial.rows("signature")][-1] == ["unblinding", row]
    arm = arm_of(trial, person, signer)
    assert arm_of(trial, person, trial.who["a1"]) == arm
    for reader in (signer, trial.who["a1"]):
        with pytest.raises(Refused):
            arm_of(trial, other, reader)
    with pytest.raises(Refused):
        arm_of(trial, person, trial.who["stat"])


def test_an_arm_can_be_told_in_an_emergency_also_where_everything_is_locked(trial):
    person = randomised(trial, "P-1")
    trial.apply(Freeze("participant", person), trial.who["dm"], "interim analysis")
    trial.apply(unblinding(trial, person, "P-1"), trial.who["inv"].confirm(SECRET), "surgery")
    trial.apply(LockStudy(), [trial.who[one].confirm(SECRET) for one in ("dm", "inv", "stat")], "end")
    trial.apply(
        unblinding(trial, person, "P-1"), trial.who["inv"].confirm(SECRET), "asked by the ethics committee"
    )
    assert arm_of(trial, person, trial.who["inv"]) in ARMS
    assert verify(trial.folder).ok


def test_a_guess_names_an_arm_with_its_certainty_or_is_unknown(trial):
    person = randomised(trial, "P-1")
    trial.apply(RecordGuess(person, "participant", "quokka", "strongly"), trial.who["a1"])
    trial.apply(RecordGuess(person, "assessor", "unknown"), trial.who["a1"])
    assert [row["guess"] for row in trial.rows("blinding_guess")] == ["quokka", "unknown"]
    for change, words in (
        (RecordGuess(person, "participant", "quokka"), "certainty belongs to a guess"),
        (RecordGuess(person, "participant", "unknown", "somewhat"), "certainty belongs to a guess"),
        (RecordGuess(person, "participant", "quokka", "very"), "certainty"),
        (RecordGuess(person, "neighbour", "unknown"), "guesser"),
        (RecordGuess(enrolled(trial, "P-2"), "participant", "unknown"), "not randomised yet"),
    ):
        refused(trial, change, words, by="a1")
    with pytest.raises(BadValue, match="a guess is one of quokka, bandicoot, unknown; got 'x'"):
        trial.apply(RecordGuess(person, "participant", "x"), trial.who["a1"])


# ------------------------------------------------------------------------------ proof
def test_the_proof_holds_and_equals_what_readers_were_told(trial):
    people = [randomised(trial, f"P-{n}", (LEFT, RIGHT)[n % 2]) for n in range(8)]
    reader = unblinded(trial, "stat", "engineer")
    told = [arm_of(trial, person, reader) for person in people]
    (proof,) = prove(trial, reader)
    assert (proof.holds, proof.kind, proof.compared, proof.allocations) == (True, "blocks", 24, 8)
    assert set(told) == set(ARMS)
    assert not any(arm in repr(proof) for arm in ARMS)
    assert trial.history("rand_list", proof.list_id)[-1]["action"] == "prove"


def test_a_minimisation_is_sealed_replayed_and_read_like_a_list(minimised):
    levels = [{"side": side, "ais": ais} for side in ("left", "right") for ais in ("A", "B")]
    people = [randomised(minimised, f"P-{n}", levels[n * 3 % 4]) for n in range(9)]
    (listed,) = minimised.rows("rand_list")
    assert listed["sealed"] == {}
    assert [row["seq"] for row in minimised.rows("allocation")] == list(range(9))
    reader = unblinded(minimised, "stat", "engineer")
    told = [arm_of(minimised, person, reader) for person in people]
    assert abs(told.count(ARMS[0]) - told.count(ARMS[1])) <= 5
    (proof,) = prove(minimised, reader)
    assert (proof.holds, proof.compared) == (True, 9)
    refused(minimised, Randomise(enrolled(minimised, "P-99"), LEFT), "ais is missing")
    allocation_keys.path_of(listed["id"]).unlink()
    refused(minimised, Randomise(enrolled(minimised, "P-98"), levels[0]), "not on this computer")


def swapped(sealed):
    """The list with the ciphertexts and leaves of two slots exchanged, its root computed again."""
    slots = list(SealedList.of(sealed).slots)
    slots[0], slots[1] = (
        dataclasses.replace(slots[0], cipher=slots[1].cipher, leaf=slots[1].leaf),
        dataclasses.replace(slots[1], cipher=slots[0].cipher, leaf=slots[0].leaf),
    )
    changed = dataclasses.replace(SealedList.of(sealed), slots=tuple(slots))
    return dataclasses.replace(changed, root=changed.computed_root()).to_json()


@pytest.mark.parametrize("forged", ["root too", "slot alone", "commitment"])
def test_a_list_that_was_tampered_with_is_found_by_prove_and_by_verify(trial, forged):
    randomised(trial, "P-1")
    (listed,) = trial.rows("rand_list")
    changed = {"sealed": swapped(listed["sealed"])} if forged == "root too" else {}
    if forged == "root too":
        changed["commitment"] = changed["sealed"]["root"]
    elif forged == "slot alone":
        changed["sealed"] = {**swapped(listed["sealed"]), "root": listed["sealed"]["root"]}
    else:
        changed["commitment"] = "0" * 64
    for column, value in changed.items():
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
        tamper(trial, (f"UPDATE rand_list SET {column} = ?", (text,)))
    differences = proven(trial)
    assert any("is not the one that was entered into the audit chain" in line for line in differences)
    assert len(differences) > 1
    assert not any(arm in line for line in differences for arm in ARMS)
    assert any("rand_list" in problem for problem in verify(trial.folder).problems)


@pytest.mark.parametrize("column", ["stratum", "seq", "covariates", "sealed", "state", "participant_id"])
def test_an_allocation_that_was_tampered_with_is_found_by_prove_and_by_verify(trial, minimised, column):
    for study, covariates in ((trial, LEFT), (minimised, LEFT_A)):
        for n in range(3):
            randomised(study, f"P-{n}", covariates)
        other = json.dumps({**covariates, "side": "right"}, sort_keys=True, separators=(",", ":"))
        values = {
            "stratum": '{"side":"right"}',
            "seq": 9,
            "covariates": other,
            "sealed": "00" * 40,
            "state": "0" * 64,
            "participant_id": enrolled(study, "P-9"),
        }
        tamper(study, (f"UPDATE allocation SET {column} = ? WHERE seq = 2", (values[column],)))
        assert any("allocation" in problem for problem in verify(study.folder).problems)
        differences = proven(study)
        assert len(differences) >= 1
        if study is minimised and column == "stratum":
            assert any("names a stratum, of which a minimisation has none" in line for line in differences)
        study.close()


REORDERED = {
    "trial": {**BLOCKS, "blocks": [4, 2], "strata": {"side": ["right", "left"]}},
    "minimised": {**MINIMISED, "strata": {"ais": ["B", "A"], "side": ["right", "left"]}},
}


@pytest.mark.parametrize("kind", ["trial", "minimised"])
def test_a_design_in_another_order_is_the_same_and_has_no_second_list(kind, request):
    study = request.getfixturevalue(kind)
    study.apply(AdoptProtocol(definition(REORDERED[kind], "1.1.0")), both(study))
    refused(study, MakeList("1.1.0"), "serves the design of version 1.1.0 already", by="stat")
    randomised(study, "P-1", LEFT if kind == "trial" else LEFT_A)
    (listed,) = allocations.lists(study)
    assert (listed["versions"], listed["used"]) == (["1.0.0", "1.1.0"], 1)
    assert proven(study) == ()


@pytest.mark.parametrize(
    "design", ["{}", "[]", '{"strata":[]}', '{"strata":{"side":[1,"a"]}}', '{"strata":{"side":1}}']
)
def test_a_design_that_was_changed_into_none_is_found_by_prove(trial, design):
    tamper(trial, ("UPDATE rand_list SET design = ?", (design,)))
    differences = proven(trial)
    assert any("is not the one that was entered into the audit chain" in line for line in differences)
    assert any("no version of the protocol has the design" in line for line in differences)


@pytest.mark.parametrize("kind", ["trial", "minimised"])
def test_two_participants_who_were_exchanged_are_found_by_prove(kind, request):
    study = request.getfixturevalue(kind)
    people = [randomised(study, f"P-{n}", LEFT if kind == "trial" else LEFT_A) for n in range(3)]
    rows = {row["participant_id"]: row for row in study.rows("allocation")}
    first, second = (rows[person] for person in people[:2])
    exchange = "UPDATE allocation SET participant_id = ? WHERE id = ?"
    tamper(
        study,
        (exchange, ("", first["id"])),
        (exchange, (people[0], second["id"])),
        (exchange, (people[1], first["id"])),
    )
    differences = proven(study)
    assert [line.split(" of the stratum")[0] for line in differences] == [
        f"the allocation of slot {row['seq']}" for row in (first, second)
    ]
    assert all("not the one that was entered into the audit chain" in line for line in differences)


def test_neither_list_nor_allocation_is_amended_or_redacted(trial):
    randomised(trial, "P-1")
    (row,) = trial.rows("allocation")
    for write in (
        lambda: trial.amend("allocation", row["id"], {"seq": 9}, reason="x"),
        lambda: trial.redact("allocation", row["id"], {"seq": 9}, reason="x"),
        lambda: trial.redact("rand_list", row["list_id"], {"sealed": {}}, reason="x"),
    ):
        with pytest.raises(RecordFault):
            write()


# ------------------------------------------------------------------------------ backup of the secrets
def test_secrets_come_back_from_their_backup_and_replace_none(trial, tmp_path):
    person, reader = randomised(trial, "P-1"), unblinded(trial)
    arm = arm_of(trial, person, reader)
    listed, file = trial.rows("rand_list")[0]["id"], tmp_path / "secrets.backup"
    with pytest.raises(BadValue, match="passphrase"):
        allocation_keys.backup(trial.id, [listed], file, "short")
    allocation_keys.backup(trial.id, [listed], file, "four random plain words")
    secret = json.loads(allocation_keys.path_of(listed).read_text())["secret"]
    assert secret["seed"] not in file.read_text()
    with pytest.raises(Refused, match="does not open"):
        allocation_keys.restore(file, "five random plain words")
    path = allocation_keys.path_of(listed)
    path.unlink()
    assert allocation_keys.restore(file, "four random plain words") == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert arm_of(trial, person, reader) == arm
    path.unlink()
    allocation_keys.keep(trial.id, dataclasses.replace(Secret.of(secret), seed=1))
    with pytest.raises(Refused, match="another secret of the same list"):
        allocation_keys.restore(file, "four random plain words")
    with pytest.raises(RecordFault, match="no list whose secret"):
        allocation_keys.backup(trial.id, [], tmp_path / "none", "four random plain words")
