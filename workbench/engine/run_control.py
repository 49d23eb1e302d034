"""The runs of a session: begin, pause, resume, end; and the cues of a marker stream."""

from __future__ import annotations

import math
from typing import Any

from workbench import control, messages, reading
from workbench.devices import lsl
from workbench.engine.effector import SessionEffector
from workbench.engine.events import EventLog
from workbench.engine.outlets import Outlets
from workbench.engine.run import LiveRun
from workbench.engine.streams import Streams
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.live.plan import SessionPlan
from workbench.live.status import RunEnd
from workbench.messages import Message
from workbench.paradigms import DISTURBED, REACTION
from workbench.vocabulary import RunKind

ENDS: dict[RunEnd, Message] = {
    "finished": Message("run.finished"),
    "stopped": Message("run.stopped"),
    "failed": Message("run.failed"),
}
SHOWN = ("refresh_hz", "frame", "frames", "error_ms")
"""Figures of a presenter that are recorded with its marker: refresh rate of the screen in Hz, number of the frame
since the presenter began, frames that the stimulus lasts, and bound of the error of its clock in ms."""
MEANS: dict[RunKind, Message] = {
    "passive": Message("procedure.passive_means"),
    "open_loop": Message("procedure.open_loop_means"),
    "sham": Message("procedure.sham_means"),
    "mapping": Message("procedure.mapping_means"),
}
"""What moves the effector, and what does not, where a schedule does."""
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
        self._effector.begin_recording()
        # Offsets have been measured since the session began: without the latest of them a replay of this recording
        # could not correct its first stamps.
        for stream in self._streams.values():
            if stream.spec.name in run.names and stream.n_offsets:
                name, uncertainty = stream.spec.name, stream.uncertainty
                run.writer.clock_offset(name, local, stream.offset, uncertainty=uncertainty)
                run.source.correct(stream.spec.role, stream.offset, stamp=self._streams.now())
        self._events.mark("clock_offset", offset_s=signal.offset, uncertainty_s=signal.uncertainty)
        if self._plan.cue_source == "engine" and not run.request.paradigm.by_operator:
            run.source.plan(run.request.schedule, rest=run.rest)
        self._outlets.publish_state("run", number=run.number, run=run.request.id, **self._task(run))
        extent = Message("engine.run_started", n=run.number)
        self._events.enter("operator", extent=extent, consequence=self._plan.operator)
        if run.request.scheduled:
            # The ledger says it in the recording itself, whatever a screen shows.
            kind = run.request.kind
            self._events.enter("procedure", extent=control.SCHEDULED[kind], consequence=MEANS[kind])

    def apply_setting(self, by: str) -> None:
        """The operator confirms the next setting of a mapping run: the effector takes it, as long as it lasts.

        Raises
        ------
        Refused
            Without such a run under way, before the reaction to the last one was noted, or when not armed.
        """
        run = self._mapping()
        if run.awaits_reaction:
            raise Refused(Message("mapping.reaction_first"))
        if self._effector.required().state != "ARMED":
            raise Refused(Message("mapping.not_armed", state=self._effector.required().state))
        cue = run.request.schedule[self._n_cues]
        self._n_cues += 1
        run.awaits_reaction = True
        self._mark(run, cue.label, duration_s=cue.duration_s, trial=cue.trial, by=by)
        level = ", ".join(f"{value:g}" for value in run.request.paradigm.level_of(cue.label) or ())
        self._events.enter(
            "operator", extent=Message("mapping.applied", setting=cue.label, level=level), consequence=by
        )

    def note_reaction(self, text: str, by: str) -> None:
        """Note the reaction to the setting that was applied last; it is then over.

        Parameters
        ----------
        text : what was seen or felt. by : who says so.

        Raises
        ------
        Refused
            Without a mapping run under way, or without a setting that awaits its reaction.
        BadValue
            For an empty text.
        """
        run = self._mapping()
        if not run.awaits_reaction:
            raise Refused(Message("mapping.nothing_applied"))
        if not text.strip():
            raise BadValue(Message("mapping.no_reaction"))
        run.awaits_reaction = False
        self._mark(run, REACTION + text.strip(), by=by)
        self._events.enter("operator", extent=Message("mapping.reaction", text=text.strip()), consequence=by)

    def _mapping(self) -> LiveRun:
        run = self._events.live_run
        if run is None or run.state != "running" or not run.request.paradigm.by_operator:
            raise Refused(Message("mapping.no_run"))
        return run

    def _mark(self, run: LiveRun, label: str, **detail: Any) -> None:
        run.source.mark("cue", stamp=self._streams.now(), label=label, **detail)

    def _task(self, run: LiveRun) -> dict[str, Any]:
        """What another program needs to present the run; nothing where the engine presents it."""
        if self._plan.cue_source == "engine":
            return {}
        request = run.request
        return {
            "run_kind": request.kind,
            "paradigm": request.paradigm.name,
            "params": request.paradigm.params(),
            "n_trials": request.n_trials,
            "schedule": [list(cue) for cue in request.schedule],
            "t0": self._streams.signal.t0,
            "speed": self._plan.speed,
        }

    def pause(self, reason: str) -> None:
        """Pause a running run: recording continues, no cue is presented, the effector is released."""
        run = self._events.live_run
        if run is None or run.state != "running":
            return
        run.state, run.sentence = "paused", reason
        self._events.mark("pause", reason=reason)
        run.source.pause()
        if self._effector.link is not None:
            # Released, not disarmed: after a pause nobody needs to arm again.
            self._effector.link.release(Message("engine.run_paused"))
        self._outlets.publish_state("pause")
        self._events.enter("operator", extent=Message("engine.run_paused"), consequence=reason)

    def resume(self, by: str) -> None:
        """Continue after a pause; refused while a critical stream is lost."""
        run = self._events.live_run
        if run is None or run.state != "paused":
            raise Refused(Message("engine.nothing_to_resume"))
        lost = [s.spec.name for s in self._streams.values() if s.spec.critical and s.state != "good"]
        if lost:
            raise Refused(Message("engine.critical_lost", streams=lost))
        run.state, run.sentence = "running", ""
        self._events.mark("resume", by=by)
        run.source.resume()
        self._outlets.publish_state("resume")
        self._events.enter("operator", extent=Message("engine.run_resumed"), consequence=by)

    def end(self, state: RunEnd, sentence: str = "") -> None:
        """The run is over: what waits is still decoded, then the recording is closed."""
        run = self._events.live_run
        if run is None:
            return
        run.end(state, sentence)
        if state == "stopped":
            # Now, not when the effector has acknowledged its release: light must not go on after a STOP.
            self._outlets.publish_state("stop")

    def stand_down(self, run: LiveRun) -> float:
        """After the run's last item: effector released and disarmed; returns how long its answer may take, s."""
        link = self._effector.link
        if link is None:
            return 0.0
        link.stand_down(Message("engine.run_ended", n=run.number))
        return link.recording.awaited_s

    @property
    def answered(self) -> bool:
        """Whether the effector has acknowledged its newest order."""
        return self._effector.link is None or not self._effector.link.recording.awaited_s

    def close(self, run: LiveRun) -> None:
        """After the effector was released: jitter entered, recording closed."""
        self._outlets.publish_state("end")
        self._report_jitter()
        self._effector.end_recording()
        consequence = run.sentence or Message("engine.in_good_order")
        extent = Message("engine.run_over", n=run.number, state=ENDS[run.over or "failed"])
        self._events.enter("operator", extent=extent, consequence=consequence)
        run.close()

    def fail(self, run: LiveRun, error: WorkbenchError) -> None:
        """A run that cannot continue: effector safe, recording closed, reason stated."""
        why = messages.of(error)
        # The effector first: everything after it may wait for the disk.
        self._effector.fault(Message("engine.run_failed", why=why))
        self._effector.end_recording()
        self._events.enter("run_failed", extent=why, consequence=Message("engine.kept"), priority="high")
        self._events.ledger.alarms.raise_alarm(
            "run_failed",
            priority="high",
            what=Message("alarm.run_failed", n=run.number, why=why),
            means=Message("alarm.run_failed_means"),
            do=Message("alarm.run_failed_do"),
        )
        run.abandon(why)
        self._outlets.publish_state("end")

    def take_cue(self, text: str, stamp: float) -> str:
        """A marker of the cue stream, at a corrected stamp in s: a cue of a condition or of rest, else a note.

        Returns its label, as the labels of the plan map it.
        """
        run, signal = self.run, self._streams.signal
        label, duration_s, shown = parse_cue(text)
        if run is None:
            return label
        label, paradigm = str(self._plan.labels.get(label, label)), run.request.paradigm
        if not (label == run.rest or paradigm.takes(label)):
            run.source.mark("note", stamp=stamp, label=label)
        # The source lags behind the stream by what waits for other streams, so the newer of the two is the
        # present.
        elif stamp > max(run.source.newest, signal.newest + signal.offset) + FUTURE_S:
            ahead = Message("engine.cue_ahead", label=label, n=f"{stamp - run.source.newest:.1f}")
            self._take_impossible(run, label, extent=ahead)
        else:
            if label.startswith(DISTURBED):
                self._events.enter(
                    "disturbed",
                    stream="markers",
                    extent=label.removeprefix(DISTURBED).strip(),
                    consequence=Message("decode.trial_excluded"),
                    priority="medium",
                )
            self._cue(run, label, stamp, duration_s=duration_s, **shown)
        return label

    def _cue(self, run: LiveRun, label: str, stamp: float, **detail: Any) -> None:
        """A cue of another program; those of a condition are counted."""
        opens = label in run.request.paradigm.conditions
        run.source.mark("cue", stamp=stamp, label=label, trial=self._n_cues if opens else -1, **detail)
        self._n_cues += opens

    def take_page(self, text: str, local: float) -> None:
        """A marker of a page that presents, at local time in s; other programs get it like a cue of the engine."""
        stamp = self._streams.signal.stream_time(local)
        label = self.take_cue(text, stamp)
        _, duration_s, shown = parse_cue(text)
        self._outlets.publish_state("cue", stamp=stamp, label=label, duration_s=duration_s, **shown)

    def leave_page(self, text: str, away_s: float) -> None:
        """A marker of a page, ``away_s`` from now: too far for a trial; the record says what was shown."""
        run, (label, _, _) = self.run, parse_cue(text)
        if run is not None:
            away = Message("engine.page_cue_away", label=label, n=f"{away_s:.1f}")
            self._take_impossible(run, label, extent=away)

    def _take_impossible(self, run: LiveRun, label: str, *, extent: Message) -> None:
        """A marker whose time cannot be right stands in recording and ledger, and its choice is excluded.

        It takes effect now: a choice opens or ends all the same, so that those after it keep their numbers and the
        run its end.
        """
        now, paradigm = self._streams.now(), run.request.paradigm
        excludes = paradigm.takes(DISTURBED)
        consequence = Message("decode.trial_excluded") if excludes else Message("engine.no_trial")
        self._events.enter(
            "impossible_marker",
            stream="markers",
            extent=extent,
            consequence=consequence,
            priority="medium",
        )
        run.source.mark("note", stamp=now, label=label, impossible=True)
        if excludes and (label == run.rest or paradigm.takes(label)):
            self._cue(run, label, now, duration_s=0.0)
            run.source.mark("cue", stamp=now, label=f"{DISTURBED} {extent}", trial=-1, duration_s=0.0)

    def task(self) -> dict[str, Any]:
        """What a page needs to present the run under way.

        Raises
        ------
        Refused
            When none is, or when something else presents it.
        """
        run = self._events.live_run
        if run is None or self._plan.cue_source != "page":
            raise Refused(Message("engine.nothing_to_present"))
        return {"run": run.request.id, **self._task(run)}

    def _report_jitter(self) -> None:
        """One row a regular stream: how far its stamps lay from the smooth time base."""
        for stream in self._streams.values():
            jitter, spec = stream.jitter, stream.spec
            if jitter.n:
                self._events.enter(
                    "jitter",
                    stream=spec.name,
                    extent=Message(
                        "engine.jitter",
                        median=f"{jitter.median_s * 1000:.2f}",
                        p95=f"{jitter.p95_s * 1000:.2f}",
                        max=f"{jitter.max_s * 1000:.2f}",
                        n=jitter.n,
                    ),
                    consequence=Message(
                        "engine.jitter_limits",
                        n=f"{spec.gap_tolerance_s * 1000:g}",
                        brief=f"{spec.jitter_s * 1000:g}",
                    ),
                )


def parse_cue(text: str) -> tuple[str, float, dict[str, float]]:
    """Label, duration in s and figures (:data:`SHOWN`) of a marker text; anybody may send one.

    It is plain, or a JSON object.
    """
    if not text.startswith("{"):
        return text, 0.0, {}
    try:
        content = reading.parse_json(text, Message("file.noun_marker"))
        duration_s = float(content.get("duration_s") or 0.0)
        shown = {name: float(content[name]) for name in SHOWN if name in content}
    except (BadValue, ValueError, TypeError, AttributeError, OverflowError):
        return text, 0.0, {}
    shown = {name: value for name, value in shown.items() if math.isfinite(value)}
    # An escaped half of a surrogate pair is a text that no recording can hold.
    label = str(content.get("label", text)).encode("utf-8", "replace").decode()
    return label, duration_s if math.isfinite(duration_s) else 0.0, shown
