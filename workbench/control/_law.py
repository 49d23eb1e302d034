"""The control law: how decisions become the closing and opening of an effector. It belongs to a system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import get_args

from workbench.control._profile import Effector, Law
from workbench.control._supervisor import Limits
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import Decision

LAWS: tuple[Law, ...] = get_args(Law)
"""Every control law."""


@dataclass(frozen=True, slots=True)
class ControlLaw:
    """A law with its parameters. Raises :class:`BadValue` for one that contradicts itself.

    Attributes
    ----------
    law : one of :data:`LAWS`.
    conditions : decided conditions that close the effector; empty for every activation. A cued decision closes it
        only where its condition is named here.
    trigger_s : how long a trigger closes it, s; 0 with the other laws.
    gain : level for a velocity of 1, in a proportional law; 0 with the others.
    dead_band : speed in a dimension up to which its level is 0, in the unit of the velocity.
    slew_per_s : fastest rise of a level, fraction a second; its fall is not held back.
    """

    law: Law = "hold"
    conditions: tuple[str, ...] = ()
    trigger_s: float = 0.0
    gain: float = 0.0
    dead_band: float = 0.0
    slew_per_s: float = 0.0

    def __post_init__(self) -> None:
        # From JSON a list; as a tuple, equal laws are equal.
        object.__setattr__(self, "conditions", tuple(self.conditions))
        if self.law not in LAWS:
            raise BadValue(Message("law.unknown", got=repr(self.law), allowed=LAWS))
        triggers = self.law == "trigger"
        # Not `<=`: a time that is not a number triggers nothing.
        if triggers and not (isfinite(self.trigger_s) and self.trigger_s > 0):
            raise BadValue(Message("law.trigger_s", got=f"{self.trigger_s:g}"))
        if not triggers and self.trigger_s != 0:
            raise BadValue(Message("law.no_trigger", law=self.law, got=f"{self.trigger_s:g}"))
        self._check_proportional()

    def _check_proportional(self) -> None:
        numbers = {"gain": self.gain, "dead_band": self.dead_band, "slew_per_s": self.slew_per_s}
        if self.law != "proportional":
            if any(numbers.values()):
                raise BadValue(Message("law.not_proportional", law=self.law, got=repr(numbers)))
            return
        # A dead band may be 0; a gain or a slew of 0 would move nothing.
        if (
            not all(isfinite(value) and value >= 0 for value in numbers.values())
            or not self.gain * self.slew_per_s
        ):
            raise BadValue(Message("law.proportional", got=repr(numbers)))

    def closes(self, decision: Decision) -> bool:
        """Whether a decision asks for the effector to close."""
        if decision.change == "cued":
            # One decision a cue holds nothing and opens nothing: only a trigger ends by itself.
            return self.law == "trigger" and decision.label in self.conditions
        return decision.change == "activate" and (not self.conditions or decision.label in self.conditions)

    def levels(self, velocity: Sequence[float]) -> tuple[float, ...]:
        """Level for each way of each dimension: the way of positive velocity, then the other; before any limit."""
        ways = [way for value in velocity for way in (value, -value)]
        return tuple(self.gain * (way - self.dead_band) if way > self.dead_band else 0.0 for way in ways)


def check_law(law: ControlLaw, limits: Limits, effector: Effector) -> ControlLaw:
    """The law itself.

    Parameters
    ----------
    law : of a system.
    limits : in force, no wider than the profile's.
    effector : its profile, which bounds the slew.

    Raises
    ------
    BadValue
        When it would close the effector for longer, or move it faster, than the limits allow; the text names both.
    """
    if law.slew_per_s > effector.slew_per_s:
        raise BadValue(
            Message(
                "law.too_fast",
                got=f"{law.slew_per_s:g}",
                effector=effector.name,
                allowed=f"{effector.slew_per_s:g}",
            )
        )
    if law.trigger_s > limits.hold_limit_s:
        raise BadValue(
            Message(
                "law.too_long",
                got=f"{law.trigger_s:g}",
                effector=effector.name,
                allowed=f"{limits.hold_limit_s:g}",
            )
        )
    return law
