"""What the device has confirmed, beside what was commanded. Screens, ledger and reports say nothing else."""

from __future__ import annotations

from typing import Literal

from workbench.control._machine import Now
from workbench.control._snapshot import ConfirmedStatus, StopStatus
from workbench.vocabulary import DeviceStatus

SILENT_S = 1.0
"""Without a signed status for so long, the device is not known to follow, s."""

CONTRARY = 3
"""Statuses in a row that must say that the device does not follow: one may still be on its way from before."""


Confirmed = Literal["", "stop_confirmed", "safe_confirmed"]
"""What a status confirms, as the kind of its ledger row."""


class Confirmation:
    """The newest signed status, and what became of a stop or a safe state that was asked for."""

    def __init__(self) -> None:
        self.status: DeviceStatus | None = None
        self._at: Now | None = None
        self._contrary = 0
        self._stop_at: Now | None = None
        self._stop_acknowledged_s: float | None = None
        self._stop_safe_s: float | None = None
        self._safe_at: Now | None = None

    def ask_stop(self, now: Now) -> None:
        """A stop was sent; a second one while the first is not confirmed changes nothing."""
        if self._stop_at is None or self.stop_confirmed:
            self._stop_at = now
            self._stop_acknowledged_s = self._stop_safe_s = None
        # From here a safe status confirms the stop, no longer the safe state of a fault before it.
        self._safe_at = None

    def ask_safe(self, now: Now) -> None:
        """The safe state was commanded."""
        self._safe_at = now

    def clear(self) -> None:
        """A new self-test begins."""
        self._stop_at = self._safe_at = self._stop_acknowledged_s = self._stop_safe_s = None
        self._contrary = 0

    def acknowledge_stop(self, now: Now) -> float | None:
        """The device acknowledged the stop: s since it was sent, None when that was known."""
        if self._stop_at is None or self._stop_acknowledged_s is not None:
            return None
        self._stop_acknowledged_s = now.local - self._stop_at.local
        return self._stop_acknowledged_s

    def take(self, status: DeviceStatus, now: Now, *, settled: bool = True) -> tuple[Confirmed, float]:
        """A signed status came: what it confirms and after how many s, else ``("", 0)``.

        Parameters
        ----------
        status, now : what it says, and when.
        settled : whether what was asked for may be over by now; before that nothing is confirmed.
        """
        self.status, self._at = status, now
        if not (status.is_safe and settled):
            return "", 0.0
        # One status confirms one thing, and a stop outranks the safe state of a fault.
        if self._stop_at is not None and self._stop_safe_s is None:
            self._stop_safe_s = now.local - self._stop_at.local
            return "stop_confirmed", self._stop_safe_s
        if self._safe_at is not None:
            took_s, self._safe_at = now.local - self._safe_at.local, None
            return "safe_confirmed", took_s
        return "", 0.0

    def contradicts(self, *, lost: bool) -> bool:
        """Count statuses that say that the device does not follow (``lost``); True when enough came in a row."""
        # In a row: a status sent before the device heard of the new key is normal and says nothing about the next.
        self._contrary = self._contrary + 1 if lost else 0
        return self._contrary >= CONTRARY

    def age_s(self, now: Now) -> float | None:
        """s of local time since the newest status, None before the first."""
        return None if self._at is None else max(0.0, now.local - self._at.local)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is known against a new self-test: no status, or one without pressure."""
        # No status counts as rest: the self-test itself needs the device's signed answers, so that a silent device
        # gets no further.
        return self.status is None or (self.status.level == 0 and self.status.state not in ("holding", "venting"))

    @property
    def stop_confirmed(self) -> bool:
        """Whether the stop was acknowledged, and a status says that no pressure is left."""
        return self._stop_acknowledged_s is not None and self._stop_safe_s is not None

    def confirmed(self, now: Now) -> ConfirmedStatus:
        """The newest status, for screens."""
        status = self.status
        return {
            "level": None if status is None else status.level,
            "state": "" if status is None else status.state,
            "age_s": self.age_s(now),
            "at_rest": status is not None and self.at_rest,
            "counter": 0 if status is None else status.counter,
        }

    def stop(self, now: Now) -> StopStatus:
        """What became of the stop, for screens."""
        asked_at = self._stop_at
        return {
            "asked_age_s": None if asked_at is None else max(0.0, now.local - asked_at.local),
            "sent": asked_at is not None,
            "acknowledged_after_s": self._stop_acknowledged_s,
            "safe_after_s": self._stop_safe_s,
            "confirmed": self.stop_confirmed,
        }
