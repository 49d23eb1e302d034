"""A simulated epidural stimulator: a lead of 16 contacts, an implant behind a coil and a radio."""

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
    "A simulated epidural stimulator with a lead of 16 contacts: an implant with radio, coil, battery and warmth.",
    options=OPTIONS,
    player=True,
    simulated=True,
)

HOT_SPOTS = {
    "left trunk": ((0,), (1,)),
    "left hip": ((2,), (3,)),
    "left knee": ((4,), (5,)),
    "left ankle": ((6,), (7,)),
    "right trunk": ((8,), (9,)),
    "right hip": ((10,), (11,)),
    "right knee": ((12,), (13,)),
    "right ankle": ((14,), (15,)),
}
"""Cathodes and anodes of each, as contacts of the lead."""

PROGRAMME = Programme(
    "simulated epidural",
    tuple(
        Channel(
            name,
            "paddle-16",
            "lead",
            cathodes,
            anodes,
            approved_ma=4.0,
            width_us=300.0,
            rate_hz=40.0,
            mismatch=5e-4,
        )
        for name, (cathodes, anodes) in HOT_SPOTS.items()
    ),
    needs_support=True,
    support_kg=10.0,
    latency_s=0.25,
    release_s=1.0,
)
"""What it holds where no option says otherwise."""

SETTINGS = StimulatorSettings(
    "ees",
    release_s=1.0,
    delay_s=0.12,
    loss=0.001,
    impedance_ohm=900.0,
    compliance_v=12.0,
    battery_uc=5e7,
    implant=True,
)
"""A radio that takes 100 to 150 ms and loses one order in a thousand."""


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    stimulate(options, stop, effector="epidural", programme=PROGRAMME, settings=SETTINGS, channels=8)


if __name__ == "__main__":
    sys.exit(play("simulated_epidural", DEVICE, _body))
