"""Parts of the engine's session, each made with what it needs alone: no process, no stream, no device."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.doors import SteppedClock
from tests.live.plans import planned
from workbench import control, devices, world
from workbench.devices import lsl
from workbench.devices._last_metre import DeviceEnd
from workbench.engine.decode_loop import DecodeLoop
from workbench.engine.device_channel import ASK_S, DeviceChannel
from workbench.engine.effector_recording import EffectorRecording
from workbench.engine.inlets import Arrival
from workbench.engine.procedures import scheduled
from workbench.engine.process import Engine
from workbench.engine.run_request import parse_run_request
from workbench.engine.server import Server
from workbench.engine.session import Session
from workbench.engine.streams import LOST_CHUNKS, LOST_MIN_S, Stream
from workbench.engine.watching import BehindReport, watch_streams
from workbench.errors import BadValue, Refused
from workbench.live._display import DisplayReader
from workbench.recording import read_rows
from workbench.vocabulary import Acknowledgement, Chunk, StreamSpec


@pytest.fixture
def session(tmp_path):
    """A session that is not connected."""
    engine_folder, plan = planned(
        tmp_path, StreamSpec("grip", "Force", 100.0, ("a",), source_id="grip", role="auxiliary", critical=False)
    )
    return Session(engine_folder, plan)


def test_a_stop_before_anything_is_connected_is_latched_and_stays_an_alarm_until_it_is_reset(session):
    session.stop_latch.stop_now("hand pinched")
    assert session.stop_latch.reason == ""
    session.stop_latch.settle()
    assert session.stop_latch.reason == "hand pinched"
    assert [alarm["what"] for alarm in session.ledger.alarms.shown()] == ["STOP: hand pinched."]
    session.stop_latch.reset("Chen L.")
    assert session.stop_latch.reason == ""
    assert session.ledger.alarms.shown() == []
    with pytest.raises(Refused, match="no stop is latched"):
        session.stop_latch.reset("Chen L.")


def test_a_row_that_belongs_to_no_run_is_written_into_the_sessions_own_file(session):
    session.events.enter("note", extent="hello", consequence="tests")
    session.events.write_rows()
    (file,) = session.engine_folder.recordings.iterdir()
    rows = read_rows(file)
    assert [(row.kind, row.sample) for row in rows] == [("note", -1)]


def test_a_critical_stream_is_never_waived_and_any_other_only_with_a_reason(session):
    with pytest.raises(Refused, match="critical"):
        session.connections.waive("ECoG", "why not", by="tests")
    with pytest.raises(BadValue, match="needs a reason"):
        session.connections.waive("grip", " ", by="tests")
    session.connections.waive("grip", "not worn today", by="tests")
    assert (session.streams["grip"].state, session.streams["grip"].message) == ("waived", "not worn today")


def test_without_an_effector_a_fault_moves_nothing_and_arming_is_refused(session):
    session.effector.fault("stream_lost")
    session.effector.self_test()
    assert session.effector.listens
    with pytest.raises(Refused, match="no effector"):
        session.effector.required()


def test_pausing_and_ending_change_nothing_while_no_run_is_under_way(session):
    session.runs.pause("why not")
    session.runs.end("stopped")
    assert session.runs.run is None
    with pytest.raises(Refused, match="nothing to resume"):
        session.runs.resume("tests")


def test_an_alarm_is_timed_by_the_clock_that_is_handed_in(session):
    clock = SteppedClock(100.0)
    with world.entered(clock=clock):
        session.failures.thread_lost("door", "thread door ended by itself")
        clock.now_s += 90.0
        (alarm,) = session.ledger.alarms.shown()
        assert (alarm["key"], alarm["raised_s"], alarm["cleared"]) == ("thread_lost", 90.0, False)
        session.failures.thread_back("door")
        (alarm,) = session.ledger.alarms.shown()
        assert alarm["cleared"]


def test_a_thread_whose_silence_was_acknowledged_and_that_then_ends_raises_a_new_alarm(session):
    session.failures.thread_lost("door", "thread door has not reported for 3 s")
    session.ledger.alarms.acknowledge("a1", by="Dr. A")
    session.failures.thread_lost("door", "thread door ended by itself")
    (alarm,) = session.ledger.alarms.shown()
    assert (alarm["id"], alarm["acknowledged"]) == ("a2", None)
    assert "ended by itself" in alarm["what"]


class Waiting:
    """The engine's queue: something arrived each 0.1 s, and is taken so long afterwards."""

    def __init__(self, session, clock):
        self._session, self._clock, self.report = session, clock, BehindReport()

    def keep(self, behind_s, *, seconds):
        """Look ten times a second."""
        inlets = self._session.inlets
        for _ in range(round(seconds * 10)):
            self._clock.now_s += 0.1
            for waited_s in (behind_s, behind_s - 0.1) if behind_s else (0.0,):
                arrived = lsl.local_clock() - waited_s
                inlets.queue.put(Arrival("ECoG", np.zeros((1, 1)), np.array([arrived]), arrived))
            inlets.take(0.0)
            self.report.look(self._session)
            while not inlets.queue.empty():
                inlets.queue.get_nowait()


