"""The engine: one detached process a session, ``python -m workbench.engine STUDY``.

It owns inlets, journal, decode loop and control. Clients attach to it and may come and go; it ends when it is
told to, and leaves lock, heartbeat and log. Its outermost loop is the only place where every error is caught:
it makes the effector safe, closes the journal, and writes the reason.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import queue
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from workbench.decode import Made, decode
from workbench.devices import lsl
from workbench.engine.intake import DuplicateWatch
from workbench.engine.ledger import Ledger
from workbench.engine.requests import Desk
from workbench.engine.run import LiveRun
from workbench.engine.run_request import asked_of, rehearse
from workbench.engine.server import DOORS, Server
from workbench.engine.session import FIRST_OFFSET_S, Session
from workbench.engine.standstill import Clock, StandstillWatch, boot_clock
from workbench.engine.status_text import compose
from workbench.engine.supervision import Supervisor
from workbench.engine.watching import (
    Every,
    Slowness,
    watch_disk,
    watch_players,
    watch_presence,
    watch_streams,
)
from workbench.errors import BadValue, RecordingFault, WorkbenchError
from workbench.live import _place
from workbench.live._place import Place
from workbench.live._stopfile import LIMIT_S as STOP_FILE_LIMIT_S
from workbench.live._stopfile import watching
from workbench.live.plan import SessionPlan
from workbench.recording import append_rows
from workbench.recording.session_ledger import SUFFIX
from workbench.signals import units
from workbench.signals.quality import QualityMonitor
from workbench.signals.timebase import Timebase
from workbench.vocabulary import Chunk, LedgerRow, Marker, Snapshot, StreamSpec, Trial
from workbench.writing import save

LOG = logging.getLogger("workbench.engine")
PUMP_S = 0.01
"""Longest wait for an arrival before the clock's tasks are looked at, s."""
LOOP = "loop"
"""Name of the engine's main thread."""
RUN_LIMIT_S, IDLE_LIMIT_S = 2.0, 15.0
"""How long the loop may take for one round during a run, when an effector may be armed, and otherwise, s."""
BATCH = 256
"""Arrivals taken in before the clock's tasks are looked at."""


