"""A simulated cursor: it is pressed while it is told to, and lets go at once when nobody commands it."""

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

__all__ = ["DEVICE", "PressedCursorModel"]

DEVICE = Device(
    "A simulated cursor: pressed while it is told to be, and still when nobody commands it.",
    options=OPTIONS,
    player=True,
    simulated=True,
)


class PressedCursorModel(DeviceRules):
    """The rules of every device, on the button of a cursor.

    Parameters
    ----------
    greatest : level above which it clips, 0–1.
    """

    def __init__(self, *, greatest: float = 1.0) -> None:
        # The profile's hold has level 0: the cursor stays where it is, and its button comes up.
        still, most = (SafeStep("release"),), greatest_of(greatest, name="cursor")
        super().__init__(Follower(), profile="cursor", safe_state=lambda: still, greatest=most)


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    follow(options, stop, profile="cursor", made=lambda greatest: PressedCursorModel(greatest=greatest))


if __name__ == "__main__":
    sys.exit(play("simulated_cursor", DEVICE, _body))
