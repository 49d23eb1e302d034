"""Lock, heartbeat and folders: one engine a study, and a stale lock is told from a held one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from tests.doors import SteppedClock
from workbench import world
from workbench.errors import EngineFault
from workbench.live import _engine_folder, attach, end_stale, find
from workbench.live._engine_folder import EngineFolder


@pytest.fixture
def engine_folder(tmp_path):
    made = EngineFolder(tmp_path)
    made.prepare()
    return made


def ended_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_the_lock_is_taken_once(engine_folder):
    assert _engine_folder.take_lock(engine_folder, {"session_id": "s1"}) == ""
    assert find(engine_folder.study)["pid"] == os.getpid()
    with pytest.raises(EngineFault, match="already runs for this study .*session s1"):
        _engine_folder.take_lock(engine_folder, {"session_id": "s2"})
    _engine_folder.release_lock(engine_folder)
    assert find(engine_folder.study) is None


def test_who_waits_for_a_turn_gets_it_when_the_other_has_done_the_work(engine_folder):
    done, waits = [], threading.Event()

    def work():
        with _engine_folder.in_turn(engine_folder, "fit", while_waiting=waits.set):
            done.append("second")

    second = threading.Thread(target=work)
    with _engine_folder.in_turn(engine_folder, "fit"):
        with _engine_folder.in_turn(engine_folder, "ingest"):  # another work does not wait for this one
            second.start()
        assert waits.wait(20)
        done.append("first")
    second.join(20)
    assert done == ["first", "second"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lock: lock | {"pid": ended_process()}, "is gone"),
        (lambda lock: lock | {"boot": "another"}, "restarted"),
        (lambda lock: lock | {"start": "1"}, "is another program now"),
    ],
    ids=["killed", "restarted", "pid reused"],
)
def test_a_stale_lock_is_explained_and_set_aside(engine_folder, change, words):
    _engine_folder.take_lock(engine_folder, {"session_id": "s1"})
    engine_folder.lock.write_text(json.dumps(change(json.loads(engine_folder.lock.read_text()))))
    assert find(engine_folder.study) is None
    assert words in end_stale(engine_folder.study)
    with pytest.raises(EngineFault, match=words):
        attach(engine_folder.study)
    assert words in _engine_folder.take_lock(engine_folder, {"session_id": "s2"})
    assert find(engine_folder.study)["session_id"] == "s2"


def test_a_lock_of_another_computer_is_judged_by_its_heartbeat(engine_folder):
    _engine_folder.take_lock(engine_folder, {"session_id": "s1"})
    engine_folder.lock.write_text(json.dumps(json.loads(engine_folder.lock.read_text()) | {"host": "elsewhere"}))
    assert find(engine_folder.study) is not None
    os.utime(engine_folder.heartbeat, (0, 0))
    assert "elsewhere" in end_stale(engine_folder.study)


def test_a_lock_of_another_process_is_not_released(engine_folder):
    _engine_folder.take_lock(engine_folder, {"session_id": "s1"})
    engine_folder.lock.write_text(json.dumps(json.loads(engine_folder.lock.read_text()) | {"pid": 1}))
    _engine_folder.release_lock(engine_folder)
    assert engine_folder.lock.exists()


def test_a_torn_lock_is_no_lock(engine_folder):
    engine_folder.lock.write_text("{")
    assert find(engine_folder.study) is None
    assert _engine_folder.take_lock(engine_folder, {"session_id": "s1"}) == ""


def test_a_missing_study_folder_is_a_sentence(tmp_path):
    with pytest.raises(EngineFault, match="create the study first"):
        EngineFolder(tmp_path / "none").prepare()


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "recordings").write_text("")
    with pytest.raises(EngineFault, match="cannot be written"):
        EngineFolder(tmp_path).prepare()


def test_nobody_to_attach_to(engine_folder):
    with pytest.raises(EngineFault, match="no engine runs"):
        attach(engine_folder.study)
    world.disk.save(
        engine_folder.outcome, json.dumps({"state": "ended", "sentence": "ended in good order"}).encode()
    )
    with pytest.raises(EngineFault, match="ended in good order"):
        attach(engine_folder.study)


def test_whoever_attaches_waits_for_an_engine_that_is_not_ready_for_as_long_as_the_clock_says(engine_folder):
    clock = SteppedClock()
    with world.entered(clock=clock):
        _engine_folder.take_lock(engine_folder, {"session_id": "S1"})
        with pytest.raises(EngineFault, match="is not ready yet"):
            attach(engine_folder.study, timeout=60.0)
    assert 60.0 < clock.now_s < 61.0


def test_a_heartbeat_grows_old_by_the_clock(engine_folder):
    clock = SteppedClock()
    with world.entered(clock=clock):
        engine_folder.heartbeat.touch()
        os.utime(engine_folder.heartbeat, (clock.wall(), clock.wall()))
        clock.now_s += 40.0
        assert _engine_folder.heartbeat_age(engine_folder) == pytest.approx(40.0)


def test_a_lock_of_an_earlier_boot_is_stale(engine_folder):
    with world.entered(clock=SteppedClock(boot="boot-1")):
        _engine_folder.take_lock(engine_folder, {"session_id": "S1"})
        assert _engine_folder.running(engine_folder) is not None
    with world.entered(clock=SteppedClock(boot="boot-2")):
        assert _engine_folder.running(engine_folder) is None
        assert "was restarted since" in end_stale(engine_folder.study)
