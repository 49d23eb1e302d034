"""From a snapshot and a plan to estimates: the plan file, what enters each analysis, and results that lead back.

A plan (:mod:`workbench.estimation.plan`) says how each estimand of the protocol is estimated; :func:`analyse` runs
it on a hashed snapshot. What cannot be estimated is refused in one sentence and never printed as a number.
"""

from __future__ import annotations

from workbench.estimation.methods import METHODS
from workbench.estimation.observed import Course, CourseLine, Point, courses
from workbench.estimation.plan import Plan, draft, parse, read
from workbench.estimation.results import AnalysisResult, EstimateRow, LookRow, MeanRow, Results
from workbench.estimation.running import (
    Analysed,
    Pooled,
    analyse,
    check_folder,
    pooled,
    protocol_of,
    write,
    write_draft,
)

__all__ = [
    "METHODS", "Analysed", "AnalysisResult", "Course", "CourseLine", "EstimateRow", "LookRow", "MeanRow", "Plan",
    "Point", "Pooled", "Results", "analyse", "check_folder", "courses", "draft", "parse", "pooled", "protocol_of",
    "read", "write", "write_draft",
]  # fmt: skip