class Engine:
    """One session from its plan to its end."""

    def __init__(self, place: Place, *, boot: Clock | None = None) -> None:
        self.place = place
        self.state, self.started = "starting", time.strftime("%Y-%m-%dT%H:%M:%S")
        self.ledger = Ledger()
        self.plan = SessionPlan.from_json(_plan_text(place))
        self.supervisor = Supervisor(self._thread_lost, on_back=self._thread_back)
        self._alive = self.supervisor.adopt(LOOP)
        self._standstill = StandstillWatch(boot, witnessed=lambda since: self.supervisor.witnessed(LOOP, since))
        self.session = Session(place, self.plan, self.ledger, spawn=self.supervisor.start)
        self.desk = Desk(self.session)
        self.server: Server | None = None
        self.locked, self.end_requested = False, False
        self._published = 0
        self._free_mb = 0.0
        self._rows, self._busy = 0, 0.0
        self._slowness = Slowness()
        self._heartbeat, self._tick = Every(_place.HEARTBEAT_S), Every(0.02)
        self._duplicates = DuplicateWatch()
        self._watch, self._show = Every(0.05), Every(0.1)
        self._light, self._slow = Every(0.5), Every(1.0)

    # --------------------------------------------------------------------------------- start, end
    def open(self) -> None:
        """Lock, door, kernels, streams, effector. Raises what stands in the way."""
        stale = _place.take_lock(self.place, {"session_id": self.plan.session_id, "started": self.started})
        self.locked = True
        self.place.stop.unlink(missing_ok=True)
        self.ledger.alarms.open(self.place.alarms, self.session.enter)
        self.supervisor.look_after(self._look)
        self.supervisor.start(
            "stop-file",
            watching(self.place, self.session.stop_now, self.supervisor.wait),
            limit_s=STOP_FILE_LIMIT_S,
        )
        key = _place.new_key(self.place)
        self.server = Server(
            key=key,
            session=self.plan.session_id,
            stop_now=self.session.stop_now,
            study=self.place.study,
            transport=self.plan.transport,
            present=self.session.presence.answer,
            newest=self._newest,
            spawn=self.supervisor.start,
        )
        _place.update_lock(self.place, {"endpoint": self.server.endpoint, "curve": self.server.curve})
        LOG.info("session %s listens on %s", self.plan.session_id, self.server.endpoint)
        lsl.configure()
        library = lsl.check_library()
        LOG.info("liblsl %d, pylsl %s", library.version, library.wrapper)
        if stale:
            self.session.enter("stale_lock", extent=stale, consequence="it was set aside", priority="medium")
        self._to("compiling")
        compile_kernels(self.plan.signal)
        self._to("connecting")
        self.session.connect()
        self._pump_until(lambda: self.session.signal.n_offsets > 0, timeout=FIRST_OFFSET_S)
        if self.session.signal.n_offsets == 0:
            self.session.enter(
                "clock",
                stream=self.plan.signal.name,
                extent="no clock offset was measured",
                consequence="raw stamps are used until one is",
                priority="medium",
            )
        self._pump_until(lambda: self.session.effector_listens, timeout=self.plan.resolve_s)
        self.session.self_test()
        if self.plan.script_present:
            self.session.enter(
                "presence",
                extent="a script stands in for somebody",
                consequence="allowed because the effector is simulated",
                priority="low",
            )
        gc.collect()
        gc.freeze()
        self.supervisor.limit(LOOP, IDLE_LIMIT_S)
        self._to("idle")

    def _pump_until(self, condition: Callable[[], bool], *, timeout: float) -> None:
        """Take things in until a condition holds, at most ``timeout`` s."""
        end = lsl.local_clock() + timeout
        while not condition() and lsl.local_clock() < end:
            self.pump()

    def loop(self) -> None:
        """Until the session ends."""
        while not self.desk.ending:
            self.pump()
            run, rehearsal = self.session.run, self.desk.rehearsal
            if run is None or run.state != "compiling" or rehearsal is None or not rehearsal.done:
                continue
            if rehearsal.error is not None:
                self._failed(run, rehearsal.error)
            elif self.desk.ending or self.session.stopped:
                run.end("stopped", self.session.stopped or "the session ended")
                run.close()
            else:
                self._decode(run)

    def close(self, sentence: str, *, error: str = "") -> None:
        """Put everything away; the lock goes last."""
        self.state = "stopping"
        outcome = {
            "session_id": self.plan.session_id,
            "state": "failed" if error else "ended",
            "sentence": sentence,
        }
        if not self.locked:
            return
        self.supervisor.close()
        self.session.close()
        self._write_between_runs()
        if self.server is not None:
            self.server.close()
        self.place.display.unlink(missing_ok=True)
        write_outcome(self.place, {**outcome, "error": error})
        _place.release_lock(self.place)

    def _to(self, state: str) -> None:
        self.state = state
        LOG.info("engine %s", state)
        self._publish()

    # -------------------------------------------------------------------------------------- loop
    def pump(self) -> None:
        """Take in what arrived, carry out requests, and do what is due by the clock.

        A request is answered after its effect can be seen in the status.
        """
        session, arrivals = self.session, self.session.inlets.queue
        self._alive()
        self.supervisor.look_back(LOOP)
        if self.end_requested and not self.desk.ending:
            session.end("stopped", "the engine was asked to end by the system")
            self.desk.ending = True
        try:
            session.take(arrivals.get(timeout=PUMP_S))
            for _ in range(BATCH):
                session.take(arrivals.get_nowait())
        except queue.Empty:
            pass
        self._requests()
        self._clockwork()

    def _write_between_runs(self) -> None:
        """Ledger rows that no run holds go into the session's own file."""
        path = self.place.recordings / f"{self.plan.session_id}{SUFFIX}"
        try:
            written = self.ledger.hand_over(lambda row: append_rows(path, [row]))
        except RecordingFault as error:
            self.ledger.alarm(
                "ledger_unwritten",
                priority="high",
                what=str(error),
                means="Entries of the integrity ledger are kept in memory only.",
                do="Free space on the disk; they are written as soon as that is possible.",
            )
            return
        if written:
            self.ledger.calm("ledger_unwritten")

    def _requests(self) -> None:
        self.session.settle_stop()
        if self.server is None:
            return
        try:
            while True:
                request = self.server.requests.get_nowait()
                reply = self.desk.carry_out(request)
                self._publish()
                request.answer(reply)
        except queue.Empty:
            return

    def _clockwork(self) -> None:
        now, session = time.monotonic(), self.session
        if self._tick.due(now) and session.effecting is not None:
            session.effecting.tick(quality_ok=session.quality_ok)
        if self._watch.due(now):
            watch_streams(session)
            if session.run is not None and session.run.live:
                session.run.write_rows()
            else:
                self._write_between_runs()
            watch_presence(session)
        if self._light.due(now):
            session.judge()
            session.show_stop()
        if self._slow.due(now):
            self._free_mb = watch_disk(session)
            watch_players(session)
            session.watch_sources()
            self._duplicates.look(session)
        if self._show.due(now):
            self._publish()

    def _publish(self) -> None:
        if self.server is None:
            return
        self._published += 1
        run = self.session.run
        busy = self.state == "idle" and run is not None and run.state in ("compiling", "running", "paused")
        own = {"state": "running" if busy else self.state, "started": self.started, "seq": self._published}
        own |= {"transport": self.server.endpoint.split(":")[0], "disk_free_mb": round(self._free_mb)}
        own |= {"lost": self.supervisor.lost(), "supervised": self.supervisor.names()}
        own["arming"] = self.session.grants.nonce
        own["unsupervised"] = self.supervisor.unwatched()
        self.server.publish(compose(self.session, engine=own))

    # ------------------------------------------------------------------------------- supervision
    def _look(self) -> None:
        """On the supervisor's thread: heartbeat and clocks."""
        if self._heartbeat.due(time.monotonic()):
            try:
                os.utime(self.place.heartbeat)
            except OSError as error:
                LOG.error("no heartbeat: %s", error)
        if LOOP in self.supervisor.lost():
            self._write_between_runs()
        found = self._standstill.look()
        if found is not None:
            self.session.stood_still(*found)

    def _newest(self) -> dict[str, Any]:
        """What the status says of a loop that stands still; on the door's thread."""
        return {"engine": {"lost": self.supervisor.lost()}, "alarms": self.ledger.alarms.shown()}

    def _thread_lost(self, name: str, sentence: str) -> None:
        """On the thread that found it: log, safe state, row, alarm; a door that ended is opened again."""
        LOG.error("%s", sentence)
        self.session.thread_lost(name, sentence)
        if name in DOORS and self.server is not None and self.server.reopen():
            # It is open again: the alarm stays until somebody has seen it, and the next time is one of its own.
            self.ledger.calm(f"thread_lost:{name}")

    def _thread_back(self, name: str) -> None:
        LOG.warning("thread %s reports again", name)
        self.ledger.calm(f"thread_lost:{name}")

    # --------------------------------------------------------------------------------------- run
    def _decode(self, run: LiveRun) -> None:
        """A run from its first sample to its closed recording."""
        self._rows, self._busy = 0, 0.0
        try:
            self._write_between_runs()
            self.session.begin(run)
            self.supervisor.limit(LOOP, RUN_LIMIT_S)
            for item in decode(self._source(run), run.asked.paradigm, run.decoder, fs=self.plan.signal.fs):
                self._made(run, item)
            self.supervisor.limit(LOOP, IDLE_LIMIT_S)
            self.session.closed(run)
            run.close()
        except WorkbenchError as error:
            self.supervisor.limit(LOOP, IDLE_LIMIT_S)
            self._failed(run, error)

    def _failed(self, run: LiveRun, error: WorkbenchError) -> None:
        """A run that cannot go on: effector safe, recording closed, reason said."""
        if self.session.effecting is not None:
            self.session.effecting.fault(f"the run failed: {error}")
        self.session.enter(
            "run_failed", extent=str(error), consequence="what came before is kept", priority="high"
        )
        self.ledger.alarm(
            "run_failed",
            priority="high",
            what=f"Run {run.number} failed: {error}.",
            means="What was recorded before is kept.",
            do="Remove the cause, then start a new run.",
        )
        run.abandon(str(error))
        self.session.tell("end")

    def _source(self, run: LiveRun) -> Iterator[Chunk | Marker]:
        """What the decode loop reads; between items the engine lives on."""
        while run.live:
            for item in run.feed.items():
                yield from self._timed(run, item)
            done = run.feed.complete if self.plan.cue_source == "engine" else len(run.trials) >= run.asked.n_trials
            if done:
                self.session.end("finished")
            elif run.live:
                self.pump()
        stamp = self.session.stream_now()
        yield from run.feed.finish(stamp=stamp, state=run.over, sentence=run.sentence)

    def _timed(self, run: LiveRun, item: Chunk | Marker) -> Iterator[Chunk | Marker]:
        """Pass an item on and note how long the loop was busy with it."""
        self._alive()
        if isinstance(item, Marker):
            yield item
            return
        run.acquired = item.local
        began = lsl.local_clock()
        yield item
        now = lsl.local_clock()
        self._busy += now - began
        self._rows += len(item.stamps)
        if self._rows < run.hop:
            return
        seconds = self._busy * run.hop / self._rows
        self._rows, self._busy = 0, 0.0
        verdict = run.deadline.hop(seconds, local=now)
        if verdict:
            self._slowness.note(self.session, run, seconds=seconds, verdict=verdict)
            if verdict != "warning" and self.session.effecting is not None:
                self.session.effecting.hop(seconds)

    def _made(self, run: LiveRun, item: Made) -> None:
        """What the decode loop made: emitted, followed, recorded."""
        if isinstance(item, Trial):
            run.trial(item)
            return
        if isinstance(item, Snapshot):
            run.snapshot(item)
            return
        if isinstance(item, LedgerRow):
            self.ledger.enter(replace(item, local=lsl.local_clock(), stream=item.stream or self.plan.signal.name))
            return
        decided = lsl.local_clock()
        self.session.publish(item, run.writer.classes)
        if self.session.effecting is not None and run.live and run.state == "running":
            self.session.effecting.decided(item, quality_ok=self.session.quality_ok is not False)
        run.decided(item, decided=decided, emitted=lsl.local_clock())


