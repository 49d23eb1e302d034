"""What clients may ask for, carried out on the engine's loop. Every request is checked here, not in a screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from workbench.devices import lsl
from workbench.engine import stimulating
from workbench.engine.run_start import RunStart
from workbench.engine.server import Request
from workbench.engine.session import Session
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.live import _wire
from workbench.messages import Message

PAGE_S = 2.0
"""A marker of a page lies no farther from now than this, s."""
MAX_TEXT = 2000
"""Characters of a text that are taken."""


class RequestHandler:
    """Carries out requests.

    Parameters
    ----------
    session : to which they apply.

    Attributes
    ----------
    start : of runs.
    ending : whether the session is to end.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self.start = RunStart(session)
        self.ending = False
        self._handlers: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "start_run": self.start.accept,
            "pause": self._pause,
            "resume": lambda args: session.runs.resume(self._by(args)),
            "end_run": self._end_run,
            # The door has stopped the effector already; the reply says that the run is being ended too.
            "stop": lambda args: session.stop_latch.settle(),
            "reset_stop": self._reset_stop,
            "attend": self._attend,
            "arm": self._arm,
            "disarm": self._disarm,
            "apply_setting": lambda args: session.runs.apply_setting(self._by(args)),
            "note_reaction": lambda args: session.runs.note_reaction(_text(args, "text"), self._by(args)),
            "waive": self._waive,
            "note": self._note,
            "task": lambda args: session.runs.task(),
            "present": self._present,
            "reconnect": self._reconnect,
            "acknowledge": self._acknowledge,
            **{act: partial(self._stimulate, act) for act in stimulating.ACTS},
            "shutdown": self._shutdown,
        }

    def carry_out(self, request: Request) -> dict[str, Any]:
        """Carry out one request; its reply."""
        try:
            value = self._handlers[request.operation](request.args)
        except WorkbenchError as error:
            return _wire.refusal(error)
        except (TypeError, ValueError, KeyError, OverflowError) as error:
            sentence = Message("engine.request_unclear", request=repr(request.operation), why=str(error))
            return _wire.refusal(BadValue(sentence))
        return {"ok": True, "value": value}

    def _by(self, args: Mapping[str, Any]) -> str:
        return str(args.get("by") or self._session.plan.operator)[:100]

    # ------------------------------------------------------------------------------------- runs
    def _pause(self, args: Mapping[str, Any]) -> None:
        run = self._session.events.live_run
        if run is None or run.state != "running":
            raise Refused(Message("engine.nothing_to_pause"))
        self._session.runs.pause(Message("run.paused_by", who=self._by(args)))

    def _end_run(self, args: Mapping[str, Any]) -> None:
        run = self._session.events.live_run
        if run is None:
            raise Refused(Message("engine.nothing_to_end"))
        done, total = len(run.trials), run.request.n_trials
        self._session.runs.end("finished", Message("run.ended_by", who=self._by(args), n=done, all=total))

    # --------------------------------------------------------------------------------- effector
    def _arm(self, args: Mapping[str, Any]) -> None:
        session, link = self._session, self._session.effector.required()
        run = session.events.live_run
        if run is None:
            raise Refused(Message("engine.arm_in_run_only"))
        if session.plan.place == "home" and session.plan.home is None:
            raise Refused(Message("engine.not_at_home"))
        if missing := session.presence.missing():
            raise Refused(Message("home.missing", who=missing))
        if not session.presence.present:
            raise Refused(Message("engine.nobody_there"))
        if session.streams.signal.recording_only:
            raise Refused(Message("engine.unit_arms_nothing", stream=repr(session.streams.signal.spec.name)))
        session.effector.check_driver()
        by = self._by(args)
        if not run.request.mover:  # the record grants nothing without a decoder or a schedule
            link.name_unmet()
        # Last of the checks, because it uses up the nonce: a request refused above may be repeated with the same
        # grant.
        grant = session.grants.arming(
            args.get("grant"), decoder_sha256=run.request.mover, own_runs=session.runs.ids
        )
        # The run began without the record's word on its decoder; the grant has now brought it.
        if not (run.request.approved or run.request.scheduled):
            run.request = replace(run.request, approved=True)
            session.effector.name_decoder(run.request)
        link.arm(by, grant)
        session.events.mark("arm", by=by)

    def _disarm(self, args: Mapping[str, Any]) -> None:
        by = self._by(args)
        self._session.effector.required().disarm(by)
        self._session.events.mark("disarm", by=by)

    def _reset_stop(self, args: Mapping[str, Any]) -> None:
        """A latched STOP or a fault is left; at home only by somebody whom the rule names."""
        session, role = self._session, str(args.get("role") or "site")
        rule = session.plan.home
        if rule is not None and role not in rule.reset:
            raise Refused(Message("home.reset", got=repr(role), allowed=list(rule.reset)))
        session.stop_latch.reset(self._by(args) if rule is None else f"{role}, {self._by(args)}")

    def _attend(self, args: Mapping[str, Any]) -> None:
        """Somebody whom the home rule names is there, or goes."""
        session, role, there = self._session, _text(args, "role"), args.get("there") is not False
        session.presence.attend(role, there=there)
        extent = Message("home.attends", who=role) if there else Message("home.leaves", who=role)
        session.events.enter("presence", extent=extent, consequence=self._by(args))
        session.events.mark("attend", label=role, there=there, by=self._by(args))

    def _stimulate(self, act: str, args: Mapping[str, Any]) -> None:
        """What somebody enters about the person who is stimulated, or a ceiling."""
        link = self._session.effector.required()
        link.stimulation.take(act, stimulating.arguments(act, args, by=self._by(args)))

    # ----------------------------------------------------------------------------------- others
    def _waive(self, args: Mapping[str, Any]) -> None:
        name, reason = _text(args, "stream"), _text(args, "reason")
        self._session.connections.waive(name, reason, by=self._by(args))

    def _note(self, args: Mapping[str, Any]) -> None:
        text = _text(args, "text")
        if not text.strip():
            raise BadValue(Message("engine.note_needs_text"))
        self._session.events.enter("note", extent=text, consequence=self._by(args))
        self._session.events.mark("note", label=text, by=self._by(args))

    def _present(self, args: Mapping[str, Any]) -> None:
        self._session.runs.task()  # refuses where no page presents
        text, local = _text(args, "marker"), float(args["local"])
        # A page is not trusted: what it shows is of now, give or take the way here. It was seen all the same.
        if not abs(away := local - lsl.local_clock()) < PAGE_S:
            self._session.runs.leave_page(text, away)
            raise BadValue(Message("engine.page_time", n=f"{away:.1f}", most=f"{PAGE_S:g}"))
        self._session.runs.take_page(text, local)

    def _acknowledge(self, args: Mapping[str, Any]) -> None:
        self._session.ledger.alarms.acknowledge(_text(args, "alarm"), by=self._by(args))

    def _reconnect(self, args: Mapping[str, Any]) -> list[str]:
        run = self._session.runs.run
        if run is not None and run.state in ("compiling", "running"):
            raise Refused(Message("engine.not_during_run"))
        return self._session.connections.reconnect(by=self._by(args))

    def _shutdown(self, args: Mapping[str, Any]) -> None:
        self._session.runs.end("stopped", Message("run.session_ended_by", who=self._by(args)))
        self.ending = True


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise BadValue(Message("engine.must_be_text", name=name, got=type(value).__name__))
    return value if isinstance(value, Message) else value[:MAX_TEXT]
