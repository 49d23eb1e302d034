"""Causal signals: settings → design (once, at fit time) → stream (step by step, any chunking, same bits).

``SciPy`` is touched by :func:`design` only, inside the function; streaming loads arrays and calls kernels.
"""

from __future__ import annotations

from workbench.signals.decimate import Decimator, design_decimator
from workbench.signals.design import design
from workbench.signals.epoching import cut
from workbench.signals.quality import ChannelQuality, QualityMonitor, montage_state
from workbench.signals.resample import Resampler, design_resampler
from workbench.signals.settings import SignalSettings
from workbench.signals.stream import SignalStream
from workbench.signals.timebase import Timebase

__all__ = [
    "ChannelQuality",
    "Decimator",
    "QualityMonitor",
    "Resampler",
    "SignalSettings",
    "SignalStream",
    "Timebase",
    "cut",
    "design",
    "design_decimator",
    "design_resampler",
    "montage_state",
]
