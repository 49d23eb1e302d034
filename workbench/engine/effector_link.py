"""The engine's hand on the effector: controller, signed commands out, verified acknowledgements and statuses in.

Behind one lock, because STOP comes from the server's thread, and what the device says from threads of its own:
neither waits for the engine's loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from math import inf
from typing import Any, TypedDict

from workbench import control, world
from workbench.devices import lsl
from workbench.devices._device_watch import device_status
from workbench.devices._last_metre import Answer, EngineEnd
from workbench.devices._listening import Listener, Lookout
from workbench.devices._pairing import Pairing
from workbench.engine.ledger import Ledger
from workbench.errors import Refused
from workbench.live.plan import OWN_NAMES
from workbench.threads import Spawn, start_thread
from workbench.vocabulary import Acknowledgement, Command, Decision, DeviceStatus, StreamSpec

ASK_S = 0.15
"""Time between two askings for a session key, s."""

FOLLOWED_S = 1.0
"""A status that says that the device follows our session key holds for so long, s."""

SILENT_S = 5.0
"""A device that has not answered a self-test for so long raises an alarm, s."""

LOOK_S = 0.5
"""Time between two looks for streams that bear this session's names, s."""

RECORD_S = 0.5
"""Time between two recorded statuses while nothing changes, s."""

EffectorEvent = Command | Acknowledgement | DeviceStatus


class _Times(TypedDict):
    """Stream and local time, s."""

    now_stream: float
    local: float


