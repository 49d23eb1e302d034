"""Whether the process or the whole computer stood still: by the gap between two looks, and by two clocks.

The boot clock counts while the computer sleeps, the monotonic clock does not; what the first gains on the second
was spent asleep. A look that comes late by much says that the process was frozen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from workbench import world
from workbench.messages import Message

STANDSTILL_S = 1.0
"""A gap between two looks above this is a standstill, s."""
SUSPENDED_S = 0.25
"""A gain of the boot clock on the monotonic clock above this is a suspend, s."""

Standstill = Literal["suspended", "standstill"]
"""The computer slept, or the process alone stood still; both are codes of faults."""


def slept_offset(file: Path | None) -> float:
    """Seconds that a stress test adds to the boot clock: a computer that sleeps cannot be part of a test.

    0 without a file, and where it does not contain a number.
    """
    try:
        return 0.0 if file is None else float(file.read_text(encoding="ascii")[:40])
    except (OSError, ValueError):
        return 0.0


class StandstillWatch:
    """Looks at its clocks whenever :meth:`look` is called, which should be many times a second.

    Parameters
    ----------
    slept_s : added to the boot clock, s; see :func:`slept_offset`.
    ran_unbroken : whether another thread came round without a break since a time (monotonic, s): then only the
        thread that looks stood still, and the process did not.
    """

    def __init__(
        self,
        *,
        slept_s: Callable[[], float] = lambda: 0.0,
        ran_unbroken: Callable[[float], bool] = lambda since: False,
    ) -> None:
        self._slept_s, self._ran_unbroken = slept_s, ran_unbroken
        self._last = world.clock.monotonic()
        self._ahead = self._gain()

    def _gain(self) -> float:
        return world.clock.boottime() + self._slept_s() - world.clock.monotonic()

    def look(self) -> tuple[Standstill, Message] | None:
        """``("suspended" | "standstill", sentence)`` when time was lost since the look before, else None."""
        now, ahead = world.clock.monotonic(), self._gain()
        slept, before = ahead - self._ahead, self._last
        self._last, self._ahead = now, ahead
        # Sleep first: around it the process may have stood still as well, and sleep is the cause of both.
        if slept > SUSPENDED_S:
            return "suspended", Message("engine.slept_for", n=f"{slept:.1f}")
        if now - before > STANDSTILL_S and not self._ran_unbroken(before):
            return "standstill", Message("engine.stood_still_for", n=f"{now - before:.1f}")
        return None
