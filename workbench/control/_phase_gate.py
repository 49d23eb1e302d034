"""Which intents a cycle's phase lets through: once each time the phase enters a window of the law."""

from __future__ import annotations

from typing import NamedTuple

from workbench.control._law import ControlLaw
from workbench.vocabulary import Decision


class Passage(NamedTuple):
    """What the gate says of one decision.

    Attributes
    ----------
    open : whether movement is meant and the phase lies in a window, and not in another than before.
    begins : whether an intent is let through now.
    held_back : whether an intent came outside of each window.
    window : name of the window in which the phase lies; ``""`` where it has none or lies in none.
    """

    open: bool = False
    begins: bool = False
    held_back: bool = False
    window: str = ""


class PhaseGate:
    """Whether movement is meant, and in which window of a law the phase lies.

    Parameters
    ----------
    law : of the system; one without a window lets nothing through.
    """

    def __init__(self, law: ControlLaw) -> None:
        self._law = law
        self._meant = self._inside = False
        self._window = ""

    def take(self, decision: Decision, *, sound: bool, ready: bool = True) -> Passage:
        """Take a decision in.

        Parameters
        ----------
        decision : on a phase; its ``change`` begins or ends the intent.
        sound : whether it can be relied on. Of a phase that cannot, nobody knows where it is: it lies outside.
        ready : whether an intent could act; a window that is entered before is entered once it can.
        """
        asks = self._law.closes(decision)
        if decision.change == "release":
            self._meant = False
        self._meant = self._meant or asks
        window = self._law.window_at(decision.values[0]) if sound and decision.kind == "phase" else None
        inside = window is not None
        changes = inside and self._inside and window != self._window
        # Once each window: what was refused in it, or is over, waits for the next.
        enters = inside and (changes or not self._inside)
        self._inside, self._window = inside and ready, window or ""
        is_open = inside and self._meant
        begins = is_open and ready and (enters or asks)
        return Passage(is_open and not changes, begins, asks and not inside, self._window)

    def forget(self) -> None:
        """Nothing is meant any longer, until an intent begins again."""
        self._meant = False
