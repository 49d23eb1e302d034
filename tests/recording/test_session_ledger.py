"""The ledger of a session between its runs: appended whole, damage told in its place."""

from __future__ import annotations

import os

import pytest

from tests.doors import WatchedDisk
from workbench import world
from workbench.errors import RecordingFault
from workbench.messages import Message, translate
from workbench.recording import append_rows, read_rows
from workbench.recording.session_ledger import SUFFIX, session_of
from workbench.vocabulary import LedgerRow

ROWS = [
    LedgerRow("note", 1.5, 2.5, sample=3, stream="ecog", extent="眼睛 closed", consequence="none\nat all"),
    LedgerRow("stream_back", 2.0, 3.0, priority="high"),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / f"session-1{SUFFIX}"


def test_rows_come_back_as_they_were_entered(path):
    append_rows(path, ROWS[:1])
    append_rows(path, [])
    append_rows(path, ROWS[1:])
    assert read_rows(path) == ROWS
    assert session_of(path) == "session-1"
    assert path.stat().st_mode & 0o777 == 0o600 or os.name == "nt"


def test_what_a_row_says_comes_back_with_its_code(path):
    row = LedgerRow("operator", 1.0, 2.0, extent=Message("control.armed_by", who="Lin Q."), consequence="Lin Q.")
    append_rows(path, [row])
    (back,) = read_rows(path)
    assert back == row
    assert translate(back.extent, language="zh-CN") == "由 Lin Q. 待命"
    assert type(back.consequence) is str


def test_nothing_to_write_makes_no_file(path):
    append_rows(path, [])
    assert not path.exists()


def test_every_changed_byte_is_reported_in_the_place_of_its_row(path):
    append_rows(path, ROWS)
    data = path.read_bytes()
    first = data.index(b"\n")
    for at in range(first):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        kinds = [row.kind for row in read_rows(path)]
        assert kinds[0] == "ledger_damaged"
        assert kinds[-1] == "stream_back"


def test_every_cut_tells_the_torn_row_and_keeps_those_before(path):
    append_rows(path, ROWS)
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    for at in range(first + 1, len(data) - 1):
        path.write_bytes(data[:at])
        told = read_rows(path)
        assert told[0] == ROWS[0]
        assert [row.kind for row in told[1:]] == ["ledger_damaged"]
        assert read_rows(path, growing=True) == ROWS[:1]


def test_a_row_after_a_torn_one_is_whole(path):
    append_rows(path, ROWS[:1])
    path.write_bytes(path.read_bytes()[:-5])
    append_rows(path, ROWS[1:])
    assert [row.kind for row in read_rows(path)] == ["ledger_damaged", "stream_back"]


def test_a_folder_that_is_not_there_is_one_sentence(path, tmp_path):
    with pytest.raises(RecordingFault, match="ledger rows cannot be written"):
        append_rows(tmp_path / "absent" / path.name, ROWS)
    with pytest.raises(RecordingFault, match="cannot be read"):
        read_rows(path)


def test_a_torn_write_is_refused_and_reported_as_damage_after_the_rows_before_it(path):
    disk = WatchedDisk()
    with world.entered(disk=disk):
        append_rows(path, ROWS[:1])
        assert disk.files >= {path.name, path.parent.name}
        disk.whole = 0
        with pytest.raises(RecordingFault, match="ledger rows cannot be written"):
            append_rows(path, ROWS[1:])
    rows = read_rows(path)
    assert rows[0] == ROWS[0]
    assert [row.kind for row in rows[1:]] == ["ledger_damaged"]
