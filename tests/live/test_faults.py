"""What the engine says and does when something breaks: each fault a clear sentence, nothing recorded is lost."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import uuid

import numpy as np
import psutil
import pytest

from tests.live.conftest import rooms
from workbench import devices, live, runs
from workbench.devices import lsl
from workbench.engine.players import player_options
from workbench.errors import BadValue, RecordingFault, Refused, StreamFault
from workbench.live import _engine_folder, _starting
from workbench.recording import RunFile
from workbench.vocabulary import StreamSpec


@pytest.fixture
def make_room(tmp_path_factory):
    """Call it for a new room; it is closed with its test, so that no engine takes time from the next one."""
    with rooms(tmp_path_factory) as make:
        yield make


def until(client, condition):
    """Wait for a status that meets a condition; pytest's own timeout ends a hopeless wait."""
    pause = threading.Event()
    while not condition(status := client.status()):
        pause.wait(0.05)
    return status


def test_kill_9_of_the_engine_loses_at_most_a_second_and_no_trial(make_room, fast):
    room = make_room()
    plan = room.plan(speed=4.0)
    client = room.start(plan)
    run_id = client.start_run("calibration", "grasp_rest", fast, n_trials=100, seed=1)
    status = until(client, lambda s: s["run"]["trials_done"] >= 2)
    trials, seen_s = status["run"]["trials_done"], status["run"]["elapsed_s"]
    os.kill(client.pid, signal.SIGKILL)
    until_gone = threading.Event()
    while live.find(room.folder) is not None:
        until_gone.wait(0.05)
    assert "is gone" in live.end_stale(room.folder)
    said = runs.ingest_pending(room.study)
    assert "is not running" in said[0]
    assert "was never closed" in said[1]
    assert "recovered, taken into the record. It is quarantined." in said[2]
    run = RunFile(room.folder / "recordings" / f"{run_id}.xdf")
    assert run.state == "recovered"
    assert len(run.trials()) >= trials
    assert len(run.signal.stamps) >= (seen_s - 1.0) * 1000.0
    row = room.study.get("run", run_id)
    assert (row["state"], row["summary"]["quarantined"]) == ("recovered", True)
    assert room.study.rows("ledger", run_id=run_id)[-1]["kind"] == "recovered"
    assert runs.replay_run(run.path).equal
    assert runs.ingest_pending(room.study)[1:] == []
    next_one = room.start(room.plan())
    assert next_one.status()["engine"]["state"] == "idle"
    kinds = [row["kind"] for row in next_one.status()["ledger"]]
    assert "stale_lock" in kinds
    assert live.end_stale(room.folder) == ""


def high_alarms(status):
    """Kinds of the alarms of high priority whose cause lasts."""
    return [alarm["key"] for alarm in status["alarms"] if not alarm["cleared"] and alarm["priority"] == "high"]


@pytest.mark.job
def test_a_stream_of_another_outlet_is_lost_until_an_operator_takes_it(make_room, fast):
    room = make_room()
    plan = room.plan(speed=1.0, glove=True)
    person, glove = plan.players
    played = player_options(plan, person)
    player = devices.start("simulated_participant", played)
    client = room.start(dataclasses.replace(plan, players=(glove,)))
    client.start_run("calibration", "grasp_rest", fast, n_trials=6)
    until(client, lambda s: ((s["run"] or {}).get("cue") or {}).get("label") == "grasp")
    devices.stop(player)
    lost = until(client, lambda s: s["streams"][0]["state"] == "lost")
    assert lost["run"]["state"] == "paused"
    assert lost["effector"]["state"] == "FAULT_SAFE"
    assert lost["alarms"][0]["key"] == "stream_lost"
    assert lost["alarms"][0]["priority"] == "high"
    assert "stopped" in lost["streams"][0]["message"]
    with pytest.raises(Refused, match="is lost; bring it back first"):
        client.resume()
    player = devices.start("simulated_participant", played)
    offered = until(client, lambda s: "Another outlet announces" in s["streams"][0]["message"])
    assert offered["streams"][0]["state"] == "lost"
    with pytest.raises(Refused, match="is lost; bring it back first"):
        client.resume()
    assert client.reconnect() == []
    back = until(client, lambda s: s["streams"][0]["state"] == "good")
    assert back["run"]["state"] == "paused"
    # The stream is back, and its effector waits in the safe state for a reset: that alone is still an alarm.
    until(client, lambda s: high_alarms(s) == ["effector_fault"])
    client.make_ready()
    until(client, lambda s: high_alarms(s) == [])
    client.resume()
    until(client, lambda s: s["run"]["state"] == "running")
    client.end_run()
    ended = client.wait("run", timeout=60)
    devices.stop(player)
    run = RunFile(room.folder / ended["run"]["recording"])
    kinds = [row.kind for row in run.ledger()]
    assert kinds.index("stream_lost") < kinds.index("other_outlet")
    assert kinds.index("other_outlet") < kinds.index("outlet_taken") < kinds.index("stream_back")
    gap = next(m for m in run.markers() if m.kind == "gap")
    assert gap.detail["missing_s"] > 0.5
    assert run.trials()[0].outcome == "excluded"
    assert runs.replay_run(run.path).equal


