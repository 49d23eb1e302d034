"""Widgets: show and ask, never compute. One Python class and one ESM file beside it per panel.

``LiveSession`` is the screen of a running session, ``Worklist`` chooses and confirms whose visit it is,
``StudyPage`` shows how a study stands, ``ResultsPage`` what its trial gave, ``ResultPanel`` the result of a run,
``SetupPanel`` finds streams and states the contract,
``DecoderPanel`` shows a fit and asks for its approval, ``AssessmentForm`` enters an outcome measure,
``IsncsciForm`` the neurological examination; ``RecordStore`` keeps their drafts and corrections,
``AssessmentPicker`` chooses visit and measure above a form, ``ParticipantPage`` shows one participant of a trial,
``LogView`` follows a log file, ``SystemsPage`` shows what a study may follow, ``NewStudy`` leads through the steps
of a new one, ``ContactMap`` leads through the map of a lead, ``Presenter`` shows a participant what flickers or
flashes, ``HomePage`` is the page of use at home. ``serve`` opens one notebook as a dashboard.
English and Simplified Chinese come from one catalogue, ``locale.json``.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_WHERE = {
    "AssessmentPicker": "workbench.widgets.assessment_picker",
    "AssessmentForm": "workbench.widgets.assessment_form",
    "ContactMap": "workbench.widgets.contact_map",
    "DecoderPanel": "workbench.widgets.decoder_panel",
    "Drawing": "workbench.widgets.results_page",
    "FileStore": "workbench.widgets._stores",
    "HomePage": "workbench.widgets.home_page",
    "IsncsciForm": "workbench.widgets.isncsci_form",
    "LiveSession": "workbench.widgets.live_session",
    "LogView": "workbench.widgets.log_view",
    "NewStudy": "workbench.widgets.new_study",
    "PageActions": "workbench.widgets.live_session",
    "ParticipantPage": "workbench.widgets.participant_page",
    "Presenter": "workbench.widgets.presenter",
    "RecordStore": "workbench.widgets._stores",
    "ResultPanel": "workbench.widgets.result_panel",
    "ResultsPage": "workbench.widgets.results_page",
    "SafetyDesk": "workbench.widgets.safety_desk",
    "SetupPanel": "workbench.widgets.setup_panel",
    "serve": "workbench.widgets.dashboard",
    "StudyPage": "workbench.widgets.study_page",
    "SystemsPage": "workbench.widgets.systems_page",
    "Worklist": "workbench.widgets.worklist",
    "text": "workbench.widgets._locale",
}

__all__ = [
    "AssessmentPicker",
    "AssessmentForm",
    "ContactMap",
    "DecoderPanel",
    "Drawing",
    "FileStore",
    "HomePage",
    "IsncsciForm",
    "LiveSession",
    "LogView",
    "NewStudy",
    "PageActions",
    "ParticipantPage",
    "Presenter",
    "RecordStore",
    "ResultPanel",
    "ResultsPage",
    "SafetyDesk",
    "SetupPanel",
    "StudyPage",
    "SystemsPage",
    "Worklist",
    "serve",
    "text",
]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'workbench.widgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
