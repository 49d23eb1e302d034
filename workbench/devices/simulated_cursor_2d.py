"""A simulated cursor on a plane: a device with a speed for each way, which stands still without orders."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.control import SafeStep
from workbench.devices._base import Device
from workbench.devices._device_process import DeviceProcess
from workbench.devices._device_rules import DeviceRules
from workbench.devices._pairing import Pairing
from workbench.devices._playing import play, ready
from workbench.errors import BadValue

__all__ = ["DEVICE", "CursorModel"]

DEVICE = Device(
    "A simulated cursor on a plane: it moves at the speed it is told, and stands still when nobody commands it.",
    options={
        "pairing": "path of the key file that it shares with its engine; required",
        "effector": "name of the effector profile (cursor_2d)",
        "greatest": "level above which it clips (1)",
        "idle_s": "how long it waits for an engine, or for the next one, before it ends, s (60)",
        "speed": "how much faster than real time the session runs (1); its time to live stays in real seconds",
        "t0": "LSL time at which stream time and clock agree, s (now)",
    },
    player=True,
    simulated=True,
)

WAYS = 4
"""Right, left, up and down."""


class Speed:
    """What a cursor moves by: a number that is there at once. An actuator of a device."""

    fault = False

    def __init__(self) -> None:
        self._level, self._since = 0.0, 0.0

    def level(self, now: float) -> float:
        """Fraction 0–1 of the greatest speed."""
        return self._level

    def move(self, target: float, *, action: str, ramp_s: float, seq: int | None, now: float, rate: float) -> None:
        """Take another speed.

        Parameters
        ----------
        target, now : level 0–1, and s.
        action, ramp_s, seq, rate : of the order; a number has no ramp.
        """
        self._level, self._since = target, now

    def settled(self, now: float) -> float | None:
        """When it took the speed, None before."""
        return self._since if self._since <= now else None


class CursorModel(DeviceRules):
    """The rules of every device, on a speed a way.

    Parameters
    ----------
    greatest : level above which it clips, 0–1.
    """

    def __init__(self, *, greatest: float = 1.0) -> None:
        if not 0 <= greatest <= 1:
            raise BadValue(f"greatest of the simulated cursor must be 0 to 1, got {greatest!r}; correct it")
        stop = (SafeStep("release"),)
        super().__init__(Speed(), profile="cursor_2d", safe_state=lambda: stop, greatest=greatest, channels=WAYS)


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    if not options.get("pairing"):
        raise BadValue("simulated_cursor_2d needs the option pairing, got none; give the path of its key file")
    paired = Pairing(Path(str(options["pairing"])), str(options.get("effector", "cursor_2d")))
    process = DeviceProcess(
        CursorModel(greatest=float(options.get("greatest", 1.0))),
        paired,
        name="simulated_cursor_2d",
        stop=stop,
        simulated=True,
        idle_s=float(options.get("idle_s", 60.0)),
        time_base={key: options[key] for key in ("speed", "t0") if key in options},
    )
    ready(process.specs, t0=process.t0, speed=process.speed)
    process.run()


if __name__ == "__main__":
    sys.exit(play("simulated_cursor_2d", DEVICE, _body))
