"""The engine: one detached process per session, ``python -m workbench.engine STUDY``.

It owns inlets, journal, decode loop and control. Clients attach to it and may come and go; it ends when it is
told to, and leaves lock, heartbeat and log. Its outermost loop is the only place where every error is caught:
it makes the effector safe, closes the journal, and writes the reason.
"""

from __future__ import annotations

import json
import logging
import queue
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from workbench import kernels, messages, paradigms, world
from workbench.devices import lsl
from workbench.engine.decode_loop import DecodeLoop
from workbench.engine.requests import RequestHandler
from workbench.engine.run import LiveRun
from workbench.engine.run_request import parse_run_request, rehearse
from workbench.engine.server import DOORS, Server
from workbench.engine.session import Session
from workbench.engine.standstill import StandstillWatch, slept_offset
from workbench.engine.status import compose
from workbench.engine.supervision import Supervisor
from workbench.engine.watching import (
    BehindReport,
    Periodic,
    watch_disk,
    watch_effector,
    watch_presence,
    watch_streams,
)
from workbench.errors import BadValue, EngineFault, RecordingFault, WorkbenchError
from workbench.live import _engine_folder, _wire
from workbench.live._engine_folder import EngineFolder
from workbench.live._stopfile import LIMIT_S as STOP_FILE_LIMIT_S
from workbench.live._stopfile import watching
from workbench.live.plan import SessionPlan
from workbench.live.status import EngineState, NewestStatus
from workbench.messages import Message
from workbench.signals import units
from workbench.signals.quality import QualityMonitor
from workbench.signals.timebase import Timebase
from workbench.vocabulary import StreamSpec

LOG = logging.getLogger("workbench.engine")
CAUGHT_UP_S = 0.05
"""How long samples may wait when a run begins, s: it takes up what comes, and not what came while it compiled."""
FIRST_OFFSET_S = 6.0
"""How long a start waits for the first clock offset, s."""
PUMP_S = 0.01
"""Longest wait for an arrival before the clock's tasks are looked at, s."""
_COMPILED: set[StreamSpec] = set()
"""Streams that this process has compiled everything for."""
LOOP = "loop"
"""Name of the engine's main thread."""
RUN_LIMIT_S, IDLE_LIMIT_S = 2.0, 15.0
"""How long the loop may take for one round during a run, when an effector may be armed, and otherwise, s."""
BATCH, BATCH_S = 256, 0.02
"""Most arrivals taken in before the clock's tasks are looked at, and how long it may take, s: after a stall an
arrival may hold thousands of samples of hundreds of channels."""