def test_an_engine_that_is_behind_says_so_and_ends_the_run_in_time(session, monkeypatch):
    clock, ended = SteppedClock(100.0), []
    monkeypatch.setattr(session.runs, "end", lambda state, sentence: ended.append((state, str(sentence))))
    with world.entered(clock=clock):
        waiting, alarms = Waiting(session, clock), session.ledger.alarms
        alarms.open(session.engine_folder.alarms, session.events.enter)
        waiting.keep(0.0, seconds=3.0)
        # A hiccup is made up for at once, and in the latency of the run.
        waiting.keep(0.6, seconds=0.5)
        waiting.keep(0.0, seconds=3.0)
        assert alarms.shown() == []
        for _ in range(3):
            waiting.keep(0.6, seconds=2.0)
            waiting.keep(0.0, seconds=0.3)
        waiting.keep(2.6, seconds=1.0)
        (alarm,) = alarms.shown()
        # The time from here to where it is taken is real, and comes on top.
        assert re.fullmatch(r"The engine is [2-9]\.\d s behind its streams\.", alarm["what"])
        assert (alarm["key"], alarm["cleared"], ended) == ("engine_behind", False, [])
        waiting.keep(10.5, seconds=0.1)
        assert [state for state, _ in ended] == ["stopped"]
        waiting.keep(0.0, seconds=2.0)
        assert alarms.shown()[0]["cleared"]
        # One row, however often it caught up for a moment.
        assert [row["kind"] for row in session.ledger.shown()] == ["alarm"]


def test_a_stream_whose_samples_wait_in_the_engine_has_not_stopped(session):
    inlets, stream = session.inlets, session.streams.signal
    stream.state, stream.last = "good", lsl.local_clock() - 5.0
    for arrived in (stream.last, stream.last + 0.1):
        inlets.queue.put(Arrival("ECoG", np.zeros((1, 1)), np.array([arrived]), arrived))
    inlets.take(0.0)
    watch_streams(session)
    assert (stream.state, inlets.behind_s > 4.9) == ("good", True)
    inlets.take(0.0)
    watch_streams(session)
    assert (stream.state, inlets.behind_s) == ("lost", 0.0)


def test_screens_show_samples_by_the_time_of_this_computer(session):
    session.streams.signal.offset = 100.0
    session.monitor.open(session.engine_folder.display, mains_hz=50.0)
    try:
        stamps = np.array([1.0, 1.004])
        session.monitor.take(np.zeros((2, 1)), Arrival("ECoG", None, stamps, 101.01))
        assert (
            DisplayReader(session.engine_folder.display).read(0, max_seconds=1.0, now=101.504).newest_stamp
            == 101.004
        )
    finally:
        session.monitor.close()


def test_a_closed_session_has_let_go_of_its_display(session):
    def held():
        return str(session.engine_folder.display) in Path("/proc/self/maps").read_text(encoding="utf-8")

    session.monitor.open(session.engine_folder.display, mains_hz=50.0)
    assert held()
    session.close()
    assert not held()


