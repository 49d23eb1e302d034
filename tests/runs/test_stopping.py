"""`workbench stop` and `workbench end` where the study's files are not as they should be."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from workbench import world
from workbench.errors import BadValue, EngineFault
from workbench.live import _engine_folder
from workbench.live._engine_folder import EngineFolder
from workbench.live._stopfile import watching
from workbench.runs.stopping import end_session, kill, stop_session


@pytest.fixture
def engine_folder(tmp_path):
    made = EngineFolder(tmp_path)
    made.prepare()
    return made


def lock(engine_folder, **changes):
    """A lock of this process, but for the changes."""
    content = {**_engine_folder.identity(), "session_id": "s1", **changes}
    world.disk.save(engine_folder.lock, json.dumps(content).encode())
    engine_folder.heartbeat.touch()
    return content


@pytest.mark.parametrize("text", [b"{}", b"\xff", b"[", b'{"unknown": 1}'])
def test_a_plan_that_cannot_be_read_keeps_no_stop_from_the_engine(engine_folder, text):
    lock(engine_folder)
    world.disk.save(engine_folder.plan, text)
    stops, ended = [], threading.Event()
    watcher = world.start_thread("stop-file", watching(engine_folder, stops.append, ended.wait))
    with pytest.raises(BadValue, match="plan"):
        stop_session(engine_folder.study, "hand pinched")
    ended.set()
    watcher.join()
    assert stops == ["hand pinched"]


def test_an_engine_of_another_computer_is_never_looked_for_among_the_processes_of_this_one(engine_folder):
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        held = lock(
            engine_folder, host="another-computer", pid=innocent.pid, start=world.computer.start_time(innocent.pid)
        )
        with pytest.raises(EngineFault, match="runs on another-computer"):
            kill(engine_folder, held)
        with pytest.raises(EngineFault):
            end_session(engine_folder.study)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()
