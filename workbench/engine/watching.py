"""What the engine looks after by the clock: streams, disk, presence, deadlines. Nothing is lost silently."""

from __future__ import annotations

from workbench import control
from workbench.devices import lsl
from workbench.engine.deadline import DeadlineVerdict
from workbench.engine.run import LiveRun
from workbench.engine.session import Session
from workbench.engine.streams import Stream
from workbench.errors import RecordingFault
from workbench.recording import free_bytes

LOST_END_S = 60.0
"""A run whose critical stream stays away longer than this is ended, s."""
WARN_EVERY_S = 5.0


class Periodic:
    """Whether something is due again, every ``period_s`` s."""

    def __init__(self, period_s: float) -> None:
        self._period, self._next = period_s, 0.0

    def due(self, now: float) -> bool:
        """True at most once a period."""
        if now < self._next:
            return False
        self._next = now + self._period
        return True


def watch_streams(session: Session) -> None:
    """A regular stream that fell silent: ledger, alarm, safe state, pause; away for too long: end."""
    now = lsl.local_clock()
    for stream in session.streams.values():
        if _awaits_its_run(session, stream):
            if stream.state == "good":
                stream.last = max(stream.last, now - stream.patience_s)
        elif stream.silent(now):
            _lose(session, stream, now)
        elif stream.state == "lost":
            _stay_lost(session, stream, now)


def _awaits_its_run(session: Session, stream: Stream) -> bool:
    """Whether a replayed signal has not begun: it plays from the beginning of a run."""
    run = session.events.live_run
    return stream is session.streams.signal and stream.replayed and (run is None or run.source.seen == 0)


def _lose(session: Session, stream: Stream, now: float) -> None:
    name, spec = stream.spec.name, stream.spec
    run = session.events.live_run
    if stream.replayed and stream is session.streams.signal and run is not None:
        done, total = len(run.trials), run.request.n_trials
        session.runs.end("finished", f"the replayed recording ended after {done} of {total} trials")
        return
    silent = now - stream.last
    stream.state, stream.lost_at = "lost", now
    at = f"Everything up to {silent:.1f} s ago is recorded."
    back = "then press Reconnect" if stream.gone else "it is back with its next sample"
    stream.message = f"{name} stopped {silent:.1f} s ago. {at} Check its source; {back}."
    what = "effector to its safe state; run paused" if spec.critical else "recording of the others goes on"
    session.events.enter(
        "stream_lost", stream=name, extent=f"{silent:.1f} s", consequence=what,
        priority="high" if spec.critical else "medium",
    )  # fmt: skip
    session.events.mark("stream_lost", label=name, silent_s=silent)
    if spec.critical:
        session.effector.fault("stream_lost")
        session.runs.pause(f"{name} stopped; {at.lower()}")
    _alarm(session, stream, now)


def _stay_lost(session: Session, stream: Stream, now: float) -> None:
    """Renew the alarm with its age; end a run that waits in vain."""
    _alarm(session, stream, now)
    away = now - stream.last
    if stream.spec.critical and away > LOST_END_S:
        session.runs.end(
            "stopped", f"{stream.spec.name} did not come back within {LOST_END_S:.0f} s; what came is recorded"
        )


def _alarm(session: Session, stream: Stream, now: float) -> None:
    age = f"{now - stream.last:.1f} s"
    name, critical = stream.spec.name, stream.spec.critical
    session.ledger.alarms.raise_alarm(
        f"stream_lost:{name}",
        key="stream_lost",
        priority="high" if critical else "medium",
        what=f"{name} stopped {age} ago.",
        means="The effector was ordered to its safe state and the run is paused. What came before is recorded."
        if critical
        else "The other streams are recorded.",
        do=f"Check that the source of {name} is connected and delivers, then press Resume.",
        stream=name,
        age=age,
    )