def compile_kernels(spec: StreamSpec) -> None:
    """Compile what every session calls, before an inlet opens."""
    monitor = QualityMonitor(spec.fs, spec.measured, unit=units.canonical(spec.unit))
    Timebase.of_stream(spec).step(np.arange(2.0))
    noise = np.random.Generator(np.random.PCG64(0)).normal(0.0, 10.0, (round(2.5 * spec.fs), len(spec.measured)))
    monitor.step(noise)
    monitor.report()
    for name in ("grasp_rest", "left_right"):
        args = {"kind": "calibration", "paradigm": name, "n_trials": 2}
        rehearse(asked_of(args, signal=spec), signal=spec)


def write_outcome(place: Place, content: dict[str, Any]) -> None:
    """How the engine ended, for the next client."""
    save(place.outcome, json.dumps(content, ensure_ascii=False).encode("utf-8"))


def _plan_text(place: Place) -> str:
    try:
        return place.plan.read_text(encoding="utf-8")
    except OSError as error:
        raise BadValue(
            f"there is no session plan in {place.folder} ({error.strerror}); start through the client"
        ) from error


def _make_safe(engine: Engine, reason: str) -> None:
    """After an error that ends the engine: effector to its safe state, recording closed."""
    if engine.session.effecting is not None:
        engine.session.effecting.fault(reason)
    run = engine.session.run
    if run is not None and not run.closed:
        run.abandon(reason)


