"""Causal signals: settings → design (once, at fit time) → stream (step by step, any chunking, same bits).

``SciPy`` is touched by :func:`design` only, inside the function; streaming loads arrays and calls kernels.
Names are imported at their first use, so that parsing a unit does not wait for the kernels to load.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.signals.design import design

if TYPE_CHECKING:
    from workbench.signals.decimate import Decimator, design_decimator
    from workbench.signals.epoching import cut
    from workbench.signals.quality import ChannelQuality, QualityMonitor, montage_state
    from workbench.signals.resample import Resampler, design_resampler
    from workbench.signals.settings import SignalSettings
    from workbench.signals.stamps import StampMonitor
    from workbench.signals.stream import SignalStream
    from workbench.signals.timebase import Jitter, Timebase
    from workbench.signals.units import StreamUnits

__all__ = [
    "ChannelQuality",
    "Decimator",
    "Jitter",
    "QualityMonitor",
    "Resampler",
    "SignalSettings",
    "SignalStream",
    "StampMonitor",
    "StreamUnits",
    "Timebase",
    "cut",
    "design",
    "design_decimator",
    "design_resampler",
    "montage_state",
]

_LAZY = {
    "ChannelQuality": "workbench.signals.quality",
    "Decimator": "workbench.signals.decimate",
    "Jitter": "workbench.signals.timebase",
    "QualityMonitor": "workbench.signals.quality",
    "Resampler": "workbench.signals.resample",
    "SignalSettings": "workbench.signals.settings",
    "SignalStream": "workbench.signals.stream",
    "StampMonitor": "workbench.signals.stamps",
    "StreamUnits": "workbench.signals.units",
    "Timebase": "workbench.signals.timebase",
    "cut": "workbench.signals.epoching",
    "design_decimator": "workbench.signals.decimate",
    "design_resampler": "workbench.signals.resample",
    "montage_state": "workbench.signals.quality",
}


def __getattr__(name: str) -> Any:
    """Public names, imported when first asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    # Kept in the module: Python calls this function only for names that it does not find there.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
