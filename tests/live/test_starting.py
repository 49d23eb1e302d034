"""A start that is interrupted leaves no engine behind; an engine that is attached to has said something."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import time

import pytest

from tests.live.plans import planned
from workbench import live, world
from workbench.engine.server import Server
from workbench.errors import EngineFault
from workbench.live import _engine_folder, _starting


def _await_end(study_folder):
    end = time.monotonic() + 240
    while live.find(study_folder) is not None:
        assert time.monotonic() < end, "the engine still runs"
        time.sleep(0.05)


def test_an_interrupted_start_ends_the_engine_it_started(make_room):
    room = make_room()
    seen = []

    def interrupt(status):
        seen.append(status["engine"]["pid"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        live.start(room.plan(), progress=interrupt)
    assert seen
    _await_end(room.folder)


def test_an_engine_that_is_interrupted_while_it_compiles_does_not_compile_the_rest_first(
    make_room, monkeypatch, tmp_path
):
    room = make_room()
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "nothing compiled yet"))

    def interrupt(status):
        if status["engine"]["kernels_left"]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        live.start(room.plan(), progress=interrupt)
    _await_end(room.folder)
    outcome = _engine_folder.read_json(_engine_folder.EngineFolder(room.folder).outcome)
    assert re.search(r"asked to end while it compiled; kernels left: \d\d+", outcome["sentence"]), outcome


def test_attaching_returns_with_a_status(make_room):
    room = make_room()
    room.start(room.plan())
    client = live.attach(room.folder)
    assert client.status()["engine"]["state"] == "idle"
    client.close()


class _SlowClock(world.Clock):
    """Half a minute passes with each wait, and then what the engine has to say is said."""

    def __init__(self, say):
        self.passed, self.say = 0.0, say

    def monotonic(self):
        return super().monotonic() + self.passed

    def sleep(self, seconds):
        self.passed += 30.0
        self.say()


@pytest.fixture
def starting(tmp_path):
    """Waits for a process whose door says the given statuses, one each half minute."""
    folder, plan = planned(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    key = _engine_folder.new_key(folder)
    server = Server(key=key, session="s1", stop_now=print, study=tmp_path)
    _engine_folder.take_lock(folder, {"session_id": "s1"})
    _engine_folder.update_lock(folder, {"endpoint": server.endpoint, "curve": server.curve})

    def wait(said):
        words = itertools.chain(said, itertools.repeat(said[-1]))

        def say():
            state, left = next(words)
            server.publish({"engine": {"state": state, "kernels_left": left}})

        seen = []
        with world.entered(clock=_SlowClock(say)):
            client = _starting._ready(
                folder,
                plan,
                process,
                timeout=120.0,
                progress=lambda status: seen.append(status["engine"]["kernels_left"]),
            )
        client.close()
        return seen

    yield wait
    server.close()
    process.communicate(b"\n")


def test_an_engine_that_compiles_for_many_minutes_is_waited_for_while_it_says_something_new(starting):
    counting = [("compiling", left) for left in range(40, 0, -1)]
    seen = starting([*counting, ("idle", 0)])
    assert seen[0] > 30
    assert seen[-1] == 0


def test_an_engine_that_says_nothing_new_while_it_starts_is_not_waited_for(starting):
    with pytest.raises(EngineFault, match="said nothing new for 120 s"):
        starting([("compiling", 7)])
