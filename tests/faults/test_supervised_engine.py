"""Each thread of a real engine is broken in turn: safe state of the effector, an alarm and a row say why."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from tests.processes import PAUSE, exists, until
from tests.shares import some
from workbench import devices, live, runs, world
from workbench.errors import BadValue, Refused
from workbench.live._engine_folder import EngineFolder
from workbench.recording import read_rows
from workbench.recording.session_ledger import SUFFIX

pytestmark = pytest.mark.timeout(240)


class Broken:
    """An engine that can be broken from inside, with an effector in IDLE_SAFE."""

    def __init__(self, room, order):
        self.order = order
        plan = room.plan(glove=True, speed=1.0, script_present=True)
        engine_folder = EngineFolder(room.folder)
        engine_folder.prepare()
        world.disk.save(engine_folder.plan, plan.to_json().encode())
        log = (room.folder / "engine" / "engine.log").open("ab")
        command = [sys.executable, "-m", "workbench.stress.breakable", str(room.folder), str(order)]
        self.process = subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True)
        log.close()
        self.room = room

    def attach(self):
        until(lambda: "endpoint" in (live.find(self.room.folder) or {}))
        self.client = live.attach(self.room.folder, timeout=60)
        self.client.wait("idle", timeout=100)
        self.client.make_ready()

    def status(self):
        return self.client.status()

    def lost(self):
        return self.status()["engine"]["lost"]

    def break_thread(self, name, how):
        self.order.write_text(json.dumps({"thread": name, "how": how}))
        if how == "hang":
            self.order.with_suffix(".hang").touch()
        os.kill(self.process.pid, signal.SIGUSR1)
        until(lambda: not self.order.exists() or not exists(self.process.pid))

    def release(self):
        self.order.with_suffix(".hang").unlink(missing_ok=True)

    def alarm(self, thread):
        """The alarm about a thread, once it is there."""
        found = []

        def there():
            found[:] = [
                a
                for a in self.status()["alarms"]
                if a["key"] == "thread_lost"
                and a["what"].arguments["why"].arguments["thread"] == thread
                and a["acknowledged"] is None
            ]
            return bool(found)

        until(there)
        return found[0]

    def journalled(self, thread):
        """Whether the alarm about a thread is on the disk, which needs no door."""
        lines = (self.room.folder / "engine" / "alarms.jsonl").read_text(encoding="utf-8").splitlines()
        alarms = [json.loads(line) for line in lines if line]
        newest = {a["id"]: a for a in alarms if a["cause"] == f"thread_lost:{thread}"}
        return any(not a["cleared"] and "has not reported" in a["what"] for a in newest.values())

    def rows(self):
        """The threads that the session's ledger on the disk says were lost."""
        (file,) = (self.room.folder / "recordings").glob(f"*{SUFFIX}")
        return {row.stream for row in read_rows(file, growing=True) if row.kind == "thread_lost"}

    def device_is_safe(self):
        """The device's own signed word, heard by this process."""
        return devices.watch_status(devices.pairing(self.room.folder, "glove"), timeout=20.0).is_safe

    def reset(self):
        """Out of the safe state, as far as the broken engine still gets."""
        while True:
            try:
                self.client.reset_stop()
                return
            except Refused as refused:
                if "moment" not in str(refused):
                    return
            PAUSE.wait(0.1)


@pytest.fixture(scope="module")
def broken(make_room, tmp_path_factory):
    """One engine for the module: the tests stand in the order in which it can still be used."""
    made = Broken(make_room(), tmp_path_factory.mktemp("order") / "order.json")
    try:
        made.attach()
        yield made
        made.client.close()
    finally:
        made.release()
        made.process.kill()
        made.process.wait()


def found(engine, name, how):
    """Break one thread; the effector must become safe, with alarm, row and status."""
    engine.break_thread(name, how)
    alarm = engine.alarm(name)
    until(lambda: engine.status()["effector"]["state"] == "FAULT_SAFE")
    status = engine.status()
    assert alarm["priority"] == "high"
    assert name in alarm["what"]
    assert any(row["kind"] == "thread_lost" and row["stream"] == name for row in status["ledger"])
    assert engine.order.exists() is False
    return alarm


def hung(engine, *names, stop):
    """Hang threads together: alarm, row, safe state; ``stop`` works meanwhile; they report back."""
    for name in names:
        engine.break_thread(name, "hang")
    for name in names:
        until(lambda name=name: engine.journalled(name))
    assert engine.device_is_safe()
    stop()
    engine.release()
    for name in names:
        until(lambda name=name: name not in engine.lost())
        alarm = engine.alarm(name)
        assert alarm["priority"] == "high"
        assert alarm["cleared"]
        assert f"thread {name} has not reported" in alarm["what"]
        until(lambda name=name: name in engine.rows())
    assert engine.status()["effector"]["state"] in ("FAULT_SAFE", "ESTOP")
    assert "standstill" not in [alarm["key"] for alarm in engine.status()["alarms"]]
    while alarms := engine.status()["alarms"]:
        for alarm in alarms:
            # One whose cause goes between the status and this request leaves by itself: a reset acknowledges too.
            with suppress(BadValue):
                engine.client.acknowledge(alarm["id"], by="tests")
        engine.reset()
        PAUSE.wait(0.1)


