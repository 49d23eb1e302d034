"""After and around a run: ingest, fit, approve, grant, replay, and what stops or ends a session from outside.

Between the record and the engine; ``approve`` alone approves a decoder. The recording is the
truth: :func:`ingest` copies trials and events from it into the study record. Names load when first asked for.
"""

from __future__ import annotations

from typing import Any

from workbench import registry

_LAZY = {
    "Ingestion": "workbench.runs.ingesting",
    "ReplayResult": "workbench.runs.replaying",
    "StopOutcome": "workbench.runs.stopping",
    "end_session": "workbench.runs.stopping",
    "fit": "workbench.runs.fitting",
    "ingest": "workbench.runs.ingesting",
    "ingest_pending": "workbench.runs.ingesting",
    "replay_run": "workbench.runs.replaying",
    "replay_study": "workbench.runs.replaying",
    "run_fit": "workbench.runs.fit_process",
    "stop_session": "workbench.runs.stopping",
    "take_in": "workbench.runs.ingesting",
}

__all__ = sorted([*_LAZY, "load"])


def __getattr__(name: str) -> Any:
    """Public names, imported when first asked for (PEP 562)."""
    return registry.public_name(globals(), _LAZY, name)


def load() -> None:
    """Import every public name now, so that an interrupt later finds whole what ends and keeps a session."""
    for name in _LAZY.keys() - globals().keys():
        __getattr__(name)


def __dir__() -> list[str]:
    return list(__all__)
