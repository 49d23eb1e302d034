"""Stimulation on its way out: every order to an effector that stimulates passes its supervisor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from workbench.control._log import ControllerLog
from workbench.control._machine import StateMachine
from workbench.control._profile import Action, Effector
from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.stimulation import Finding, Setup, StimulationSupervisor, Verdict

Ending = Literal["", "release", "fault", "stop"]
"""How what flows must end."""


def check_stimulation(effector: Effector, setup: Setup | None) -> None:
    """Refuse a set-up with which an effector could never be armed, before a session begins.

    Parameters
    ----------
    effector : its profile.
    setup : programme, signed limits and person; None without one.

    Raises
    ------
    Refused
        For an effector that stimulates and has none, and for a programme beyond its limits.
    BadValue
        When the set-up is for another kind of effector.
    """
    if setup is not None:
        _check_fit(effector, StimulationSupervisor(setup))
    elif effector.stimulates:
        raise Refused(Message("control.stimulation_missing", effector=effector.name))


def _check_fit(effector: Effector, supervisor: StimulationSupervisor) -> None:
    """Raise BadValue for an effector with fewer channels, or one that ends later than is reckoned with."""
    n = len(supervisor.programme.channels)
    if not effector.stimulates or n > effector.channels:
        raise BadValue(Message("control.stimulates_not", effector=effector.name, n=n, channels=effector.channels))
    # The supervisor reckons with a stimulator that ends by itself after this time.
    if effector.ttl_ms / 1000.0 > supervisor.watchdog_s:
        raise BadValue(
            Message(
                "control.watchdog_short",
                effector=effector.name,
                ttl=effector.ttl_ms,
                n=f"{supervisor.watchdog_s * 1000:g}",
            )
        )
    last, release_s = effector.on_fault[-1], supervisor.programme.release_s
    longest_s = max(effector.release_ramp_ms / 1000.0, last.after_s + last.ramp_ms / 1000.0)
    if longest_s > release_s:
        raise BadValue(
            Message("control.release_short", effector=effector.name, longest=f"{longest_s:g}", n=f"{release_s:g}")
        )


def forbidding(supervisor: StimulationSupervisor, now: float) -> list[Message]:
    """What forbids any current to begin at ``now``, s; of a symptom also how it is over."""
    return [
        Message("condition.symptom", what=finding.text) if finding.rule == "symptom" else finding.text
        for finding in supervisor.to_begin(now)
    ]


class StimulationGate:
    """Lets through what the supervisor of stimulation allows; of an effector that does not stimulate, everything.

    Parameters
    ----------
    effector : its profile.
    machine, log : time, and where findings are entered.
    setup : programme, signed limits and person; None leaves an effector that stimulates off.

    Raises
    ------
    BadValue
        When the setup is for another kind of effector: one that does not stimulate, has fewer channels, or ends
        later than the supervisor reckons with.
    Refused
        For a programme beyond its limits.
    """

    def __init__(
        self, effector: Effector, machine: StateMachine, *, log: ControllerLog, setup: Setup | None
    ) -> None:
        self._effector, self._machine, self._log = effector, machine, log
        self.supervisor = None if setup is None else StimulationSupervisor(setup)
        self._said: set[str] = set()
        self._pending: tuple[Ending, str] = ("", "")
        # As controllers before version 8 did: every symptom was over when a self-test had passed.
        self._forgets = False
        if self.supervisor is not None:
            _check_fit(effector, self.supervisor)

    # ------------------------------------------------------------------------------------------ before
    @property
    def needed(self) -> bool:
        """Whether the effector stimulates."""
        return self._effector.stimulates

    @property
    def blinded(self) -> bool:
        """Whether whoever runs the session must not learn if it is a sham."""
        return self.supervisor is not None and self.supervisor.setup.blinded

    @property
    def pause_s(self) -> float:
        """How much longer than its ramp each move counts where somebody is blinded, s.

        A sham is acknowledged before a current has its effect, and must not be told by that.
        """
        return self.supervisor.programme.latency_s if self.supervisor is not None and self.blinded else 0.0

    @property
    def asked(self) -> tuple[float, ...]:
        """What is asked for, fraction 0–1 of each approved current; empty where nothing is supervised."""
        return () if self.supervisor is None else self.supervisor.asked_levels

    @property
    def settled(self) -> bool:
        """Whether nothing that was asked for may still be on its way down, the stimulator's own watchdog included;
        True where nothing is supervised."""
        supervisor, now = self.supervisor, self._machine.now.local
        return supervisor is None or supervisor.settled(now - supervisor.watchdog_s)

    def lacking(self) -> list[Message]:
        """What forbids any current now, for the condition of arming."""
        if not self.needed:
            return []
        if self.supervisor is None:
            return [Message("condition.no_stimulation_limits")]
        return forbidding(self.supervisor, self._machine.now.local)

    def objection(self, level: Sequence[float]) -> Message | None:
        """Why these levels, fractions 0–1, may not begin, None where they may."""
        if not self.needed or self.supervisor is None:
            return next(iter(self.lacking()), None)
        own = level[: len(self.supervisor.programme.channels)]
        found = self.supervisor.objections(own, now=self._machine.now.local)
        return found[0].text if found else None

    # ------------------------------------------------------------------------------------------- orders
    def passed(
        self, action: Action, level: tuple[float, ...], ramp_ms: int, reason: str
    ) -> tuple[tuple[float, ...], int]:
        """Level and ramp of an order as they may leave.

        Parameters
        ----------
        action : of the order; a stop is one for the supervisor too.
        level : fraction 0–1 per channel.
        ramp_ms : ms.
        reason : of a stop.
        """
        if not self.needed:
            return level, ramp_ms
        if self.supervisor is None:
            return (0.0,) * len(level), ramp_ms
        now = self._machine.now.local
        if action == "stop":
            self.supervisor.stop(reason, now=now)
            return (0.0,) * len(level), 0
        # Channels that the programme does not use stay at 0.
        own, before = level[: len(self.supervisor.programme.channels)], self.supervisor.asked_ma
        verdict = self.supervisor.order(own, now=now, ramp_s=ramp_ms / 1000.0)
        self._note_bout(self.supervisor, before)
        ending = self.ending(verdict)
        # An order makes no other order: the next tick, which comes within a heartbeat, follows it.
        self._pending = ending if ending[0] else self._pending
        if not any(level):
            self._said.clear()
        # Up, never down: a ramp that was shortened by rounding would be too fast.
        return self.full(verdict.levels), max(-int(-verdict.ramp_s * 1000.0 // 1), 0)

    def progress(self) -> tuple[Ending, str]:
        """How what flows must end now, and why; ``""`` lets it go on. To be asked at every tick."""
        if self.supervisor is None:
            return "", ""
        ending = self.ending(self.supervisor.tick(self._machine.now.local))
        pending, self._pending = self._pending, ("", "")
        return ending if ending[0] else pending

    def ending(self, verdict: Verdict) -> tuple[Ending, str]:
        """What follows from a verdict, and why."""
        self._enter(verdict)
        if verdict.consequence in ("", "held"):
            return "", ""
        why = verdict.findings[0].text if verdict.findings else Message("word.none")
        ends: dict[str, Ending] = {"release": "release", "fault": "fault", "stop": "stop"}
        return ends[verdict.consequence], why

    def reset(self) -> None:
        """A self-test has passed: what was latched is free, unless its cause is still there."""
        if self.supervisor is not None:
            if self._forgets:
                self.supervisor.symptom_is_over()
            self.supervisor.reset(self._machine.now.local)

    def symptom_is_over(self) -> None:
        """An operator has reset what a symptom stopped: no self-test that begins by itself ends one."""
        if self.supervisor is not None:
            self.supervisor.symptom_is_over()

    def full(self, level: Sequence[float]) -> tuple[float, ...]:
        """Levels of every channel of the effector."""
        return (*level, *(0.0,) * (self._effector.channels - len(level)))

    def _note_bout(self, supervisor: StimulationSupervisor, before: tuple[float, ...]) -> None:
        """One row where a bout begins, with the currents asked for: of a sham too, whose commands say 0."""
        if any(supervisor.asked_ma) and not any(before):
            currents = [
                Message("control.current_of", channel=channel.name, n=f"{current:g}")
                for channel, current in zip(supervisor.programme.channels, supervisor.asked_ma, strict=True)
            ]
            self._log.enter("stimulation_asked", Message("control.stimulation_asked", currents=currents),
                            Message("control.stimulation_passed"))  # fmt: skip

    def _enter(self, verdict: Verdict) -> None:
        """One row for each finding until the level is 0 again: a law that follows asks twenty times a second."""
        for finding in verdict.findings:
            key = f"{finding.rule} {finding.where}"
            if key not in self._said:
                self._said.add(key)
                self._log.enter("stimulation_limited", finding.text, _consequence(verdict), _priority(finding))


def _consequence(verdict: Verdict) -> Message:
    """What followed, for the ledger."""
    if verdict.consequence == "held":
        return Message("control.rise_refused")
    if verdict.consequence == "release":
        return Message("control.told_to_release")
    return Message("control.current_off") if verdict.consequence else Message("control.limit_sent")


def _priority(finding: Finding) -> Literal["high", "medium"]:
    return "high" if finding.rule in ("pressure", "symptom", "delivered", "net_dc", "temperature") else "medium"
