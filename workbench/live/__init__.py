"""The live room: one detached engine process a session, the client of it, ingest, fitting and replay.

The engine acquires, records, decodes and controls; notebooks and dashboards attach to it and may come and
go. The recording is the truth: :func:`ingest` copies trials and events from it into the study record.
Importing this package imports neither amplifier software nor a database; names load when first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_LAZY = {
    "BLANK_STATUS": "workbench.live._status",
    "Client": "workbench.live.client",
    "ReplayResult": "workbench.live.replaying",
    "SessionPlan": "workbench.live.plan",
    "SignalBlock": "workbench.live._display",
    "StopOutcome": "workbench.live.stopping",
    "attach": "workbench.live._starting",
    "boot_id": "workbench.live._place",
    "end_session": "workbench.live.stopping",
    "end_stale": "workbench.live._place",
    "find": "workbench.live._starting",
    "Ingestion": "workbench.live.ingesting",
    "fit": "workbench.live.fitting",
    "ingest": "workbench.live.ingesting",
    "ingest_pending": "workbench.live.ingesting",
    "lossless": "workbench.live._lossless",
    "montage_of": "workbench.live.plan",
    "replay_run": "workbench.live.replaying",
    "replay_study": "workbench.live.replaying",
    "run_fit": "workbench.live._fit_process",
    "start": "workbench.live._starting",
    "take_in": "workbench.live.ingesting",
    "stop_session": "workbench.live.stopping",
}

__all__ = sorted([*_LAZY, "load"])


def __getattr__(name: str) -> Any:
    """Public names, imported when first asked for (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(_LAZY[name]), name)
    globals()[name] = found
    return found


def load() -> None:
    """Import every public name now, so that an interrupt later finds whole what ends and keeps a session."""
    for name in _LAZY.keys() - globals().keys():
        __getattr__(name)


def __dir__() -> list[str]:
    return list(__all__)
