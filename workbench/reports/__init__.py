"""Reports: the study record → blocks → self-contained HTML and PDF. Never from a live session.

``session_report`` writes the report of one session. Text is data for a renderer and never markup; the same
record and the same software give the same bytes.
"""

from __future__ import annotations

from workbench.reports._results import Cued, Failed, Result, result_of_run
from workbench.reports.session import ReportFiles, session_report

__all__ = ["Cued", "Failed", "ReportFiles", "Result", "result_of_run", "session_report"]
