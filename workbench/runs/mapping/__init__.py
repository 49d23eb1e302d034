"""Mapping of a lead's contacts to muscles: test pulses, recruitment curves, hot-spots. Simulated devices alone.

:class:`ContactMapping` is the procedure, which a page or a script leads; :class:`Bench` gives the pulses through
controller, supervisor and simulated stimulator; ``curves`` says what they tell. :func:`programme_of` makes the
programme of a map, :func:`programme_text` its file.
"""

from __future__ import annotations

from workbench.devices._simulated_lead import EMG_FS, MUSCLES
from workbench.runs.mapping.bench import Bench, NotGiven
from workbench.runs.mapping.curves import ContactCurves, MuscleFinding, candidates, greatest_uv, origin_of, read
from workbench.runs.mapping.wizard import PLANNED_MIN, SITE, ContactMapping, MapPlan, programme_of, programme_text

__all__ = [
    "EMG_FS",
    "MUSCLES",
    "PLANNED_MIN",
    "SITE",
    "Bench",
    "ContactCurves",
    "ContactMapping",
    "MapPlan",
    "MuscleFinding",
    "NotGiven",
    "candidates",
    "greatest_uv",
    "origin_of",
    "programme_of",
    "programme_text",
    "read",
]
