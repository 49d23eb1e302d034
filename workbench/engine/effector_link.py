"""The engine's hand on the effector: controller, signed commands out, verified acknowledgements and statuses in.

Behind one lock, because STOP comes from the server's thread, and what the device says from threads of its own:
neither waits for the engine's loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import Any, TypedDict

from workbench import control, world
from workbench.devices import lsl
from workbench.devices._device_watch import device_status
from workbench.devices._last_metre import Answer
from workbench.devices._pairing import Pairing
from workbench.engine.device_channel import DeviceChannel
from workbench.engine.effector_recording import EffectorEvent, EffectorRecording
from workbench.engine.ledger import Ledger
from workbench.engine.stimulating import StimulationEntries
from workbench.errors import Refused
from workbench.messages import Message
from workbench.vocabulary import Acknowledgement, Command, Decision, DeviceStatus

FOLLOWED_S = 1.0
"""A status that says that the device follows our session key holds for so long, s."""

SILENT_S = 5.0
"""A device that has not answered a self-test for so long raises an alarm, s."""

LONGEST_DRIVER = 200
"""Characters of what a device says of its driver that are kept."""

RECORD_S = 0.5
"""Time between two recorded statuses while nothing changes, s."""


class _Times(TypedDict):
    """Stream and local time, s."""

    now_stream: float
    local: float


class EffectorLink:
    """One effector in one session.

    Parameters
    ----------
    pairing : with the device; it names the effector profile.
    session_id : of the session; it ends the source_ids of the engine's other streams.
    own_uids : gives the uids of the engine's other outlets.
    ledger : takes the controller's rows and the alarm about foreign streams.
    record : called with what goes into the recording of a run (any thread), see :attr:`recording`.
    stream_now : stream time now, s.
    speed, t0 : of the stream time; the device learns them signed.
    controller : of that effector, by the law and within the limits of the session.
    spawn : starts the threads that listen to the device; the engine hands in its supervisor.

    Attributes
    ----------
    controller, recording : of this effector.
    stimulation : what people enter about who is stimulated.
    channel : to the device.
    driver : version and hash of its driver as the device last stated them, signed; ``""`` for none.
    """

    def __init__(
        self,
        *,
        pairing: Pairing,
        session_id: str,
        own_uids: Callable[[], frozenset[str]],
        ledger: Ledger,
        record: Callable[[EffectorEvent], None],
        stream_now: Callable[[], float],
        speed: float,
        t0: float,
        controller: control.Controller,
        spawn: world.Spawn = world.start_thread,
    ) -> None:
        self.controller = controller
        self._ledger, self._stream_now = ledger, stream_now
        # Reentrant, because the end of the session stands the effector down while it holds the lock.
        self._lock = world.clock.rlock()
        self.recording = EffectorRecording(self.controller, record=record, lock=self._lock)
        self.stimulation = StimulationEntries(
            self.controller, lock=self._lock, send=self._send, take_rows=self._take_rows
        )
        self._recorded_at = self._waiting_since = 0.0
        self._last: DeviceStatus | None = None
        self.driver = ""
        self._stop_sent = False
        self._followed = -inf
        with self._lock:  # a device that runs already answers before the channel has its name here
            self.channel = DeviceChannel(
                pairing,
                session_id=session_id,
                own_uids=own_uids,
                time_base={"speed": speed, "t0": t0},
                on_text=self._receive,
                spawn=spawn,
            )

    @property
    def state(self) -> control.State:
        """State of the controller."""
        return self.controller.state

    # ------------------------------------------------------------------------------ operator, engine
    def self_test(self, *, streams: bool, clock: bool) -> None:
        """Begin a self-test."""
        with self._lock:
            self._act(self.controller.operator.self_test({"streams": streams, "clock": clock}, **self._now()))

    def set_decoder(self, sha256: str, *, approved: str, rule: Mapping[str, Any]) -> None:
        """Name the decoder of a run.

        Parameters
        ----------
        sha256, approved : hashes of the loaded decoder and of the approved one, ``""`` for none; of a schedule see
            :data:`workbench.control.SCHEDULE`.
        rule : parameters of the paradigm, for the sentences on the screen.
        """
        usual = control.Thresholds()
        with self._lock:
            self.controller.set_thresholds(
                control.Thresholds(
                    float(rule.get("activate", usual.activate)),
                    float(rule.get("release", usual.release)),
                    int(rule.get("dwell", usual.dwell)),
                )
            )
            self._act(self.controller.operator.set_decoder(sha256, approved_sha256=approved))

    def arm(self, operator: str, grant: control.Grant | None = None) -> None:
        """Arm; the operator states that the participant is ready. ``Refused`` names what is missing."""
        with self._lock:
            try:
                self._act(self.controller.operator.set_ready(ready=True, by=operator))
                self._act(self.controller.operator.arm(operator, grant=grant, **self._now()))
            finally:
                # A refusal raises before rows are taken, and is itself a row.
                self._take_rows()

    def name_unmet(self) -> None:
        """Refuse arming and name every condition that is not met, but for the operator's own acts."""
        own = ("operator", "participant_ready")
        with self._lock:
            unmet = [c.text for c in self.controller.conditions() if not c.ok and c.key not in own]
        if unmet:
            raise Refused(Message("control.cannot_arm", why=unmet))

    def disarm(self, operator: str) -> None:
        """Disarm."""
        with self._lock:
            try:
                self._act(self.controller.operator.disarm(operator, **self._now()))
            finally:
                self._take_rows()

    def report_absence(self, since_s: float, *, limit_s: float = 20.0) -> None:
        """No operator's screen has answered for ``since_s`` s; see :meth:`OperatorActs.report_absence`."""
        with self._lock:
            self._send(self.controller.operator.report_absence(since_s, limit_s=limit_s, **self._now()))

    def release(self, reason: str) -> None:
        """Release a closed effector, stay armed."""
        with self._lock:
            self._act(self.controller.operator.release(reason, **self._now()))

    def stand_down(self, reason: Message) -> None:
        """Release and disarm where that is possible: the end of a run."""
        with self._lock:
            if self.controller.state in control.ARMED_OR_ENGAGED:
                engine = Message("engine.by_engine", reason=reason)
                self._act(self.controller.operator.disarm(engine, **self._now()))
            self.controller.device.summarise_run()
            self._take_rows()

    def estop(self, reason: str) -> None:
        """Stop at once. Any thread."""
        with self._lock:
            # From here it is about this STOP, not about one before it.
            self._stop_sent = False
            self._act(self.controller.operator.estop(reason, **self._now()))

    def fault(self, reason: str, *, only_armed: bool = False) -> None:
        """A fault found by the engine: to the safe state; with ``only_armed``, only where it is armed."""
        with self._lock:
            # DISCONNECTED is left alone: nothing was ever sent to the effector, so it has nothing to be made safe
            # from.
            counts = self.controller.state in control.ARMED_OR_ENGAGED or not only_armed
            if counts and self.controller.state != "DISCONNECTED":
                self._send(self.controller.on_fault(reason, **self._now()))

    def reset(self, operator: str) -> None:
        """Leave a latched stop or a fault."""
        with self._lock:
            try:
                self._act(self.controller.operator.reset(operator, **self._now()))
            finally:
                self._take_rows()

    def follow(self, asked: Decision | control.Step, *, quality_ok: bool) -> None:
        """Follow a decision, or a step of the schedule that moves the effector in place of decisions."""
        with self._lock:
            if isinstance(asked, Decision):
                commands = self.controller.on_decision(asked, quality_ok=quality_ok, **self._now())
            else:
                commands = self.controller.on_schedule(
                    close=asked.close, level=asked.level, quality_ok=quality_ok, **self._now()
                )
            self._send(commands)

    def hop(self, duration_s: float) -> None:
        """How long a hop took, s."""
        with self._lock:
            self._send(self.controller.on_hop(duration_s, local=lsl.local_clock()))

    def tick(self, *, quality_ok: bool | None) -> None:
        """Time went on: the controller's watchdogs, the session key, streams that bear our names."""
        with self._lock:
            now = self._now()
            # Keys and strangers are looked after before time is judged: `on_tick` may send, and arming depends on
            # what was found here.
            self._agree(now["local"])
            self._look_for_strangers(now["local"])
            self._send(self.controller.on_tick(**now, quality_ok=quality_ok))

    # ----------------------------------------------------------------------------------- the device
    def _receive(self, uid: str, text: str) -> None:
        """A text of an outlet that claims to be the device; on its thread. The unsigned is only counted."""
        with self._lock:
            answer = self.channel.verify(uid, text)
            if answer is None:
                return
            if answer.kind == "ack":
                self._take_ack(answer)
                return
            if answer.kind == "welcome":
                # Bound before the next command is sent: from here no other outlet can answer it.
                self.channel.bind(answer)
                self._send(self.controller.device.on_session(**self._now()))
            self._take_status(answer)

    def _take_ack(self, answer: Answer) -> None:
        content = dict(answer.content)
        try:
            ack = Acknowledgement(**{**content, "applied_level": tuple(content["applied_level"])})
        except (TypeError, KeyError) as error:
            sentence = Message("engine.answer_is_none", reason=str(error))
            self._send(self.controller.on_fault("command_refused", sentence=sentence))
            return
        # Recorded before it is judged: the fault that may follow must find its cause in the recording.
        self.recording.enter(ack)
        self._send(self.controller.device.on_ack(ack, local=lsl.local_clock()))

    def _take_status(self, answer: Answer) -> None:
        status = device_status(answer.content, commanded=max(self.controller.level))
        if status is None:
            return
        follows = answer.kind == "welcome" or answer.content.get("session") == self.channel.session
        self.driver = str(answer.content.get("driver", ""))[:LONGEST_DRIVER]
        now, last = lsl.local_clock(), self._last
        self._followed = now if follows else -inf
        shown = (status.state, status.level, status.locked)
        # A status comes some twenty times a second; every change is recorded, and otherwise one in half a second.
        changed = last is None or (last.state, last.level, last.locked) != shown
        if changed or now - self._recorded_at >= RECORD_S:
            self._recorded_at, self._last = now, status
            self.recording.enter(status)
        self._send(self.controller.device.on_status(status, follows=follows, local=now))
        # Whatever measures currents says so in its status; what that leads to, the tick sends.
        self.controller.stimulation.take_status(answer.content.get("stimulator"), local=now)

    def _agree(self, now: float) -> None:
        """Ask for a session key where one is needed: by a self-test once the device's safe state is complete, and
        at once by a STOP that a device without our key cannot hear."""
        device = self.controller.device
        # A device that follows our key hears the STOP that is being repeated. Only one that does not (it was
        # started again, or lapsed) needs a key first.
        stops = device.stop_unconfirmed and now - self._followed > FOLLOWED_S
        if stops or device.needs_session:
            self.channel.listen_to_all()
            self._waiting_since = self._waiting_since or now
            if now - self._waiting_since > SILENT_S and not stops:
                self._report_silence()
        else:
            self._waiting_since = 0.0
            self._ledger.alarms.clear("effector_silent")
        if stops or (device.needs_session and device.at_rest):
            self.channel.ask_for_key(now, stamp=self._stream_now())

    def _report_silence(self) -> None:
        """The device has not agreed on a session key: nobody waits for it without being told why."""
        self._ledger.alarms.raise_alarm(
            "effector_silent",
            priority="medium",
            what=Message("alarm.effector_silent"),
            means=Message("alarm.effector_silent_means"),
            do=Message("alarm.effector_silent_do"),
        )

    def _look_for_strangers(self, now: float) -> None:
        """Streams of others that bear this session's names: an alarm, and no arming while they are there."""
        strangers = self.channel.strangers(now)
        if strangers is None:
            return
        # Both ends count: a forged command reaches the device only, a forged answer only the engine.
        reported = 0 if self._last is None else self._last.foreign
        messages = self.channel.foreign_messages + reported
        new = self.controller.device.set_foreign(messages=messages, streams=strangers)
        if new:
            self._ledger.alarms.raise_alarm(
                "foreign_stream",
                priority="high",
                what=Message("alarm.foreign_stream", streams=new),
                means=Message("alarm.foreign_stream_means"),
                do=Message("alarm.foreign_stream_do"),
            )
        elif not strangers:
            self._ledger.alarms.clear("foreign_stream")

    # ---------------------------------------------------------------------------------------- end
    def disconnect(self) -> None:
        """End of the session: disarm, release, tell the device that no engine follows; it makes itself safe."""
        with self._lock:
            ended = Message("engine.session_ended")
            self.stand_down(ended)
            try:
                self._act(self.controller.operator.disconnect(**self._now()))
            except Refused:
                self._take_rows()
            self.channel.end(ended, stamp=self._stream_now())
        self.channel.stop_listening()

    def snapshot(self) -> control.EffectorStatus:
        """The effector's part of the status."""
        with self._lock:
            snapshot = self.controller.snapshot()
            # The controller has ordered the STOP; without a session key the channel could not sign it, and the
            # screen must not say that it left.
            snapshot["stop"]["sent"] = snapshot["stop"]["sent"] and self._stop_sent
            return snapshot

    def _now(self) -> _Times:
        return {"now_stream": self._stream_now(), "local": lsl.local_clock()}

    def _act(self, act: control.Act) -> None:
        self._send(act.commands)

    def _send(self, commands: list[Command]) -> None:
        # Sent before anything is recorded: neither a slow nor a full disk may hold up a command.
        for command in commands:
            sent = self.channel.send(command)
            self._stop_sent |= sent and command.action == "stop"
        self.recording.follow(commands)
        self._take_rows()

    def _take_rows(self) -> None:
        for row in self.controller.take_rows():
            self._ledger.enter(row)