class Engine:
    """One session from its plan to its end.

    Parameters
    ----------
    engine_folder : where its own files are.
    slept_s : added to the boot clock, s; see :func:`slept_offset`.
    """

    def __init__(self, engine_folder: EngineFolder, *, slept_s: Callable[[], float] = lambda: 0.0) -> None:
        self.engine_folder = engine_folder
        self.state: EngineState = "starting"
        self.kernels_left = 0
        self.started = f"{world.clock.local():%Y-%m-%dT%H:%M:%S}"
        self.plan = SessionPlan.from_json(_plan_text(engine_folder))
        self.supervisor = Supervisor(self._thread_lost, on_back=self._thread_back)
        self._beat = self.supervisor.adopt(LOOP)
        self._standstill = StandstillWatch(
            slept_s=slept_s, ran_unbroken=lambda since: self.supervisor.ran_unbroken(LOOP, since)
        )
        self.session = Session(engine_folder, self.plan, spawn=self.supervisor.start)
        self.requests = RequestHandler(self.session)
        self._decoding = DecodeLoop(self.session, pump=self.pump, beat=self._beat)
        self.server: Server | None = None
        self.locked, self.end_requested = False, False
        self._published = 0
        self._free_mb = 0.0
        # The controller's tick is a fraction of its heartbeat of 0.1 s, so that none is late by much. The file's
        # heartbeat is for other processes.
        self._heartbeat, self._tick = Periodic(_engine_folder.HEARTBEAT_S), Periodic(0.02)
        self._heartbeat_file = engine_folder.heartbeat
        # A status that nobody looks at costs more than all else that the loop does, and is renewed less often.
        self._watch, self._show, self._unwatched = Periodic(0.05), Periodic(0.1), Periodic(0.5)
        self._light, self._slow = Periodic(0.5), Periodic(1.0)
        self._behind = BehindReport()

    # --------------------------------------------------------------------------------- start, end
    def open(self) -> None:
        """Lock, door, kernels, streams, effector. Raises what stands in the way."""
        folder = self.engine_folder
        stale = _engine_folder.take_lock(folder, {"session_id": self.plan.session_id, "started": self.started})
        self.locked = True
        # A STOP left for an earlier engine is not meant for this one. Only now: before the lock is ours, the file
        # may be on its way to an engine that runs.
        world.disk.unlink(folder.stop, missing_ok=True)
        self.session.ledger.alarms.open(folder.alarms, self.session.events.enter)
        # The supervisor comes before every other thread, so that none is ever unwatched.
        self.supervisor.start_looking(self._look)
        self.supervisor.start(
            "stop-file",
            watching(folder, self.session.stop_latch.stop_now, self.supervisor.wait),
            limit_s=STOP_FILE_LIMIT_S,
        )
        # Before the kernels are compiled, which may take minutes: a client can attach, follow and stop meanwhile.
        self._listen()
        lsl.configure(peers=self.plan.peers)
        library = lsl.check_library()
        LOG.info("liblsl %d, pylsl %s", library.version, library.wrapper)
        if stale:
            self.session.events.enter(
                "stale_lock", extent=stale, consequence=Message("engine.set_aside"), priority="medium"
            )
        self._to("compiling")
        compile_kernels(self.plan.signal, told=self._compiled)
        self._to("connecting")
        self.session.connect()
        self._pump_until(lambda: self.session.streams.signal.n_offsets > 0, timeout=FIRST_OFFSET_S)
        if self.session.streams.signal.n_offsets == 0:
            self.session.events.enter(
                "clock",
                stream=self.plan.signal.name,
                extent=Message("engine.no_clock_offset"),
                consequence=Message("engine.raw_stamps"),
                priority="medium",
            )
        # The self-test fails while nobody receives the commands, so the device is given time to come up.
        self._pump_until(lambda: self.session.effector.listens, timeout=self.plan.resolve_s)
        self.session.effector.self_test()
        if self.plan.script_present:
            self.session.events.enter(
                "presence",
                extent=Message("engine.script_present"),
                consequence=Message("engine.script_allowed"),
                priority="low",
            )
        world.computer.keep_what_exists()
        # Only from here: nobody knows how long compiling takes on a computer that does it for the first time.
        self.supervisor.limit(LOOP, IDLE_LIMIT_S)
        self._to("idle")

    def _compiled(self, left: int) -> None:
        """Say how many kernels are left to compile, so that nobody takes an engine that is slow for a dead one."""
        self.kernels_left = left
        self._publish()
        if self.end_requested:
            raise EngineFault(Message("engine.ended_while_compiling", n=left))

    def _listen(self) -> None:
        """Open the door, and say in the lock where it is."""
        self.server = Server(
            key=_engine_folder.new_key(self.engine_folder),
            session=self.plan.session_id,
            stop_now=self.session.stop_latch.stop_now,
            study=self.engine_folder.study,
            transport=self.plan.transport,
            present=self.session.presence.answer,
            newest=self._newest,
            spawn=self.supervisor.start,
        )
        _engine_folder.update_lock(
            self.engine_folder, {"endpoint": self.server.endpoint, "curve": self.server.curve}
        )
        LOG.info("session %s listens on %s", self.plan.session_id, self.server.endpoint)

    def _pump_until(self, condition: Callable[[], bool], *, timeout: float) -> None:
        """Take things in until a condition holds, at most ``timeout`` s."""
        end = lsl.local_clock() + timeout
        while not condition() and lsl.local_clock() < end:
            self.pump()

    def loop(self) -> None:
        """Until the session ends."""
        while not self.requests.ending:
            self.pump()
            run, rehearsal = self.session.runs.run, self.requests.start.rehearsal
            if run is None or run.state != "compiling" or rehearsal is None or not rehearsal.done:
                continue
            if rehearsal.error is not None:
                self.session.runs.fail(run, rehearsal.error)
            # A STOP or an end may have come while the run compiled: it ends without a sample.
            elif self.requests.ending or self.session.stop_latch.reason:
                run.end("stopped", self.session.stop_latch.reason or Message("engine.session_ended"))
                run.close()
            elif self.session.inlets.behind_s <= CAUGHT_UP_S:
                self._decode(run)

    def _decode(self, run: LiveRun) -> None:
        """A run from its first sample to its closed recording."""
        try:
            # Rows from before the run belong in the session's own file; from `begin` on, the run takes them.
            self.session.events.write_rows_between_runs()
            self.session.runs.begin(run)
            self.supervisor.limit(LOOP, RUN_LIMIT_S)
            self._decoding.decode(run)
            # Closing a recording waits for the disk, and the effector is about to be disarmed.
            self.supervisor.limit(LOOP, IDLE_LIMIT_S)
            # The recording stays open until the effector has answered its release, or no longer can.
            owed_s = self.session.runs.stand_down(run)
            self._pump_until(lambda: self.session.runs.answered, timeout=owed_s)
            self.session.runs.close(run)
        except WorkbenchError as error:
            self.supervisor.limit(LOOP, IDLE_LIMIT_S)
            self.session.runs.fail(run, error)

    def close(self, sentence: str, *, error: str = "") -> None:
        """Put everything away; the lock goes last."""
        self.state = "stopping"
        outcome = {
            "session_id": self.plan.session_id,
            "state": "failed" if error else "ended",
            "sentence": sentence,
        }
        # Without the lock, folder and outcome belong to another engine.
        if not self.locked:
            return
        # First: threads that end from here on do so on purpose and are not reported as lost.
        self.supervisor.close()
        self.session.close()
        self.session.events.write_rows_between_runs()
        if self.server is not None:
            self.server.close()
        world.disk.unlink(self.engine_folder.display, missing_ok=True)
        write_outcome(self.engine_folder, {**outcome, "error": error})
        # Last: whoever waits for the lock to go reads the outcome next.
        _engine_folder.release_lock(self.engine_folder)

    def _to(self, state: EngineState) -> None:
        self.state = state
        LOG.info("engine %s", state)
        self._publish()

    # -------------------------------------------------------------------------------------- loop
    def pump(self) -> None:
        """Take in what arrived, carry out requests, and do what is due by the clock.

        A request is answered after its effect can be seen in the status, and its rows are in a file.
        """
        session, inlets = self.session, self.session.inlets
        self._beat()
        # The supervisor watches this thread, and this thread watches the supervisor: neither fails unnoticed.
        self.supervisor.look_at_supervisor(LOOP)
        if self.end_requested and not self.requests.ending:
            session.runs.end("stopped", Message("engine.ended_by_system"))
            self.requests.ending = True
        try:
            # Samples before requests: what has arrived is recorded before anything that a client asks for. A
            # bounded batch: a burst of samples does not delay heartbeats and watchdogs.
            session.intake.take(inlets.take(PUMP_S))
            end = world.clock.monotonic() + BATCH_S
            for _ in range(BATCH):
                if world.clock.monotonic() > end:
                    break
                session.intake.take(inlets.take(0.0))
        except queue.Empty:
            pass
        self._answer_requests()
        self._do_what_is_due()

    def _answer_requests(self) -> None:
        # A STOP before the requests that were queued behind it: they must find it latched.
        self.session.stop_latch.settle()
        if self.server is None:
            return
        try:
            while True:
                request = self.server.requests.get_nowait()
                reply = self.requests.carry_out(request)
                # A STOP has been sent already, and its word waits for no disk.
                if request.operation != "stop":
                    reply = self._kept(reply)
                self._publish()
                request.answer(reply)
        except queue.Empty:
            return

    def _kept(self, reply: dict[str, Any]) -> dict[str, Any]:
        """The reply, once its rows are in a file: what is confirmed outlives the engine; else why they are not."""
        try:
            self.session.events.write_rows()
        except RecordingFault as fault:
            return _wire.refusal(fault) if reply["ok"] else reply
        return reply

    def _do_what_is_due(self) -> None:
        now, session = world.clock.monotonic(), self.session
        if self._tick.due(now) and session.effector.link is not None:
            session.effector.link.tick(quality_ok=session.monitor.ok)
        if self._watch.due(now):
            self._behind.look(session)
            watch_streams(session)
            session.events.write_rows()
            watch_presence(session)
        if self._light.due(now):
            session.monitor.assess()
            session.stop_latch.show()
        if self._slow.due(now):
            self._free_mb = watch_disk(session)
            session.players.watch()
            session.connections.watch_sources()
            session.duplicates.look()
        if self.server is not None and (self._show if self.server.watched else self._unwatched).due(now):
            self._publish()

    def _publish(self) -> None:
        if self.server is None:
            return
        # A page that shows the fault shows its alarm too, however long the loop then waits for the disk.
        effector = watch_effector(self.session)
        self._published += 1
        run = self.session.runs.run
        busy = self.state == "idle" and run is not None and run.in_progress
        self.server.publish(
            compose(
                self.session,
                process={
                    "state": "running" if busy else self.state,
                    "started": self.started,
                    "seq": self._published,
                    "kernels_left": self.kernels_left,
                    "transport": self.server.endpoint.split(":")[0],
                    "disk_free_mb": round(self._free_mb),
                    "lost": self.supervisor.lost(),
                    "supervised": self.supervisor.names(),
                    "unsupervised": self.supervisor.unsupervised(),
                },
                effector=effector,
            )
        )

    # ------------------------------------------------------------------------------- supervision
    def _look(self) -> None:
        """On the supervisor's thread: heartbeat and clocks."""
        if self._heartbeat.due(world.clock.monotonic()):
            try:
                world.disk.touch(self._heartbeat_file)
            except OSError as error:
                LOG.error("no heartbeat: %s", error)
        # Otherwise the loop writes them, but the row that says that it hangs must reach the disk too.
        if LOOP in self.supervisor.lost():
            self.session.events.write_rows_between_runs()
        lost_time = self._standstill.look()
        if lost_time is not None:
            self.session.failures.stood_still(*lost_time)

    def _newest(self) -> NewestStatus:
        """What the status says of a loop that stands still; on the door's thread."""
        return {"engine": {"lost": self.supervisor.lost()}, "alarms": self.session.ledger.alarms.shown()}

    def _thread_lost(self, name: str, sentence: Message) -> None:
        """On the thread that noticed it: log, safe state, row, alarm; a door that ended is opened again."""
        LOG.error("%s", sentence)
        self.session.failures.thread_lost(name, sentence)
        if name in DOORS and self.server is not None and self.server.reopen():
            # It is open again: the alarm stays until somebody has seen it, and the next time is one of its own.
            self.session.failures.thread_back(name)

    def _thread_back(self, name: str) -> None:
        LOG.warning("thread %s reports again", name)
        self.session.failures.thread_back(name)


