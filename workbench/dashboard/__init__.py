"""The dashboard of a session: panels wired to the record, the engine and the reports.

:class:`SessionPage` is one page in one browser; :class:`VisitService` is what it may ask of record and engine. The
notebooks that ``workbench dashboard`` serves show a page each.
"""

from __future__ import annotations

from workbench.dashboard.session_page import SessionPage
from workbench.dashboard.visits import VisitService

__all__ = ["SessionPage", "VisitService"]