def main(
    study: Path, *, boot_offset: Path | None = None, made: Callable[[Engine], None] = lambda engine: None
) -> int:
    """Run the engine of a study; returns the exit code.

    Parameters
    ----------
    study : folder of the study.
    boot_offset : see :func:`boot_clock`.
    made : called with the engine before it opens; a stress test breaks it later.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(threadName)s %(message)s"
    )
    place = Place(study)
    try:
        engine = Engine(place, boot=boot_clock(boot_offset))
        made(engine)
    except WorkbenchError as error:
        LOG.error("%s", error)
        write_outcome(place, {"state": "failed", "error": type(error).__name__, "sentence": str(error)})
        return 2

    def ask_to_end(_number: int, _frame: FrameType | None) -> None:
        # Only a flag: the interrupted code may hold any lock.
        engine.end_requested = True

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), ask_to_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sentence, error_name, code = "ended in good order", "", 0
    try:
        engine.open()
        engine.loop()
    except WorkbenchError as error:
        sentence, error_name, code = str(error), type(error).__name__, 2
        LOG.error("%s", error)
        _make_safe(engine, sentence)
    except Exception as error:
        sentence, error_name, code = f"a defect of the engine: {type(error).__name__}: {error}", "EngineFault", 1
        LOG.exception("defect")
        _make_safe(engine, sentence)
    finally:
        try:
            engine.close(sentence, error=error_name)
        except (RecordingFault, OSError) as error:
            LOG.error("while closing: %s", error)
    return code
