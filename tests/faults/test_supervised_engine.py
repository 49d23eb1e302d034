"""Each thread of a real engine is broken in turn: safe state of the effector, an alarm and a row say why."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.faults.test_engine_ends import PAUSE, until
from workbench import live
from workbench.errors import Refused
from workbench.live import _place
from workbench.live._place import Place

pytestmark = pytest.mark.timeout(120)

class Broken:
    """An engine that can be broken from inside, with an effector in IDLE_SAFE."""

    def __init__(self, room, order):
        self.order = order
        plan = room.plan(glove=True, speed=1.0, script_present=True)
        place = Place(room.folder)
        place.prepare()
        _place.write_private(place.plan, plan.to_json().encode())
        log = (room.folder / "engine" / "engine.log").open("ab")
        command = [sys.executable, "-m", "workbench.stress.breakable", str(room.folder), str(order)]
        self.process = subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True)
        log.close()
        self.room = room

    def attach(self):
        until(lambda: "endpoint" in (live.find(self.room.folder) or {}))
        self.client = live.attach(self.room.folder, timeout=60)
        self.client.wait("idle", timeout=100)
        self.client.wait("ready", timeout=60)

    def status(self):
        return self.client.status()

    def lost(self):
        return self.status()["engine"]["lost"]

    def break_thread(self, name, how):
        self.order.write_text(json.dumps({"thread": name, "how": how}))
        if how == "hang":
            self.order.with_suffix(".hang").touch()
        os.kill(self.process.pid, signal.SIGUSR1)

    def release(self):
        self.order.with_suffix(".hang").unlink(missing_ok=True)

    def alarm(self, thread):
        """The alarm about a thread, once it is there."""
        found = []

        def there():
            found[:] = [
                a
                for a in self.status()["alarms"]
                if (a["key"], a["args"].get("thread")) == ("thread_lost", thread) and a["acknowledged"] is None
            ]
            return bool(found)

        until(there)
        return found[0]

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
    assert name in alarm["args"]["sentence"]
    assert any(row["kind"] == "thread_lost" and row["stream"] == name for row in status["ledger"])
    assert engine.order.exists() is False
    return alarm


def test_an_inlet_or_the_loop_that_stands_still_leads_to_the_safe_state_and_is_reported_back(broken, fast):
    signal_name = broken.status()["streams"][0]["name"]
    broken.client.start_run("calibration", "grasp_rest", fast, n_trials=40)
    broken.client.wait("running", timeout=60)
    for name in ("loop", f"inlet-{signal_name}"):
        broken.break_thread(name, "hang")
        until(lambda name=name: name in broken.lost())
        alarm = broken.alarm(name)
        broken.release()
        until(lambda name=name: name not in broken.lost())
        assert "has not reported" in alarm["args"]["sentence"]
        assert broken.status()["effector"]["state"] == "FAULT_SAFE"
        broken.client.acknowledge(alarm["id"], by="tests")
        until(lambda alarm=alarm: alarm["id"] not in [a["id"] for a in broken.status()["alarms"]])
        broken.reset()


def test_a_recording_whose_sync_thread_ends_is_a_fault(broken):
    alarm = found(broken, "journal-sync", "raise")
    assert "Injected" in alarm["args"]["sentence"]
    broken.client.end_run()
    broken.client.wait("run", timeout=60)
    broken.reset()


def test_every_thread_of_the_engine_is_supervised_and_each_that_raises_leads_to_the_safe_state(broken):
    engine = broken.status()["engine"]
    signal_name = broken.status()["streams"][0]["name"]
    assert engine["unsupervised"] == []
    listeners = [name for name in engine["supervised"] if name.startswith("listener-")]
    order = ["door", "stop-file", f"inlet-{signal_name}", *listeners, "supervisor"]
    assert sorted([*order, f"clock-{signal_name}", "loop"]) == engine["supervised"]
    assert len(listeners) >= 3  # what is announced, acknowledgements, status
    for name in order:
        alarm = found(broken, name, "raise")
        assert "Injected" in alarm["args"]["sentence"]
        broken.client.acknowledge(alarm["id"], by="tests")
        broken.reset()
