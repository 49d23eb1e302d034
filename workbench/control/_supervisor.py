"""The safety supervisor runs beside the decoder, not inside it: it clips levels and counts the dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple

from workbench.control._machine import Now
from workbench.control._profile import Effector
from workbench.errors import BadValue
from workbench.messages import Message


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a study's protocol for one effector; they may only be narrower than the profile's.

    Attributes
    ----------
    id : name under which commands and reports cite them.
    level_max : highest fraction, 0–1.
    hold_limit_s : longest activation in s.
    dose_s : activation in a session in s.
    """

    id: str
    level_max: float
    hold_limit_s: float
    dose_s: float

    def within(self, other: Limits) -> Limits:
        """These limits, each no wider than the other's."""
        return Limits(
            self.id,
            min(self.level_max, other.level_max),
            min(self.hold_limit_s, other.hold_limit_s),
            min(self.dose_s, other.dose_s),
        )


def profile_limits(effector: Effector) -> Limits:
    """The limits that the profile itself sets."""
    bounds = {rule.value: rule.bound for rule in effector.rules}
    return Limits(f"{effector.name}-profile", bounds["level_max"], bounds["hold_limit_s"], bounds["dose_s"])


def check_limits(limits: Limits, effector: Effector) -> Limits:
    """The limits themselves.

    Raises
    ------
    BadValue
        When one is not a number above 0, or wider than the profile's; the text names both.
    """
    # Slew and share belong to the control law, which is checked against the profile itself.
    of_the_law = ("slew_per_s", "share")
    bounds = {rule.value: rule.bound for rule in effector.rules if rule.value not in of_the_law}
    for name, allowed in bounds.items():
        value = float(getattr(limits, name))
        if not (isfinite(value) and 0 < value <= allowed):
            raise BadValue(
                Message(
                    "grant.limit_too_wide",
                    name=name,
                    id=repr(limits.id),
                    allowed=f"{allowed:g}",
                    effector=effector.name,
                    value=f"{value:g}",
                )
            )
    return limits


class Clip(NamedTuple):
    """A level after the supervisor: ``level`` is within limits, ``text`` says what was done, None for nothing.

    ``broken`` marks a request that was not a set of numbers; its level is 0.
    """

    level: tuple[float, ...]
    text: Message | None = None
    broken: bool = False


class Supervisor:
    """Level limits and dose of one effector in one session.

    Parameters
    ----------
    limits : checked limits of the protocol; a grant may narrow them.
    channels : number of values in a level.
    dose_used_s : activation earlier on the same day, in s.
    """

    def __init__(self, limits: Limits, *, channels: int, dose_used_s: float = 0.0) -> None:
        if not (isfinite(dose_used_s) and dose_used_s >= 0):
            raise BadValue(Message("control.dose_used", got=f"{dose_used_s}"))
        self.limits, self.channels = limits, channels
        self._protocol = limits
        self._earlier_s, self._counted_s = dose_used_s, 0.0
        self._since: Now | None = None
        self._reminded = False

    def clip(self, requested: Sequence[float]) -> Clip:
        """Bring a requested level within limits."""
        nothing = (0.0,) * self.channels
        if len(requested) != self.channels:
            text = Message("control.levels_for_channels", n=len(requested), channels=self.channels)
            return Clip(nothing, text, broken=True)
        if not all(isfinite(value) for value in requested):
            return Clip(nothing, Message("control.level_no_number"), broken=True)
        highest = self.limits.level_max
        level = tuple(min(max(float(value), 0.0), highest) for value in requested)
        if level == tuple(float(value) for value in requested):
            return Clip(level)
        text = Message(
            "control.level_clipped",
            asked=_fractions(requested),
            sent=_fractions(level),
            limit=f"{highest:g}",
        )
        return Clip(level, text)

    def count(self, now: Now, *, moving: bool) -> None:
        """Add the time since the last call to the dose while the effector was moving."""
        if self._since is not None:
            # By whichever clock ran further: a dose may be counted too high, never too low.
            self._counted_s += max(0.0, now.since(self._since))
        self._since = now if moving else None

    def narrow(self, limits: Limits) -> None:
        """Take the limits of a grant, where they are narrower than those of the protocol."""
        self.limits = limits.within(self._protocol)

    def state_earlier(self, dose_used_s: float) -> None:
        """Activation of the day outside of this session, s; it adds to what is counted here, and never falls."""
        # Each grant states the dose again; one that states less must not give back what was already used.
        self._earlier_s = max(self._earlier_s, dose_used_s)

    @property
    def dose_s(self) -> float:
        """Activation of the day, this session's included, s."""
        return self._earlier_s + self._counted_s

    @property
    def dose_left_s(self) -> float:
        """Activation left in this session, s."""
        return max(0.0, self.limits.dose_s - self.dose_s)

    def reminder(self) -> bool:
        """True once, when four fifths of the dose are used."""
        due = not self._reminded and self.dose_s >= 0.8 * self.limits.dose_s
        self._reminded = self._reminded or due
        return due


def _fractions(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
