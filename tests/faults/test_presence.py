"""A real engine with an armed hand and nobody before the screen: no activation, then released and disarmed."""

from __future__ import annotations

import contextlib

import pytest

from tests.processes import PAUSE, resume, suspend, until
from workbench import devices, runs
from workbench.errors import Refused
from workbench.live.client import READY
from workbench.recording import RunFile
from workbench.stress.reloads import Page

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def online(make_room, fast):
    """A room in an online run of an approved decoder, with pages to be opened and no script in their place."""
    room = make_room()
    client = room.start(room.plan(glove=True, script_present=False, absence_s=4.0, speed=4.0))
    run = client.start_run("calibration", "grasp_rest", fast, n_trials=6, seed=1)
    client.wait("run", timeout=120)
    fitted = runs.run_fit(room.folder, [room.folder / "recordings" / f"{run}.xdf"], "bandpower_lda")
    room.approve(fitted)
    recover(client)
    client.start_run("online", "grasp_rest", fast, n_trials=400, decoder_folder=fitted["folder"])
    client.wait("running", timeout=60)
    recover(client)
    return room, client


def recover(client):
    """Out of a fault that a busy machine caused, into readiness and, where it was paused, on with the run."""
    while (client.status()["effector"] or {}).get("state") not in READY:
        with contextlib.suppress(Refused):
            client.reset_stop()
        with contextlib.suppress(Refused):
            client.resume()
        PAUSE.wait(0.2)


@pytest.mark.job
def test_nothing_is_armed_while_nobody_is_there(online):
    _, client = online
    with pytest.raises(Refused, match="nobody is there: no visible page"):
        client.arm("Dr. A")


def test_a_page_that_goes_away_for_longer_than_the_plan_allows_has_the_effector_released_and_disarmed(online):
    _, client = online
    page = Page(client)
    page.open.set()
    until(lambda: client.status()["presence"]["state"] == "present")
    client.arm_when_ready("Dr. A")
    page.reload(0.5)
    until(lambda: client.status()["presence"]["pages"] >= 1)
    assert client.status()["effector"]["state"] not in ("IDLE_SAFE", "FAULT_SAFE", "ESTOP")
    page.open.clear()
    until(lambda: client.status()["presence"]["state"] == "absent")
    until(lambda: "operator_absent" in [alarm["key"] for alarm in client.status()["alarms"]])
    until(lambda: client.status()["effector"]["state"] == "IDLE_SAFE")
    rows = [row for row in client.status()["ledger"] if row["kind"] == "operator_absent"]
    assert [row["consequence"] for row in rows] == [
        "the effector was told to release; disarmed",
        "no activation begins; a running one ends by its own rule",
    ]
    page.open.set()
    until(lambda: client.status()["presence"]["state"] == "present")
    until(lambda: [a["cleared"] for a in client.status()["alarms"] if a["key"] == "operator_absent"] == [True])
    page.close()


def test_a_script_arms_a_device_that_lapsed_between_being_ready_and_being_armed(online, monkeypatch):
    room, client = online
    page = Page(client)
    page.open.set()
    until(lambda: client.status()["presence"]["state"] == "present")
    glove, ready = devices.running_device(devices.pairing(room.folder, "glove")), []
    real = client.make_ready

    def lapses_once(timeout):
        ready.append(real(timeout)["effector"]["state"])
        if len(ready) == 1:
            suspend(glove)
            until(lambda: client.status()["effector"]["state"] == "FAULT_SAFE")
            resume(glove)

    monkeypatch.setattr(client, "make_ready", lapses_once)
    client.arm_when_ready("Dr. A")
    assert ready == ["IDLE_SAFE", "IDLE_SAFE"]
    assert client.status()["effector"]["state"] in ("ARMED", "ACTIVE", "HOLD")
    client.disarm("Dr. A")
    until(lambda: client.status()["effector"]["state"] == "IDLE_SAFE")
    page.close()


def test_a_record_without_a_decision_on_the_decoder_arms_nothing_whatever_the_client_says(online):
    room, client = online
    page = Page(client)
    page.open.set()
    until(lambda: client.status()["presence"]["state"] == "present")
    sha256 = client.status()["decoder"]["sha256"]
    for grant in (None, {"approved_sha256": sha256}, {"payload": {"decoder_sha256": sha256}, "epoch": 1}):
        with pytest.raises(Refused):
            client._ask("arm", by="tests", grant=grant)
    with pytest.raises(Refused):
        client._ask("arm", by="tests", approved_sha256=sha256)
    assert client.status()["effector"]["state"] == "IDLE_SAFE"
    page.close()


def test_a_run_that_ends_with_the_hand_closed_holds_the_release_and_its_answer_and_recomputes_them(online):
    room, client = online
    page = Page(client)
    page.open.set()
    until(lambda: client.status()["presence"]["state"] == "present")
    client.arm_when_ready("Dr. A")
    until(lambda: client.status()["effector"]["state"] in ("ACTIVE", "HOLD"))
    client.end_run()
    ended = client.wait("run")["run"]
    page.close()
    run = RunFile(room.folder / ended["recording"])
    orders = [command for command in run.commands() if command.action != "heartbeat"]
    assert orders[-1].action == "release"
    # An order is repeated under a new number until an answer to any comes; one may still be on its way then.
    last_close = max(command.seq for command in orders if command.action == "close")
    released = {command.seq for command in orders if command.seq > last_close}
    assert released & {ack.seq for ack in run.acks() if ack.status == "ok"}, run.ledger()
    found = runs.replay_run(run.path)
    assert found.equal, found.sentence
    assert found.n_commands == len(run.commands()) > 0
