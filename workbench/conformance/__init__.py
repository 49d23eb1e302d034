"""Whether another maker's device, presenter or stream does what its protocol says, measured over LSL."""

from __future__ import annotations

from workbench.conformance.certificate import Certificate, Check
from workbench.conformance.effector import Limits, conform_effector, limits_of
from workbench.conformance.presenter import conform_presenter
from workbench.conformance.stream import conform_stream

__all__ = [
    "Certificate",
    "Check",
    "Limits",
    "conform_effector",
    "conform_presenter",
    "conform_stream",
    "limits_of",
]
