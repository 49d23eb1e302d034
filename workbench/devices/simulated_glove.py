"""A simulated glove as an LSL player: the device that every driver is, with air instead of hardware."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.devices._base import Device
from workbench.devices._follower import run_simulated
from workbench.devices._glove import GloveModel, GloveSettings
from workbench.devices._playing import play

__all__ = ["DEVICE", "GloveModel", "GloveSettings"]

DEVICE = Device(
    "A simulated pneumatic glove: inflates after a delay, acknowledges, vents by itself when nobody commands it.",
    options={
        "pairing": "path of the key file that it shares with its engine; required",
        "effector": "name of the effector profile (glove)",
        "seed": "of delays and losses (0)",
        "delay_s": "median time to inflate, s (0.42)",
        "delay_spread": "log standard deviation of it (0.18)",
        "loss": "fraction of commands that never arrive (0.001)",
        "hold_s": "how long it holds without a command, s (1, at most 1)",
        "vent_s": "how long a slow vent from full pressure takes, s (2)",
        "greatest": "level above which it clips (1)",
        "idle_s": "how long it waits for an engine, or for the next one, before it ends, s (60)",
        "speed": "how much faster than real time it moves (1); its time to live stays in real seconds",
        "t0": "LSL time at which stream time and clock agree, s (now)",
        "faults": "marker_delay and marker_loss for the acknowledgements, see workbench.devices.FaultPlan",
        "boot_clock": "file with s to add to the boot clock, to rehearse a suspend of the computer (none)",
    },
    player=True,
    simulated=True,
)

SETTINGS = ("delay_s", "delay_spread", "loss", "hold_s", "vent_s", "greatest")


def _body(options: Mapping[str, Any], stop: threading.Event) -> None:
    seed, boot = int(options.get("seed", 0)), options.get("boot_clock")
    run_simulated(
        lambda: GloveModel(seed, GloveSettings(**{key: options[key] for key in SETTINGS if key in options})),
        options,
        stop,
        profile="glove",
        faults=options.get("faults", ()),
        seed=seed,
        boot_file=Path(str(boot)) if boot else None,
    )


if __name__ == "__main__":
    sys.exit(play("simulated_glove", DEVICE, _body))
