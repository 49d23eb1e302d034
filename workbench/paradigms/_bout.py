"""A bout: a stretch of trials' time in which values are followed, by an activation that begins and ends it."""

from __future__ import annotations


class Bout:
    """Whether a bout is under way, and what changes."""

    def __init__(self) -> None:
        self._under_way = self._cut = False

    def change(self, *, goes: bool, over: bool) -> str:
        """``"activate"`` with the first sound hop of a trial, ``"release"`` with its end or after a cut.

        Parameters
        ----------
        goes : whether this hop is sound and belongs to a trial.
        over : whether no trial is open any longer.
        """
        if self._under_way and (over or self._cut):
            self._under_way = self._cut = False
            return "release"
        if goes and not over and not self._under_way:
            self._under_way = True
            return "activate"
        return ""

    def cut(self) -> None:
        """End the bout at the next hop, whatever comes."""
        self._cut = self._under_way
