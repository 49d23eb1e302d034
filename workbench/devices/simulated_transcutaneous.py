"""A simulated stimulator of the cord through the skin: two pairs of electrodes, 30 ms of delay, no implant."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import Any

from workbench.devices._base import Device
from workbench.devices._playing import play
from workbench.devices._stimulator import OPTIONS, StimulatorSettings, stimulate
from workbench.stimulation import Channel, Programme

__all__ = ["DEVICE", "PROGRAMME", "SETTINGS"]

DEVICE = Device(
    "A simulated transcutaneous stimulator of two pairs of electrodes: ramps down when nobody commands it.",
    options=OPTIONS,
    player=True,
    simulated=True,
)

PROGRAMME = Programme(
    "simulated transcutaneous",
    tuple(
        Channel(name, "skin-disc-5", name, (0,), (1,), approved_ma=60.0, width_us=1000.0, rate_hz=30.0)
        for name in ("T11 to abdomen", "L1 to abdomen")
    ),
    latency_s=0.1,
    release_s=1.0,
)
"""What it holds where no option says otherwise."""

SETTINGS = StimulatorSettings("tscs", release_s=1.0, delay_s=0.03, impedance_ohm=800.0, compliance_v=120.0)


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    stimulate(options, stop, effector="transcutaneous", programme=PROGRAMME, settings=SETTINGS, channels=2)


if __name__ == "__main__":
    sys.exit(play("simulated_transcutaneous", DEVICE, _body))
