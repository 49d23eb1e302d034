"""The wire to the engine of a session: its plan, finding and starting it, the client, its status.

The engine acquires, records, decodes and controls; notebooks and dashboards attach to it and may come and go.
Importing this package imports neither amplifier software nor a database; names load when first asked for.
"""

from __future__ import annotations

from typing import Any

from workbench import registry

_LAZY = {
    "BLANK_STATUS": "workbench.live.status",
    "Client": "workbench.live.client",
    "SessionPlan": "workbench.live.plan",
    "SignalBlock": "workbench.live._display",
    "Status": "workbench.live.status",
    "attach": "workbench.live._starting",
    "end_stale": "workbench.live._engine_folder",
    "find": "workbench.live._starting",
    "start": "workbench.live._starting",
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
