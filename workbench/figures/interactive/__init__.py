"""Pictures for notebooks and dashboards: numbers in, a plotly Figure out. Nothing is computed here.

One style: one hue for data, shape and text before colour, the unit on every axis, and ``simulated`` written on
figures of simulated data.
"""

from __future__ import annotations

from workbench.figures.interactive.body import body_chart
from workbench.figures.interactive.decoders import Disc, confusion_tables, patterns
from workbench.figures.interactive.evidence import Evidence, Mark, Period, evidence
from workbench.figures.interactive.page import MARK, page, program
from workbench.figures.interactive.results import NamedPanel, courses, forest
from workbench.figures.interactive.scope import WORDS as SCOPE_WORDS
from workbench.figures.interactive.scope import scope
from workbench.figures.interactive.trials import TrialMark, trial_course

__all__ = [
    "MARK",
    "SCOPE_WORDS",
    "Disc",
    "Evidence",
    "Mark",
    "NamedPanel",
    "Period",
    "TrialMark",
    "body_chart",
    "confusion_tables",
    "courses",
    "evidence",
    "forest",
    "page",
    "patterns",
    "program",
    "scope",
    "trial_course",
]