def compile_kernels(spec: StreamSpec, *, told: Callable[[int], None]) -> None:
    """Compile what every session calls, before an inlet opens; for streams alike once in a process.

    ``told`` is called with the number of kernels that are left each time one is compiled.
    """
    if (alike := replace(spec, source_id="")) not in _COMPILED:
        # What only decoders call is compiled now where it never was, and loaded when a run with a decoder starts.
        kernels.compile_missing(told)
        _rehearse_all(alike)
        _COMPILED.add(alike)


def _rehearse_all(spec: StreamSpec) -> None:
    monitor = QualityMonitor(spec.fs, spec.measured, unit=units.canonical(spec.unit))
    Timebase.of_stream(spec).step(np.arange(2.0))
    noise = world.chance.generator(0).normal(0.0, 10.0, (round(2.5 * spec.fs), len(spec.measured)))
    monitor.step(noise)
    monitor.report()
    for name in paradigms.available():
        # Named, so that no name is drawn: the first session of a process draws what every other does.
        args = {"kind": "calibration", "paradigm": name, "n_trials": 2, "run_id": "compiling"}
        try:
            rehearse(parse_run_request(args, signal=spec), signal=spec)
        except WorkbenchError as error:
            # A paradigm of another package that needs parameters is compiled when its run starts.
            LOG.info("paradigm %s is not compiled in advance: %s", name, error)


