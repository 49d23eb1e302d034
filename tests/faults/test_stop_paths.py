"""STOP from outside on one real engine and glove: living, frozen, dead; the device's own word decides the exit."""

from __future__ import annotations

import time

import pytest

from tests.processes import exists, resume, suspend, until
from workbench import devices, live
from workbench.commands import main
from workbench.errors import EngineFault, Refused
from workbench.live.client import REPLY_S
from workbench.widgets import LiveSession

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def worn(make_room):
    """A room with an engine whose glove passed its self-test; the tests stand in the order of its decline."""
    room = make_room()
    client = room.start(room.plan(glove=True, speed=1.0))
    client.make_ready()
    pairing = devices.pairing(room.folder, "glove")
    yield room, client, pairing
    for pid in (client.pid, devices.running_device(pairing)):
        if pid is not None and exists(pid):
            resume(pid)
    devices.end_device(pairing)


def test_a_stop_from_outside_is_confirmed_by_the_device_and_shown_as_such(worn, capsys):
    room, client, _ = worn
    assert main(["stop", str(room.folder), "--reason", "hand pinched"]) == 0
    assert "The engine took the STOP. The device confirms:" in capsys.readouterr().out
    until(lambda: client.status()["effector"]["stop"]["confirmed"])
    status = client.status()
    assert status["effector"]["state"] == "ESTOP"
    assert status["session"]["stopped"] == "hand pinched"
    until(lambda: client.status()["alarms"][0]["what"] == "STOP, confirmed by the device: hand pinched.")
    assert "hardware stop" not in client.status()["alarms"][0]["do"]


def test_a_frozen_device_is_never_reported_as_stopped(worn, capsys):
    room, client, pairing = worn
    client.reset_stop()
    client.make_ready()
    glove = devices.running_device(pairing)
    suspend(glove)
    assert main(["stop", str(room.folder)]) == 1
    said = capsys.readouterr().err
    assert "STOP not confirmed: use the hardware stop" in said
    status = client.status()
    assert status["effector"]["stop"]["confirmed"] is False
    assert status["alarms"][0]["key"] == "estop"
    assert status["alarms"][0]["what"].startswith("STOP sent, not acknowledged")
    assert status["alarms"][0]["do"].startswith("Use the hardware stop")
    resume(glove)


def fault_alarm(client):
    """The alarm of the effector's fault, empty before it is raised."""
    empty = {"what": "", "means": "", "do": ""}
    return next((one for one in client.status()["alarms"] if one["key"] == "effector_fault"), empty)


def test_a_script_resets_a_fault_before_it_arms_and_never_a_stop(worn):
    room, client, pairing = worn
    with pytest.raises(Refused, match="ESTOP"):
        client.make_ready()
    client.reset_stop()
    client.make_ready()
    glove = devices.running_device(pairing)
    suspend(glove)
    until(lambda: client.status()["effector"]["state"] == "FAULT_SAFE")
    # While the device is silent, the alarm says so and nobody may take it for safe; then it says it itself.
    until(lambda: "use the hardware stop" in fault_alarm(client)["do"])
    assert fault_alarm(client)["what"].startswith("Effector fault:")
    resume(glove)
    until(lambda: fault_alarm(client)["means"] == "The device reports that it is safe and off.")
    assert client.make_ready()["effector"]["state"] == "IDLE_SAFE"
    until(lambda: not fault_alarm(client)["what"])


def test_a_stop_of_a_page_that_a_frozen_engine_did_not_take_reaches_it_when_it_wakes(worn):
    room, client, pairing = worn
    screen = LiveSession(live.attach(room.folder))
    until(lambda: screen.status and not screen.status["session"]["stopped"])
    suspend(client.pid)
    # No open socket is left whose request would wait in the engine.
    until(lambda: screen.link["state"] == "lost")
    with pytest.raises(EngineFault, match="use the hardware stop"):
        screen.requests()["stop"]()
    resume(client.pid)
    until(lambda: client.status()["session"]["stopped"] and client.status()["effector"]["stop"]["confirmed"])
    assert devices.watch_status(pairing).level == 0.0
    # It was owed once: after a reset nothing stops by itself.
    client.reset_stop()
    until(lambda: not screen.status["session"]["stopped"])
    beat = screen.beat
    until(lambda: screen.beat > beat + 5)
    assert not client.status()["session"]["stopped"]
    screen.close()


def test_a_frozen_engine_is_noticed_long_before_a_reply_times_out_and_a_stop_kills_it(worn, capsys):
    room, client, pairing = worn
    suspend(client.pid)
    began = time.monotonic()
    with pytest.raises(EngineFault, match="hardware stop"):
        client.status()
    assert time.monotonic() - began < REPLY_S / 2
    assert main(["stop", str(room.folder)]) == 0
    said = capsys.readouterr().out
    assert "did not take the STOP within 1 s and was killed. The device confirms:" in said
    until(lambda: not exists(client.pid))
    with pytest.raises(EngineFault, match="has ended"):
        client.status()
    assert devices.watch_status(pairing).level == 0.0


def test_without_an_engine_the_device_itself_is_stopped(worn, capsys):
    room, _, pairing = worn
    assert live.find(room.folder) is None
    assert main(["stop", str(room.folder)]) == 0
    assert "No engine runs for this study. The device confirms:" in capsys.readouterr().out
    assert devices.end_device(pairing)
    assert main(["stop", str(room.folder)]) == 1
    assert "use the hardware stop" in capsys.readouterr().err


def test_a_study_without_a_session_has_nothing_to_stop(tmp_path, capsys):
    assert main(["stop", str(tmp_path)]) == 2
    assert "no session has run" in capsys.readouterr().err
