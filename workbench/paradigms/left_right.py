"""Two cued classes, named by the user: one decision per cue, on the window ``start_s`` to ``stop_s`` after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms._cued import Cued


@dataclass(frozen=True)
class LeftRight(Cued):
    """Cued two-class attempts or imagery.

    Parameters
    ----------
    conditions : the two labels.
    start_s, stop_s, attempt_s, rest_s, jitter_s, lead_in_s, reject_below : see
        :class:`workbench.paradigms._cued.Cued`.
    """

    name: ClassVar[str] = "left_right"

    def _check_conditions(self) -> None:
        if len(self.conditions) != 2 or self.conditions[0] == self.conditions[1]:
            given = ", ".join(self.conditions) or "none"
            raise BadValue(Message("paradigm.two_conditions", got=given))


PARADIGM = LeftRight
