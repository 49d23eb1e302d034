"""`workbench stop` and `workbench end` where the study's files are not as they should be."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from workbench import world
from workbench.errors import BadValue, EngineFault
from workbench.live import _place
from workbench.live._place import Place
from workbench.live._stopfile import watching
from workbench.runs.stopping import end_session, kill, stop_session


@pytest.fixture
def place(tmp_path):
    made = Place(tmp_path)
    made.prepare()
    return made


def lock(place, **changes):
    """A lock of this process, but for the changes."""
    content = {**_place.identity(), "session_id": "s1", **changes}
    world.disk.save(place.lock, json.dumps(content).encode())
    place.heartbeat.touch()
    return content


@pytest.mark.parametrize("text", [b"{}", b"\xff", b"[", b'{"unknown": 1}'])
def test_a_plan_that_cannot_be_read_keeps_no_stop_from_the_engine(place, text):
    lock(place)
    world.disk.save(place.plan, text)
    stops, ended = [], threading.Event()
    watcher = world.start_thread("stop-file", watching(place, stops.append, ended.wait))
    with pytest.raises(BadValue, match="plan"):
        stop_session(place.study, "hand pinched")
    ended.set()
    watcher.join()
    assert stops == ["hand pinched"]


def test_an_engine_of_another_computer_is_never_looked_for_among_the_processes_of_this_one(place):
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        held = lock(place, host="another-computer", pid=innocent.pid, start=_place.start_time(innocent.pid))
        with pytest.raises(EngineFault, match="runs on another-computer"):
            kill(place, held)
        with pytest.raises(EngineFault):
            end_session(place.study)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()
