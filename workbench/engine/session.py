"""The session inside the engine: where each arrival goes, and what a run, a pause and a stop mean.

Everything here runs on the engine's loop, except :meth:`Session.stop_now`.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np

from workbench import reading
from workbench.devices import lsl
from workbench.engine.connections import Links
from workbench.engine.inlets import Arrival, Gone, Item, Offset
from workbench.engine.intake import check_declared_unit, report_jitter, report_stamps, texts_of
from workbench.engine.run import LiveRun
from workbench.engine.streams import Stream
from workbench.errors import BadValue, Refused
from workbench.signals.quality import montage_state
from workbench.vocabulary import Decision, Marker

FUTURE_S = 5.0
"""A cue whose stamp lies further ahead than this is impossible, s of stream time."""
SAFE_STATE = "safe-state-"
"""How the names of threads that order a safe state begin; one that is lost itself is not ordered another one."""
SAFE_STATE_LIMIT_S = 5.0
"""Longest time in which an order of the safe state may wait for the effector's lock, s."""
FIRST_OFFSET_S = 6.0
"""How long a start waits for the first clock offset, s."""


class Session(Links):
    """One session."""

    # ---------------------------------------------------------------------------------- arriving
    def take(self, item: Item) -> None:
        """Something from an inlet thread."""
        if isinstance(item, Offset):
            self._offset(item)
        elif isinstance(item, Gone):
            self.outlet_gone(item.name, item.sentence)
        else:
            self._samples(item)

    def _samples(self, arrival: Arrival) -> None:
        stream, run = self.streams[arrival.name], self.run
        values = stream.scaled(arrival.values)
        if run is not None and run.live and arrival.name in run.names:
            run.writer.samples(arrival.name, arrival.values, arrival.stamps)
            if stream is self.signal:
                run.feed.samples(values, arrival.stamps, local=arrival.local)
            elif stream.spec.role == "markers" and self.plan.cue_source == "stream":
                for text, stamp in zip(texts_of(values), arrival.stamps.tolist(), strict=True):
                    self._cue(text, stamp + stream.offset)
        if stream.state == "lost":
            self._back(stream, arrival)
        for episode in stream.arrived(arrival):
            report_stamps(self, stream, episode)
        if stream is self.signal and self.display is not None and self.monitor is not None:
            if stream.spec.without:
                values = np.delete(values, list(stream.spec.without), axis=1)
            shown = np.where(np.isfinite(arrival.stamps), arrival.stamps, stream.newest)
            self.display.write(values, shown + stream.offset, local=arrival.local)
            self.monitor.step(np.ascontiguousarray(values, dtype=np.float64))

    def _back(self, stream: Stream, arrival: Arrival) -> None:
        name, gone = stream.spec.name, arrival.local - stream.last
        stream.state, stream.message = "good", ""
        self.ledger.calm(f"stream_lost:{name}")
        self.enter(
            "stream_back",
            stream=name,
            extent=f"after {gone:.1f} s",
            consequence="the run stays paused until the operator resumes it" if self.run else "recording goes on",
            priority="medium",
        )
        self.mark("stream_back", label=name, away_s=gone)

    def _offset(self, item: Offset) -> None:
        if item.name not in self.streams:
            return
        stream, run, found = self.streams[item.name], self.run, item.measured
        before, known = stream.offset, stream.n_offsets > 0
        stream.measured(item)
        if run is not None and run.live and item.name in run.names:
            run.writer.clock_offset(item.name, found.time, found.offset, uncertainty=found.uncertainty)
            if stream is self.signal:
                self.mark("clock_offset", offset_s=found.offset, uncertainty_s=found.uncertainty)
        if known and not stream.steady:
            self.enter(
                "clock_jump",
                stream=item.name,
                extent=f"{(found.offset - before) * 1000:.1f} ms",
                consequence="the new offset holds from here on; both are recorded",
                priority="medium",
            )

    def _cue(self, text: str, stamp: float) -> None:
        """A marker of the cue stream: a cue when it names a condition or rest, else a note."""
        run = self.run
        if run is None:
            return
        label, duration_s, stamp = _cue_of(text, stamp)
        label = str(self.plan.labels.get(label, label))
        rest = str(run.asked.paradigm.params().get("rest", "rest"))
        if label not in (*run.asked.paradigm.conditions, rest):
            run.feed.mark("note", stamp=stamp, label=label)
        elif stamp > max(run.feed.newest, self.signal.newest + self.signal.offset) + FUTURE_S:
            self.enter(
                "impossible_marker",
                stream="markers",
                extent=f"cue {label} lies {stamp - run.feed.newest:.1f} s ahead",
                consequence="no trial",
                priority="medium",
            )
            run.feed.mark("note", stamp=stamp, label=label, impossible=True)
        else:
            trial = self._cues if label != rest else -1
            self._cues += label != rest
            run.feed.mark("cue", stamp=stamp, label=label, trial=trial, duration_s=duration_s)

    # ------------------------------------------------------------------------------------- run
    def begin(self, run: LiveRun) -> None:
        """The run's first sample is the next one."""
        local = lsl.local_clock()
        run.state, run.began, self._cues = "running", local, 0
        for stream in self.streams.values():
            if stream.spec.name in run.names and stream.n_offsets:
                time, offset = local, stream.offset
                run.writer.clock_offset(stream.spec.name, time, offset, uncertainty=stream.uncertainty)
        self.mark("clock_offset", offset_s=self.signal.offset, uncertainty_s=self.signal.uncertainty)
        if self.plan.cue_source == "engine":
            rest = str(run.asked.paradigm.params().get("rest", "rest"))
            run.feed.plan(run.asked.schedule, rest=rest)
        self.tell("run", number=run.number, run=run.asked.id)
        self.enter("operator", extent=f"run {run.number} started", consequence=self.plan.operator)

    def pause(self, reason: str) -> None:
        """Pause a running run: recording goes on, no cue is presented, the effector is released."""
        run = self.run
        if run is None or run.state != "running":
            return
        run.state, run.sentence = "paused", reason
        self.mark("pause", reason=reason)
        run.feed.hold()
        if self.effecting is not None:
            self.effecting.release("run paused")
        self.tell("pause")
        self.enter("operator", extent="run paused", consequence=reason)

    def resume(self, by: str) -> None:
        """Go on after a pause."""
        run = self.run
        if run is None or run.state != "paused":
            raise Refused("no run is paused, so there is nothing to resume")
        lost = [s.spec.name for s in self.streams.values() if s.spec.critical and s.state != "good"]
        if lost:
            raise Refused(f"the run cannot go on: critical stream {', '.join(lost)} is lost; bring it back first")
        run.state, run.sentence = "running", ""
        self.mark("resume", by=by)
        run.feed.go_on()
        self.enter("operator", extent="run resumed", consequence=by)

    def end(self, state: str, sentence: str = "") -> None:
        """The run is over: what waits is still decoded, then the recording is closed."""
        run = self.run
        if run is not None and run.live:
            run.end(state, sentence)

    def closed(self, run: LiveRun) -> None:
        """After the run's last item."""
        self.tell("end")
        report_jitter(self)
        if self.effecting is not None:
            self.effecting.stand_down(f"run {run.number} ended")
        self.enter("operator", extent=f"run {run.number} {run.over}", consequence=run.sentence or "in good order")

    def present(self, marker: Marker) -> None:
        """Publish a cue."""
        self.tell("cue", stamp=marker.stamp, label=marker.label, **marker.detail)

    def tell(self, kind: str, *, stamp: float | None = None, **more: Any) -> None:
        """A text on the cue stream."""
        when = self.stream_now() if stamp is None else stamp
        self.outlets["cues"].push_text(json.dumps({"kind": kind, "stamp": when, **more}), when)

    def publish(self, decision: Decision, classes: tuple[str, ...]) -> None:
        """A decision on its LSL outlet."""
        self.outlets["decisions"].push_text(json.dumps({**asdict(decision), "classes": classes}), decision.stamp)

    # ------------------------------------------------------------------------------------- stop
    def stop_now(self, reason: str) -> None:
        """STOP, on the server's thread: the effector first, everything else when the loop comes by.

        In this order: the loop ends the run when it sees the request, and the stop command stands in the run.
        """
        try:
            if self.effecting is not None:
                self.effecting.estop(reason)
        finally:
            with self._stop_lock:
                self._stop_asked = reason or "stop"

    def settle_stop(self) -> None:
        """What a STOP means beside the effector: latched, and the run ends."""
        with self._stop_lock:
            reason, self._stop_asked = self._stop_asked, ""
        if not reason:
            return
        self.stopped = reason
        self.mark("stop", reason=reason)
        if self.effecting is None:
            self.enter("estop", extent=reason, consequence="the stop is latched", priority="high")
        self.show_stop()
        self.end("stopped", f"stopped: {reason}")

    def show_stop(self) -> None:
        """The alarm of a latched stop: it says what the device confirmed, and nothing more."""
        if not self.stopped:
            return
        what, confirmed = f"STOP: {self.stopped}.", False
        if self.effecting is not None:
            confirmed = bool(self.effecting.snapshot()["stop"]["confirmed"])
            what = f"STOP sent, not acknowledged: {self.stopped}."
        if confirmed:
            what = f"STOP, confirmed by the device: {self.stopped}."
        self.ledger.alarm(
            "estop",
            priority="high",
            what=what,
            means="The run ended. Everything up to here is recorded.",
            do="See to the participant. While the device has not confirmed, use the hardware stop. Then reset "
            "the stop; a new self-test follows.",
            reason=self.stopped,
            confirmed=confirmed,
        )

    def thread_lost(self, name: str, sentence: str) -> None:
        """A thread of the engine ended or stands still: safe state, row, alarm. Any thread.

        The effector's lock may be held by the very thread that is lost, so that the order is given on a thread
        of its own; while that waits nobody can send, and the device goes to its safe state by itself.
        """
        effecting = self.effecting
        if effecting is not None and not name.startswith(SAFE_STATE):
            self.spawn(
                f"{SAFE_STATE}{name}", lambda beat: effecting.fault("thread_lost"), limit_s=SAFE_STATE_LIMIT_S
            )
        self.enter(
            "thread_lost", stream=name, extent=sentence, consequence="effector to its safe state", priority="high"
        )
        self.ledger.alarm(
            f"thread_lost:{name}",
            shown="thread_lost",
            priority="high",
            what=f"Part of the engine failed: {sentence}.",
            means="The effector was ordered to its safe state. What is recorded is kept.",
            do="See to the participant, end the session, then start it again.",
            thread=name,
            sentence=sentence,
        )

    def stood_still(self, code: str, sentence: str) -> None:
        """The engine or the computer stood still and woke: safe state, row, alarm. Any thread."""
        effecting = self.effecting
        if effecting is not None:
            self.spawn(f"{SAFE_STATE}{code}", lambda beat: effecting.fault(code), limit_s=SAFE_STATE_LIMIT_S)
        self.enter(code, extent=sentence, consequence="effector to its safe state", priority="high")
        self.ledger.alarm(
            code,
            priority="high",
            what=f"Standstill: {sentence}.",
            means="The effector was ordered to its safe state. Samples of that time may be missing; gaps are "
            "entered.",
            do="See to the participant, then reset. Switch off sleep, close other programs.",
            sentence=sentence,
        )
        self.ledger.calm(code)

    def judge(self) -> None:
        """Signal quality, for the lights and for arming."""
        if self.monitor is not None:
            self.quality = self.monitor.report()
            check_declared_unit(self)

    @property
    def quality_ok(self) -> bool | None:
        """Whether the montage is good enough to move an effector; None while it is not known."""
        if self.signal.recording_only:
            return False
        return montage_state(self.quality) != "bad" if self.quality else None

    def watermark(self) -> float:
        """Corrected stamp that every other critical regular stream has passed."""
        stamps = [
            s.newest + s.offset
            for s in self.streams.values()
            if s is not self.signal and s.spec.critical and s.spec.fs > 0 and s.state == "good"
        ]
        return min(stamps, default=float("inf"))


def _cue_of(text: str, stamp: float) -> tuple[str, float, float]:
    """Label, duration in s and stamp of a marker text, plain or a JSON object; anybody may send one."""
    if not text.startswith("{"):
        return text, 0.0, stamp
    try:
        content = reading.parse_json(text, "marker")
        duration_s = float(content.get("duration_s") or 0.0)
    except (BadValue, ValueError, TypeError, AttributeError, OverflowError):
        return text, 0.0, stamp
    # An escaped half of a surrogate pair is a text that no recording can hold.
    label = str(content.get("label", text)).encode("utf-8", "replace").decode()
    return label, duration_s if math.isfinite(duration_s) else 0.0, stamp
