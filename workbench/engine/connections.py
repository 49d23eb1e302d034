"""The inputs of a session: find the contract's streams, lose them, take them again, go without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from workbench import messages
from workbench.devices import lsl
from workbench.devices._listening import Lookout, announced_as
from workbench.engine.effector import SessionEffector
from workbench.engine.events import EventLog
from workbench.engine.inlets import Inlets
from workbench.engine.streams import Stream, Streams
from workbench.errors import BadValue, Refused, StreamFault
from workbench.live.plan import SessionPlan
from workbench.messages import Message


class Connections:
    """Connects the streams of the contract. No outlet ever replaces another without an operator.

    Parameters
    ----------
    plan : of the session.
    streams, inlets, events, effector : parts of the session.
    """

    def __init__(
        self,
        plan: SessionPlan,
        *,
        streams: Streams,
        inlets: Inlets,
        events: EventLog,
        effector: SessionEffector,
    ) -> None:
        self._plan, self._streams, self._inlets = plan, streams, inlets
        self._events, self._effector = events, effector
        self._gone: set[str] = set()
        self._offered: set[str] = set()
        self._lookout: Lookout | None = None

    # -------------------------------------------------------------------------------- connecting
    def resolve(self) -> None:
        """Find the contract's streams; what is not critical may be missing.

        Raises
        ------
        StreamFault
            When a critical stream is missing, doubled or wrong.
        BadValue
            When the signal runs at another speed than the plan says.
        """
        plan = self._plan
        # Only what is critical stops the session here; an operator may waive the rest, or connect it later.
        optional = [spec.name for spec in plan.contract if not spec.critical]
        inlets = lsl.resolve(plan.contract, timeout=plan.resolve_s, waived=optional)
        for spec in plan.contract:
            if spec.name in inlets:
                self._adopt(spec.name, inlets[spec.name])
            elif spec.name in plan.waived:
                self.waive(spec.name, str(plan.waived[spec.name]), by=plan.operator)
            else:
                self._search(spec.name)
        signal = self._streams.signal
        # Both are decimal texts, so they differ by rounding or by intent.
        if abs(signal.speed - plan.speed) > 1e-9:
            name, speed = repr(signal.spec.name), f"{signal.speed:g}"
            raise BadValue(Message("engine.other_speed", stream=name, speed=speed, planned=f"{plan.speed:g}"))

    def _adopt(self, name: str, inlet: lsl.Inlet) -> None:
        """Take an inlet as a stream of the contract."""
        self._streams[name].connect(inlet, local=lsl.local_clock())
        for note in inlet.notes:
            self._events.enter(
                "contract",
                stream=name,
                extent=note,
                consequence=Message("engine.taken_from_contract"),
                priority="low",
            )
        self._inlets.add(name, inlet)

    def _search(self, name: str, *, timeout: float = 1.0) -> None:
        """Look for a non-critical stream, at most ``timeout`` s; what is wrong with it becomes its message."""
        stream = self._streams[name]
        try:
            self._adopt(name, lsl.resolve([replace(stream.spec, critical=True)], timeout=timeout)[name])
        except StreamFault as fault:
            stream.state, stream.message = "missing", messages.of(fault)
            self._events.enter(
                "stream_missing",
                stream=name,
                extent=stream.message,
                consequence=Message("engine.blocks_runs"),
                priority="medium",
            )

    def reconnect(self, *, by: str) -> list[str]:
        """An operator takes what now fulfils missing and lost streams; names of those still without."""
        absent = [name for name, stream in self._streams.items() if stream.state in ("missing", "lost")]
        return [name for name in absent if not self._reconnect(name, by=by)]

    def _reconnect(self, name: str, *, by: str) -> bool:
        """Whether there is a stream of that name now."""
        stream = self._streams[name]
        if stream.state == "lost" and name not in self._gone:
            return False  # silent, but the same outlet: it is back with its next sample
        was_lost = stream.state == "lost"
        self._inlets.drop(name)
        self._search(name)
        connected = stream.state == "good"
        if not was_lost:
            return connected
        stream.state = "lost"  # until its first sample
        if not connected:
            return False
        self._gone.discard(name)
        self._offered.discard(name)
        self._events.enter(
            "outlet_taken",
            stream=name,
            extent=Message("engine.uid", uid=stream.uid[:8]),
            consequence=Message("engine.taken_by", by=by),
            priority="medium",
        )
        self._events.mark("outlet_taken", label=name, by=by)
        return True

    def waive(self, name: str, reason: str, *, by: str) -> None:
        """Go without a non-critical stream.

        Parameters
        ----------
        name : of the stream.
        reason : for the record.
        by : who waives it.

        Raises
        ------
        BadValue, Refused
            For a stream that is not in the contract, is critical or is there, and without a reason.
        """
        if name not in self._streams:
            raise BadValue(Message("engine.not_in_contract", stream=repr(name), streams=list(self._streams)))
        stream = self._streams[name]
        if stream.spec.critical:
            raise Refused(Message("engine.cannot_waive_critical", stream=repr(name)))
        if not reason.strip():
            raise BadValue(Message("engine.waiver_needs_reason", stream=repr(name)))
        if stream.state == "good":
            raise Refused(Message("engine.nothing_to_waive", stream=repr(name)))
        stream.state, stream.message = "waived", reason
        self._events.ledger.alarms.clear(f"stream_lost:{name}")
        consequence = Message("engine.waived_by", who=by)
        self._events.enter("waiver", stream=name, extent=reason, consequence=consequence, priority="low")
        self._events.mark("waiver", label=name, reason=reason, by=by)

    # ------------------------------------------------------------------------------------ losing
    def lose_outlet(self, name: str, sentence: str) -> None:
        """The outlet behind an input is gone: the stream is lost until an operator reconnects it."""
        self._events.enter(
            "stream_gone",
            stream=name,
            extent=sentence,
            consequence=Message("engine.lost_until_reconnected"),
            priority="high",
        )
        self._streams[name].gone = True
        self._gone.add(name)

    def watch_sources(self) -> None:
        """Report once that another outlet announces an input that is gone: it may be a stranger's."""
        if not self._gone:
            return
        # Looking at the network all the time is only worth its cost once something is gone.
        if self._lookout is None:
            self._lookout = Lookout(announced_as(list(self._streams), field_name="name"))
        announced = list(self._lookout.seen().values())
        for name in sorted(self._gone - self._offered):
            stream = self._streams[name]
            sources = [s for s in announced if _fits(s, stream)]
            if sources:
                self._offer(stream, sources[0])

    def _offer(self, stream: Stream, source: lsl.StreamSeen) -> None:
        """Another outlet announces an input that is gone: an operator must take it, and nothing stays armed."""
        name = stream.spec.name
        self._offered.add(name)
        uid = source.uid[:8]
        stream.message = Message("engine.other_outlet", stream=name, host=source.host, uid=uid)
        self._events.enter(
            "other_outlet",
            stream=name,
            extent=Message("engine.uid_of_host", uid=uid, host=source.host),
            consequence=Message("engine.not_taken"),
            priority="high",
        )
        if self._effector.link is not None:
            self._effector.link.fault("source_replaced", only_armed=True)


