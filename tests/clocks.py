"""A clock that a test sets, handed in through ``workbench.world``."""

from __future__ import annotations

from workbench import world


class SteppedClock(world.Clock):
    """Time stands still but for what the test adds to ``now`` (s); ``asleep`` is what the boot clock has more."""

    def __init__(self, now=100.0):
        self.now, self.asleep = now, 0.0

    def monotonic(self):
        return self.now

    def boottime(self):
        return self.now + self.asleep

    def wall(self):
        return self.now
