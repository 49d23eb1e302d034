"""Clinical systems, one a file: inputs, tasks, decoder, effector and its law, protocol, and who simulates them.

The folder is the register; an entry defines ``SYSTEM``, a :class:`System`. Another package adds one by an entry
point of the group ``workbench.systems``. :func:`bind` puts a system and the streams of a site together, whoever
plays them.
"""

from workbench.systems._bound import (
    HARDWARE,
    BoundSystem,
    Source,
    bind,
    bound_in,
    consent_refusal,
    screen,
    screening_of,
    simulate,
)
from workbench.systems._card_figures import CardFigure, card_figures, keep_card_figures
from workbench.systems._description import described
from workbench.systems._document import document
from workbench.systems._protocol import begin_study, draft, system_of
from workbench.systems._register import USUAL, Provenance, available, load, provenance
from workbench.systems._stimulation import Stimulation, example_lead, example_limits, put_examples_into_force
from workbench.systems._system import (
    KINDS,
    METRICS,
    OF_RECORD,
    PROCEDURES,
    REPORT_PARTS,
    Beside,
    Input,
    PlannedEndpoint,
    PlannedVisit,
    PriceItem,
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
    "OF_RECORD",
    "PROCEDURES",
    "REPORT_PARTS",
    "USUAL",
    "Beside",
    "BoundSystem",
    "CardFigure",
    "Input",
    "PlannedEndpoint",
    "PlannedVisit",
    "PriceItem",
    "Provenance",
    "Simulator",
    "Source",
    "Stimulation",
    "System",
    "Task",
    "available",
    "begin_study",
    "bind",
    "bound_in",
    "consent_refusal",
    "described",
    "document",
    "draft",
    "example_lead",
    "example_limits",
    "card_figures",
    "keep_card_figures",
    "load",
    "provenance",
    "put_examples_into_force",
    "rate_of",
    "screen",
    "screening_of",
    "simulate",
    "system_of",
    "words",
]