def _fits(source: lsl.StreamSeen, stream: Stream) -> bool:
    """Whether a source announces what the contract says of a stream."""
    spec = stream.spec
    named = (source.name, source.type) == (spec.name, spec.type)
    return named and (not spec.source_id or source.source_id == spec.source_id)


class DuplicateWatch:
    """Looks for streams that are there a second time while the session has the first.

    Parameters
    ----------
    streams, events : parts of the session.
    """

    def __init__(self, streams: Streams, events: EventLog) -> None:
        self._streams, self._events = streams, events
        self._resolver: Callable[[], list[lsl.StreamSeen]] | None = None
        self._suspects: dict[str, str] = {}

    def look(self) -> None:
        """One look; a duplicate that two looks in a row found is a row and an alarm.

        An outlet that died is listed for some seconds more, and one that comes back has another uid: a duplicate
        is therefore one beside a stream that delivers and is listed itself.
        """
        if self._resolver is None:
            self._resolver = lsl.watcher()
        announced = self._resolver()
        alarms = self._events.ledger.alarms
        suspects: dict[str, str] = {}
        for name, stream in self._streams.items():
            cause = f"stream_duplicate:{name}"
            alike = [source for source in announced if _fits(source, stream)]
            others = [source for source in alike if source.uid != stream.uid]
            if stream.state != "good" or len(others) == len(alike) or not others:
                alarms.clear(cause)
                continue
            suspects[name] = others[0].uid
            # Twice with the same uid: an outlet that restarts is listed beside its successor for one look.
            if self._suspects.get(name) == others[0].uid and cause not in alarms:
                self._report(stream, others, cause)
        self._suspects = suspects

    def _report(self, stream: Stream, others: list[lsl.StreamSeen], cause: str) -> None:
        name = stream.spec.name
        extent = Message("engine.also_seen", streams=[source.words() for source in others])
        self._events.enter(
            "stream_duplicate", stream=name, extent=extent,
            consequence=Message("engine.first_stays"),
            priority="high" if stream.spec.critical else "medium",
        )  # fmt: skip
        self._events.mark("stream_duplicate", label=name, extent=extent)
        self._events.ledger.alarms.raise_alarm(
            cause,
            key="stream_duplicate",
            priority="high" if stream.spec.critical else "medium",
            what=Message("alarm.duplicate", stream=name),
            means=Message("alarm.duplicate_means"),
            do=Message("alarm.duplicate_do"),
        )
