"""A simulated cursor on a plane: a device with a speed for each way, which stands still without orders."""

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

__all__ = ["DEVICE", "CursorModel"]

DEVICE = Device(
    "A simulated cursor on a plane: it moves at the speed it is told, and stands still when nobody commands it.",
    options=OPTIONS,
    player=True,
    simulated=True,
)

WAYS = 4
"""Right, left, up and down."""


class CursorModel(DeviceRules):
    """The rules of every device, on a speed a way.

    Parameters
    ----------
    greatest : level above which it clips, 0–1.
    """

    def __init__(self, *, greatest: float = 1.0) -> None:
        stop, most = (SafeStep("release"),), greatest_of(greatest, name="cursor")
        super().__init__(Follower(), profile="cursor_2d", safe_state=lambda: stop, greatest=most, channels=WAYS)


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    follow(options, stop, profile="cursor_2d", made=lambda greatest: CursorModel(greatest=greatest))


if __name__ == "__main__":
    sys.exit(play("simulated_cursor_2d", DEVICE, _body))