def test_a_stream_is_silent_after_half_a_second_or_three_chunks_and_markers_never_are():
    regular = Stream(StreamSpec("ECoG", "EEG", 250.0, ("a",), source_id="amp"), state="good", last=100.0)
    assert not regular.silent(100.0 + LOST_MIN_S)
    assert regular.silent(100.0 + 1.5 * LOST_MIN_S)
    regular.interval = 0.5
    assert not regular.silent(100.0 + 0.5 * LOST_CHUNKS)
    assert regular.silent(100.25 + 0.5 * LOST_CHUNKS)
    markers = Stream(StreamSpec("Cues", "Markers", 0.0, (), source_id="cues"), state="good", last=100.0)
    assert not markers.silent(1e6)
    for stream in (regular, markers):
        stream.gone = True
        assert stream.silent(100.0)
        stream.state = "lost"
        assert not stream.silent(1e6)


def test_streams_quality_and_disk_are_looked_at_when_they_are_due_and_no_sooner(session):
    clock = SteppedClock(100.0)
    world.disk.save(session.engine_folder.plan, session.plan.to_json().encode())
    with world.entered(clock=clock):
        engine = Engine(session.engine_folder)
        stream, monitor = engine.session.streams.signal, engine.session.monitor
        monitor.open(engine.engine_folder.display, mains_hz=50.0)
        monitor.take(np.zeros((1000, 1)), Arrival("ECoG", None, np.arange(1000) / 250.0, 4.0))

        def looked_at(later_s):
            """Streams, quality, disk: whether a look at each was due so much later."""
            clock.now_s += later_s
            stream.state, stream.last, monitor.quality, engine._free_mb = "good", lsl.local_clock() - 60.0, [], 0.0
            engine._do_what_is_due()
            return stream.state == "lost", bool(monitor.quality), engine._free_mb > 0.0

        try:
            assert looked_at(0.0) == (True, True, True)
            assert looked_at(0.0) == (False, False, False)
            assert looked_at(0.0625) == (True, False, False)
            assert looked_at(0.03125) == (False, False, False)
            assert looked_at(0.5) == (True, True, False)
            assert looked_at(0.5) == (True, True, True)
        finally:
            engine.session.close()
            engine.supervisor.close()


@pytest.mark.parametrize("kind", ["passive", "open_loop", "sham"])
def test_a_schedule_moves_an_effector_that_is_there_by_cues_of_this_engine(session, kind):
    asked, plan = {"kind": "calibration", "paradigm": "grasp_rest", "n_trials": 4}, session.plan
    calibration = parse_run_request(asked, signal=plan.signal)
    request = replace(calibration, kind=kind)
    with pytest.raises(Refused, match="this session has none"):
        scheduled(request, plan)
    plan = replace(plan, effector="glove")
    with pytest.raises(Refused, match="the engine itself must give them"):
        scheduled(request, replace(plan, cue_source="page"))
    assert len(scheduled(request, plan).moves) == (4 if kind == "sham" else 0)
    # No schedule moves anything in a calibration, so that nothing stands in its way.
    assert scheduled(calibration, session.plan) is calibration


def test_the_end_of_a_run_waits_for_an_answer_that_is_owed_and_for_no_other():
    controller, now = control.Controller(control.load("glove")), 100.0
    recording = EffectorRecording(controller, record=lambda event: None, lock=threading.RLock())
    assert recording.awaited_s == 0.0
    checks = {"streams": True, "clock": True}
    orders = controller.operator.self_test(checks, now_stream=now, local=now).commands
    orders += controller.device.on_session(now_stream=now, local=now)
    n_answered = 0
    while orders := [order for order in orders if order.action != "heartbeat"]:
        assert recording.awaited_s == controller.effector.ack_timeout_s + controller.effector.release_ramp_ms / 1e3
        order, now, n_answered = orders[-1], now + 1.0, n_answered + 1
        ack = Acknowledgement(order.seq, now, now, "ok", order.level)
        orders = controller.device.on_ack(ack, local=now)
    assert n_answered > 0
    assert recording.awaited_s == 0.0


