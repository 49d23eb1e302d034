"""Whether the process or the whole computer stood still: by the gap between two looks, and by two clocks.

The boot clock counts while the computer sleeps, the monotonic clock does not; what the first gains on the second
was spent asleep. A look that comes late by much says that the process was frozen.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

STANDSTILL_S = 1.0
"""A gap between two looks above this is a standstill, s."""
SUSPENDED_S = 0.25
"""A gain of the boot clock on the monotonic clock above this is a suspend, s."""

Clock = Callable[[], float]


def boot_clock(offset_file: Path | None = None) -> Clock | None:
    """The clock that counts while the computer sleeps, None where the system has none.

    Parameters
    ----------
    offset_file : a stress test writes seconds into it, which are added: a computer that sleeps cannot be part of
        a test.
    """
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return None
    if offset_file is None:
        return lambda: time.clock_gettime(time.CLOCK_BOOTTIME)
    return lambda: time.clock_gettime(time.CLOCK_BOOTTIME) + _offset(offset_file)


def _offset(file: Path) -> float:
    try:
        return float(file.read_text(encoding="ascii")[:40])
    except (OSError, ValueError):
        return 0.0


class StandstillWatch:
    """Looks at its clocks whenever :meth:`look` is called, which should be many times a second.

    Parameters
    ----------
    boot : see :func:`boot_clock`. monotonic : s.
    witnessed : whether another thread came round without a break since a time (monotonic, s): then only the thread
        that looks stood still, and the process did not.
    """

    def __init__(
        self,
        boot: Clock | None,
        *,
        monotonic: Clock = time.monotonic,
        witnessed: Callable[[float], bool] = lambda since: False,
    ) -> None:
        self._boot, self._monotonic, self._witnessed = boot, monotonic, witnessed
        self._last = monotonic()
        self._ahead = self._gain()

    def _gain(self) -> float:
        return 0.0 if self._boot is None else self._boot() - self._monotonic()

    def look(self) -> tuple[str, str] | None:
        """``("suspended" | "standstill", sentence)`` when time was lost since the look before, else None."""
        now, ahead = self._monotonic(), self._gain()
        slept, before = ahead - self._ahead, self._last
        self._last, self._ahead = now, ahead
        if slept > SUSPENDED_S:
            return "suspended", f"The computer slept for {slept:.1f} s"
        if now - before > STANDSTILL_S and not self._witnessed(before):
            return "standstill", f"The engine stood still for {now - before:.1f} s"
        return None
