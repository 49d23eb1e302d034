"""A damaged recording that waits to be taken in: all that is whole goes into the record, quarantined, loudly."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from workbench import commands, live, runs
from workbench.recording import RunWriter, chunks, index
from workbench.recording.session_ledger import SUFFIX, append_rows
from workbench.study import Study, verify
from workbench.vocabulary import Decision, LedgerRow, Marker, Participant, Session, StreamSpec, Trial, Visit

SIGNAL = StreamSpec("ECoG", "EEG", 250.0, ("a", "b"), source_id="amp-1")
TRIALS = 4


@pytest.fixture
def folder(tmp_path):
    """A study whose only run was killed before it was taken in."""
    place = tmp_path / "study"
    with Study.create(place, code="T", title="t", actor="tests") as study:
        visit = study.append(Visit(study.append(Participant("P1", simulated=True)), "V1"))
        session = study.append(Session(visit, "tests", simulated=True))
    (place / "recordings").mkdir()
    killed_run(place / "recordings" / "run-1.xdf", session)
    return place


def killed_run(path: Path, session: str) -> None:
    plan = {"run": "r1", "session": session, "number": 1, "kind": "calibration", "paradigm": "grasp_rest"}
    writer = RunWriter(path, plan={**plan, "params": {}, "classes": []}, stamp=10.0, signal=SIGNAL)
    for k in range(TRIALS):
        at = 50 * k
        writer.signal(np.full((50, 2), k, np.float32), 10.0 + np.arange(at, at + 50) / 250.0)
        writer.marker(Marker("cue", at, 10.0 + at / 250.0, "grasp", {"trial": k}))
        writer.trial(Trial(k, "grasp", at, 10.0 + at / 250.0, at + 50, "recorded"))
        writer.decision(Decision(at + 50, 10.0, "", ()))
    side = index.path_of(path)
    size, entries = writer.journal.size, side.stat().st_size
    writer.close()
    os.truncate(path, size)
    os.truncate(side, entries)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def signal_chunks(path: Path) -> list[index.Indexed]:
    return [e for e in index.read(path).chunks if e.tag == chunks.Tag.SAMPLES and e.n_samples == 50]


def test_a_session_ends_although_its_record_is_damaged(make_room, capsys):
    room = make_room()
    room.start(room.plan())
    room.study.close()
    (room.folder / "study.db").write_bytes(b"no record any more")
    assert commands.main(["end", str(room.folder)]) == 2
    said = capsys.readouterr()
    assert "has ended in good order" in said.out
    assert "is not a study record or its start is damaged" in said.err
    assert live.find(room.folder) is None


def test_a_flipped_bit_in_a_killed_run_costs_its_chunk_and_end_exits_with_1(folder, capsys):
    path = folder / "recordings" / "run-1.xdf"
    entry = signal_chunks(path)[1]
    flip(path, entry.start + 30)
    before = path.read_bytes()
    assert commands.main(["end", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "run-1.xdf is damaged in 1 place" in said
    assert "50 samples of 'ECoG' (0.200 s)" in said
    assert "4 trials, recovered, taken into the record. It is quarantined." in said
    assert path.read_bytes() == before
    with Study.open(folder, actor="tests") as study:
        (run,), (recording,) = study.rows("run"), study.rows("recording")
        assert len(study.rows("trial")) == TRIALS
        assert run["state"] == "recovered"
        assert run["summary"]["quarantined"]
        assert recording["path"] == "recordings/salvaged/run-1.xdf"
        assert recording["n_samples"] == 50 * (TRIALS - 1)
        (row,) = [row for row in study.rows("ledger") if row["kind"] == "recovered"]
        assert "50 samples of 'ECoG' (0.200 s)" in row["extent"]
        assert runs.take_in(study) == runs.Ingestion(())
    assert verify(folder).ok


def test_a_flip_in_any_chunk_is_reported_and_every_trial_that_is_whole_arrives(tmp_path):
    with Study.create(tmp_path / "study", code="T", title="t", actor="tests") as study:
        visit = study.append(Visit(study.append(Participant("P1", simulated=True)), "V1"))
        session = study.append(Session(visit, "tests", simulated=True))
        folder = tmp_path / "study" / "recordings"
        folder.mkdir()
        killed_run(folder / "run-1.xdf", session)
        every = index.read(folder / "run-1.xdf").chunks
        original = (folder / "run-1.xdf").read_bytes()
        entries = index.path_of(folder / "run-1.xdf").read_bytes()
        (folder / "run-1.xdf").unlink()
        for number, entry in enumerate(every):
            path = folder / f"run-{number}.xdf"
            path.write_bytes(original)
            index.path_of(path).write_bytes(entries)
            flip(path, entry.start + entry.length // 2)
            taken = runs.take_in(study)
            assert taken.damaged, number
            sentences = [sentence for sentence in taken.sentences if path.name in sentence or "Run 1" in sentence]
            assert sentences, number
            path.unlink()
        assert len(study.rows("run")) == 1


def test_what_cannot_be_taken_in_is_named_and_end_exits_with_1(folder, capsys):
    recordings = folder / "recordings"
    (recordings / "empty.xdf").touch()
    (recordings / "text.xdf").write_text("dear diary")
    (recordings / "folder.xdf").mkdir()
    os.mkfifo(recordings / "pipe.xdf")
    assert commands.main(["end", str(folder)]) == 1
    said = capsys.readouterr().out
    for name in ("text.xdf", "folder.xdf", "pipe.xdf"):
        assert f"{name} was not taken into the record" in said
    assert "The beginning of empty.xdf is lost" in said
    assert "4 trials, recovered, taken into the record" in said


def test_a_killed_run_that_is_whole_is_taken_in_with_exit_0(folder, capsys):
    assert commands.main(["end", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "Lost: What had not been written by then, at most 1 s of signal." in said


def test_a_damaged_line_of_a_session_ledger_is_taken_in_as_damaged(folder, capsys):
    with Study.open(folder, actor="tests") as study:
        session = study.rows("session")[0]["id"]
    path = folder / "recordings" / f"{session}{SUFFIX}"
    append_rows(path, [LedgerRow("note", 1.0, 1.0, extent="one"), LedgerRow("note", 2.0, 2.0, extent="two")])
    flip(path, 20)
    assert commands.main(["end", str(folder)]) == 1
    assert "1 of them stand for lines" in capsys.readouterr().out
    with Study.open(folder, actor="tests") as study:
        assert [row["kind"] for row in study.rows("session_ledger")] == ["ledger_damaged", "note"]
