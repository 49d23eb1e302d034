"""The dashboard of a session: panels wired to the record, the engine and the reports.

:class:`SessionPage` is one page in one browser; :class:`VisitService` is what it may ask of record and engine. The
notebooks that ``workbench dashboard`` serves show a page each. :class:`SetupService` is what a set-up of hardware
may ask, :func:`set_up` its screen in a notebook; :class:`StudyService` is what the overview of a study may ask,
:class:`DeskService` what the safety desk may ask, :class:`NewStudyService` what the wizard of a new study may,
:class:`ResultsService` what the results of a trial may, :class:`MappingService` what the map of a lead may,
:class:`HomeService` what the page of use at home may.
:func:`systems_page` leads from a system to that wizard.
"""

from __future__ import annotations

from workbench.dashboard.contact_mapping import MappingService
from workbench.dashboard.hardware import SetupService, set_up
from workbench.dashboard.home import HomeService
from workbench.dashboard.new_study import NewStudyService
from workbench.dashboard.overview import StudyService
from workbench.dashboard.safety_desk import DeskService
from workbench.dashboard.session_page import SessionPage
from workbench.dashboard.systems_page import systems_page
from workbench.dashboard.trial_results import ResultsService
from workbench.dashboard.visits import VisitService

__all__ = [
    "DeskService",
    "HomeService",
    "MappingService",
    "NewStudyService",
    "ResultsService",
    "SessionPage",
    "SetupService",
    "StudyService",
    "VisitService",
    "set_up",
    "systems_page",
]
