"""The record meets time, chance and the disk through their doors alone: another world gives another record."""

from __future__ import annotations

import shutil

import pytest

from tests.doors import SeededChance, SteppedClock, WatchedDisk
from tests.study.conftest import fill
from workbench import world
from workbench.errors import RecordFault
from workbench.study import Study, verify
from workbench.vocabulary import Participant


def lived(folder, monkeypatch, *, seed, start_s=0.0):
    """``(id, head, every row)`` of a study that was made in a world of its own, with everything in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    monkeypatch.setenv("WORKBENCH_KEYS", str(folder / "keys"))
    clock = SteppedClock()
    clock.now_s = start_s
    with (
        world.entered(clock=clock, chance=SeededChance(seed)),
        Study.create(folder / "study", code="S", title="T", actor="a") as study,
    ):
        fill(study)
        clock.now_s += 60.0
        study.sign_in("dr-a", "correct horse")
        tables = ("participant", "visit", "session", "run", "trial", "assessment", "person", "audit")
        rows = {table: study.rows(table) for table in tables}
        return study.id, study.head(), rows


@pytest.mark.job
@pytest.mark.sqlite_file("the same chance gives two studies the same schema")
def test_two_studies_of_one_seed_and_one_clock_are_equal_in_every_id_and_hash(tmp_path, monkeypatch):
    first = lived(tmp_path / "s", monkeypatch, seed=7)
    assert lived(tmp_path / "s", monkeypatch, seed=7) == first
    assert lived(tmp_path / "s", monkeypatch, seed=8)[0] != first[0]
    assert lived(tmp_path / "s", monkeypatch, seed=7, start_s=1.0)[0] != first[0]


def test_what_is_written_bears_the_time_of_the_clock_that_was_handed_in(tmp_path):
    clock = SteppedClock()
    with world.entered(clock=clock), Study.create(tmp_path / "s", code="S", title="T", actor="a") as study:
        clock.now_s = 3600.0
        study.append(Participant("P01"))
        entry = study.rows("audit", table_name="participant")[0]
    assert (entry["utc"], entry["mono_ns"], entry["boot_id"]) == (
        "2026-03-01T10:30:00.000Z",
        3600 * 10**9,
        "boot-1",
    )


@pytest.mark.sqlite_file("the record is a file of this disk")
def test_every_connection_to_the_record_and_the_drafts_comes_from_the_disk(tmp_path):
    disk = WatchedDisk()
    with world.entered(disk=disk), Study.create(tmp_path / "s", code="S", title="T", actor="a") as study:
        study.drafts.save("v", "mrc", {"assisted": False}, "p", {"a": 1})
        assert disk.databases["study.db"] == study.database.engine.pool.checkedin() == 1
        assert disk.databases["drafts.db"] == 1
        assert verify(study.folder).ok
        assert disk.databases["study.db"] == 2


@pytest.mark.sqlite_file("the record is a file of this disk")
def test_a_disk_on_which_the_record_may_not_grow_is_told_and_stores_nothing(tmp_path):
    Study.create(tmp_path / "s", code="S", title="T", actor="a").close()
    with world.entered(disk=WatchedDisk(most_pages=1)), Study.open(tmp_path / "s", actor="a") as study:
        before = study.head()
        with pytest.raises(RecordFault, match="is full; nothing was stored"):
            study.append(Participant("P01"), reason="long " * 2000)
        assert study.head() == before
    assert verify(tmp_path / "s").ok


def test_the_head_is_left_outside_the_record_on_a_disk_that_confirmed_it(tmp_path):
    disk = WatchedDisk()
    with world.entered(disk=disk), Study.create(tmp_path / "s", code="S", title="T", actor="a") as study:
        study.anchor(why="test", to=tmp_path / "elsewhere.jsonl")
    assert disk.files >= {"anchors.jsonl", "elsewhere.jsonl"}


def test_an_anchor_that_is_torn_is_told_and_the_next_one_stands_on_a_line_of_its_own(tmp_path):
    disk = WatchedDisk()
    with world.entered(disk=disk), Study.create(tmp_path / "s", code="S", title="T", actor="a") as study:
        disk.whole = 0
        with pytest.raises(RecordFault, match="the anchor cannot be written"):
            study.anchor(why="test")
        disk.whole = None
        study.anchor(why="again")
        assert [note for note in verify(study.folder).warnings if "anchors.jsonl" in note]
        assert not verify(study.folder).problems
