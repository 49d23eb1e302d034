"""What is taken into the record, and how long is waited for a recording that somebody still holds."""

from __future__ import annotations

from tests.doors import SteppedClock
from workbench import world
from workbench.recording import Journal
from workbench.runs import ingest_pending
from workbench.runs.ingesting import RELEASE_S
from workbench.study import Study


def test_a_recording_that_another_process_holds_is_waited_for_by_the_clock_and_left_for_later(tmp_path):
    clock = SteppedClock()
    with Study.create(tmp_path / "s", code="S", title="T", actor="a") as study:
        (study.folder / "recordings").mkdir()
        with world.entered(clock=clock), Journal(study.folder / "recordings" / "r.xdf"):
            sentences = ingest_pending(study)
        assert "is still held by another process" in sentences[0]
        assert study.rows("run") == []
    assert RELEASE_S < clock.now_s < RELEASE_S + 1.0
