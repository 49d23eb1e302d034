"""A simulated stimulator of eight muscles through the skin: 30 ms of delay, no radio, no implant."""

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
    "A simulated stimulator of eight leg muscles: measures its contacts, ramps down when nobody commands it.",
    options=OPTIONS,
    player=True,
    simulated=True,
)

MUSCLES = ("quadriceps", "hamstrings", "tibialis anterior", "gluteus maximus")

PROGRAMME = Programme(
    "simulated FES",
    tuple(
        Channel(
            f"{side} {muscle}",
            "skin-5x9",
            f"{side} {muscle}",
            (0,),
            (1,),
            approved_ma=60.0,
            width_us=300.0,
            rate_hz=40.0,
        )
        for side in ("left", "right")
        for muscle in MUSCLES
    ),
    needs_support=True,
    support_kg=10.0,
    latency_s=0.1,
    release_s=0.5,
)
"""What it holds where no option says otherwise: one pair of electrodes a muscle."""

SETTINGS = StimulatorSettings("fes", release_s=0.5, delay_s=0.03, compliance_v=150.0)


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    stimulate(options, stop, effector="fes", programme=PROGRAMME, settings=SETTINGS, channels=8)


if __name__ == "__main__":
    sys.exit(play("simulated_fes", DEVICE, _body))
