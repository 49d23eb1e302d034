"""Which intents a cycle's phase lets through: once each time the phase enters the window of the law."""

from __future__ import annotations

from typing import NamedTuple

from workbench.control._law import ControlLaw
from workbench.vocabulary import Decision


class Passage(NamedTuple):
    """What the gate says of one decision.

    Attributes
    ----------
    open : whether movement is meant and the phase lies in the window.
    begins : whether an intent is let through now.
    held_back : whether an intent came outside of the window.
    """

    open: bool = False
    begins: bool = False
    held_back: bool = False


class PhaseGate:
    """Whether movement is meant, and whether the phase lies in the window of a law.

    Parameters
    ----------
    law : of the system; one without a window lets nothing through.
    """

    def __init__(self, law: ControlLaw) -> None:
        self._law = law
        self._meant = self._inside = False

    def take(self, decision: Decision, *, sound: bool) -> Passage:
        """Take a decision in.

        Parameters
        ----------
        decision : on a phase; its ``change`` begins or ends the intent.
        sound : whether it can be relied on. Of a phase that cannot, nobody knows where it is: it lies outside.
        """
        asks = self._law.closes(decision)
        if decision.change == "release":
            self._meant = False
        self._meant = self._meant or asks
        inside = sound and decision.kind == "phase" and self._law.lets_through(decision.values[0])
        # Once each window: what was refused in it, or is over, waits for the next.
        enters, self._inside = inside and not self._inside, inside
        is_open = inside and self._meant
        return Passage(is_open, is_open and (enters or asks), asks and not inside)

    def forget(self) -> None:
        """Nothing is meant any longer, until an intent begins again."""
        self._meant = False
