"""Figures: a table in, a matplotlib Figure out, without pyplot and without global state.

Each function takes rows and the texts to print and returns a ``matplotlib.figure.Figure`` drawn in px at
96 per inch; :func:`to_svg` writes it as one self-contained ``<svg>`` element with the same bytes each
time. Shape and text carry the meaning and colour repeats it, so a monochrome print stays readable.
"""

from __future__ import annotations

from workbench.figures._fonts import chinese_font, holds_chinese, latin_folder, printable
from workbench.figures._sheet import Sheet, to_svg
from workbench.figures.courses import WORDS as COURSE_WORDS
from workbench.figures.courses import CoursePanel, courses
from workbench.figures.effects import Effect, EffectAxis, effect_axis, effect_cell, forest
from workbench.figures.flow import FlowBox, FlowSteps, flow_of_participants
from workbench.figures.judged import labelled_intervals
from workbench.figures.ledger import ledger_timeline
from workbench.figures.outcomes import ConditionMark, condition_marks
from workbench.figures.performance import IntervalRow, Matrix, confusion, confusion_sheets, intervals
from workbench.figures.trials import onset_latencies, trial_ticks
from workbench.figures.visits import VisitScore, over_visits, over_visits_plotly

__all__ = [
    "COURSE_WORDS",
    "ConditionMark",
    "CoursePanel",
    "Effect",
    "EffectAxis",
    "FlowBox",
    "FlowSteps",
    "IntervalRow",
    "Matrix",
    "Sheet",
    "VisitScore",
    "chinese_font",
    "condition_marks",
    "confusion",
    "confusion_sheets",
    "courses",
    "effect_axis",
    "effect_cell",
    "flow_of_participants",
    "forest",
    "holds_chinese",
    "labelled_intervals",
    "intervals",
    "ledger_timeline",
    "latin_folder",
    "onset_latencies",
    "over_visits",
    "over_visits_plotly",
    "printable",
    "to_svg",
    "trial_ticks",
]
