"""Devices: everything that touches hardware, or stands in for it. The folder is the register.

An entry defines ``DEVICE``. Importing this package imports no amplifier software: ``lsl``, ``start`` and
the others are loaded when they are first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from workbench import registry
from workbench.devices._base import Device

_LAZY = {
    "Player": "workbench.devices._players",
    "start": "workbench.devices._players",
    "stop": "workbench.devices._players",
    "ResponseLoop": "workbench.devices._response_loop",
    "Driver": "workbench.devices._driver",
    "drive": "workbench.devices._driver",
    "FaultPlan": "workbench.devices._faults",
    "FaultyOutlet": "workbench.devices._faults",
    "Pairing": "workbench.devices._pairing",
    "end_device": "workbench.devices._pairing",
    "new_pairing_code": "workbench.devices._pairing",
    "pair_by_code": "workbench.devices._pairing",
    "pairing": "workbench.devices._pairing",
    "pairing_name": "workbench.devices._pairing",
    "running_device": "workbench.devices._pairing",
    "stop_device": "workbench.devices._device_watch",
    "watch_status": "workbench.devices._device_watch",
    "lsl": "",
}

__all__ = ["Device", "available", "load", *_LAZY]


def available() -> tuple[str, ...]:
    """Names of the devices."""
    return registry.available(__name__)


def load(name: str) -> Device:
    """The description of the device of that name.

    Raises
    ------
    UnknownName
        When the folder has no such file.
    """
    device: Device = registry.load(__name__, name, "DEVICE")
    return device


def __getattr__(name: str) -> Any:
    """Public names that would import more than a reader of the register needs (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # A module, not a name within one: it cannot be fetched by getattr below.
    if name == "lsl":
        return import_module("workbench.devices.lsl")
    return getattr(import_module(_LAZY[name]), name)
