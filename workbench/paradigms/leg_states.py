"""Cued states of both legs, a joint at a time, and keeping still: one decision per cue.

Keeping still is cued as a movement is, so that it is a state of its own beside those of the joints; the pauses
between the cues ask for nothing and are no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._cued import Cued

STILL = "still"
JOINTS = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle"))


@dataclass(frozen=True)
class LegStates(Cued):
    """Cued attempts to move a joint of a leg, and keeping still.

    Parameters
    ----------
    conditions : two or more different labels.
    start_s, stop_s, attempt_s, rest_s, jitter_s, lead_in_s, reject_below : see
        :class:`workbench.paradigms._cued.Cued`.
    """

    name: ClassVar[str] = "leg_states"

    conditions: tuple[str, ...] = (STILL, *JOINTS)
    start_s: float = 1.0
    stop_s: float = 3.0
    rest_s: float = 2.0
    reject_below: float = 0.0

    def _check_conditions(self) -> None:
        if len(self.conditions) < 2 or len(set(self.conditions)) != len(self.conditions):
            given = ", ".join(self.conditions) or "none"
            raise BadValue(Message("paradigm.several_conditions", paradigm=self.name, got=given))


PARADIGM = LegStates
