"""A simulated motor-driven glove: a device whose grip follows a level, and opens by itself without orders."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import Any

from workbench.control import SafeStep
from workbench.devices._base import Device
from workbench.devices._device_rules import DeviceRules
from workbench.devices._follower import OPTIONS, Follower, follow, greatest_of
from workbench.devices._playing import play

__all__ = ["DEVICE", "TendonGloveModel"]

DEVICE = Device(
    "A simulated motor-driven glove: it grips as firmly as it is told, and lets go when nobody commands it.",
    options=OPTIONS,
    player=True,
    simulated=True,
)

HOLD_S = 1.0
"""How long it holds without a link, s."""


class TendonGloveModel(DeviceRules):
    """The rules of every device, on the pull of a motor.

    Parameters
    ----------
    greatest : level above which it clips, 0–1.
    """

    def __init__(self, *, greatest: float = 1.0) -> None:
        most = greatest_of(greatest, name="tendon glove")
        super().__init__(Follower(), profile="tendon_glove", safe_state=self._safe_steps, greatest=most)

    def _safe_steps(self) -> tuple[SafeStep, ...]:
        """Without a link: hold (a dropped hot cup, a trapped finger), then let go."""
        return SafeStep("hold", keep_level=True), SafeStep("release", after_s=HOLD_S / self.rate)


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    follow(options, stop, profile="tendon_glove", made=lambda greatest: TendonGloveModel(greatest=greatest))


if __name__ == "__main__":
    sys.exit(play("simulated_tendon_glove", DEVICE, _body))