def test_a_device_that_offers_with_each_status_is_asked_for_a_key_only_so_often(tmp_path):
    paired = devices.pairing(tmp_path, "glove")
    channel = DeviceChannel(
        paired,
        session_id="s1",
        own_uids=frozenset,
        time_base={"speed": 1.0, "t0": 0.0},
        on_text=lambda uid, text: None,
        spawn=lambda name, body, **options: threading.Thread(),
    )
    device, asked = DeviceEnd(paired.key(), "glove"), []
    for now in (10.0, 10.0 + 0.5 * ASK_S, 10.0 + 1.5 * ASK_S):
        channel.verify("device", device.status({"state": "safe"}, now=now))
        channel.ask_for_key(now, stamp=now)
        # An offer is used up by asking.
        asked.append(not channel._end.has_offer)
    channel.stop_listening()
    channel.close()
    assert asked == [True, False, True]


def test_a_burst_that_takes_long_is_taken_in_parts_with_what_is_due_between_them(session, monkeypatch):
    clock = SteppedClock(100.0)
    world.disk.save(session.engine_folder.plan, session.plan.to_json().encode())
    with world.entered(clock=clock):
        engine = Engine(session.engine_folder)
        taken, between = [], []

        def take(item):
            taken.append(item)
            clock.now_s += 0.015

        monkeypatch.setattr(engine.session.intake, "take", take)
        monkeypatch.setattr(engine, "_do_what_is_due", lambda: between.append(len(taken)))
        try:
            for number in range(5):
                engine.session.inlets.queue.put(number)
            for _ in range(3):
                engine.pump()
        finally:
            engine.supervisor.close()
    assert taken == [0, 1, 2, 3, 4]
    assert between == [3, 5, 5]


def test_a_lost_stream_is_back_with_what_arrives_now_and_not_with_what_waited(session):
    stream, now = session.streams.signal, lsl.local_clock()
    stream.state = "lost"

    def arrive(age_s):
        session.intake.take(Arrival("ECoG", np.zeros((2, 1)), now - age_s + np.arange(2) / 250.0, now - age_s))
        return stream.state

    assert arrive(5.0) == "lost"
    assert arrive(0.0) == "good"
    assert [row["kind"] for row in session.ledger.shown()] == ["stream_back"]


def test_what_waited_as_a_run_ended_is_decided_with_the_time_at_which_it_arrived(session):
    waited = [Chunk(2 * k, np.zeros((2, 1)), np.array([0.0, 0.004]), local=7.0 + k) for k in range(2)]
    beside = replace(waited[0], local=9.0, stream="emg")
    source = SimpleNamespace(finish=lambda **_: iter([waited[0], beside, waited[1]]))
    run = SimpleNamespace(live=False, acquired=3.0, over="finished", sentence="", source=source)
    loop = DecodeLoop(session, pump=lambda: None, beat=lambda: None)
    assert [run.acquired for _ in loop._source(run)] == [7.0, 7.0, 8.0]


def test_no_status_shows_a_fault_of_the_effector_before_its_alarm(tmp_path, monkeypatch):
    engine_folder, plan = planned(tmp_path, effector="glove", effector_simulated=True)
    world.disk.save(engine_folder.plan, plan.to_json().encode())
    engine = Engine(engine_folder)
    session, shown = engine.session, []
    server = Server(key=bytes(32), session="s1", stop_now=session.stop_latch.stop_now, study=tmp_path)
    try:
        engine.server = server
        session.effector.pair()
        session.effector.connect()
        link = session.effector.link
        link.self_test(streams=True, clock=True)
        look = link.snapshot

        def looked_at_just_before_the_fault():
            """Another thread's fault follows the first look."""
            seen = look()
            link.fault("stream_lost")
            return seen

        monkeypatch.setattr(link, "snapshot", looked_at_just_before_the_fault)
        monkeypatch.setattr(server, "publish", shown.append)
        for _ in range(2):
            engine._publish()
    finally:
        server.close()
        session.close()
        engine.supervisor.close()
    faults = [status["effector"]["state"] == "FAULT_SAFE" for status in shown]
    alarms = [[alarm["key"] for alarm in status["alarms"]] for status in shown]
    assert faults == [False, True]
    assert alarms == [[], ["effector_fault"]]
