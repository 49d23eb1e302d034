"""Does a device or a stream of somebody else do what its protocol says? Measured on LSL, with a certificate."""

from __future__ import annotations

from workbench.conformance.certificate import Certificate, Check
from workbench.conformance.effector import Limits, conform_effector, limits_of
from workbench.conformance.stream import conform_stream

__all__ = ["Certificate", "Check", "Limits", "conform_effector", "conform_stream", "limits_of"]
