"""What happens while no run is on stands in the record all the same."""

from __future__ import annotations

import os
import signal

from workbench import runs
from workbench.recording.session_ledger import SUFFIX


def notes(study):
    return [row["extent"] for row in study.rows("session_ledger") if row["kind"] == "note"]


def test_notes_before_between_and_after_the_runs_are_in_the_record_once(make_room, fast):
    room = make_room()
    plan = room.plan()
    client = room.start(plan)
    client.note("before the first run")
    client.start_run("calibration", "grasp_rest", fast, n_trials=50, seed=1)
    client.wait("running")
    client.note("in the run")
    client.end_run()
    client.wait("run", timeout=60)
    client.note("after the last run")
    client.shutdown()
    said = runs.ingest_pending(room.study)
    assert notes(room.study) == ["before the first run", "after the last run"]
    assert [row["extent"] for row in room.study.rows("ledger") if row["kind"] == "note"] == ["in the run"]
    assert any("from between the runs" in sentence for sentence in said)
    assert runs.ingest_pending(room.study) == []
    assert {row["session_id"] for row in room.study.rows("session_ledger")} == {plan.session_id}
    assert room.study.verify().ok


def test_a_note_that_was_confirmed_is_in_the_record_however_soon_the_engine_is_killed(make_room):
    room = make_room()
    plan = room.plan()
    client = room.start(plan)
    client.note("the last thing said")
    assert b"the last thing said" in (room.folder / "recordings" / f"{plan.session_id}{SUFFIX}").read_bytes()
    os.kill(client.pid, signal.SIGKILL)
    runs.ingest_pending(room.study)
    assert notes(room.study) == ["the last thing said"]
