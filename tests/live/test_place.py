"""Lock, heartbeat and folders: one engine a study, and a stale lock is told from a held one."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.doors import SteppedClock
from workbench import world
from workbench.errors import EngineFault
from workbench.live import _place, attach, end_stale, find
from workbench.live._place import Place


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    made.prepare()
    return made


def ended_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_the_lock_is_taken_once(place):
    assert _place.take_lock(place, {"session_id": "s1"}) == ""
    assert find(place.study)["pid"] == os.getpid()
    with pytest.raises(EngineFault, match="already runs for this study .*session s1"):
        _place.take_lock(place, {"session_id": "s2"})
    _place.release_lock(place)
    assert find(place.study) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lock: lock | {"pid": ended_process()}, "is gone"),
        (lambda lock: lock | {"boot": "another"}, "restarted"),
        (lambda lock: lock | {"start": "1"}, "is another program now"),
    ],
    ids=["killed", "restarted", "pid reused"],
)
def test_a_stale_lock_is_explained_and_set_aside(place, change, words):
    _place.take_lock(place, {"session_id": "s1"})
    place.lock.write_text(json.dumps(change(json.loads(place.lock.read_text()))))
    assert find(place.study) is None
    assert words in end_stale(place.study)
    with pytest.raises(EngineFault, match=words):
        attach(place.study)
    assert words in _place.take_lock(place, {"session_id": "s2"})
    assert find(place.study)["session_id"] == "s2"


def test_a_lock_of_another_computer_is_judged_by_its_heartbeat(place):
    _place.take_lock(place, {"session_id": "s1"})
    place.lock.write_text(json.dumps(json.loads(place.lock.read_text()) | {"host": "elsewhere"}))
    assert find(place.study) is not None
    os.utime(place.heartbeat, (0, 0))
    assert "elsewhere" in end_stale(place.study)


def test_a_lock_of_another_process_is_not_released(place):
    _place.take_lock(place, {"session_id": "s1"})
    place.lock.write_text(json.dumps(json.loads(place.lock.read_text()) | {"pid": 1}))
    _place.release_lock(place)
    assert place.lock.exists()


def test_a_torn_lock_is_no_lock(place):
    place.lock.write_text("{")
    assert find(place.study) is None
    assert _place.take_lock(place, {"session_id": "s1"}) == ""


def test_a_missing_study_folder_is_a_sentence(tmp_path):
    with pytest.raises(EngineFault, match="create the study first"):
        Place(tmp_path / "none").prepare()


def test_a_folder_that_is_a_file_is_a_sentence(tmp_path):
    (tmp_path / "recordings").write_text("")
    with pytest.raises(EngineFault, match="cannot be written"):
        Place(tmp_path).prepare()


def test_nobody_to_attach_to(place):
    with pytest.raises(EngineFault, match="no engine runs"):
        attach(place.study)
    world.disk.save(place.outcome, json.dumps({"state": "ended", "sentence": "ended in good order"}).encode())
    with pytest.raises(EngineFault, match="ended in good order"):
        attach(place.study)


def test_whoever_attaches_waits_for_an_engine_that_is_not_ready_for_as_long_as_the_clock_says(place):
    clock = SteppedClock()
    with world.entered(clock=clock):
        _place.take_lock(place, {"session_id": "S1"})
        with pytest.raises(EngineFault, match="is not ready yet"):
            attach(place.study, timeout=3600.0)
    assert 3600.0 < clock.now_s < 3601.0


def test_a_heartbeat_grows_old_by_the_clock(place):
    clock = SteppedClock()
    with world.entered(clock=clock):
        place.heartbeat.touch()
        os.utime(place.heartbeat, (clock.wall(), clock.wall()))
        clock.now_s += 40.0
        assert _place.heartbeat_age(place) == pytest.approx(40.0)


def test_a_lock_of_an_earlier_boot_is_stale(place):
    with world.entered(clock=SteppedClock(boot="boot-1")):
        _place.take_lock(place, {"session_id": "S1"})
        assert _place.running(place) is not None
    with world.entered(clock=SteppedClock(boot="boot-2")):
        assert _place.running(place) is None
        assert "was restarted since" in end_stale(place.study)
