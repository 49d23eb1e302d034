"""Clinical systems, one a file: inputs, tasks, decoder, effector and its law, protocol, and who simulates them.

The folder is the register; an entry defines ``SYSTEM``, a :class:`System`. Another package adds one by an entry
point of the group ``workbench.systems``. :func:`bind` puts a system and the streams of a site together, whoever
plays them.
"""

from workbench.systems._bound import HARDWARE, BoundSystem, Source, bind, simulate
from workbench.systems._register import Provenance, available, load, provenance
from workbench.systems._system import (
    KINDS,
    METRICS,
    PROCEDURES,
    SECTIONS,
    Input,
    PlannedVisit,
    Simulator,
    System,
    Task,
    rate_of,
    words,
)

__all__ = [
    "HARDWARE",
    "KINDS",
    "METRICS",
    "PROCEDURES",
    "SECTIONS",
    "BoundSystem",
    "Input",
    "PlannedVisit",
    "Provenance",
    "Simulator",
    "Source",
    "System",
    "Task",
    "available",
    "bind",
    "load",
    "provenance",
    "rate_of",
    "simulate",
    "words",
]
