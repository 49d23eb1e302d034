"""Orders to the effector. Every command is made here; :mod:`_link` numbers, repeats and matches them."""

from __future__ import annotations

from workbench.control._link import Link
from workbench.control._machine import StateMachine
from workbench.control._profile import Action, Effector
from workbench.control._stimulation import StimulationGate
from workbench.vocabulary import Command

LONGEST_REASON = 200
"""Characters of the reason that a command states: a message has a limit, and no STOP may fail because of it."""


class Orders:
    """The level last commanded, and the exchange with the effector. What stimulates passes its supervisor here.

    Parameters
    ----------
    effector, machine : its profile, and state and time.
    gate : which every order passes.

    Attributes
    ----------
    level : fraction 0–1 per channel.
    decoder_sha256 : hash of the loaded decoder, which commands cite.
    """

    def __init__(self, effector: Effector, machine: StateMachine, *, gate: StimulationGate) -> None:
        self.effector, self.link, self.gate = effector, Link(effector), gate
        self.decoder_sha256 = ""
        self._machine = machine
        self._off = self.level = (0.0,) * effector.channels

    def give(
        self, action: Action, *, ramp_ms: int, reason: str, level: tuple[float, ...] | None = None
    ) -> Command:
        """A new order.

        Parameters
        ----------
        action : what the effector does.
        ramp_ms : ramp to the level, ms.
        reason : for the record.
        level : fraction 0–1 per channel; level 0 without one.
        """
        # Here and nowhere else, whoever orders: a decision, a schedule, a safe state or a self-test.
        allowed, ramp_ms = self.gate.passed(action, level or self._off, ramp_ms, reason)
        return self._order(action, allowed, ramp_ms=ramp_ms, reason=reason)

    def lower(self, level: tuple[float, ...], *, reason: str) -> list[Command]:
        """Lower levels that the supervisor of stimulation has set by itself, those of a sham to 0 again."""
        if any(new > old for new, old in zip(level, self.level, strict=True)):
            return []
        return [self._order(self.effector.activate_action, level, ramp_ms=0, reason=reason)]

    def _order(self, action: Action, level: tuple[float, ...], *, ramp_ms: int, reason: str) -> Command:
        """A command, numbered and waited for."""
        self.level = level
        machine, decision = self._machine, self._machine.decision
        template = Command(
            seq=0,
            stamp=machine.now.stamp,
            window_end=machine.now.stamp if decision is None else decision.stamp,
            sample=-1 if decision is None else decision.sample,
            device=self.effector.name,
            profile=self.effector.profile,
            action=action,
            level=self.level,
            ramp_ms=ramp_ms,
            ttl_ms=self.effector.ttl_ms,
            state=machine.state,
            decoder_sha256=self.decoder_sha256,
            reason=reason[:LONGEST_REASON],
        )
        return self.link.order(template, now=machine.now)

    def repeat(self) -> list[Command]:
        """The newest order once more; nothing without one."""
        command = self.link.again(now=self._machine.now, state=self._machine.state)
        return [] if command is None else [command]

    def renew_heartbeat(self, *, pulse: bool) -> list[Command]:
        """What is due by now: the order again until it is answered, then a heartbeat if ``pulse``."""
        command = self.link.beat(now=self._machine.now, state=self._machine.state, pulse=pulse)
        return [] if command is None else [command]

    def clear(self) -> None:
        """Forget what was sent; nothing more is sent before the next order."""
        self.forget()
        self.level = self._off

    def forget(self) -> None:
        """Wait for no acknowledgement and send nothing more; the level stays the one last commanded."""
        self.link.forget()
        self.link.silence()