def stop_from_outside(engine):
    """The second path of a STOP: the living engine takes it and the device confirms it."""
    outcome = runs.stop_session(engine.room.folder, "tests")
    assert outcome.sentence.startswith("The engine took the STOP. The device confirms:"), outcome.sentence
    assert outcome.confirmed


def stop_by_the_door(engine):
    engine.client.stop("tests")
    until(lambda: engine.status()["effector"]["stop"]["confirmed"])


@pytest.mark.parametrize("name", some(["loop", "door", "supervisor"]))
def test_a_thread_that_hangs_is_a_fault_and_the_second_path_of_a_stop_works(broken, name):
    hung(broken, name, stop=lambda: stop_from_outside(broken))


def test_listeners_inlets_and_clocks_that_hang_are_a_fault_each_and_the_second_path_of_a_stop_works(broken):
    names = broken.status()["engine"]["supervised"]
    quiet = [name for name in names if name.startswith(("listener-", "inlet-", "clock-"))]
    assert {name.split("-")[0] for name in quiet} == {"listener", "inlet", "clock"}
    hung(broken, *quiet, stop=lambda: stop_from_outside(broken))


def test_a_stop_file_watcher_that_hangs_is_a_fault_and_the_first_path_of_a_stop_works(broken):
    hung(broken, "stop-file", stop=lambda: stop_by_the_door(broken))


def test_every_supervised_thread_has_been_made_to_hang(broken):
    hangs = ("door", "supervisor", "loop", "stop-file", "listener-", "inlet-", "clock-", "journal-sync")
    assert [name for name in broken.status()["engine"]["supervised"] if not name.startswith(hangs)] == []


def test_what_hangs_in_a_run_leads_to_the_safe_state_and_is_reported_back(broken, fast):
    signal_name = broken.status()["streams"][0]["name"]
    broken.client.start_run("calibration", "grasp_rest", fast, n_trials=40)
    broken.client.wait("running", timeout=60)
    for name in ("loop", f"inlet-{signal_name}", "journal-sync"):
        broken.break_thread(name, "hang")
        until(lambda name=name: name in broken.lost())
        alarm = broken.alarm(name)
        broken.release()
        until(lambda name=name: name not in broken.lost())
        assert "has not reported" in alarm["what"]
        assert broken.status()["effector"]["state"] == "FAULT_SAFE"
        broken.client.acknowledge(alarm["id"], by="tests")
        until(lambda alarm=alarm: alarm["id"] not in [a["id"] for a in broken.status()["alarms"]])
        broken.reset()


def test_a_recording_whose_sync_thread_ends_is_a_fault(broken):
    alarm = found(broken, "journal-sync", "raise")
    assert "Injected" in alarm["what"]
    broken.client.end_run()
    broken.client.wait("run", timeout=60)
    broken.reset()


def test_every_thread_of_the_engine_is_supervised_and_each_that_raises_leads_to_the_safe_state(broken):
    engine = broken.status()["engine"]
    signal_name = broken.status()["streams"][0]["name"]

    def listeners():
        """Those that run now: an outlet that a busy machine lost is listened to again under another number."""
        return [name for name in broken.status()["engine"]["supervised"] if name.startswith("listener-")]

    def raises(name):
        alarm = found(broken, name, "raise")
        assert "Injected" in alarm["what"]
        broken.client.acknowledge(alarm["id"], by="tests")
        broken.reset()

    assert engine["unsupervised"] == []
    ours = ["door", "stop-file", f"inlet-{signal_name}", "supervisor", f"clock-{signal_name}", "loop"]
    running = [name for name in engine["supervised"] if not name.startswith("listener-")]
    assert sorted(ours) == running
    assert len(listeners()) >= 3  # what is announced, acknowledgements, status
    for name in ours[:3]:
        raises(name)
    for _ in range(3):
        raises(listeners()[0])
    raises("supervisor")


def test_an_engine_whose_stop_file_nobody_watches_is_killed_by_a_stop_and_the_device_confirms(broken):
    if "stop-file" in broken.status()["engine"]["supervised"]:  # no test before this one has ended it
        broken.break_thread("stop-file", "hang")
        until(lambda: broken.journalled("stop-file"))
    outcome = runs.stop_session(broken.room.folder, "tests")
    assert "did not take the STOP within 1 s and was killed. The device confirms:" in outcome.sentence
    assert outcome.confirmed
