"""What is taken into the record, and how long is waited for a recording that somebody still holds."""

from __future__ import annotations

import os

import numpy as np
import pytest

from tests.doors import SteppedClock
from workbench import world
from workbench.recording import Journal, RunWriter, index
from workbench.runs import grant, ingest_pending
from workbench.runs.ingesting import RELEASE_S, take_in
from workbench.study import Study
from workbench.vocabulary import Participant, Session, StreamSpec, Visit


def test_a_recording_that_another_process_holds_is_waited_for_by_the_clock_and_left_for_later(tmp_path):
    clock = SteppedClock()
    with Study.create(tmp_path / "s", code="S", title="T", actor="a") as study:
        (study.folder / "recordings").mkdir()
        with world.entered(clock=clock), Journal(study.folder / "recordings" / "r.xdf"):
            sentences = ingest_pending(study)
        assert "is still held by another process" in sentences[0]
        assert study.rows("run") == []
    assert RELEASE_S < clock.now_s < RELEASE_S + 1.0


SIGNAL = StreamSpec("ECoG", "EEG", 250.0, ("a", "b"), source_id="amp")


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """Bytes of a recording and of its index as a power cut finds them right after the run has begun."""
    path = tmp_path_factory.mktemp("begun") / "r.xdf"
    plan = {
        "run": "r",
        "session": "s-1",
        "number": 1,
        "kind": "calibration",
        "paradigm": "grasp_rest",
        "params": {},
    }
    with RunWriter(path, plan=plan, stamp=1.0, signal=SIGNAL):
        yield path.read_bytes(), index.path_of(path).read_bytes()


@pytest.fixture
def clinic(tmp_path):
    """A record with the session whose computer loses its power."""
    with Study.create(tmp_path / "s", code="S", title="T", actor="a") as study:
        visit = study.append(Visit(study.append(Participant("P1", simulated=True)), "V1"))
        study.append(Session(visit, "a", simulated=True, id="s-1"))
        (study.folder / "recordings").mkdir()
        yield study


def cut(study, begun, size, *, with_index=True):
    path = study.folder / "recordings" / "r.xdf"
    path.write_bytes(begun[0][:size])
    if with_index:
        index.path_of(path).write_bytes(begun[1])
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def test_a_whole_beginning_is_taken_in_as_a_run_without_samples(clinic, begun):
    cut(clinic, begun, None)
    ingest_pending(clinic)
    assert [(row["id"], row["state"]) for row in clinic.rows("run")] == [("r", "recovered")]
    assert clinic.verify().ok


@pytest.mark.parametrize("with_index", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.0005, 0.02, 0.3, 0.7, 0.999])
def test_a_recording_without_its_beginning_is_set_aside_named_and_blocks_nothing(clinic, begun, share, with_index):
    size = int(share * len(begun[0]))
    path = cut(clinic, begun, size, with_index=with_index)
    taken = take_in(clinic)
    assert taken.damaged
    assert any("The beginning of r.xdf is lost" in sentence for sentence in taken.sentences), taken.sentences
    assert not path.exists()
    aside = path.parent / "set_aside" / "r.xdf"
    assert aside.read_bytes()[4:] == begun[0][4 : aside.stat().st_size]
    found = clinic.verify()
    assert found.ok
    assert any("set_aside/r.xdf: its beginning is lost" in warning for warning in found.warnings)
    # Its first chunk names the session, whose ledger then names the recording.
    rows = clinic.rows("session_ledger")
    assert [row["extent"] for row in rows] == (["r.xdf"] if share > 0.02 else [])
    assert grant.dose_of_today(clinic.folder, participant="P1", effector="glove") == {}
    assert take_in(clinic).sentences == ()


def test_a_recording_of_another_program_is_left_where_it_lies(clinic):
    path = clinic.folder / "recordings" / "lab.xdf"
    with Journal(path) as journal:
        stream = journal.add_stream(SIGNAL)
        journal.samples(stream, np.zeros((3, 2), np.float32), np.arange(3.0))
    index.path_of(path).unlink()
    assert any("play it with the replay device" in sentence for sentence in ingest_pending(clinic))
    assert path.exists()
