"""What the engine looks after by the clock: streams, disk, presence, deadlines. Nothing is lost silently."""

from __future__ import annotations

import math

from workbench import control, world
from workbench.devices import lsl
from workbench.engine.deadline import DeadlineVerdict
from workbench.engine.run import LiveRun
from workbench.engine.session import Session
from workbench.engine.streams import Stream
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.recording import free_bytes

LOST_END_S = 60.0
"""A run whose critical stream stays away longer than this is ended, s."""
BEHIND_S = 0.25
"""Samples that waited longer than this are decoded late, s: a decision on them is older than it may be."""
BEHIND_FOR_S = 1.0
"""How long an engine must be behind, or no longer be, before it is said, s."""
BEHIND_END_S = 10.0
"""A run whose samples wait longer than this is ended, s: the queue must not grow without a bound."""
WARN_EVERY_S = 5.0
SILENT_STATUS_S = 0.5
"""A device's report that is older says nothing about now, s; the page judges by the same."""
FAILED_RUN = {"other": "run_failed"}
"""Kind of the alarm that tells of a fault, where it is not the fault's own code."""


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
    # Of an engine that is behind, what a stream sends since then is not known yet.
    now = lsl.local_clock() - session.inlets.behind_s
    for stream in session.streams.values():
        if _awaits_its_run(session, stream):
            if stream.state == "good":
                # Its silence counts from the first sample of the run on, not from the end of the one before.
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
        session.runs.end("finished", Message("run.replay_ended", n=done, all=total))
        return
    silent = now - stream.last
    stream.state, stream.lost_at = "lost", now
    back = Message("engine.back_by_reconnect") if stream.gone else Message("engine.back_by_itself")
    # Without an age: the sentence stays while the stream stays away, and the page shows the age beside it.
    stream.message = Message("engine.stream_stopped", stream=name, back=back)
    consequence = Message("engine.safe_and_paused") if spec.critical else Message("engine.others_recorded")
    session.events.enter(
        "stream_lost",
        stream=name,
        extent=Message("amount.s", n=f"{silent:.1f}"),
        consequence=consequence,
        priority="high" if spec.critical else "medium",
    )
    session.events.mark("stream_lost", label=name, silent_s=silent)
    if spec.critical:
        # The safe state before the pause, which would only release.
        session.effector.fault("stream_lost")
        session.runs.pause(Message("run.paused_by_loss", stream=name))
    _alarm(session, stream, now)


def _stay_lost(session: Session, stream: Stream, now: float) -> None:
    """Renew the alarm with its age; end a run that waits in vain."""
    _alarm(session, stream, now)
    away = now - stream.last
    if stream.spec.critical and away > LOST_END_S:
        sentence = Message("run.stream_stayed_away", stream=stream.spec.name, n=f"{LOST_END_S:.0f}")
        session.runs.end("stopped", sentence)


def _alarm(session: Session, stream: Stream, now: float) -> None:
    age = Message("amount.s", n=f"{now - stream.last:.1f}")
    name, critical = stream.spec.name, stream.spec.critical
    session.ledger.alarms.raise_alarm(
        f"stream_lost:{name}",
        key="stream_lost",
        priority="high" if critical else "medium",
        what=Message("alarm.stream_lost", stream=name, age=age),
        means=Message("alarm.stream_lost_means") if critical else Message("alarm.other_streams"),
        do=Message("alarm.stream_lost_do", stream=name),
    )


def watch_effector(session: Session) -> control.EffectorStatus | None:
    """The alarm of an effector in FAULT_SAFE: why, and what the device itself says of its safe state.

    While the cause has an alarm of its own there is no second one. A STOP that follows leaves it as it is.

    Returns
    -------
    control.EffectorStatus | None
        What was judged, for the status that shows it with its alarm; None without an effector.
    """
    link, alarms = session.effector.link, session.ledger.alarms
    # What the status shows: it waits for a fault that is under way on another thread, as its rows are written.
    shown = None if link is None else link.snapshot()
    if shown is None or shown["state"] == "ESTOP":
        return shown
    if shown["state"] != "FAULT_SAFE":
        alarms.clear("effector_fault")
        return shown
    # A lost stream that is back has no alarm any more, and its effector still waits for a reset.
    if FAILED_RUN.get(shown["fault"], shown["fault"]) in alarms.lasting:
        return shown
    means, do = _said_by_the_device(shown["confirmed"])
    alarms.raise_alarm(
        "effector_fault",
        priority="high",
        what=Message("alarm.effector_fault", why=shown["cause"]),
        means=means,
        do=do,
    )
    return shown


