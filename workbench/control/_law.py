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
from workbench.vocabulary import Decision, EvidenceKind

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
    gain : level for a value of 1, in a proportional law; 0 with the others.
    dead_band : value, or speed in a dimension, up to which its level is 0, in the unit of the evidence.
    slew_per_s : fastest rise of a level, fraction a second; its fall is not held back.
    share : share of assistance in the velocity that a proportional law follows, 0–1; at most that of the profile.
    assist_s : assistance covers the way to the target in this time constant, s; 0 without a share.
    targets : name and place of each target that assistance knows, in the dimensions of the velocity.
    phase_window : from and to where in a cycle an intent is let through, phases 0–1; it may go through the
        beginning of the cycle. Only of a trigger, and of a stride-gated law, which needs one, or blocks.
    blocks : name, and from and to where in a cycle its pattern acts, phases 0–1, in place of a phase window: what
        is stimulated changes within a stride. Two of them share no phase, because the effector opens in between.
    patterns : decided condition, and the share 0–1 of the level that each channel gets of it; the condition ``""``
        stands for every one that is not named. Empty where every channel gets the whole level, or a proportional
        law has a value for each. In a proportional law the one value moves every channel of the pattern. With
        blocks a block's name takes the place of the condition.
    """

    law: Law = "hold"
    conditions: tuple[str, ...] = ()
    trigger_s: float = 0.0
    gain: float = 0.0
    dead_band: float = 0.0
    slew_per_s: float = 0.0
    share: float = 0.0
    assist_s: float = 0.0
    targets: tuple[tuple[str, tuple[float, ...]], ...] = ()
    phase_window: tuple[float, ...] = ()
    patterns: tuple[tuple[str, tuple[float, ...]], ...] = ()
    blocks: tuple[tuple[str, float, float], ...] = ()

    def __post_init__(self) -> None:
        # From JSON lists; as tuples, equal laws are equal.
        object.__setattr__(self, "conditions", tuple(self.conditions))
        object.__setattr__(self, "targets", tuple((name, tuple(place)) for name, place in self.targets))
        object.__setattr__(self, "phase_window", tuple(self.phase_window))
        object.__setattr__(self, "patterns", tuple((name, tuple(shares)) for name, shares in self.patterns))
        object.__setattr__(self, "blocks", tuple((name, begin, end) for name, begin, end in self.blocks))
        if self.law not in LAWS:
            raise BadValue(Message("law.unknown", got=repr(self.law), allowed=LAWS))
        triggers = self.law == "trigger"
        # Not `<=`: a time that is not a number triggers nothing.
        if triggers and not (isfinite(self.trigger_s) and self.trigger_s > 0):
            raise BadValue(Message("law.trigger_s", got=f"{self.trigger_s:g}"))
        if not triggers and self.trigger_s != 0:
            raise BadValue(Message("law.no_trigger", law=self.law, got=f"{self.trigger_s:g}"))
        self._check_proportional()
        self._check_assistance()
        self._check_window()
        self._check_patterns()

    @property
    def guided(self) -> bool:
        """Whether it takes more than closing and opening: values to follow, or a phase to wait for."""
        return self.law == "proportional" or bool(self.windows)

    @property
    def windows(self) -> tuple[tuple[str, float, float], ...]:
        """Name, and from and to where in a cycle an intent is let through; the one phase window has no name."""
        return (("", self.phase_window[0], self.phase_window[1]),) if self.phase_window else self.blocks

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

    def _check_assistance(self) -> None:
        given = {"share": self.share, "assist_s": self.assist_s, "targets": self.targets}
        if not any(given.values()):
            return
        places = [place for _, place in self.targets]
        sound = 0 < self.share <= 1 and isfinite(self.assist_s) and self.assist_s > 0 and bool(places)
        if self.law != "proportional" or not sound or not all(isfinite(x) for place in places for x in place):
            raise BadValue(Message("law.assistance", law=self.law, got=repr(given)))

    def _check_window(self) -> None:
        if self.blocks:
            self._check_blocks()
            return
        window, gated = self.phase_window, self.law == "stride_gated"
        if not window and not gated:
            return
        if len(window) != 2 or not _is_window(*window) or not (gated or self.law == "trigger"):
            raise BadValue(Message("law.phase_window", law=self.law, got=repr(window)))

    def _check_blocks(self) -> None:
        names = [name for name, _, _ in self.blocks]
        sound = all(name and _is_window(begin, end) for name, begin, end in self.blocks)
        alone = self.law == "stride_gated" and not self.phase_window and len(set(names)) == len(names)
        # Where two meet, one begins in the other.
        apart = sound and not any(
            _holds(one[1:], other[1]) for one in self.blocks for other in self.blocks if other is not one
        )
        if not (alone and apart and set(names) == {name for name, _ in self.patterns}):
            raise BadValue(Message("law.blocks", law=self.law, got=repr(self.blocks)))

    def _check_patterns(self) -> None:
        names, shares = [name for name, _ in self.patterns], [share for _, own in self.patterns for share in own]
        # Every condition that closes it must move something, and none two patterns; of blocks see `_check_blocks`.
        named = bool(self.conditions) and set(self.conditions) <= set(names)
        covered = "" in names or named or bool(self.blocks)
        moving = all(any(own) for _, own in self.patterns)
        if self.patterns and not (
            len(set(names)) == len(names) and covered and moving and all(0 <= share <= 1 for share in shares)
        ):
            raise BadValue(Message("law.patterns", conditions=list(self.conditions), got=repr(self.patterns)))

    def pattern(self, condition: str) -> tuple[float, ...]:
        """Share 0–1 of the level that each channel gets of a condition; empty where each gets all of its own."""
        of = dict(self.patterns)
        return of.get(condition, of.get("", ()))

    def closes(self, decision: Decision) -> bool:
        """Whether a decision asks for the effector to close."""
        if decision.change == "cued":
            # One decision a cue holds nothing and opens nothing: only a trigger ends by itself.
            return self.law == "trigger" and decision.label in self.conditions
        return decision.change == "activate" and (not self.conditions or decision.label in self.conditions)

    def window_at(self, phase: float) -> str | None:
        """Name of the window in which a phase 0–1 lies, None where in none; its end does not belong to it."""
        return next((name for name, *edges in self.windows if _holds(edges, phase % 1.0)), None)

    def shared(self, decision: Decision) -> tuple[float, ...]:
        """The values that are followed: those that were decoded, less the share of assistance, and assistance.

        Towards what is no target, or from where nobody knows, there is no assistance; its share is then not moved.
        """
        if not self.share:
            return decision.values
        goal = dict(self.targets).get(decision.label, decision.position)
        known = len(goal) == len(decision.position) == len(decision.values)
        way = (
            [there - here for there, here in zip(goal, decision.position)]
            if known
            else [0.0] * len(decision.values)
        )
        return tuple(
            (1.0 - self.share) * value + self.share * left / self.assist_s
            for value, left in zip(decision.values, way)
        )

    def levels(
        self, values: Sequence[float], kind: EvidenceKind = "velocity", condition: str = ""
    ) -> tuple[float, ...]:
        """Level for each channel, before any limit.

        Parameters
        ----------
        values : that were decoded.
        kind : of the evidence. A velocity has a channel for each way of each dimension, that of positive velocity
            first; every other value has one.
        condition : that was decided; with patterns the one value moves the channels of its pattern.
        """
        ways = [way for value in values for way in ((value, -value) if kind == "velocity" else (value,))]
        levels = tuple(self.gain * (way - self.dead_band) if way > self.dead_band else 0.0 for way in ways)
        if not self.patterns:
            return levels
        # Of several values nobody knows which one a pattern is for: no level, which its reader takes for a fault.
        return tuple(share * levels[0] for share in self.pattern(condition)) if len(levels) == 1 else ()


def _is_window(begin: float, end: float) -> bool:
    """Whether these are two different phases; a number that is none is no phase."""
    return 0 <= begin < 1 and 0 <= end < 1 and begin != end


def _holds(edges: Sequence[float], at: float) -> bool:
    """Whether a phase lies between two edges, the first of which belongs to it."""
    begin, end = edges
    return begin <= at < end if begin < end else at >= begin or at < end


def check_law(law: ControlLaw, limits: Limits, effector: Effector) -> ControlLaw:
    """The law itself.

    Parameters
    ----------
    law : of a system.
    limits : in force, no wider than the profile's.
    effector : its profile, which bounds slew and share.

    Raises
    ------
    BadValue
        When it would close the effector for longer, move it faster, or assist more, than is allowed; the text
        names both.
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
    if law.share > effector.share_max:
        raise BadValue(
            Message(
                "law.share_too_large",
                got=f"{law.share:g}",
                effector=effector.name,
                allowed=f"{effector.share_max:g}",
            )
        )
    for condition, shares in law.patterns:
        if len(shares) != effector.channels:
            raise BadValue(
                Message(
                    "law.pattern_channels",
                    condition=repr(condition),
                    effector=effector.name,
                    channels=effector.channels,
                    got=len(shares),
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
