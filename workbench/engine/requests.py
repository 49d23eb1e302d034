"""What clients may ask for, carried out on the engine's loop. Every request is checked here, not in a screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workbench.devices import lsl
from workbench.engine.live_source import Feed
from workbench.engine.run import LiveRun
from workbench.engine.run_request import Asked, asked_of, rehearse
from workbench.engine.server import Request
from workbench.engine.session import Session
from workbench.engine.watching import require_disk
from workbench.errors import BadValue, EngineFault, Refused, WorkbenchError
from workbench.live import _wire
from workbench.signals.timebase import Timebase
from workbench.threads import Beat

MAX_TEXT = 2000
REHEARSAL_LIMIT_S = 600.0
"""Longest time of compiling for a run, s; the first time on a busy computer it has taken three minutes."""
_UNVOUCHED = (
    "the unit of stream {name!r} is not known and was waived, so that it is recorded only and cannot be {what}; "
    "declare the unit in the session plan, with the name of who vouches for it"
)


class Rehearsal:
    """Compiling for a run, on a thread of its own, while signals are recorded."""

    def __init__(self, asked: Asked, session: Session) -> None:
        self._error: WorkbenchError | None = None
        self._complete = False
        self._asked, self._signal = asked, session.signal.spec
        self._thread = session.spawn("rehearsal", self._run, limit_s=REHEARSAL_LIMIT_S)

    def _run(self, beat: Beat) -> None:
        beat()
        try:
            rehearse(self._asked, signal=self._signal)
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
        if self._error is None and not self._complete:
            return EngineFault("compiling ended unexpectedly; see the engine's log, then start the run again")
        return self._error


class Desk:
    """Carries out requests."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rehearsal: Rehearsal | None = None
        self.ending = False
        self._handlers: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "start_run": self._start_run,
            "pause": self._pause,
            "resume": lambda args: session.resume(self._by(args)),
            "end_run": self._end_run,
            "stop": lambda args: session.settle_stop(),
            "reset_stop": self._reset_stop,
            "arm": self._arm,
            "disarm": self._disarm,
            "waive": lambda args: session.waive(_text(args, "stream"), _text(args, "reason"), by=self._by(args)),
            "note": self._note,
            "reconnect": self._reconnect,
            "acknowledge": self._acknowledge,
            "shutdown": self._shutdown,
        }

    def carry_out(self, request: Request) -> dict[str, Any]:
        """Carry out one request; its reply."""
        try:
            value = self._handlers[request.operation](request.args)
        except WorkbenchError as error:
            return _wire.refusal(error)
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            return _wire.refusal(BadValue(f"request {request.operation!r} cannot be understood ({error})"))
        return {"ok": True, "value": value}

    def _by(self, args: Mapping[str, Any]) -> str:
        return str(args.get("by") or self.session.plan.operator)[:100]

    # ------------------------------------------------------------------------------------- runs
    def _start_run(self, args: Mapping[str, Any]) -> str:
        session = self.session
        if session.run is not None and session.run.state in ("compiling", "running", "paused"):
            raise Refused(f"run {session.run.number} is {session.run.state}; end it before another one starts")
        if session.stopped:
            raise Refused(f"the stop is latched ({session.stopped}); reset it before a run starts")
        self._check_streams()
        require_disk(session)
        asked = asked_of(args, signal=session.signal.spec)
        approved = session.grants.approves(args.get("grant"), decoder_sha256=asked.decoder_sha256)
        asked = replace(asked, approved=approved)
        signal = session.signal
        if signal.recording_only and asked.kind != "calibration":
            raise Refused(_UNVOUCHED.format(name=signal.spec.name, what="decoded"))
        others = [s for s in session.streams.values() if s is not signal and s.state in ("good", "lost")]
        waived = {s.spec.name: s.message for s in session.streams.values() if s.state == "waived"}
        run = LiveRun(
            asked,
            plan=replace(session.plan, waived=waived),
            number=session.runs + 1,
            signal=signal,
            others=others,
            ledger=session.ledger,
            feed=self._feed(session),
            spawn=session.spawn,
        )
        session.runs += 1
        session.run_ids.append(asked.id)
        session.run = run
        if session.effecting is not None:
            self._name_decoder(asked)
        self.rehearsal = Rehearsal(asked, session)
        return asked.id

    def _name_decoder(self, asked: Asked) -> None:
        """Name the run's decoder to the effector, and the approved one: the same, or none."""
        self._effecting().decoder(
            asked.decoder_sha256,
            approved=asked.decoder_sha256 if asked.approved else "",
            rule=asked.paradigm.params(),
        )

    def _feed(self, session: Session) -> Feed:
        spec = session.signal.spec
        return Feed(
            spec.fs,
            record=self._record,
            present=session.present,
            watermark=session.watermark,
            clock=lsl.local_clock,
            timed_out=self._timed_out,
            counter=spec.channels.index(spec.counter) if spec.counter else None,
            timebase=Timebase.of_stream(spec),
            without=spec.without,
        )

    def _record(self, marker: Any) -> None:
        if self.session.run is not None:
            self.session.run.record(marker)

    def _timed_out(self, stamp: float) -> None:
        """A sample went on without another critical stream; entered once a run."""
        run = self.session.run
        if run is not None and not run.behind:
            run.behind = True
            self.session.mark("watermark_timeout", until=stamp)
            self.session.enter(
                "late_stream", extent="over 250 ms", consequence="decided without waiting", priority="medium"
            )

    def _check_streams(self) -> None:
        session = self.session
        for stream in session.streams.values():
            if stream.state in ("good", "waived") or (stream.state == "lost" and not stream.spec.critical):
                continue
            way_out = "" if stream.spec.critical else f" It can be waived with a reason. {stream.message}"
            raise Refused(
                f"no run can start: {'critical ' if stream.spec.critical else ''}stream {stream.spec.name!r} is "
                f"{stream.state}. Start its source and reconnect.{way_out}"
            )

    def _pause(self, args: Mapping[str, Any]) -> None:
        run = self.session.run
        if run is None or run.state != "running":
            raise Refused("no run is running, so there is nothing to pause")
        self.session.pause(f"paused by {self._by(args)}")

    def _end_run(self, args: Mapping[str, Any]) -> None:
        run = self.session.run
        if run is None or not run.live:
            raise Refused("no run is running, so there is nothing to end")
        self.session.end(
            "finished", f"ended by {self._by(args)} after {len(run.trials)} of {run.asked.n_trials} trials"
        )

    # --------------------------------------------------------------------------------- effector
    def _arm(self, args: Mapping[str, Any]) -> None:
        effecting, session = self._effecting(), self.session
        run = session.run
        if run is None or not run.live:
            raise Refused("arming is possible during a run only; start the run first")
        if session.plan.place == "home":
            raise Refused("nothing is armed at home: the rule for use at home does not exist yet")
        if not session.presence.present:
            raise Refused(
                "nobody is there: no visible page of this session has answered within 2 s; open its dashboard or "
                "notebook and keep it in view"
            )
        if session.signal.recording_only:
            raise Refused(_UNVOUCHED.format(name=session.signal.spec.name, what="used to arm an effector"))
        by = self._by(args)
        if not run.asked.decoder_sha256:  # the record grants nothing without one
            effecting.name_unmet()
        grant = session.grants.arming(
            args.get("grant"), decoder_sha256=run.asked.decoder_sha256, own_runs=session.run_ids
        )
        if not run.asked.approved:
            run.asked = replace(run.asked, approved=True)
            self._name_decoder(run.asked)
        effecting.arm(by, grant)
        session.mark("arm", by=by)

    def _disarm(self, args: Mapping[str, Any]) -> None:
        by = self._by(args)
        self._effecting().disarm(by)
        self.session.mark("disarm", by=by)

    def _reset_stop(self, args: Mapping[str, Any]) -> None:
        session = self.session
        by = self._by(args)
        if session.effecting is None and not session.stopped:
            raise Refused("no stop is latched, so there is nothing to reset")
        if session.effecting is not None:
            session.effecting.reset(by)
            session.self_test()
        session.stopped = ""
        session.ledger.alarms.acknowledge_cause("estop", by=by)
        session.ledger.calm("estop")
        session.enter("operator", extent="stop reset", consequence=by)
        session.mark("stop_reset", by=by)

    def _effecting(self) -> Any:
        if self.session.effecting is None:
            raise Refused("this session has no effector; name one in the session plan")
        return self.session.effecting

    # ------------------------------------------------------------------------------------ others
    def _note(self, args: Mapping[str, Any]) -> None:
        text = _text(args, "text")
        if not text.strip():
            raise BadValue("a note needs a text")
        self.session.enter("note", extent=text, consequence=self._by(args))
        self.session.mark("note", label=text, by=self._by(args))

    def _acknowledge(self, args: Mapping[str, Any]) -> None:
        self.session.ledger.alarms.acknowledge(_text(args, "alarm"), by=self._by(args))

    def _reconnect(self, args: Mapping[str, Any]) -> list[str]:
        session = self.session
        if session.run is not None and session.run.state in ("compiling", "running"):
            raise Refused("streams are not looked for while a run is running; pause or end it first")
        missing = [name for name, stream in session.streams.items() if stream.state in ("missing", "lost")]
        return [name for name in missing if not session.reconnect(name, by=self._by(args))]

    def _shutdown(self, args: Mapping[str, Any]) -> None:
        self.session.end("stopped", f"the session was ended by {self._by(args)}")
        self.ending = True


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise BadValue(f"{name} must be a text, got {type(value).__name__}")
    return value[:MAX_TEXT]
