"""The engine in a run is told to end, or its disk fills: real processes, nothing lost, and a sentence says why."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess

import pytest

from tests.processes import exists, until
from tests.shares import in_release
from workbench import live, runs
from workbench.recording import RunFile
from workbench.recording.recover import inspect
from workbench.study import verify

pytestmark = pytest.mark.timeout(180)


def running(room, fast, **changes):
    """A client in the middle of a run of which a trial is done."""
    client = room.start(room.plan(**changes))
    client.start_run("calibration", "grasp_rest", fast, n_trials=40)
    until(lambda: (client.status().get("run") or {}).get("trials_done", 0) >= 1)
    return client


def gone(room) -> None:
    """Wait until no engine runs for the study, and let go of it."""
    until(lambda: live.find(room.folder) is None)
    while room.clients:
        room.clients.pop().close()


def players(room) -> list[int]:
    """Processes of the players that the engine started, by its log."""
    log = (room.folder / "engine" / "engine.log").read_text(encoding="utf-8")
    return [int(pid) for pid in re.findall(r"player \w+ started as process (\d+)", log)]


@pytest.mark.parametrize(
    ("number", "states", "why"),
    [
        pytest.param(signal.SIGTERM, ("stopped",), ["the engine was asked to end by the system"], id="SIGTERM"),
        *in_release([pytest.param(signal.SIGHUP, ("stopped", "recovered"), None, id="SIGHUP")]),
    ],
)
def test_a_signal_in_a_run_ends_engine_and_players_and_keeps_the_run(make_room, fast, number, states, why):
    room = make_room()
    client = running(room, fast, glove=True)
    started, path = players(room), room.folder / client.status()["run"]["recording"]
    assert len(started) == 2
    os.kill(client.pid, number)
    gone(room)
    until(lambda: not any(exists(pid) for pid in (client.pid, *started)))
    said = runs.ingest_pending(room.study)
    assert any("taken into the record" in sentence for sentence in said), said
    (run,) = room.study.rows("run")
    found = inspect(path)
    assert run["state"] in states
    assert found.state == run["state"]
    assert (found.torn_bytes, found.damage) == (0, ())
    assert len(room.study.rows("trial", run_id=run["id"], outcome="recorded")) >= 1
    ended = [m.detail["sentence"] for m in RunFile(path).markers() if m.kind == "end"]
    assert why is None or ended == why
    assert verify(room.folder).ok


@pytest.mark.release
def test_a_disk_that_fills_in_a_run_fails_the_run_and_not_the_engine(make_room, fast):
    room = make_room()
    client = running(room, fast)
    path = room.folder / client.status()["run"]["recording"]
    soft, hard = resource.prlimit(client.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(client.pid, resource.RLIMIT_FSIZE, (path.stat().st_size + 200_000, hard))
    until(lambda: client.status()["run"]["state"] not in ("running", "paused"))
    run = client.status()["run"]
    assert run["state"] == "failed"
    assert "cannot be written further (File too large)" in run["sentence"]
    assert "Free space or choose another folder, then start a new run." in run["sentence"]
    (alarm,) = [a for a in client.status()["alarms"] if a["key"] == "run_failed"]
    assert alarm["priority"] == "high"
    resource.prlimit(client.pid, resource.RLIMIT_FSIZE, (soft, hard))
    client.start_run("calibration", "grasp_rest", fast, n_trials=1)
    assert client.wait("run", timeout=60)["run"]["state"] == "finished"
    client.shutdown()
    gone(room)
    runs.ingest_pending(room.study)
    first, second = sorted(room.study.rows("run"), key=lambda row: row["number"])
    assert (first["state"], second["state"]) == ("recovered", "finished")
    assert len(room.study.rows("trial", run_id=first["id"])) >= 1
    assert len(room.study.rows("ledger", run_id=first["id"], kind="recovered")) == 1
    assert inspect(path).torn_bytes == 0
    assert verify(room.folder).ok


@pytest.fixture
def small_disk(make_room):
    """A room on a disk of 96 MB; skips where mounting is not allowed."""
    room = make_room()
    folder = room.folder / "recordings"
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield room
    room.close()
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_run_is_ended_in_good_order_before_the_disk_is_full(small_disk, fast):
    room = small_disk
    client = running(room, fast, reserve_mb=30.0)
    path = room.folder / client.status()["run"]["recording"]
    filler = room.folder / "recordings" / "filler"
    filler.write_bytes(bytes(70_000_000))
    until(lambda: client.status()["run"]["state"] not in ("running", "paused"))
    run = client.status()["run"]
    assert run["state"] == "stopped"
    assert re.fullmatch(r"the disk has \d+ MB free, fewer than the 30 MB kept in reserve", run["sentence"])
    assert inspect(path).state == "stopped"
    filler.unlink()
    runs.ingest_pending(room.study)
    (row,) = room.study.rows("ledger", kind="disk")
    assert (row["priority"], row["consequence"]) == ("high", "the run was ended; all of it is recorded")
