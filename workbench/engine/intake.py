"""Where each arrival of an inlet goes: recording, run, screen; and what is wrong with its stamps."""

from __future__ import annotations

import math
from typing import Any

from workbench.devices import lsl
from workbench.engine.connections import Connections
from workbench.engine.events import EventLog
from workbench.engine.inlets import Arrival, Gone, Item, Offset
from workbench.engine.run_control import RunControl
from workbench.engine.signal_monitor import SignalMonitor
from workbench.engine.streams import Stream, Streams
from workbench.live.status import AlarmPriority
from workbench.messages import Message
from workbench.signals.stamps import Episode, StampFault

CONSEQUENCES = {
    StampFault.NOT_FINITE: Message("stamps.expected_time"),
    StampFault.REPEATED: Message("stamps.time_of_rate"),
    StampFault.OUT_OF_ORDER: Message("stamps.order_of_arrival"),
    StampFault.JUMPED: Message("stamps.new_segment"),
    StampFault.RATE: Message("stamps.decided_by_stamps"),
}
"""What the engine does about each fault of stamps."""

MEANINGS = {
    StampFault.NOT_FINITE: Message("stamps.not_finite_means"),
    StampFault.REPEATED: Message("stamps.repeated_means"),
    StampFault.OUT_OF_ORDER: Message("stamps.out_of_order_means"),
    StampFault.JUMPED: Message("stamps.jumped_means"),
    StampFault.RATE: Message("stamps.rate_means"),
}

NAMES = {
    StampFault.NOT_FINITE: Message("stamps.not_finite"),
    StampFault.REPEATED: Message("stamps.repeated"),
    StampFault.OUT_OF_ORDER: Message("stamps.out_of_order"),
    StampFault.JUMPED: Message("stamps.jumped"),
    StampFault.RATE: Message("stamps.rate"),
}


class Intake:
    """Takes in what the inlet threads bring, on the engine's loop.

    Parameters
    ----------
    streams, events, runs, monitor, connections : parts of the session.
    marker_cues : whether the cues of a run come from a marker stream.
    """

    def __init__(
        self,
        *,
        streams: Streams,
        events: EventLog,
        runs: RunControl,
        monitor: SignalMonitor,
        connections: Connections,
        marker_cues: bool,
    ) -> None:
        self._streams, self._events, self._runs = streams, events, runs
        self._monitor, self._connections = monitor, connections
        self._marker_cues = marker_cues

    def take(self, item: Item) -> None:
        """Something from an inlet thread."""
        if isinstance(item, Offset):
            self._take_offset(item)
        elif isinstance(item, Gone):
            self._connections.lose_outlet(item.name, item.sentence)
        else:
            self._take_samples(item)

    def _take_samples(self, arrival: Arrival) -> None:
        # The recording comes first: whatever fails after it, the samples are kept.
        stream, run = self._streams[arrival.name], self._events.live_run
        hop_clock = None if run is None else run.source.hop_clock
        values = stream.scale(arrival.values)
        if run is not None and arrival.name in run.names:
            # Raw, as the outlet sent them: the unit and its scale are in the header, and a replay scales again.
            run.writer.samples(arrival.name, arrival.values, arrival.stamps)
            if stream is self._streams.signal:
                run.source.samples(values, arrival.stamps, local=arrival.local)
            elif hop_clock is not None and stream.spec.role in hop_clock.streams:
                hop_clock.samples(stream.spec.role, values, arrival.stamps, local=arrival.local)
            elif stream.spec.role == "markers" and self._marker_cues:
                for text, stamp in zip(texts_of(values), arrival.stamps.tolist(), strict=True):
                    self._runs.take_cue(text, stamp + stream.offset)
        # Before `take`, which renews the time of the last arrival that the row states. What came long ago and
        # waited for a busy engine does not say that the stream is there now: it would be lost again at once.
        if stream.state == "lost" and lsl.local_clock() - arrival.local <= stream.patience_s:
            self._take_back(stream, arrival)
        for episode in stream.take(arrival):
            self._report_stamps(stream, episode)
        if stream is self._streams.signal:
            # The screen comes last: what it shows is already recorded.
            self._monitor.take(values, arrival)
        elif stream.spec.decoded_beside:
            self._monitor.take_beside(arrival.name, values)

    def _take_back(self, stream: Stream, arrival: Arrival) -> None:
        """A lost stream delivers again."""
        name, away_s = stream.spec.name, arrival.local - stream.last
        stream.state, stream.message = "good", ""
        self._events.ledger.alarms.clear(f"stream_lost:{name}")
        paused = self._runs.run is not None
        self._events.enter(
            "stream_back",
            stream=name,
            extent=Message("control.after", time=Message("amount.s", n=f"{away_s:.1f}")),
            consequence=Message("engine.run_stays_paused") if paused else Message("engine.recording_continues"),
            priority="medium",
        )
        self._events.mark("stream_back", label=name, away_s=away_s)

    def _take_offset(self, item: Offset) -> None:
        if item.name not in self._streams:
            return
        stream, run, measured = self._streams[item.name], self._events.live_run, item.measured
        before = stream.offset
        stream.set_offset(measured)
        if run is not None and item.name in run.names:
            run.writer.clock_offset(item.name, measured.time, measured.offset, uncertainty=measured.uncertainty)
            if stream is self._streams.signal:
                self._events.mark("clock_offset", offset_s=measured.offset, uncertainty_s=measured.uncertainty)
            run.source.correct(stream.spec.role, measured.offset, stamp=self._streams.now())
        if not stream.steady:
            self._events.enter(
                "clock_jump",
                stream=item.name,
                extent=Message("amount.ms", n=f"{(measured.offset - before) * 1000:.1f}"),
                consequence=Message("engine.new_offset"),
                priority="medium",
            )

    def _report_stamps(self, stream: Stream, episode: Episode) -> None:
        """An episode of wrong stamps began (row and alarm) or ended (row; the alarm's cause is gone)."""
        name, fault = stream.spec.name, episode.fault
        cause = f"{fault.value}:{name}"
        if episode.over:
            self._events.ledger.alarms.clear(cause)
            self._events.enter(
                "stamps_steady",
                stream=name,
                extent=Message("stamps.over", what=NAMES[fault], extent=episode.extent),
                consequence=Message("stamps.nothing_to_do"),
                priority="low",
            )
            return
        # Stamps that are missing or repeated are replaced by the time base and mislead nobody. These three move
        # cues against samples.
        misleading = fault in (StampFault.RATE, StampFault.JUMPED, StampFault.OUT_OF_ORDER)
        priority: AlarmPriority = "high" if stream.spec.critical and misleading else "medium"
        self._events.enter(
            fault, stream=name, extent=episode.extent, consequence=CONSEQUENCES[fault], priority=priority
        )
        self._events.mark(fault.value, label=name, extent=episode.extent)
        self._events.ledger.alarms.raise_alarm(
            cause,
            key=fault.value,
            priority=priority,
            what=Message("alarm.stamps", stream=name, extent=episode.extent),
            means=Message("alarm.stamps_means", means=MEANINGS[fault]),
            do=Message("alarm.stamps_do", stream=name),
        )


def texts_of(values: Any) -> list[str]:
    """Texts of a marker stream; the codes of an integer one as text."""
    if isinstance(values, list):
        return [str(text) for text in values]
    return [str(int(row[0])) if math.isfinite(row[0]) else "" for row in values]
