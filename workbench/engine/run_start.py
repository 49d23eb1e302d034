"""The start of a run: the request is checked, its recording is made, everything is compiled, then it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import world
from workbench.devices import lsl
from workbench.engine.hop_clock import TIMEOUT_S, HopClock
from workbench.engine.live_source import LiveSource
from workbench.engine.procedures import scheduled
from workbench.engine.run import LiveRun
from workbench.engine.run_request import RunRequest, parse_run_request, rehearse
from workbench.engine.session import Session
from workbench.engine.streams import Stream
from workbench.engine.watching import require_disk
from workbench.errors import EngineFault, Refused, WorkbenchError
from workbench.live.plan import OUTLETS, SessionPlan
from workbench.live.status import RunState, StreamState
from workbench.messages import Message
from workbench.paradigms import Paradigm
from workbench.recording.other_streams import OtherStream
from workbench.signals.timebase import Timebase
from workbench.vocabulary import Marker, StreamSpec

STATES: dict[RunState, Message] = {
    "compiling": Message("run.compiling"),
    "running": Message("run.running"),
    "paused": Message("run.paused"),
}
"""States of a run that has not ended."""
STREAM_STATES: dict[StreamState, Message] = {
    "check": Message("stream.check"),
    "lost": Message("stream.lost"),
    "missing": Message("stream.missing"),
}
"""States of a stream that keep a run from starting."""
REHEARSAL_LIMIT_S = 600.0
"""Longest time of compiling for a run, s; the first time on a busy computer it has taken three minutes."""


class Rehearsal:
    """Compiling for a run, on a thread of its own, while signals are recorded.

    Parameters
    ----------
    request : of the run.
    signal, beside : lines of the contract of the decoded stream, and of those that may be decoded beside it.
    spawn : starts the thread.
    """

    def __init__(
        self, request: RunRequest, *, signal: StreamSpec, beside: Sequence[StreamSpec], spawn: world.Spawn
    ) -> None:
        self._error: WorkbenchError | None = None
        self._complete = False
        self._request, self._signal, self._beside = request, signal, beside
        self._thread = spawn("rehearsal", self._run, limit_s=REHEARSAL_LIMIT_S)

    def _run(self, beat: world.Beat) -> None:
        beat()
        try:
            _rehearse_once(self._request, signal=self._signal, beside=self._beside)
        except WorkbenchError as error:
            self._error = error
        self._complete = True

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return not self._thread.is_alive()

    @property
    def error(self) -> WorkbenchError | None:
        """Why the run cannot start, None when it can; asked once it is done."""
        # An error that is not ours ended the thread; the supervisor has reported it, and the run must not begin.
        if self._error is None and not self._complete:
            return EngineFault(Message("engine.compiling_ended"))
        return self._error


_REHEARSED: set[str] = set()
"""What this process has rehearsed."""


def _rehearse_once(request: RunRequest, *, signal: StreamSpec, beside: Sequence[StreamSpec]) -> None:
    """Rehearse what this process has not rehearsed yet; the next run of a session need not wait for it."""
    streams = [replace(line, source_id="") for line in (signal, *beside)]
    paradigm = (request.paradigm.name, sorted(request.paradigm.params().items()))
    same = repr((request.decoder_sha256, paradigm, request.schedule[:3], streams))
    if same not in _REHEARSED:
        rehearse(request, signal=signal, beside=beside)
        _REHEARSED.add(same)


def check_light(paradigm: Paradigm, plan: SessionPlan) -> None:
    """Raise :class:`Refused` for light that flickers, unless somebody asked the participant about seizures.

    Parameters
    ----------
    paradigm : of the run. plan : of its session.
    """
    flicker = paradigm.flicker
    answer = plan.screening.get("answer", "")
    if flicker is not None and (reason := flicker.refusal(answer, simulated=plan.simulated)):
        raise Refused(reason)


def check_presenter(request: RunRequest, plan: SessionPlan) -> None:
    """Raise :class:`Refused` for an online run whose light was found at fault by a photodiode.

    Parameters
    ----------
    request : of the run. plan : of its session.
    """
    flicker = request.paradigm.flicker
    # A simulated participant looks at no screen.
    if flicker is None or request.kind != "online" or plan.simulated:
        return
    from workbench.hardware import certificates

    line = next((line for line in plan.contract if line.role == "markers"), None)
    markers = OUTLETS["cues"] if line is None else line.name
    folder = Path(plan.study_folder)
    if reason := certificates.refusal_of_presenter(folder, markers, most_error_ms=flicker.most_error_ms):
        raise Refused(reason)


class RunStart:
    """Accepts runs, one at a time.

    Parameters
    ----------
    session : in which they run.

    Attributes
    ----------
    rehearsal : of the run accepted last, None before the first.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.rehearsal: Rehearsal | None = None

    def accept(self, args: Mapping[str, Any]) -> str:
        """Check a request for a run and make its recording; returns the run's id, while it compiles.

        Raises
        ------
        Refused, BadValue, UnknownName, DecoderMismatch, RecordingFault
            When the run cannot start, with the remedy.
        """
        session, signal = self._session, self._session.streams.signal
        run = session.runs.run
        if run is not None and run.in_progress:
            raise Refused(Message("engine.run_in_progress", n=run.number, state=STATES[run.state]))
        if session.stop_latch.reason:
            raise Refused(Message("engine.stop_is_latched", reason=session.stop_latch.reason))
        for stream in session.streams.values():
            _check_stream(stream)
        require_disk(session)
        beside = session.plan.beside
        request = parse_run_request(args, signal=signal.spec, beside=beside)
        check_light(request.paradigm, session.plan)
        check_presenter(request, session.plan)
        request = scheduled(request, session.plan)
        approved = session.grants.approves(args.get("grant"), decoder_sha256=request.decoder_sha256)
        request = replace(request, approved=approved)
        decoded = [signal, *(session.streams[line.name] for line in beside if line.role in request.inputs)]
        waived_units = [stream.spec.name for stream in decoded if stream.recording_only]
        # Where the unit is waived nothing is decoded; a schedule may move the effector no more than a decoder may.
        if waived_units and request.kind != "calibration":
            raise Refused(Message("engine.unit_not_decoded", stream=repr(waived_units[0])))
        others = [s for s in session.streams.values() if s is not signal and s.state in ("good", "lost")]
        waived = {s.spec.name: s.message for s in session.streams.values() if s.state == "waived"}
        # The recording is made before anything compiles: a full or read-only disk is reported at once.
        run = LiveRun(
            request,
            plan=replace(session.plan, waived=waived),
            number=len(session.runs.ids) + 1,
            signal=signal,
            others=others,
            ledger=session.ledger,
            source=self._source(signal.spec, decoded[1:]),
            spawn=session.spawn,
        )
        session.runs.add(run)
        if session.effector.link is not None:
            session.effector.name_decoder(request)
        self.rehearsal = Rehearsal(request, signal=signal.spec, beside=beside, spawn=session.spawn)
        return request.id

    def _source(self, spec: StreamSpec, beside: Sequence[Stream]) -> LiveSource:
        session = self._session
        names = {stream.spec.role: stream.spec.name for stream in beside}
        hop_clock = HopClock(
            {stream.spec.role: OtherStream(stream.spec) for stream in beside},
            record=session.events.record_marker,
            clock=lsl.local_clock,
            is_away=lambda role: session.streams[names[role]].state != "good",
            timed_out=lambda roles: self._report_missing([names[role] for role in roles]),
            gap=lambda role, marker: self._report_gap(session.streams[names[role]], marker),
        )
        return LiveSource(
            spec.fs,
            record=session.events.record_marker,
            present=session.outlets.publish_cue,
            watermark=lambda: session.streams.watermark(without=names.values()),
            clock=lsl.local_clock,
            timed_out=self._report_late_stream,
            counter=spec.channels.index(spec.counter) if spec.counter else None,
            timebase=Timebase.of_stream(spec),
            without=spec.without,
            hop_clock=hop_clock if beside else None,
        )

    def _report_missing(self, names: Sequence[str]) -> None:
        """The signal goes on without other decoded streams; entered once until all of them are there again."""
        for name in names:
            self._session.events.enter(
                "late_stream",
                stream=name,
                extent=Message("engine.over_ms", n=f"{TIMEOUT_S * 1000:.0f}"),
                consequence=Message("engine.decided_without_stream"),
                priority="medium",
            )

    def _report_gap(self, stream: Stream, marker: Marker) -> None:
        """A gap of another decoded stream; the trial goes on, as the paradigm sees evidence that is not valid."""
        missing = float(marker.detail["missing_s"])
        samples = int(marker.detail.get("samples", round(missing * stream.spec.fs)))
        self._session.events.enter(
            "gap",
            stream=stream.spec.name,
            extent=Message("engine.samples_missing", n=samples, ms=f"{missing * 1000:.0f}"),
            consequence=Message("engine.filters_of_stream_restart"),
            priority="medium",
        )

    def _report_late_stream(self, stamp: float) -> None:
        """A sample was decided without another critical stream; entered once a run."""
        events = self._session.events
        run = events.run
        if run is not None and not run.behind:
            run.behind = True
            events.mark("watermark_timeout", until=stamp)
            events.enter(
                "late_stream",
                extent=Message("engine.over_250_ms"),
                consequence=Message("engine.decided_without_waiting"),
                priority="medium",
            )


def _check_stream(stream: Stream) -> None:
    """Refuse a run without a stream that it needs."""
    critical = stream.spec.critical
    if stream.state in ("good", "waived") or (stream.state == "lost" and not critical):
        return
    name, state = repr(stream.spec.name), STREAM_STATES[stream.state]
    if critical:
        raise Refused(Message("engine.critical_stream_absent", stream=name, state=state))
    raise Refused(Message("engine.stream_absent", stream=name, state=state, more=stream.message))