def write_outcome(engine_folder: EngineFolder, content: dict[str, Any]) -> None:
    """How the engine ended, for the next client."""
    world.disk.save(
        engine_folder.outcome, json.dumps(messages.carried(content), ensure_ascii=False).encode("utf-8")
    )


def _plan_text(engine_folder: EngineFolder) -> str:
    try:
        return engine_folder.plan.read_text(encoding="utf-8")
    except OSError as error:
        raise BadValue(
            Message("engine.no_plan", folder=str(engine_folder.path), why=str(error.strerror))
        ) from error


def _make_safe(engine: Engine, reason: str) -> None:
    """After an error that ends the engine: effector to its safe state, recording closed."""
    # The effector first: closing the recording may fail or wait for the disk.
    engine.session.effector.fault(reason)
    run = engine.session.runs.run
    if run is not None and not run.closed:
        run.abandon(reason)


def main(
    study: Path, *, boot_offset: Path | None = None, on_created: Callable[[Engine], None] = lambda engine: None
) -> int:
    """Run the engine of a study; returns the exit code.

    Parameters
    ----------
    study : folder of the study.
    boot_offset : see :func:`slept_offset`.
    on_created : called with the engine before it opens; a stress test breaks it later.
    """
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(threadName)s %(message)s"
    )
    engine_folder = EngineFolder(study)
    try:
        engine = Engine(engine_folder, slept_s=lambda: slept_offset(boot_offset))
        on_created(engine)
    except WorkbenchError as error:
        LOG.error("%s", error)
        sentence = messages.of(error)
        write_outcome(engine_folder, {"state": "failed", "error": type(error).__name__, "sentence": sentence})
        return 2

    def ask_to_end(_number: int, _frame: FrameType | None) -> None:
        # Only a flag: the interrupted code may hold any lock.
        engine.end_requested = True

    for name in ("SIGTERM", "SIGHUP"):
        world.computer.on_signal(name, ask_to_end)
    # An interrupted kernel, or Ctrl-C in a terminal, must not end a session; only clients and SIGTERM do.
    world.computer.on_signal("SIGINT", None)
    sentence, error_name, code = Message("engine.ended_well"), "", 0
    try:
        engine.open()
        engine.loop()
    except WorkbenchError as error:
        sentence, error_name, code = messages.of(error), type(error).__name__, 2
        LOG.error("%s", error)
        _make_safe(engine, sentence)
    except Exception as error:
        defect = f"{type(error).__name__}: {error}"
        sentence, error_name, code = Message("engine.defect", error=defect), "EngineFault", 1
        LOG.exception("defect")
        _make_safe(engine, sentence)
    finally:
        try:
            engine.close(sentence, error=error_name)
        except (RecordingFault, OSError) as error:
            LOG.error("while closing: %s", error)
    return code
