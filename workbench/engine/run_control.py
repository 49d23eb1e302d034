"""The runs of a session: begin, pause, resume, end; and the cues of a marker stream."""

from __future__ import annotations

import math

from workbench import reading
from workbench.devices import lsl
from workbench.engine.effector import SessionEffector
from workbench.engine.events import EventLog
from workbench.engine.outlets import Outlets
from workbench.engine.run import LiveRun
from workbench.engine.streams import Streams
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.live.plan import SessionPlan
from workbench.live.status import RunEnd

FUTURE_S = 5.0
"""A cue whose stamp lies further ahead than this is impossible, s of stream time."""


class RunControl:
    """What a run's begin, pause and end mean for its recording, the effector and other programs.

    Parameters
    ----------
    plan : of the session.
    streams, events, outlets, effector : parts of the session.

    Attributes
    ----------
    ids : of the runs of this session, in their order.
    """

    def __init__(
        self,
        plan: SessionPlan,
        *,
        streams: Streams,
        events: EventLog,
        outlets: Outlets,
        effector: SessionEffector,
    ) -> None:
        self._plan, self._streams, self._events = plan, streams, events
        self._outlets, self._effector = outlets, effector
        self.ids: list[str] = []
        self._n_cues = 0

    @property
    def run(self) -> LiveRun | None:
        """The run under way, else the last one; None before the first."""
        return self._events.run

    def add(self, run: LiveRun) -> None:
        """A run was accepted; it begins once everything is compiled for it."""
        self.ids.append(run.request.id)
        self._events.run = run

    def begin(self, run: LiveRun) -> None:
        """The run's first sample is the next one."""
        local, signal = lsl.local_clock(), self._streams.signal
        run.state, run.began, self._n_cues = "running", local, 0
        for stream in self._streams.values():
            if stream.spec.name in run.names and stream.n_offsets:
                name, uncertainty = stream.spec.name, stream.uncertainty
                run.writer.clock_offset(name, local, stream.offset, uncertainty=uncertainty)
        self._events.mark("clock_offset", offset_s=signal.offset, uncertainty_s=signal.uncertainty)
        if self._plan.cue_source == "engine":
            run.source.plan(run.request.schedule, rest=run.rest)
        self._outlets.publish_state("run", number=run.number, run=run.request.id)
        extent = f"run {run.number} started"
        self._events.enter("operator", extent=extent, consequence=self._plan.operator)

    def pause(self, reason: str) -> None:
        """Pause a running run: recording goes on, no cue is presented, the effector is released."""
        run = self.run
        if run is None or run.state != "running":
            return
        run.state, run.sentence = "paused", reason
        self._events.mark("pause", reason=reason)
        run.source.pause()
        if self._effector.link is not None:
            self._effector.link.release("run paused")
        self._outlets.publish_state("pause")
        self._events.enter("operator", extent="run paused", consequence=reason)

    def resume(self, by: str) -> None:
        """Continue after a pause; refused while a critical stream is lost."""
        run = self.run
        if run is None or run.state != "paused":
            raise Refused("no run is paused, so there is nothing to resume")
        lost = [s.spec.name for s in self._streams.values() if s.spec.critical and s.state != "good"]
        if lost:
            raise Refused(f"the run cannot go on: critical stream {', '.join(lost)} is lost; bring it back first")
        run.state, run.sentence = "running", ""
        self._events.mark("resume", by=by)
        run.source.resume()
        self._events.enter("operator", extent="run resumed", consequence=by)

    def end(self, state: RunEnd, sentence: str = "") -> None:
        """The run is over: what waits is still decoded, then the recording is closed."""
        run = self._events.live_run
        if run is not None:
            run.end(state, sentence)

    def close(self, run: LiveRun) -> None:
        """After the run's last item: effector disarmed, jitter entered, recording closed."""
        self._outlets.publish_state("end")
        self._report_jitter()
        if self._effector.link is not None:
            self._effector.link.stand_down(f"run {run.number} ended")
        consequence = run.sentence or "in good order"
        self._events.enter("operator", extent=f"run {run.number} {run.over}", consequence=consequence)
        run.close()

    def fail(self, run: LiveRun, error: WorkbenchError) -> None:
        """A run that cannot continue: effector safe, recording closed, reason stated."""
        self._effector.fault(f"the run failed: {error}")
        self._events.enter(
            "run_failed", extent=str(error), consequence="what came before is kept", priority="high"
        )
        self._events.ledger.alarms.raise_alarm(
            "run_failed",
            priority="high",
            what=f"Run {run.number} failed: {error}.",
            means="What was recorded before is kept.",
            do="Remove the cause, then start a new run.",
        )
        run.abandon(str(error))
        self._outlets.publish_state("end")

    def take_cue(self, text: str, stamp: float) -> None:
        """A marker of the cue stream, at a corrected stamp in s: a cue of a condition or of rest, else a note."""
        run, signal = self.run, self._streams.signal
        if run is None:
            return
        label, duration_s = parse_cue(text)
        label = str(self._plan.labels.get(label, label))
        if label not in (*run.request.paradigm.conditions, run.rest):
            run.source.mark("note", stamp=stamp, label=label)
        elif stamp > max(run.source.newest, signal.newest + signal.offset) + FUTURE_S:
            self._events.enter(
                "impossible_marker",
                stream="markers",
                extent=f"cue {label} lies {stamp - run.source.newest:.1f} s ahead",
                consequence="no trial",
                priority="medium",
            )
            run.source.mark("note", stamp=stamp, label=label, impossible=True)
        else:
            trial = self._n_cues if label != run.rest else -1
            self._n_cues += label != run.rest
            run.source.mark("cue", stamp=stamp, label=label, trial=trial, duration_s=duration_s)

    def _report_jitter(self) -> None:
        """One row a regular stream: how far its stamps lay from the smooth time base."""
        for stream in self._streams.values():
            jitter, spec = stream.jitter, stream.spec
            if jitter.n:
                self._events.enter(
                    "jitter",
                    stream=spec.name,
                    extent=f"median {jitter.median_s * 1000:.2f} ms, 95 % below {jitter.p95_s * 1000:.2f} ms, "
                    f"largest {jitter.max_s * 1000:.2f} ms, {jitter.n} stamps",
                    consequence=f"up to {spec.gap_tolerance_s * 1000:g} ms is jitter in any case; "
                    f"up to {spec.jitter_s * 1000:g} ms when it does not stay",
                )


def parse_cue(text: str) -> tuple[str, float]:
    """Label and duration in s of a marker text, plain or a JSON object; anybody may send one."""
    if not text.startswith("{"):
        return text, 0.0
    try:
        content = reading.parse_json(text, "marker")
        duration_s = float(content.get("duration_s") or 0.0)
    except (BadValue, ValueError, TypeError, AttributeError, OverflowError):
        return text, 0.0
    # An escaped half of a surrogate pair is a text that no recording can hold.
    label = str(content.get("label", text)).encode("utf-8", "replace").decode()
    return label, duration_s if math.isfinite(duration_s) else 0.0