class EffectorLink:
    """One effector in one session.

    Parameters
    ----------
    paired : the pairing with the device; it names the effector profile.
    session_id : of the session; it ends the source_ids of the engine's other streams.
    own_uids : gives the uids of the engine's other outlets.
    ledger : takes the controller's rows and the alarm about foreign streams.
    record : called with every command, acknowledgement and status (any thread) while a run is recorded.
    stream_now : stream time now, s.
    speed, t0 : of the stream time; the device learns them signed.
    simulated : whether the device is.
    spawn : starts the threads that listen to the device; the engine hands in its supervisor.
    """

    def __init__(
        self,
        *,
        paired: Pairing,
        session_id: str,
        own_uids: Callable[[], frozenset[str]],
        ledger: Ledger,
        record: Callable[[EffectorEvent], None],
        stream_now: Callable[[], float],
        speed: float,
        t0: float,
        simulated: bool,
        spawn: Spawn = start_thread,
    ) -> None:
        self.controller = control.Controller(control.load(paired.effector), speed=speed, simulated=simulated)
        self._end = EngineEnd(paired.key(), paired.effector)
        self._hello = {"session_id": session_id, "speed": speed, "t0": t0}
        self._own_uids, self._ledger, self._record = own_uids, ledger, record
        self._stream_now = stream_now
        self._lock = world.clock.rlock()
        self._asked = self._looked = self._recorded = self._waiting = 0.0
        self._last: DeviceStatus | None = None
        self._device_uids: frozenset[str] = frozenset()
        self._stop_sent = False
        self._followed = -inf
        spec = StreamSpec("wb-commands", "Commands", 0.0, source_id=paired.source_id("commands"), role="markers")
        self.outlet = lsl.Outlet(spec, desc={"speed": speed, "t0": t0})
        # A stranger knows the session's id from the cue stream, and the link's from the device's streams.
        suffixes = (session_id, paired.link_id)
        names = [own for own in OWN_NAMES if own != "wb-watch"]  # a watcher that holds the key may come and go
        self._names = frozenset(f"{own}-{suffix}" for own in names for suffix in suffixes)
        self._lookout = Lookout("starts-with(name,'wb-') or starts-with(source_id,'wb-')")
        ids = [paired.source_id("acks"), paired.source_id("status")]
        self._listener = Listener(ids, self.received, spawn=spawn)

    @property
    def state(self) -> str:
        """State of the controller."""
        return self.controller.state

    # ------------------------------------------------------------------------------ operator, engine
    def self_test(self, *, streams: bool, clock: bool) -> None:
        """Begin a self-test."""
        with self._lock:
            self._act(self.controller.operator.self_test({"streams": streams, "clock": clock}, **self._now()))

    def decoder(self, sha256: str, *, approved: str, rule: Mapping[str, Any]) -> None:
        """Name the loaded and the approved decoder, and the paradigm's ``rule`` for the screen's sentences."""
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
                self._rows()

    def name_unmet(self) -> None:
        """Refuse arming and name every condition that is not met, but for the operator's own acts."""
        own = ("operator", "participant_ready")
        with self._lock:
            unmet = [c.text for c in self.controller.conditions() if not c.ok and c.key not in own]
        if unmet:
            raise Refused("arming is not possible: " + " ".join(unmet))

    def disarm(self, operator: str) -> None:
        """Disarm."""
        with self._lock:
            try:
                self._act(self.controller.operator.disarm(operator, **self._now()))
            finally:
                self._rows()

    def report_absence(self, since_s: float, *, limit_s: float = 20.0) -> None:
        """No operator's screen has answered for ``since_s`` s; see :meth:`OperatorActs.report_absence`."""
        with self._lock:
            self._send(self.controller.operator.report_absence(since_s, limit_s=limit_s, **self._now()))

    def release(self, reason: str) -> None:
        """Release a closed effector, stay armed."""
        with self._lock:
            self._act(self.controller.operator.release(reason, **self._now()))

    def stand_down(self, reason: str) -> None:
        """Release and disarm where that is possible: the end of a run."""
        with self._lock:
            if self.controller.state in control.ARMED_OR_ENGAGED:
                self._act(self.controller.operator.disarm(f"engine ({reason})", **self._now()))
            self.controller.device.summarise_run()
            self._rows()

    def estop(self, reason: str) -> None:
        """Stop at once. Any thread."""
        with self._lock:
            self._stop_sent = False
            self._act(self.controller.operator.estop(reason, **self._now()))

    def fault(self, reason: str) -> None:
        """A fault found by the engine: to the safe state."""
        with self._lock:
            if self.controller.state != "DISCONNECTED":
                self._send(self.controller.on_fault(reason, **self._now()))

    def source_replaced(self) -> None:
        """An input is announced by another outlet than before: a fault while armed."""
        with self._lock:
            if self.controller.state in control.ARMED_OR_ENGAGED:
                self.fault("source_replaced")

    def reset(self, operator: str) -> None:
        """Leave a latched stop or a fault."""
        with self._lock:
            try:
                self._act(self.controller.operator.reset(operator, **self._now()))
            finally:
                self._rows()

    def decided(self, decision: Decision, *, quality_ok: bool) -> None:
        """Follow a decision."""
        with self._lock:
            self._send(self.controller.on_decision(decision, quality_ok=quality_ok, **self._now()))

    def hop(self, duration_s: float) -> None:
        """How long a hop took, s."""
        with self._lock:
            self._send(self.controller.on_hop(duration_s, local=lsl.local_clock()))

    def tick(self, *, quality_ok: bool | None) -> None:
        """Time went on: the controller's watchdogs, the session key, streams that bear our names."""
        with self._lock:
            now = self._now()
            self._agree(now["local"])
            self._look(now["local"])
            self._send(self.controller.on_tick(**now, quality_ok=quality_ok))

    # ----------------------------------------------------------------------------------- the device
    def received(self, uid: str, text: str) -> None:
        """A text of an outlet that claims to be the device; on its thread. The unsigned is only counted."""
        with self._lock:
            answer = self._end.receive(text)
            if answer is None or not answer.is_fresh:
                return
            self._listener.trust(uid)
            if answer.kind == "ack":
                self._acknowledged(answer)
                return
            if answer.kind == "welcome":
                self._welcomed(answer)
            self._status(answer)

    def _welcomed(self, answer: Answer) -> None:
        """A session key is agreed; the device names its outlets, signed: nobody else is listened to from here."""
        uids = answer.content.get("uids")
        if isinstance(uids, dict):
            self._device_uids = frozenset(str(uid) for uid in uids.values())
            self._listener.bind(self._device_uids)
        self._send(self.controller.device.on_session(**self._now()))

    def _acknowledged(self, answer: Answer) -> None:
        content = dict(answer.content)
        try:
            ack = Acknowledgement(**{**content, "applied_level": tuple(content["applied_level"])})
        except (TypeError, KeyError) as error:
            self._send(self.controller.on_fault("command_refused", sentence=f"a signed answer is none ({error})"))
            return
        self._record(ack)
        self._send(self.controller.device.on_ack(ack, local=lsl.local_clock()))

    def _status(self, answer: Answer) -> None:
        status = device_status(answer.content, commanded=max(self.controller.level))
        if status is None:
            return
        follows = answer.kind == "welcome" or answer.content.get("session") == self._end.session
        now, last = lsl.local_clock(), self._last
        self._followed = now if follows else -inf
        shown = (status.state, status.level, status.locked)
        changed = last is None or (last.state, last.level, last.locked) != shown
        if changed or now - self._recorded >= RECORD_S:
            self._recorded, self._last = now, status
            self._record(status)
        self._send(self.controller.device.on_status(status, follows=follows, local=now))

    def _agree(self, now: float) -> None:
        """Ask for a session key where one is needed: by a self-test once the device's safe state is complete, and
        at once by a STOP that a device without our key cannot hear."""
        stops = self.controller.device.stop_unconfirmed and now - self._followed > FOLLOWED_S
        waits = stops or (self.controller.device.needs_session and self.controller.device.at_rest)
        if stops or self.controller.device.needs_session:
            # The device may be another process by now; whoever it is, a signature decides.
            self._listener.bind(None)
            self._waiting = self._waiting or now
            if now - self._waiting > SILENT_S and not stops:
                self._silent()
        else:
            self._waiting = 0.0
            self._ledger.alarms.clear("effector_silent")
        if waits and self._end.has_offer and now - self._asked >= ASK_S:
            self._asked = now
            self.outlet.push_text(self._end.hello(self._hello), self._stream_now())

    def _silent(self) -> None:
        """The device has not agreed on a session key: nobody waits for it without being told why."""
        self._ledger.alarms.raise_alarm(
            "effector_silent",
            priority="medium",
            what="The effector has not answered the self-test.",
            means="It stays off and cannot be armed. The self-test is tried again and again.",
            do="Check that the effector runs and that it was paired with this computer.",
        )

    def _look(self, now: float) -> None:
        """Streams that bear a name of this session and are neither the engine's nor the device's."""
        if now - self._looked < LOOK_S:
            return
        self._looked = now
        own = self._own_uids() | {self.outlet.uid} | self._device_uids
        strange = []
        for uid, seen in self._lookout.seen().items():
            # Until the device has named its own two streams, one of them may be what is seen.
            unknown = not self._device_uids and seen.source_id.startswith(("wb-acks-", "wb-status-"))
            if uid not in own and seen.source_id in self._names and not unknown:
                strange.append(f"{seen.source_id} of host {seen.host} (uid {uid[:8]})")
        device = 0 if self._last is None else self._last.foreign
        new = self.controller.device.set_foreign(messages=self._end.foreign + device, streams=sorted(strange))
        if new:
            self._ledger.alarms.raise_alarm(
                "foreign_stream",
                priority="high",
                what=f"Another program publishes a stream with a name of this session: {', '.join(new)}.",
                means="It moves nothing: commands are signed. Arming is blocked while it is there.",
                do="Find and end that program; then arm.",
                streams=", ".join(new),
            )
        elif not strange:
            self._ledger.alarms.clear("foreign_stream")

    # -------------------------------------------------------------------------------------- others
    def disconnect(self) -> None:
        """End of the session: disarm, release, tell the device that no engine follows; it makes itself safe."""
        with self._lock:
            self.stand_down("the session ended")
            try:
                self._act(self.controller.operator.disconnect(**self._now()))
            except Refused:
                self._rows()
            for text in self._end.end("the session ended"):
                self.outlet.push_text(text, self._stream_now())
        self._listener.close()

    def close(self) -> None:
        """Take the command stream away."""
        self.outlet.close()

    def snapshot(self) -> control.EffectorStatus:
        """The effector's part of the status."""
        with self._lock:
            snapshot = self.controller.snapshot()
            snapshot["stop"]["sent"] = snapshot["stop"]["sent"] and self._stop_sent
            return snapshot

    def _now(self) -> _Times:
        return {"now_stream": self._stream_now(), "local": lsl.local_clock()}

    def _act(self, act: control.Act) -> None:
        self._send(act.commands)

    def _send(self, commands: list[Command]) -> None:
        for command in commands:
            texts = self._end.command(asdict(command))
            for text in texts:
                self.outlet.push_text(text, command.stamp)
            self._stop_sent |= bool(texts) and command.action == "stop"
            self._record(command)
        self._rows()

    def _rows(self) -> None:
        for row in self.controller.take_rows():
            self._ledger.enter(row)