@pytest.mark.release
def test_a_stream_that_never_comes_back_leaves_a_whole_recording(make_room, fast):
    room = make_room()
    plan = room.plan()
    player = devices.start("simulated_participant", player_options(plan, plan.players[0]))
    client = room.start(dataclasses.replace(plan, players=()))
    client.start_run("calibration", "grasp_rest", fast, n_trials=50)
    client.wait("running")
    devices.stop(player)
    until(client, lambda s: s["streams"][0]["state"] == "lost")
    client.end_run()
    ended = client.wait("run")["run"]
    assert ended["state"] == "finished"
    assert "of 50 trials" in ended["sentence"]
    run = RunFile(room.folder / ended["recording"])
    assert run.state == "finished"
    with pytest.raises(Refused, match="critical stream .* is lost"):
        client.start_run("calibration", "grasp_rest", fast, n_trials=2)


def test_bad_electrodes_block_arming_and_are_named(make_room, fast):
    faults = [{"kind": "saturation", "at_s": 0.0, "channels": [2]}]
    room = make_room()
    client = room.start(room.plan(glove=True, options={"faults": faults}))
    saturated = room.plan().signal.channels[2]
    until(client, lambda s: [c["name"] for c in s["quality"]["channels"] if c["state"] == "bad"] == [saturated])
    client.start_run("calibration", "grasp_rest", fast, n_trials=50)
    client.wait("running")
    until(client, lambda s: s["effector"]["state"] == "IDLE_SAFE" and s["quality"]["state"] == "bad")
    with pytest.raises(Refused, match="No decoder is loaded .* Signal quality is bad"):
        client.arm()


def test_a_recording_that_cannot_be_written_is_a_sentence(make_room, fast):
    room = make_room()
    client = room.start(room.plan(reserve_mb=1e12))
    with pytest.raises(RecordingFault, match="kept in reserve"):
        client.start_run("calibration", "grasp_rest", fast, n_trials=2)
    (room.folder / "recordings" / "mine.xdf").write_text("somebody else's")
    with pytest.raises(RecordingFault, match="kept in reserve"):
        client.start_run("calibration", "grasp_rest", fast, n_trials=2, run_id="mine")


def failing(room, plan, *, error=StreamFault):
    """The sentence with which a start fails; no engine is left behind."""
    before = set(psutil.Process().children())
    with pytest.raises(error) as caught:
        live.start(plan)
    assert live.find(room.folder) is None
    # Not only its lock is gone: what it held of streams and devices is free for the next start.
    assert set(psutil.Process().children()) <= before
    return str(caught.value)


def test_a_missing_stream_names_what_was_seen(make_room):
    room = make_room()

    def wrong(spec):
        return (dataclasses.replace(spec, name="Amplifier"),)

    said = failing(room, room.plan(contract=wrong, resolve_s=2.0))
    assert "'Amplifier'" in said
    assert "was not found within 2 s" in said
    assert "Start its source, or correct name, type" in said
    assert "wb-sim-neo" in said


@pytest.mark.release
def test_a_wrong_rate_is_named(make_room):
    room = make_room()
    said = failing(room, room.plan(options={"announced_fs": 500.0}, resolve_s=2.0))
    assert "rate is 500 Hz, expected 1000 Hz" in said


def test_two_matching_streams_are_both_named(make_room):
    room = make_room()
    faults = [{"kind": "duplicate_stream", "at_s": 0.0}]
    said = failing(room, room.plan(options={"faults": faults}, resolve_s=3.0))
    assert "was found 2 times" in said


def test_a_player_that_does_not_start_says_why(make_room):
    room = make_room()
    assert "no option 'colour'" in failing(room, room.plan(options={"colour": "red"}), error=BadValue)


