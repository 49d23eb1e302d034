"""Reports: the study record → blocks → self-contained HTML, PDF, DOCX. Never from a live session.

``session_report`` writes the report of one session, ``trial_report`` that of a trial or a participant. Text is
data for a renderer and never markup; the same record and the same software give the same bytes.
"""

from __future__ import annotations

from workbench.reports._results import Cued, Failed, Result, result_of_run
from workbench.reports.session import ReportFiles, session_report
from workbench.reports.trial import TrialReport, trial_report

__all__ = [
    "Cued", "Failed", "ReportFiles", "Result", "TrialReport", "result_of_run", "session_report", "trial_report",
]  # fmt: skip
