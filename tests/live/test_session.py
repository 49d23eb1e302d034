"""One session from start to record: calibration, fit, approval, online run with a glove, ingest, replay."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from workbench import live, messages, paradigms, runs
from workbench.devices._listening import Listener
from workbench.errors import BadValue, DecoderMismatch, EngineFault, Refused, UnknownName
from workbench.figures import holds_chinese
from workbench.messages import translate
from workbench.recording import RunFile
from workbench.runs import ReplayResult


@pytest.fixture(scope="module")
def done(make_room, fast):
    """A finished session: two runs, everything said on the way."""
    room = make_room()
    client = room.start(room.plan(glove=True))
    first = client.status()
    signals = client.signals(0, 1.0)
    calibration = client.start_run("calibration", "grasp_rest", fast, n_trials=10, seed=1)
    middle = client.wait("running")
    with pytest.raises(Refused, match="end it before another one starts"):
        client.start_run("calibration", "grasp_rest", fast, n_trials=2)
    ended = client.wait("run", timeout=120)
    ingested = runs.ingest_pending(room.study)
    fitted = runs.run_fit(room.folder, [room.folder / "recordings" / f"{calibration}.xdf"], "bandpower_lda")
    room.approve(fitted)
    unarmed = refusal(client.arm)
    online = client.start_run("online", "grasp_rest", fast, n_trials=60, seed=2, decoder_folder=fitted["folder"])
    client.wait("running")
    client.arm_when_ready("Dr. A")
    seen, pause = [client.status()], threading.Event()
    # At this speed seconds are many trials: however late it was armed, four whole ones follow.
    while seen[-1]["run"]["trials_done"] < seen[0]["run"]["trials_done"] + 5:
        pause.wait(0.05)
        seen.append(client.status())
    client.end_run()
    final = client.wait("run", timeout=120)
    again = live.attach(room.folder)
    attached = again.status()
    again.close()
    client.shutdown()
    said = runs.ingest_pending(room.study)
    return SimpleNamespace(**locals())


def refusal(call, *args):
    with pytest.raises(Refused) as caught:
        call(*args)
    return str(caught.value)


def recording(done, run_id):
    return RunFile(done.room.folder / "recordings" / f"{run_id}.xdf")


def test_the_engine_is_ready_without_the_slow_libraries(done):
    assert done.first["engine"]["state"] == "idle"
    assert done.first["engine"]["transport"] == "ipc"
    assert done.first["engine"]["heavy_modules"] == []
    assert done.final["engine"]["heavy_modules"] == []
    assert done.first["streams"][0]["state"] == "good"
    assert done.first["session"]["simulated"] is True


def test_the_status_has_the_shape_that_screens_expect(done):
    for status in (done.first, done.middle, done.final):
        assert set(status) == set(live.BLANK_STATUS)
        assert set(status["engine"]) == set(live.BLANK_STATUS["engine"])
    run = done.middle["run"]
    assert run["state"] == "running"
    assert run["trials_total"] == 10
    assert run["recording"] == f"recordings/{done.calibration}.xdf"
    evidence = next(s["evidence"] for s in done.seen if s["evidence"])
    assert evidence["target"] == "grasp"
    assert sorted(evidence["classes"]) == ["grasp", "rest"]
    assert sum(evidence["values"]) == pytest.approx(1.0)
    assert evidence["p"] == evidence["values"][evidence["classes"].index("grasp")]
    assert evidence["sure"] is None


def test_signals_reach_the_screen(done):
    block = done.signals
    assert block.names == done.room.plan().signal.channels
    assert len(block.data) > 0
    assert np.isfinite(block.data).all()
    assert block.age_s is not None


def test_the_calibration_run_is_whole(done):
    assert (done.ended["run"]["state"], done.ended["run"]["trials_done"]) == ("finished", 10)
    run = recording(done, done.calibration)
    assert run.state == "finished"
    assert len(run.trials()) == 10
    assert {t.outcome for t in run.trials()} == {"recorded"}
    assert run.plan["session"] == done.client.session_id
    markers = run.markers()
    assert [m.kind for m in markers if m.kind != "clock_offset"][:2] == ["run", "cue"]
    assert markers[-1].kind == "end"
    assert markers[-1].sample == len(run.signal.stamps)


def test_cues_fall_on_the_samples_of_the_schedule(done, fast):
    run = recording(done, done.calibration)
    schedule = paradigms.load("grasp_rest")(**fast).schedule(10, seed=1)
    cues = [m for m in run.markers() if m.kind == "cue"]
    assert [c.sample for c in cues] == [round(p.at_s * 1000.0) for p in schedule]
    assert [c.label for c in cues] == [p.label for p in schedule]
    stamps = np.concatenate([i.stamps for i in run.items() if hasattr(i, "stamps")])
    assert all(c.stamp == stamps[c.sample] for c in cues)


def test_nothing_is_lost_between_the_participant_and_the_recording(done):
    run = recording(done, done.calibration)
    steps = np.diff(run.signal.stamps) * 1000.0
    assert steps == pytest.approx(np.ones_like(steps), abs=1e-3)


def test_the_fit_counts_cued_periods_and_prints_its_chance_limit(done):
    metrics = done.fitted["metrics"]
    assert metrics["n"] == 20
    assert sum(sum(map(sum, t["counts"])) for t in metrics["confusion"]) == 20
    assert metrics["chance_limit"] == 15
    assert metrics["correct"] >= metrics["chance_limit"]
    assert metrics["validation"] == "5 contiguous blocks"
    assert Path(done.fitted["folder"]).name == done.fitted["sha256"][:12]
    assert len(metrics["weights"]["values"]) == len(metrics["weights"]["bands"])


def test_the_glove_followed_and_acknowledged(done):
    run = recording(done, done.online)
    commands, acks = run.commands(), run.acks()
    closes = {c.seq for c in commands if c.action == "close"}
    assert closes
    assert closes & {a.seq for a in acks if a.status == "ok"}
    assert {c.decoder_sha256 for c in commands if c.action == "close"} == {done.fitted["sha256"]}
    assert [m.kind for m in run.markers()].count("arm") == 1


def test_arming_between_runs_is_refused(done):
    assert "start the run first" in done.unarmed


def test_latency_is_marked_not_representative_at_speed(done):
    latency = done.final["latency"]
    assert latency["n"] > 0
    assert latency["representative"] is False
    times = recording(done, done.online).decision_times()
    assert (times[:, 0] <= times[:, 1]).all()
    assert (times[:, 1] <= times[:, 2]).all()


def test_the_record_holds_what_the_recordings_hold(done):
    study = done.room.study
    assert "10 trials" in done.ingested[0]
    assert f"{len(recording(done, done.online).trials())} trials" in done.said[0]
    rows = {row["id"]: row for row in study.rows("run")}
    assert set(rows) == {done.calibration, done.online}
    online = rows[done.online]
    assert online["decoder_sha256"] == done.fitted["sha256"]
    assert online["summary"]["replay"]["equal"] is True
    assert online["summary"]["latency"]["n"] == online["summary"]["n_decisions"]
    run = recording(done, done.online)
    assert [t.index for t in run.trials()] == [row["index"] for row in study.rows("trial", run_id=done.online)]
    kinds = [row["kind"] for row in study.rows("ledger", run_id=done.online)]
    assert kinds == [row.kind for row in run.ledger()]
    assert study.verify().ok


def test_a_second_ingest_changes_nothing(done):
    before = done.room.study.head()
    assert runs.ingest_pending(done.room.study) == []
    path = done.room.folder / "recordings" / f"{done.online}.xdf"
    assert "already" in runs.ingest(done.room.study, path)
    assert done.room.study.head() == before


@pytest.mark.parametrize("block", [None, 1, 17, 1000])
def test_every_run_replays_bit_for_bit(done, block):
    path = done.room.folder / "recordings" / f"{done.online}.xdf"
    found = runs.replay_run(path, done.fitted["folder"], block=block)
    assert isinstance(found, ReplayResult)
    assert found.equal, found.sentence
    assert found.n > 300
    assert found.n_commands == len(recording(done, done.online).commands()) > 50
    assert found.decision_hash == done.room.study.get("run", done.online)["summary"]["decision_hash"]


def test_the_study_replays(done):
    results = runs.replay_study(done.room.folder)
    assert [r.equal for r in results] == [True, True]
    assert [r.run for r in runs.replay_study(done.room.folder, run_id=done.online)] == [done.online]


def test_a_changed_recording_does_not_replay(done, tmp_path):
    path = done.room.folder / "recordings" / f"{done.online}.xdf"
    data = bytearray(path.read_bytes())
    other = tmp_path / "recordings" / path.name
    other.parent.mkdir()
    at = data.index(b'"label": "grasp"')
    data[at : at + 16] = b'"label": "grusp"'
    other.write_bytes(data)
    found = runs.replay_run(other, done.fitted["folder"])
    assert not found.equal
    assert "differs" in found.sentence


def test_a_changed_decoder_is_refused(done, tmp_path):
    folder = tmp_path / "decoder"
    folder.mkdir()
    for name in ("decoder.json", "arrays.npz"):
        (folder / name).write_bytes((Path(done.fitted["folder"]) / name).read_bytes())
    text = (folder / "decoder.json").read_text()
    (folder / "decoder.json").write_text(text.replace('"fs": 1000.0', '"fs": 1000.5'))
    with pytest.raises(DecoderMismatch):
        runs.replay_run(done.room.folder / "recordings" / f"{done.online}.xdf", folder)


def test_a_second_client_attached_and_the_engine_is_gone_now(done):
    assert done.attached["engine"]["pid"] == done.client.pid
    assert live.find(done.room.folder) is None
    with pytest.raises(EngineFault, match="ended in good order"):
        live.attach(done.room.folder)


def test_bad_fits_are_sentences(done):
    path = done.room.folder / "recordings" / f"{done.calibration}.xdf"
    with pytest.raises(BadValue, match="needs a recording"):
        runs.run_fit(done.room.folder, [], "bandpower_lda")
    with pytest.raises(BadValue, match="no parameter|unexpected keyword"):
        runs.fit(done.room.folder, [path], "bandpower_lda", {"colour": 1})
    with pytest.raises(BadValue, match="leave fs out"):
        runs.fit(done.room.folder, [path], "bandpower_lda", {"fs": 250.0})


def test_the_session_survives_the_client_that_started_it(make_room, fast):
    room = make_room()
    plan = room.plan()
    code = (
        "import sys, os; from workbench import live\n"
        "client = live.start(live.SessionPlan.from_json(open(sys.argv[1]).read()))\n"
        "client.start_run('calibration', 'grasp_rest', n_trials=200)\n"
        "client.wait('running'); print(client.pid, flush=True); sys.stdin.read()\n"
    )
    file = room.folder / "plan.json"
    file.write_text(plan.to_json())
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    pid = int(child.stdout.readline())
    child.send_signal(signal.SIGINT)
    child.kill()
    child.communicate()
    client = live.attach(room.folder)
    room.clients.append(client)
    assert client.pid == pid
    before = client.status()["run"]["elapsed_s"]
    arrived = threading.Event()
    while client.status()["run"]["elapsed_s"] <= before:
        arrived.wait(0.05)
    client.end_run()
    ended = client.wait("run")["run"]
    assert ended["state"] == "finished"
    run = RunFile(room.folder / ended["recording"])
    steps = np.diff(run.signal.stamps) * 1000.0
    assert steps == pytest.approx(np.ones_like(steps), abs=1e-3)
    client.shutdown()


def test_stop_is_latched_and_the_run_is_kept(make_room, fast):
    room = make_room()
    client = room.start(room.plan(glove=True))
    client.start_run("calibration", "grasp_rest", fast, n_trials=50)
    client.wait("running")
    client.stop("hand pinched")
    ended = client.wait("run")
    assert ended["run"]["state"] == "stopped"
    assert "hand pinched" in ended["run"]["sentence"]
    assert ended["effector"]["state"] == "ESTOP"
    assert ended["alarms"][0]["key"] == "estop"
    with pytest.raises(Refused, match="latched"):
        client.start_run("calibration", "grasp_rest", fast, n_trials=2)
    with pytest.raises(Refused, match="ESTOP"):
        client.wait("ready")
    client.reset_stop()
    assert client.make_ready()["effector"]["state"] == "IDLE_SAFE"
    assert client.status()["alarms"] == []
    client.start_run("calibration", "grasp_rest", fast, n_trials=2)
    assert client.wait("run", timeout=60)["run"]["state"] == "finished"
    run = RunFile(room.folder / ended["run"]["recording"])
    assert run.state == "stopped"
    assert [m.kind for m in run.markers()][-2:] == ["stop", "end"]
    assert any(c.action == "stop" for c in run.commands())
    assert any("ESTOP" in c.state for c in run.commands())
    client.shutdown()


@pytest.fixture(scope="module")
def open_session(make_room):
    """A session that stays open, without an effector, over TCP with CURVE."""
    room = make_room()
    return room, room.start(room.plan(transport="tcp"))


def test_a_second_start_attaches(open_session):
    room, client = open_session
    plan = live.SessionPlan.from_json(client.engine_folder.plan.read_text())
    other = live.start(plan)
    assert other.pid == client.pid
    assert other.status()["engine"]["transport"] == "tcp"
    other.close()
    with pytest.raises(EngineFault, match="runs for this study; attach to it"):
        live.start(room.plan())


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        ({"kind": "free"}, BadValue, "kind of a run"),
        ({"n_trials": 0}, BadValue, "1 to 1000 trials"),
        ({"n_trials": True}, BadValue, "n_trials must be an integer, got True"),
        ({"n_trials": 2.5}, BadValue, "n_trials must be an integer, got 2.5"),
        ({"seed": "seven"}, BadValue, "seed must be an integer, got 'seven'"),
        ({"seed": -1}, BadValue, "seed must be an integer from 0"),
        ({"paradigm": "none"}, UnknownName, "has no entry 'none'"),
        ({"params": {"colour": 1}}, BadValue, "colour"),
        ({"params": {"attempt_s": "long"}}, BadValue, "parameters of paradigm grasp_rest"),
        ({"kind": "online"}, BadValue, "needs a decoder"),
        ({"run_id": "../escape"}, BadValue, "run id"),
    ],
)
def test_a_run_that_cannot_be_is_refused_with_a_sentence(open_session, request_, kind, words):
    client = open_session[1]
    usual = {"kind": "calibration", "paradigm": "grasp_rest", "n_trials": 2}
    with pytest.raises(kind, match=words):
        client.start_run(**(usual | request_))
    assert client.status()["engine"]["state"] == "idle"


def test_what_is_not_there_cannot_be_commanded(open_session):
    client = open_session[1]
    assert "no effector" in refusal(client.arm)
    assert "nothing to pause" in refusal(client.pause)
    assert "nothing to resume" in refusal(client.resume)
    assert "nothing to end" in refusal(client.end_run)
    assert "no stop is latched" in refusal(client.reset_stop)
    with pytest.raises(BadValue, match="not in the contract"):
        client.waive("other", "why not")
    with pytest.raises(Refused, match="critical"):
        client.waive(client.status()["streams"][0]["name"], "why not")


def test_a_session_says_everything_but_what_people_wrote_in_chinese(open_session, fast):
    room, client = open_session
    client.note("coil moved")
    with pytest.raises(Refused) as refused:
        client.resume()
    assert translate(messages.of(refused.value), language="zh-CN") == "没有暂停的轮次，因此无可继续"
    client.start_run("calibration", "grasp_rest", fast, n_trials=50)
    client.wait("running")
    client.pause()
    assert client.status()["run"]["sentence"].code == "run.paused_by"
    client.resume()
    client.stop()
    ended = client.wait("run", timeout=60)
    assert translate(ended["run"]["sentence"], language="zh-CN") == "已停止：操作者按下停止"
    client.reset_stop()
    written = {"", "coil moved", "tests"}
    rows = [*ended["ledger"], *(asdict(row) for row in RunFile(room.folder / ended["run"]["recording"]).ledger())]
    shown = [row[field] for row in rows for field in ("extent", "consequence")]
    shown += [alarm[field] for alarm in ended["alarms"] for field in ("what", "means", "do")]
    assert len(shown) > 20
    assert [
        text for text in shown if text not in written and not holds_chinese(translate(text, language="zh-CN"))
    ] == []
    assert {text for text in shown if not isinstance(text, messages.Message)} <= written


def test_pause_and_resume(open_session, fast):
    room, client = open_session
    over = threading.Event()

    def hear(uid, text):
        if json.loads(text)["kind"] == "end":
            over.set()

    others = Listener([f"wb-cues-{client.session_id}"], hear)
    client.start_run("calibration", "grasp_rest", fast, n_trials=60)
    client.wait("running")
    arrived = threading.Event()
    while (client.status()["run"]["cue"] or {}).get("label") != "grasp":
        arrived.wait(0.02)
    client.pause()
    assert client.status()["run"]["state"] == "paused"
    client.note("coil moved")
    client.resume()
    whole = client.status()["run"]["trials_done"] + 4
    while client.status()["run"]["trials_done"] < whole:
        arrived.wait(0.05)
    client.end_run()
    ended = client.wait("run", timeout=60)
    assert ended["run"]["state"] == "finished"
    # Who follows the cue stream hears that the run is over.
    assert over.wait(30.0)
    others.close()
    run = RunFile(room.folder / ended["run"]["recording"])
    kinds = [m.kind for m in run.markers()]
    assert kinds.index("pause") < kinds.index("note") < kinds.index("resume")
    # The end of the run may have cut another one short.
    outcomes = [t.outcome for t in run.trials()][:whole]
    assert outcomes.count("excluded") == 1
    assert outcomes.count("recorded") >= 2
    assert runs.replay_run(run.path).equal
