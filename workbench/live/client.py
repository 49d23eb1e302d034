"""The client of a live session: notebooks, dashboards and the command line use it, and may come and go.

A client keeps no state of the session: it sends signed requests, reads the status that the engine prepared,
and maps the display ring. Safe to use from several threads; STOP never waits behind another request.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import zmq

from workbench import messages, world
from workbench.control import State
from workbench.errors import BadValue, EngineFault, RecordFault, Refused
from workbench.live import _engine_folder, _wire
from workbench.live._display import DisplayReader, SignalBlock
from workbench.live._engine_folder import EngineFolder
from workbench.live._stopfile import ask_stop
from workbench.live.status import NewestStatus, RunState, Status
from workbench.messages import Message, restored

REPLY_S = 10.0
"""How long the engine may take to answer, s."""

LOST_S = 1.5
"""An engine without a heartbeat for so long, and without an answer for so long, is lost, s."""

STOP_S = 1.0
"""How long the door may take to answer a STOP before the second path is taken, s."""

ENDED: tuple[RunState, ...] = ("finished", "stopped", "failed")
"""States of a run that is over."""

Progress = Callable[[Status], None]


class Client:
    """A connection to the running engine of a study; use :func:`start` or :func:`attach`."""

    def __init__(self, engine_folder: EngineFolder, lock: Mapping[str, Any]) -> None:
        self.engine_folder = engine_folder
        self.session_id = str(lock["session_id"])
        self.pid = int(lock["pid"])
        self._endpoint, self._curve = str(lock["endpoint"]), str(lock.get("curve", ""))
        self._key = _engine_folder.read_key(engine_folder)
        self._context = world.network.context()
        self._idle: list[Any] = []
        self._lock = world.clock.lock()
        self._reader: DisplayReader | None = None
        self._reader_lock = world.clock.lock()
        self.closed = False
        self._issue: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None

    @property
    def study_folder(self) -> Path:
        """Folder of the study."""
        return self.engine_folder.study

    # ---------------------------------------------------------------------------------- reading
    def status(self) -> Status:
        """What the engine says of itself; empty until its loop has begun.

        Raises
        ------
        EngineFault
            Within 2 s when the engine is dead or stands still, at once when its process is gone.
        """
        reply = self._ask("status")
        status: Status = restored(json.loads(str(reply["text"])))
        if status:
            status["engine"]["age_s"] = float(reply.get("age_s", 0.0))
            newest: NewestStatus | None = restored(reply.get("newest")) or None
            if newest is not None:  # the loop stands still: what needs no loop is newer than its status
                status["engine"]["lost"] = newest["engine"]["lost"]
                status["alarms"] = newest["alarms"]
        return status

    def signals(self, since: int = 0, max_seconds: float = 10.0) -> SignalBlock:
        """Samples for a screen from running number ``since`` on; see :class:`SignalBlock`.

        Raises
        ------
        EngineFault
            While the engine has not connected to its signal stream yet.
        """
        with self._reader_lock:
            try:
                inode = self.engine_folder.display.stat().st_ino
            except OSError as error:
                raise EngineFault(Message("live.no_signals")) from error
            # A new engine puts a new file in its place; the old mapping would show a signal that has stopped.
            if self._reader is None or self._reader.inode != inode:
                if self._reader is not None:
                    self._reader.close()
                self._reader = DisplayReader(self.engine_folder.display)
            return self._reader.read(since, max_seconds=max_seconds, now=self._reader.local_clock())

    # --------------------------------------------------------------------------------- commands
    def start_run(
        self,
        kind: str,
        paradigm: str,
        params: Mapping[str, Any] | None = None,
        *,
        n_trials: int,
        seed: int = 0,
        decoder_folder: str | Path | None = None,
        grant: Mapping[str, Any] | None = None,
        run_id: str = "",
        yoked_to: str = "",
    ) -> str:
        """Start a run; returns its id as soon as the engine has accepted it (it then compiles, then runs).

        Parameters
        ----------
        kind : ``"calibration"`` (no decoder) or ``"online"``; a schedule moves the effector in ``"passive"`` and
            ``"mapping"`` (no decoder), ``"open_loop"`` (with or without one) and ``"sham"``.
        paradigm, params : name and parameters of the paradigm.
        n_trials, seed : length and order of the schedule; with ``cue_source="stream"`` the run ends after
            ``n_trials`` trials.
        decoder_folder : of the fitted decoder, for an online or sham run.
        grant : the record's signed word that the decoder is approved; by default it is asked for, see
            :meth:`use_grants`. Without it the run starts and the effector cannot be armed yet.
        run_id : by default a new one.
        yoked_to : id of a run whose moves a sham run repeats; by default they are drawn with the seed.

        Raises
        ------
        Refused, BadValue, DecoderMismatch, RecordingFault, StreamFault
            When the run cannot start, with the remedy.
        """
        if decoder_folder is not None and grant is None:
            grant = self._approval(Path(decoder_folder))
        reply = self._ask(
            "start_run",
            kind=kind,
            paradigm=paradigm,
            params=dict(params or {}),
            n_trials=_integer("n_trials", n_trials),
            seed=_integer("seed", seed),
            decoder_folder="" if decoder_folder is None else str(Path(decoder_folder).absolute()),
            grant=None if grant is None else dict(grant),
            run_id=run_id,
            yoked_to=yoked_to,
        )
        return str(reply["value"])

    def pause(self) -> None:
        """Pause the run; recording continues, the effector is released, the open trial is excluded."""
        self._ask("pause")

    def resume(self) -> None:
        """Continue; refused while a critical stream is lost."""
        self._ask("resume")

    def end_run(self) -> None:
        """End the run in good order; it counts as finished."""
        self._ask("end_run")

    def stop(self, reason: str = "") -> None:
        """STOP: a stop is sent to the effector at once, the run ends, and the stop stays latched.

        It is *sent* when this returns; ``status()["effector"]["stop"]`` says whether the device confirmed it.
        Where the door does not answer, the STOP takes the second path, which needs none.

        Raises
        ------
        EngineFault
            When the engine took it on neither path: use the hardware stop.
        """
        try:
            self._ask("stop", patience_s=STOP_S, reason=reason)
        except EngineFault as error:
            if not self._stop_by_file(reason):
                sentence = Message("live.stop_not_taken", why=messages.of(error))
                raise EngineFault(sentence) from error

    def _stop_by_file(self, reason: str) -> bool:
        """The second path; True when the engine took the file."""
        try:
            file = ask_stop(self.engine_folder, reason or Message("run.stop_pressed"))
        except OSError:
            return False
        if world.clock.until(lambda: not file.exists(), STOP_S):
            return True
        world.disk.unlink(file, missing_ok=True)
        return False

    def reset_stop(self, role: str = "site") -> None:
        """Leave the latched stop or a fault; a new self-test of the effector follows.

        Parameters
        ----------
        role : at home, as whom: one that the rule for use at home lets reset it.

        Raises
        ------
        Refused
            While the device is not at rest, where nothing is latched, and at home for any other role.
        """
        self._ask("reset_stop", role=role)

    def attend(self, role: str, *, there: bool = True, by: str = "") -> None:
        """Say that somebody whom the rule for use at home asks for is there, or goes away.

        Parameters
        ----------
        role : of the rule.
        there : False for somebody who goes.
        by : who says so, for the record.

        Raises
        ------
        Refused
            Where no such rule is in the plan.
        BadValue
            For a role that the rule does not ask for.
        """
        self._ask("attend", role=role, there=bool(there), by=by)

    def use_grants(self, issue: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        """Let this client ask the record for grants, with ``issue`` from ``workbench.runs.grant.issuer``."""
        self._issue = issue

    def arm(self, by: str = "", *, grant: Mapping[str, Any] | None = None) -> None:
        """Arm the effector; states that the participant is ready.

        Parameters
        ----------
        by : who arms, for the record.
        grant : the record's signed grant; by default a new one is asked for, see :meth:`use_grants`.

        Raises
        ------
        Refused
            Names what is missing.
        RecordFault
            When the record is locked or cannot sign.
        """
        if grant is None and self._issue is not None:
            status = self.status()
            effector = status["effector"]
            if effector is not None and effector["mover"]:
                grant = self._issue(_wanted(status, effector["name"], effector["mover"]))
        self._ask("arm", by=by, grant=None if grant is None else dict(grant))

    def apply_setting(self, by: str = "") -> None:
        """Confirm the next setting of a mapping run; the armed effector takes it for as long as it lasts."""
        self._ask("apply_setting", by=by)

    def note_reaction(self, text: str, by: str = "") -> None:
        """Note the reaction to the setting that was applied last; without it the next one is refused."""
        self._ask("note_reaction", text=text, by=by)

    def disarm(self, by: str = "") -> None:
        """Disarm the effector."""
        self._ask("disarm", by=by)

    def take_pressure(self, systolic: float, *, resting: bool = False, by: str = "") -> None:
        """Enter a systolic blood pressure of somebody who is stimulated.

        Parameters
        ----------
        systolic : mmHg.
        resting : whether it is the session's baseline: seated, at rest, without current.
        by : who read it.

        Raises
        ------
        BadValue
            When no person has such a pressure, or a resting one is stated while current flows or after a rise.
        Refused
            When nothing stimulates in this session.
        """
        self._ask("take_pressure", systolic=float(systolic), resting=bool(resting), by=by)

    def take_load(self, load_kg: float, *, by: str = "") -> None:
        """The load on the harness, kg, as a program measures it at least once a second; ``by`` which."""
        self._ask("take_load", load_kg=float(load_kg), by=by)

    def take_holder(self, holder: str) -> None:
        """Who answers for the support of the person who is stimulated; ``""`` for nobody any more."""
        self._ask("take_holder", holder=holder)

    def take_symptom(self, symptom: str, *, by: str = "") -> None:
        """The person who is stimulated feels something: current is off until a reset; ``by`` who says so."""
        self._ask("take_symptom", symptom=symptom, by=by)

    def set_ceiling(self, channel: int, current_ma: float, *, by: str = "") -> None:
        """Set the ceiling of a channel: lower at once, higher in small steps, never above its approved current.

        Parameters
        ----------
        channel : its number in the programme, from 0.
        current_ma : mA.
        by : who sets it.

        Raises
        ------
        Refused
            When a rule forbids it, with rule, value and limit; nothing has changed then.
        """
        self._ask("set_ceiling", channel=_integer("channel", channel), current_ma=float(current_ma), by=by)

    def presence(self, page: str, challenge: str, *, visible: bool) -> None:
        """Carry a page's own answer to a challenge of the engine; see :mod:`workbench.engine.presence`.

        Parameters
        ----------
        page : id of the page, made once when it loads.
        challenge : what the page answered, from ``status()["presence"]["challenge"]``.
        visible : whether the page is visible.

        Raises
        ------
        BadValue
            For an answer that is late, repeated, or to no challenge of the engine.
        """
        self._ask("presence", page=page, challenge=challenge, visible=visible)

    def acknowledge(self, alarm: str, by: str = "") -> None:
        """Acknowledge an alarm by its id; it leaves the list once its cause has gone too."""
        self._ask("acknowledge", alarm=alarm, by=by)

    def waive(self, stream: str, reason: str) -> None:
        """Go without a non-critical stream; the reason goes into the record."""
        self._ask("waive", stream=stream, reason=reason)

    def note(self, text: str) -> None:
        """Enter a note in the ledger and in the run."""
        self._ask("note", text=text)

    def task(self) -> dict[str, Any]:
        """What a page needs to present the run under way: its paradigm, parameters and schedule."""
        return dict(self._ask("task")["value"])

    def present(self, marker: Mapping[str, Any], *, local: float) -> None:
        """Say what a page shows.

        Parameters
        ----------
        marker : ``label`` and what else a presenter states, see ``docs/presenters.md``.
        local : when the light changed, by :meth:`local_clock`, s.
        """
        self._ask("present", marker=json.dumps(dict(marker)), local=float(local))

    def local_clock(self) -> float:
        """LSL's clock of this computer, s; with it a page learns what the engine calls now.

        Raises
        ------
        EngineFault
            While the engine has not connected to its signal stream yet.
        """
        if self._reader is None:
            self.signals()
        reader = self._reader
        if reader is None:
            raise EngineFault(Message("live.no_signals"))
        return reader.local_clock()

    def reconnect(self) -> list[str]:
        """Look for streams that are missing, and take what now announces a lost one; refused in a running run.

        Returns
        -------
        list of str
            Names of the streams that are still missing.
        """
        return list(self._ask("reconnect")["value"])

    def shutdown(self, timeout: float = 20.0) -> None:
        """End the session: the run is ended, the effector is released, players are stopped, the engine ends."""
        self._ask("shutdown")
        if not world.clock.until(lambda: _engine_folder.running(self.engine_folder) is None, timeout):
            raise EngineFault(Message("live.has_not_ended", n=f"{timeout:g}", log=str(self.engine_folder.log)))
        self.close()

    def wait(self, kind: str = "run", timeout: float = 600.0, progress: Progress | None = None) -> Status:
        """Wait, and return the status that ended the waiting.

        Parameters
        ----------
        kind : ``"run"`` (the run is over), ``"running"`` (it has begun), ``"idle"`` (no run),
            ``"ready"`` (the effector is in IDLE_SAFE or beyond) or ``"armed"``.
        timeout : s. progress : called with each status, about five times a second.

        Raises
        ------
        EngineFault
            After the timeout, or when the engine ended; the text says what it was doing.
        """
        if kind not in _WAITS:
            raise BadValue(Message("live.wait_kind", kinds=list(_WAITS), got=repr(kind)))
        end = world.clock.monotonic() + timeout
        while True:
            status = self.status()
            if progress is not None:
                progress(status)
            if _WAITS[kind](status):
                return status
            if kind in ("ready", "armed"):
                _refuse_unsafe(status)
            if world.clock.monotonic() > end:
                run = status["run"]
                state, done, total = ("none", 0, 0)
                if run is not None:
                    state, done, total = run["state"], run["trials_done"], run["trials_total"]
                raise EngineFault(
                    Message(
                        "live.waited",
                        n=f"{timeout:g}",
                        kind=repr(kind),
                        engine=status["engine"]["state"],
                        run=state,
                        done=done,
                        all=total,
                    )
                )
            world.clock.sleep(0.2)

    def make_ready(self, timeout: float = 60.0) -> Status:
        """Bring the effector to where it can be armed; a fault is reset, as an operator would before arming.

        For scripts that stand in for an operator. A STOP stays: who pressed it resets it.

        Parameters
        ----------
        timeout : s.

        Raises
        ------
        Refused
            Without an effector, and while a STOP is latched.
        EngineFault
            After the timeout, or when the engine ended.
        """
        end = world.clock.monotonic() + timeout
        while _effector_state(self.status()) == "FAULT_SAFE" and world.clock.monotonic() < end:
            # Refused until the safe state is complete.
            with suppress(Refused):
                self.reset_stop()
            world.clock.sleep(0.2)
        return self.wait("ready", timeout=max(0.0, end - world.clock.monotonic()))

    def arm_when_ready(self, by: str = "", *, timeout: float = 60.0) -> None:
        """Arm as soon as it is possible, for scripts that stand in for an operator; see :meth:`make_ready`.

        On a busy computer a device may lose its link between being ready and being armed: it is made ready again.

        Parameters
        ----------
        by : who arms, for the record.
        timeout : s.

        Raises
        ------
        Refused
            Without an effector, while a STOP is latched, and for any other reason why :meth:`arm` is refused.
        RecordFault
            When the record is locked or cannot sign.
        EngineFault
            After the timeout, or when the engine ended.
        """
        end = world.clock.monotonic() + timeout
        while True:
            self.make_ready(max(0.0, end - world.clock.monotonic()))
            try:
                return self.arm(by)
            except Refused as refused:
                why = messages.of(refused)
                in_state = isinstance(why, Message) and why.code == "control.cannot_arm_in_state" and why.arguments
                if not in_state or in_state["state"] not in ("SELFTEST", "FAULT_SAFE"):
                    raise

    def close(self) -> None:
        """Detach from the engine, which continues without this client."""
        with self._lock:
            self.closed = True
            sockets, self._idle = self._idle, []
        for socket in sockets:
            socket.close(0)
        self._context.term()
        with self._reader_lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not getattr(self, "closed", True):
            self.close()

    # ---------------------------------------------------------------------------------- inside
    def _approval(self, decoder_folder: Path) -> Mapping[str, Any] | None:
        """The record's signed word on a decoder; None where it is not approved or the record cannot say."""
        status = self.status()
        stored = _engine_folder.read_json(decoder_folder / "decoder.json") or {}
        effector = status["effector"]
        if self._issue is None or effector is None or not stored.get("sha256"):
            return None
        try:
            return self._issue(_wanted(status, effector["name"], str(stored["sha256"])))
        except (Refused, RecordFault):
            # The run begins all the same; arming asks again and says why it is refused.
            return None

    def _ask(self, operation: str, *, patience_s: float = REPLY_S, **args: Any) -> dict[str, Any]:
        """One request, one reply; errors come back under their own class."""
        content = _wire.request(operation, args, session=self.session_id)
        socket = self._borrow()
        try:
            socket.send_multipart(_wire.sign(content, self._key))
            self._wait_for_reply(socket, operation, patience_s)
            frames = socket.recv_multipart()
        except BaseException as error:
            # A REQ socket that waits for its reply can ask nothing else. Whatever interrupted it, a signal of the
            # process among them: one that stayed open would keep `close` waiting for ever.
            socket.close(0)
            if isinstance(error, zmq.ZMQError):
                raise EngineFault(Message("live.cannot_be_asked", why=str(error))) from error
            raise
        self._give_back(socket)
        try:
            reply = _wire.opened(frames, self._key)
        except _wire.Unsigned as error:
            raise EngineFault(Message("live.other_key")) from error
        _wire.raise_refusal(reply)
        # A true but older reply, played back by somebody, is no answer to this request.
        if reply.get("nonce") != content["nonce"]:
            raise EngineFault(Message("live.other_answer"))
        return reply

    def _wait_for_reply(self, socket: Any, operation: str, patience_s: float) -> None:
        """Wait for the reply, looking meanwhile whether anybody is left to give it."""
        began = world.clock.monotonic()
        while not socket.poll(100):
            waited = world.clock.monotonic() - began
            gone = _engine_folder.running(self.engine_folder) is None
            # The last reply of an engine that ends may still be on its way.
            if gone and socket.poll(100):
                return
            # Both: a loaded computer may delay the heartbeat, and a busy engine an answer.
            still = waited > LOST_S and (_engine_folder.heartbeat_age(self.engine_folder) or 0.0) > LOST_S
            if gone or still or waited > patience_s:
                raise EngineFault(self._silence(operation, waited))

    def _silence(self, operation: str, waited: float) -> Message:
        lock = _engine_folder.running(self.engine_folder)
        if lock is None:
            ended = Message("live.engine_ended", session=self.session_id)
            last = _engine_folder.last_words(self.engine_folder)
            return Message("live.and_last_words", what=ended, last=last) if last else ended
        return Message(
            "live.silent",
            pid=self.pid,
            request=repr(operation),
            n=f"{waited:.1f}",
            age=f"{_engine_folder.heartbeat_age(self.engine_folder) or 0:.1f}",
            log=str(self.engine_folder.log),
        )

    def _borrow(self) -> Any:
        with self._lock:
            if self.closed:
                raise EngineFault(Message("live.client_closed"))
            if self._idle:
                return self._idle.pop()
            socket = self._context.socket(zmq.REQ)
        socket.setsockopt(zmq.LINGER, 0)
        if self._curve:
            public, secret = world.network.keypair()
            socket.curve_serverkey = self._curve.encode("ascii")
            socket.curve_publickey, socket.curve_secretkey = public, secret
        socket.connect(self._endpoint)
        return socket

    def _give_back(self, socket: Any) -> None:
        with self._lock:
            if not self.closed:
                self._idle.append(socket)
                return
        socket.close(0)