def watch_disk(session: Session) -> float:
    """End a run cleanly before the disk is full. Returns free MB."""
    free = free_bytes(session.place.recordings) / 1e6
    reserve = session.plan.reserve_mb
    if free < 2 * reserve:
        session.ledger.alarms.raise_alarm(
            "disk",
            priority="high" if free < reserve else "medium",
            what=f"The disk of the study has {free:,.0f} MB free.",
            means=f"A run is ended cleanly at {reserve:,.0f} MB.",
            do="Free space, or end the run and move older recordings.",
            free=f"{free:,.0f} MB",
        )
    else:
        session.ledger.alarms.clear("disk")
    if free < reserve and session.events.live_run is not None:
        session.events.enter(
            "disk",
            extent=f"{free:,.0f} MB free",
            consequence="the run was ended; all of it is recorded",
            priority="high",
        )
        session.runs.end(
            "stopped", f"the disk has {free:,.0f} MB free, fewer than the {reserve:,.0f} MB kept in reserve"
        )
    return free


def require_disk(session: Session) -> None:
    """Refuse a run on a disk that is nearly full."""
    free = free_bytes(session.place.recordings) / 1e6
    if free < session.plan.reserve_mb:
        raise RecordingFault(
            f"the disk of {session.place.recordings} has {free:,.0f} MB free; {session.plan.reserve_mb:,.0f} MB "
            "are kept in reserve. Free space or choose another disk"
        )


def watch_presence(session: Session) -> None:
    """An armed effector that nobody watches: alarm, no new activation, then released and disarmed.

    Somebody who leaves an effector that is not armed leaves nothing to watch.
    """
    link, presence = session.effector.link, session.presence
    if link is None:
        return
    if presence.present:
        if "operator_absent" in session.ledger.alarms:
            link.report_absence(0.0, limit_s=presence.limit_s)
            session.ledger.alarms.clear("operator_absent")
        return
    if link.state not in control.ARMED_OR_ENGAGED and "operator_absent" not in session.ledger.alarms:
        return
    away = presence.away_s()
    link.report_absence(away, limit_s=presence.limit_s)
    session.ledger.alarms.raise_alarm(
        "operator_absent",
        priority="high",
        what=f"No operator's page has answered for {away:.0f} s.",
        means=f"No activation begins. After {presence.limit_s:g} s the effector is released and disarmed.",
        do="Bring the session's page back into view.",
        away=f"{away:.0f} s",
        limit=f"{presence.limit_s:g} s",
    )


class DeadlineReport:
    """Ledger rows about missed deadlines, at most one in five seconds."""

    def __init__(self) -> None:
        self._timer = Periodic(WARN_EVERY_S)
        self._worst, self._count = 0.0, 0

    def note(self, session: Session, run: LiveRun, *, seconds: float, verdict: DeadlineVerdict) -> None:
        """One hop that took too long.

        Parameters
        ----------
        session, run : which ends after repeated overruns.
        seconds : of the hop.
        verdict : of :meth:`Deadline.hop`.
        """
        self._worst, self._count = max(self._worst, seconds), self._count + 1
        budget = run.deadline.budget_s
        if verdict == "repeated":
            sentence = f"the loop took longer than a hop ({budget * 1000:.0f} ms) {run.deadline.overruns} times"
            session.events.enter(
                "missed_deadline", extent=sentence, consequence="the run was ended", priority="high"
            )
            session.effector.fault("overrun")
            session.runs.end("stopped", f"{sentence}; close other programs, then start a new run")
        elif self._timer.due(lsl.local_clock()):
            session.events.enter(
                "missed_deadline",
                extent=f"{self._count} hops, the longest {self._worst * 1000:.0f} of {budget * 1000:.0f} ms",
                consequence="decided late" if run.deadline.representative else "faster than real time; only noted",
                priority="medium" if verdict == "overrun" and run.deadline.representative else "low",
            )
            self._worst, self._count = 0.0, 0
