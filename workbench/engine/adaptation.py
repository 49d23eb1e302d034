"""How the decoder of a run has adapted so far: for the screen, and for the ledger when it went back or ended."""

from __future__ import annotations

from workbench.devices import lsl
from workbench.live.status import AdaptationStatus
from workbench.messages import Message
from workbench.vocabulary import LedgerRow, Snapshot


class Adaptation:
    """The updates of a run's decoder, counted.

    Parameters
    ----------
    rule : by which it adapts, ``""`` for a decoder that stays as it was fitted. bound : of the rule.
    head : hash of the decoder, at which the chain of updates begins.
    """

    def __init__(self, rule: str, *, bound: float, head: str) -> None:
        self.rule, self.bound = rule, bound
        self.head = head if rule else ""
        self.updates, self.rolled_back, self.ended = 0, 0, False
        self._last: float | None = None

    def count(self, snapshot: Snapshot, *, stamp: float) -> LedgerRow | None:
        """Count an update; the ledger's row where it went back to the fit, or where there will be none any more.

        Parameters
        ----------
        stamp : LSL time in s of about the update's sample.
        """
        self.head, now = snapshot.sha256, lsl.local_clock()
        if snapshot.rule == "ended":
            # Which is no update: the decoder is as it was.
            self.ended = True
            return LedgerRow(
                "adaptation_ended",
                stamp,
                now,
                sample=snapshot.sample,
                extent=Message("engine.update_not_there", n=self.updates + 1),
                consequence=Message("engine.decoder_stays"),
                priority="medium",
            )
        self.updates, self._last = self.updates + 1, now
        if snapshot.rule != "roll_back":
            return None
        self.rolled_back += 1
        return LedgerRow(
            "roll_back",
            stamp,
            now,
            sample=snapshot.sample,
            extent=Message("engine.update_passed_bound", n=self.updates, bound=f"{self.bound:g}"),
            consequence=Message("engine.decoder_as_fitted"),
            priority="medium",
        )

    def status(self, *, over: bool) -> AdaptationStatus:
        """Its part of the run's status; there is no age when the run is ``over``."""
        return {
            "rule": self.rule,
            "updates": self.updates,
            "age_s": None if over or self._last is None else max(0.0, lsl.local_clock() - self._last),
            "rolled_back": self.rolled_back,
            "ended": self.ended,
            "head": self.head,
        }