@pytest.mark.release
def test_a_missing_stream_that_is_not_critical_can_be_waived(make_room, fast):
    room = make_room()
    force = StreamSpec(
        "Force", "Force", 100.0, ("grip",), "N", f"force-{uuid.uuid4()}", critical=False, role="aux"
    )
    losses = {"check": "loss", "text": "3 of 5003 samples lost", "reason": "wireless", "by": "Lin Q.", "at": ""}
    setup = {"sha256": "ab", "connections": [{"stream": {"name": "Force"}, "waivers": [losses]}]}
    client = room.start(room.plan(contract=lambda spec: (spec, force), resolve_s=2.0, setup=setup))
    stream = client.status()["streams"][1]
    assert stream["state"] == "missing"
    assert "was not found" in stream["message"]
    with pytest.raises(Refused, match="can be waived"):
        client.start_run("calibration", "grasp_rest", fast, n_trials=1)
    client.waive("Force", "sensor in repair")
    assert client.status()["streams"][1]["state"] == "waived"
    client.start_run("calibration", "grasp_rest", fast, n_trials=1)
    assert client.wait("run", timeout=60)["run"]["state"] == "finished"
    run = RunFile(room.folder / client.status()["run"]["recording"])
    assert run.plan["waived"] == {"Force": "sensor in repair"}
    runs.ingest_pending(room.study)
    waivers = [(row["stream"], row["extent"]) for row in room.study.rows("session_ledger", kind="waiver")]
    # That of the set-up's check stands before the one that the operator gave.
    assert waivers == [("Force", "3 of 5003 samples lost; wireless"), ("Force", "sensor in repair")]


@pytest.mark.release
def test_cues_of_another_program_and_a_second_stream_are_recorded(make_room, fast):
    room = make_room()
    stem = uuid.uuid4()
    texts = StreamSpec("cues", "Markers", 0.0, source_id=f"cues-{stem}", role="markers")
    grip = StreamSpec("grip", "Force", 50.0, ("grip",), "N", source_id=f"grip-{stem}", role="aux")
    lsl.configure()
    outlets = {spec.name: lsl.Outlet(spec) for spec in (texts, grip)}
    pushing = threading.Event()

    def push():
        sent, t0 = 0, lsl.local_clock()
        while not pushing.wait(0.02):
            n = int((lsl.local_clock() - t0) * 50.0) - sent
            rows = np.arange(sent, sent + n, dtype=np.float32)
            outlets["grip"].push(rows[:, None], t0 + (rows.astype(float)) / 50.0)
            sent += n

    thread = threading.Thread(target=push)
    thread.start()
    try:
        plan = room.plan(
            speed=1.0, contract=lambda spec: (spec, texts, grip), cue_source="stream", labels={"T1": "grasp"}
        )
        client = room.start(plan)
        client.start_run("calibration", "grasp_rest", {**fast, "rest_s": 0.5, "attempt_s": 0.5}, n_trials=2)
        client.wait("running")
        until(client, lambda s: s["run"]["elapsed_s"] > 0.5)
        for text in ("T1", "rest", "noise", "T1", "rest"):
            outlets["cues"].push_text(text, lsl.local_clock())
            elapsed = client.status()["run"]["elapsed_s"]
            until(client, lambda s, e=elapsed: s["run"]["elapsed_s"] > e + 0.6 or s["run"]["state"] == "finished")
        ended = client.wait("run", timeout=60)
    finally:
        pushing.set()
        thread.join()
    run = RunFile(room.folder / ended["run"]["recording"])
    assert [m.label for m in run.markers() if m.kind == "cue"][:4] == ["grasp", "rest", "grasp", "rest"]
    assert [m.label for m in run.markers() if m.kind == "note"] == ["noise"]
    assert len(run.trials()) == 2
    assert "T1" in run.file.stream("cues").texts
    steps = np.diff(run.file.stream("grip").values[:, 0])
    assert len(steps) > 50
    assert set(steps.tolist()) == {1.0}
    assert runs.replay_run(run.path).equal


def test_an_engine_without_a_plan_says_so(tmp_path):
    engine_folder = _engine_folder.EngineFolder(tmp_path)
    engine_folder.prepare()
    process = _starting._spawn(engine_folder)
    assert process.wait(30) == 2
    outcome = _engine_folder.read_json(engine_folder.outcome)
    assert "no session plan" in outcome["sentence"]


@pytest.fixture(scope="module")
def idle(tmp_path_factory):
    """A room with a session in which nothing runs, for the last tests here: the very last one ends it."""
    with rooms(tmp_path_factory) as make:
        room = make()
        yield room, room.start(room.plan())


def test_an_existing_recording_is_never_overwritten(idle, fast):
    room, client = idle
    (room.folder / "recordings" / "mine.xdf").write_text("somebody else's")
    with pytest.raises(RecordingFault, match="never overwritten"):
        client.start_run("calibration", "grasp_rest", fast, n_trials=2, run_id="mine")
    assert client.status()["run"] is None


def test_players_end_with_their_engine(idle):
    _, client = idle
    source = client.status()["session"]["id"]
    client.shutdown()
    with pytest.raises(StreamFault):
        lsl.connect(f"sig-{source}", timeout=1.0)
