"""What a session is connected to: players, streams, outlets, effector, display, ledger."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workbench import devices
from workbench.devices import lsl
from workbench.devices._listening import Lookout, announced_as
from workbench.devices._pairing import Pairing
from workbench.engine.effector_link import EffectorLink, Recorded
from workbench.engine.grants import GrantGate
from workbench.engine.inlets import Inlets
from workbench.engine.ledger import Ledger
from workbench.engine.presence import Presence
from workbench.engine.run import LiveRun
from workbench.engine.streams import Stream
from workbench.errors import BadValue, RecordingFault, Refused, StreamFault, WorkbenchError
from workbench.live._display import DisplayWriter
from workbench.live._place import Place
from workbench.live.plan import OUTLETS, SessionPlan
from workbench.signals import units
from workbench.signals.quality import ChannelQuality, QualityMonitor
from workbench.threads import Spawn, start_thread
from workbench.vocabulary import LedgerRow, StreamSpec

LOG = logging.getLogger("workbench.engine")


class Links:
    """Everything a session is connected to: see :class:`SessionPlan`."""

    def __init__(self, place: Place, plan: SessionPlan, ledger: Ledger, *, spawn: Spawn = start_thread) -> None:
        self.place, self.plan, self.ledger, self.spawn = place, plan, ledger, spawn
        self.grants = GrantGate(plan)
        self.presence = Presence(limit_s=plan.absence_s, script=plan.script_present)
        self.inlets = Inlets(spawn)
        self.streams = {spec.name: Stream(spec) for spec in plan.contract}
        self.players: list[devices.Player] = []
        self.outlets: dict[str, lsl.Outlet] = {}
        self.effecting: EffectorLink | None = None
        self.paired: Pairing | None = None
        self.display: DisplayWriter | None = None
        self.quality: list[ChannelQuality] = []
        self.monitor: QualityMonitor | None = None
        self.run: LiveRun | None = None
        self.runs = 0
        self.run_ids: list[str] = []
        self.replayed = False
        self._gone: set[str] = set()
        self._offered: set[str] = set()
        self._sources: Lookout | None = None
        self.stopped = ""
        self._stop_lock = threading.Lock()
        self._stop_asked = ""
        self._cues = 0

    # ------------------------------------------------------------------------------- connecting
    @property
    def signal(self) -> Stream:
        """The decoded stream."""
        return self.streams[self.plan.signal.name]

    def stream_now(self) -> float:
        """Stream time now, s."""
        return self.signal.stream_time(lsl.local_clock())

    def connect(self) -> None:
        """Start the players, find the streams, open the outlets, start the effector.

        Raises
        ------
        StreamFault, BadValue, EngineFault
            What is missing, doubled or wrong, or which player did not start.
        """
        plan = self.plan
        self.outlets["cues"] = self._outlet("cues", {})
        if plan.effector is not None:
            self.paired = devices.pairing(plan.study_folder, plan.effector)
        for player in plan.players:
            if not self._is_effector(player):
                self._play(player)
        self._resolve()
        signal = self.signal
        inlet = self.inlets.open[signal.spec.name]
        self.replayed = inlet.seen.extra.get("device") == "replay"
        if abs(signal.speed - plan.speed) > 1e-9:
            raise BadValue(
                f"stream {signal.spec.name!r} runs at {signal.speed:g} × real time, the session plan says "
                f"{plan.speed:g} ×; correct one of them"
            )
        spec = signal.spec
        unit = units.canonical(spec.unit)
        self.display = DisplayWriter(
            self.place.display, names=spec.measured, fs=spec.fs, unit=unit, speed=signal.speed, t0=signal.t0
        )
        self.monitor = QualityMonitor(spec.fs, spec.measured, unit=unit, mains_hz=plan.mains_hz)
        base = {"speed": signal.speed, "t0": signal.t0}
        self.outlets["decisions"] = self._outlet("decisions", base)
        if self.paired is not None and plan.effector is not None:
            self.effecting = EffectorLink(
                paired=self.paired,
                session_id=plan.session_id,
                own_uids=lambda: frozenset(outlet.uid for outlet in self.outlets.values()),
                ledger=self.ledger,
                record=self._record,
                stream_now=self.stream_now,
                speed=plan.speed,
                t0=signal.t0,
                simulated=plan.effector_simulated,
                spawn=self.spawn,
            )
        for player in plan.players:
            if self._is_effector(player):
                self._play_effector(player)

    def self_test(self) -> None:
        """Begin the effector's self-test."""
        if self.effecting is not None:
            good = all(s.state == "good" for s in self.streams.values() if s.spec.critical)
            steady = self.signal.n_offsets > 0 and self.signal.steady and self.signal.uncertainty < 0.005
            self.effecting.self_test(streams=good and self.effector_listens, clock=steady)

    @property
    def effector_listens(self) -> bool:
        """Whether somebody receives the commands; True where there is no effector."""
        return self.effecting is None or self.effecting.outlet.has_receiver()

    def _is_effector(self, player: Any) -> bool:
        """Whether a player answers commands."""
        return "pairing" in devices.load(str(player["device"])).options

    def _play(self, player: Any, *, owned: bool = True, **more: Any) -> None:
        name = str(player["device"])
        options = self.plan.player_options(player) | more
        log = self.place.folder / f"player-{len(self.players) + 1}-{name}.log"
        self.players.append(devices.start(name, options, log=log, owned=owned))
        LOG.info("player %s started as process %d", name, self.players[-1].pid)

    def _play_effector(self, player: Any) -> None:
        """Start a simulated effector as a process that outlives the engine, or find the one that does already."""
        if self.paired is None:
            raise BadValue(f"player {player['device']} is an effector; name one in the session plan")
        running = devices.running_device(self.paired)
        if running is None:
            self._play(player, owned=False, pairing=str(self.paired.path))
            return
        LOG.info("the effector of this study runs already as process %d; it is taken up again", running)
        self.enter(
            "effector_found",
            stream=str(player["device"]),
            extent=f"process {running}, started by an earlier engine",
            consequence="taken up again; a self-test follows",
        )

    def _outlet(self, purpose: str, desc: dict[str, Any]) -> lsl.Outlet:
        spec = StreamSpec(
            OUTLETS[purpose], purpose.capitalize(), 0.0, source_id=self.plan.source_id(purpose), role="markers"
        )
        return lsl.Outlet(spec, desc=desc)

    def _resolve(self) -> None:
        """Find the contract's streams; what is not critical may be missing."""
        plan = self.plan
        optional = [spec.name for spec in plan.contract if not spec.critical]
        found = lsl.resolve(plan.contract, timeout=plan.resolve_s, waived=optional)
        for spec in plan.contract:
            if spec.name in found:
                self.adopt(spec.name, found[spec.name])
            elif spec.name in plan.waived:
                self.waive(spec.name, str(plan.waived[spec.name]), by=plan.operator)
            else:
                self.search(spec.name)

    def adopt(self, name: str, inlet: lsl.Inlet) -> None:
        """Take an inlet as a stream of the contract."""
        stream = self.streams[name]
        stream.connected(inlet, local=lsl.local_clock())
        for note in inlet.notes:
            self.enter("contract", stream=name, extent=note, consequence="taken from the contract", priority="low")
        self.inlets.add(name, inlet)

    def search(self, name: str, *, timeout: float = 1.0) -> None:
        """Look for a non-critical stream; what is wrong with it becomes its message."""
        stream = self.streams[name]
        try:
            self.adopt(name, lsl.resolve([replace(stream.spec, critical=True)], timeout=timeout)[name])
        except StreamFault as fault:
            stream.state, stream.message = "missing", str(fault)
            self.enter(
                "stream_missing",
                stream=name,
                extent=str(fault),
                consequence="no run can start until it is there or waived",
                priority="medium",
            )

    def outlet_gone(self, name: str, sentence: str) -> None:
        """The outlet behind an input is gone: the stream is lost, and no other outlet is taken by itself."""
        self.enter(
            "stream_gone",
            stream=name,
            extent=sentence,
            consequence="lost until an operator reconnects it",
            priority="high",
        )
        self.streams[name].gone = True
        self._gone.add(name)

    def outlet_uid(self, name: str) -> str:
        """uid of the outlet behind an open input, ``""`` when it has none."""
        inlet = self.inlets.open.get(name)
        return "" if inlet is None else inlet.seen.uid

    def watch_sources(self) -> None:
        """Say once when another outlet announces an input that is gone: nobody can tell it from a stranger."""
        if not self._gone:
            return
        seen = self._lookout().seen().values()
        for name in sorted(self._gone):
            spec = self.streams[name].spec
            found = [s for s in seen if (s.name, s.type) == (spec.name, spec.type)]
            found = [s for s in found if not spec.source_id or s.source_id == spec.source_id]
            if not found or name in self._offered:
                continue
            self._offered.add(name)
            self.streams[name].message = (
                f"Another outlet announces {name} (host {found[0].host}, uid {found[0].uid[:8]}). It is not taken "
                "by itself: check that it is your source, then press Reconnect."
            )
            self.enter(
                "other_outlet",
                stream=name,
                extent=f"uid {found[0].uid[:8]} of host {found[0].host}",
                consequence="not taken until an operator reconnects it",
                priority="high",
            )
            if self.effecting is not None:
                self.effecting.source_replaced()

    def _lookout(self) -> Lookout:
        if self._sources is None:
            self._sources = Lookout(announced_as([spec.name for spec in self.plan.contract], field_name="name"))
        return self._sources

    def reconnect(self, name: str, *, by: str) -> bool:
        """An operator takes whatever outlet now fulfils a line of the contract; whether there is one."""
        stream = self.streams[name]
        before = stream.state
        if before == "lost" and name not in self._gone:
            return False  # silent, but the same outlet: it is back with its next sample
        self.inlets.drop(name)
        self.search(name)
        if stream.state != "good" or before != "lost":
            found, stream.state = stream.state == "good", stream.state if before != "lost" else before
            return found
        self._gone.discard(name)
        self._offered.discard(name)
        self.streams[name].state = "lost"  # until its first sample
        self.enter(
            "outlet_taken",
            stream=name,
            extent=f"uid {self.outlet_uid(name)[:8]}",
            consequence=f"taken by {by}",
            priority="medium",
        )
        self.mark("outlet_taken", label=name, by=by)
        return True

    def waive(self, name: str, reason: str, *, by: str) -> None:
        """Go without a non-critical stream, with a reason."""
        if name not in self.streams:
            raise BadValue(f"stream {name!r} is not in the contract; it has {', '.join(self.streams)}")
        stream = self.streams[name]
        if stream.spec.critical:
            raise Refused(f"stream {name!r} is critical and cannot be waived; start its source")
        if not reason.strip():
            raise BadValue(f"the waiver of stream {name!r} needs a reason; it goes into the record")
        if stream.state == "good":
            raise Refused(f"stream {name!r} is there and good; there is nothing to waive")
        stream.state, stream.message = "waived", reason
        self.ledger.calm(f"stream_lost:{name}")
        self.enter("waiver", stream=name, extent=reason, consequence=f"waived by {by}", priority="low")
        self.mark("waiver", label=name, reason=reason, by=by)

    def enter(
        self, kind: str, *, stream: str = "", extent: str = "", consequence: str = "", priority: str = "info"
    ) -> None:
        """A row of the ledger, now."""
        sample = self.run.feed.seen if self.run is not None and self.run.live else -1
        now = lsl.local_clock()
        stamp = self.signal.stream_time(now)
        self.ledger.enter(LedgerRow(kind, stamp, now, sample, stream, extent, consequence, priority))

    def mark(self, kind: str, *, label: str = "", **detail: Any) -> None:
        """Record an event of the live run at the sample at which it takes effect."""
        if self.run is not None and self.run.live:
            self.run.feed.mark(kind, stamp=self.stream_now(), label=label, **detail)

    def _record(self, item: Recorded) -> None:
        """Commands, acknowledgements and statuses go into the run that is open. Any thread.

        A recording that fails is the loop's to report, at its next write: here it must cost neither the effector
        the command that comes next, nor a listening thread its life.
        """
        run = self.run
        if run is not None and run.live:
            try:
                run.record(item)
            except RecordingFault as fault:
                LOG.error("not recorded: %s; %s", type(item).__name__, fault)

    def close(self) -> None:
        """End of the session: effector, inlets, players, outlets, display; what fails is logged and skips none."""
        steps: list[Callable[[], object]] = []
        if self.effecting is not None:
            steps.append(self.effecting.disconnect)
        steps.append(self.inlets.close)
        steps += [lambda p=p: devices.stop(p) for p in self.players]  # type: ignore[misc]
        if self.paired is not None:
            # One that an earlier engine started is in no list of this one.
            steps.append(lambda paired=self.paired: devices.end_device(paired))  # type: ignore[misc]
        if self.effecting is not None:
            steps.append(self.effecting.close)
        steps += [outlet.close for outlet in self.outlets.values()]
        if self.display is not None:
            steps.append(self.display.close)
        for step in steps:
            try:
                step()
            except (WorkbenchError, OSError) as error:
                LOG.error("while the session is closed: %s", error)
