"""A simulated powered orthosis: a motor that follows a velocity each way after 100 ms, and a brake."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import Any

from workbench.control import SafeStep
from workbench.devices._base import Device
from workbench.devices._device_rules import DeviceRules
from workbench.devices._follower import OPTIONS, follow, greatest_of
from workbench.devices._playing import play
from workbench.devices._stimulator import Output, StimulatorSettings

__all__ = ["DEVICE", "OrthosisModel"]

DEVICE = Device(
    "A simulated powered orthosis: it moves as fast as it is told, and brakes when nobody commands it.",
    options=OPTIONS,
    player=True,
    simulated=True,
)

WAYS = 2
"""Flexion and extension."""

DELAY_S = 0.1
"""Time from an order to the motor, s."""


class OrthosisModel(DeviceRules):
    """The rules of every device, on the speed of a motor.

    Parameters
    ----------
    greatest : level above which it clips, 0–1.
    seed : of the delays.
    """

    def __init__(self, *, greatest: float = 1.0, seed: int = 0) -> None:
        brake = (SafeStep("release"),)
        motor = Output(seed, StimulatorSettings("exo", release_s=0.0, delay_s=DELAY_S))
        most = greatest_of(greatest, name="powered orthosis")
        super().__init__(
            motor, profile="exo", safe_state=lambda: brake, greatest=most, channels=WAYS, delay=motor.delay
        )


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    follow(options, stop, profile="powered_orthosis", made=lambda greatest: OrthosisModel(greatest=greatest))


if __name__ == "__main__":
    sys.exit(play("simulated_powered_orthosis", DEVICE, _body))