READY: tuple[State, ...] = ("IDLE_SAFE", "ARMED", "ACTIVE", "HOLD", "RELEASE", "REFRACTORY")
"""States of an effector that passed its self-test."""


def _wanted(status: Status, effector: str, mover: str) -> dict[str, Any]:
    """What a grant is asked for."""
    return {
        "session_id": status["session"]["id"],
        "participant": status["session"]["participant"],
        "effector": effector,
        "decoder_sha256": mover,
        "engine_nonce": status["engine"]["arming"],
    }


def _refuse_unsafe(status: Status) -> None:
    """An effector that is latched, faulted or absent never becomes ready by waiting."""
    effector = status["effector"]
    if effector is None:
        raise Refused(Message("engine.no_effector"))
    if effector["state"] in ("FAULT_SAFE", "ESTOP"):
        raise Refused(Message("live.effector_unsafe", state=effector["state"], why=effector["cause"]))


def _run_state(status: Status) -> RunState | None:
    return None if status["run"] is None else status["run"]["state"]


def _effector_state(status: Status) -> State | None:
    return None if status["effector"] is None else status["effector"]["state"]


_WAITS: dict[str, Callable[[Status], bool]] = {
    "run": lambda s: _run_state(s) in ENDED,
    "running": lambda s: _run_state(s) in ("running", "paused", *ENDED),
    "idle": lambda s: s["engine"]["state"] == "idle",
    "ready": lambda s: _effector_state(s) in READY,
    "armed": lambda s: _effector_state(s) == "ARMED",
}


def _integer(name: str, value: Any) -> int:
    """An integer of any type as int; nothing is rounded to one. Raises BadValue."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise BadValue(Message("live.must_be_integer", name=name, got=repr(value)))
