"""Watchdogs over what the controller is fed: signal quality, evidence, the loop's own time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import isfinite
from typing import Literal

from workbench.control._machine import Now
from workbench.control._table import FaultCode
from workbench.vocabulary import Decision

PATIENCE_S = 0.5
"""How long bad quality, invalid evidence or silence is tolerated, s."""

OVERRUNS = 3
"""Overruns within 1 s that are tolerated."""

ROUNDING = 1e-6
"""Far above the rounding of float64 probabilities, far below any probability that decides something."""


class Watch:
    """What was last seen, and since when it has been wrong.

    Parameters
    ----------
    hop_s : between two decisions, s.
    young_s : age above which a decision counts for nothing, s; None for the controllers of old recordings, which
        did not ask for it.
    """

    def __init__(self, *, hop_s: float, young_s: float | None) -> None:
        self._hop_s, self._young_s = hop_s, young_s
        self.quality_ok: bool | None = None
        self._bad_since: Now | None = None
        self._invalid_since: Now | None = None
        self._heard: Now | None = None
        self._overruns: deque[float] = deque()

    def quality(self, now: Now, *, ok: bool) -> None:
        """The montage's state."""
        self.quality_ok = ok
        self._bad_since = None if ok else self._bad_since or now

    def evidence(self, now: Now, *, valid: bool, age_s: float) -> None:
        """A decision came.

        Parameters
        ----------
        now : on both clocks. valid : what it says of itself.
        age_s : time since its newest sample, s.
        """
        # What is decided late says nothing of now, as if it had not come: nothing may stay closed because of it.
        if self._young_s is None or age_s <= self._young_s:
            self._heard = now
        self._invalid_since = None if valid else self._invalid_since or now

    def hop(self, duration_s: float, *, local: float) -> bool:
        """Note how long one hop took; True when more than :data:`OVERRUNS` overran within 1 s."""
        # Not `>`: a duration that is not a number is an overrun.
        if not duration_s <= self._hop_s:
            self._overruns.append(local)
        while self._overruns and local - self._overruns[0] > 1.0:
            self._overruns.popleft()
        return len(self._overruns) > OVERRUNS

    def clear(self) -> None:
        """A new self-test begins: forget what was wrong; quality is unknown until it is reported."""
        self.quality_ok, self._bad_since, self._invalid_since = None, None, None
        # `_heard` stays: it is read only while the effector is active, and a decision must have come to activate
        # it.
        self._overruns.clear()

    def fault(self, now: Now, *, active: bool) -> FaultCode | Literal[""]:
        """Code of the fault that is due, or ``""``. Evidence counts while the effector is ``active``."""
        if self._bad_since is not None and now.since(self._bad_since) > PATIENCE_S:
            return "quality_bad"
        if not active:
            return ""
        if self._invalid_since is not None and now.since(self._invalid_since) > PATIENCE_S:
            return "evidence_invalid"
        # Local time alone: where a stream is played faster than real time, half a second of it may pass between
        # two chunks of a healthy decode loop.
        if self._heard is not None and now.local - self._heard.local > PATIENCE_S:
            return "evidence_silent"
        return ""


def broken(decision: Decision) -> bool:
    """Whether evidence is not what its kind allows.

    Probabilities lie within 0–1 and sum to 1; beside them a level lies within 0–1. A velocity or a force is finite
    in each dimension, an amplitude finite and not negative, a phase within 0–1 with a finite rate above 0.
    """
    kind, values = decision.kind, decision.values
    if not all(isfinite(value) for value in values):
        return True
    if kind in ("probabilities", "state_level") and _no_probabilities(decision.probabilities):
        return True
    allowed = {
        "probabilities": not values,
        "state_level": len(values) == 1 and 0.0 <= values[0] <= 1.0,
        "velocity": bool(values),
        "force": bool(values),
        "amplitude": len(values) == 1 and values[0] >= 0.0,
        "phase": len(values) == 2 and 0.0 <= values[0] <= 1.0 and values[1] > 0.0,
    }
    return not allowed.get(kind, False)


def _no_probabilities(probabilities: Sequence[float]) -> bool:
    """Whether numbers are no set of probabilities: empty, not finite, outside 0–1, or not summing to 1."""
    # Where one class is sure, the rounding of a normalisation may leave its probability one bit above 1.
    if not probabilities or not all(isfinite(p) and 0.0 <= p <= 1.0 + ROUNDING for p in probabilities):
        return True
    return abs(sum(probabilities) - 1.0) > ROUNDING