def _said_by_the_device(report: control.ConfirmedStatus) -> tuple[Message, Message]:
    """What the newest report of a device in its safe state means, and what to do about it."""
    if report["age_s"] is None or report["age_s"] > SILENT_STATUS_S:
        return Message("alarm.effector_open"), Message("alarm.effector_open_do")
    if not report["at_rest"]:
        return Message("alarm.effector_releases"), Message("alarm.effector_releases_do")
    return Message("alarm.effector_fault_means"), Message("alarm.effector_fault_do")


def watch_disk(session: Session) -> float:
    """End a run cleanly before the disk is full. Returns free MB."""
    free = free_bytes(session.engine_folder.recordings) / 1e6
    reserve = session.plan.reserve_mb
    # A warning at twice the reserve; the run is ended while the reserve is still there, because closing a
    # recording needs room as well.
    if free < 2 * reserve:
        session.ledger.alarms.raise_alarm(
            "disk",
            priority="high" if free < reserve else "medium",
            what=Message("alarm.disk", n=f"{free:,.0f}"),
            means=Message("alarm.disk_means", n=f"{reserve:,.0f}"),
            do=Message("alarm.disk_do"),
        )
    else:
        session.ledger.alarms.clear("disk")
    if free < reserve and session.events.live_run is not None:
        session.events.enter(
            "disk",
            extent=Message("engine.mb_free", n=f"{free:,.0f}"),
            consequence=Message("engine.run_ended_whole"),
            priority="high",
        )
        session.runs.end("stopped", Message("run.disk_full", n=f"{free:,.0f}", reserve=f"{reserve:,.0f}"))
    return free


def require_disk(session: Session) -> None:
    """Refuse a run on a disk that is nearly full."""
    free = free_bytes(session.engine_folder.recordings) / 1e6
    if free < session.plan.reserve_mb:
        reserve = f"{session.plan.reserve_mb:,.0f}"
        folder = str(session.engine_folder.recordings)
        raise RecordingFault(Message("engine.disk_full", folder=folder, n=f"{free:,.0f}", reserve=reserve))


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
        what=Message("alarm.operator_absent", n=f"{away:.0f}"),
        means=Message("alarm.operator_absent_means", n=f"{presence.limit_s:g}"),
        do=Message("alarm.operator_absent_do"),
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
            sentence = Message("engine.loop_late", hop=f"{budget * 1000:.0f}", n=run.deadline.overruns)
            ended = Message("engine.run_was_ended")
            session.events.enter("missed_deadline", extent=sentence, consequence=ended, priority="high")
            session.effector.fault("overrun")
            session.runs.end("stopped", Message("run.close_other_programs", why=sentence))
        elif self._timer.due(lsl.local_clock()):
            session.events.enter(
                "missed_deadline",
                extent=Message(
                    "engine.late_hops",
                    n=self._count,
                    worst=f"{self._worst * 1000:.0f}",
                    hop=f"{budget * 1000:.0f}",
                ),
                consequence=Message("engine.decided_late")
                if run.deadline.representative
                else Message("engine.faster_than_real"),
                priority="medium" if verdict == "overrun" and run.deadline.representative else "low",
            )
            self._worst, self._count = 0.0, 0


class BehindReport:
    """The alarm of an engine that takes in later than its streams send, and the end of a run that is too late."""

    def __init__(self) -> None:
        self._since = self._newest = -math.inf

    def look(self, session: Session) -> None:
        """Raise, renew or clear the alarm; to be called several times a second."""
        now, behind_s, alarms = world.clock.monotonic(), session.inlets.behind_s, session.ledger.alarms
        within = now - self._newest <= BEHIND_FOR_S
        if behind_s <= BEHIND_S:
            if not within:
                alarms.clear("engine_behind")
            return
        self._since, self._newest = self._since if within else now, now
        if now - self._since < BEHIND_FOR_S:
            return
        amount = Message("amount.s", n=f"{behind_s:.1f}")
        alarms.raise_alarm(
            "engine_behind",
            priority="high",
            what=Message("alarm.engine_behind", n=amount),
            means=Message("alarm.engine_behind_means"),
            do=Message("alarm.engine_behind_do"),
        )
        if behind_s > BEHIND_END_S:
            session.runs.end("stopped", Message("run.engine_behind", n=amount))
