"""The researcher's way in: open a study, fit and evaluate on own epochs, report, plot. Names load at first use.

Everything here is also a name of the package: ``import workbench as wb``, then ``wb.open_study(path)``.
"""

from __future__ import annotations

from typing import Any

from workbench import registry

_HOMES = {
    "Evaluation": "workbench.research.learning",
    "evaluate": "workbench.research.learning",
    "fit": "workbench.research.learning",
    "open_study": "workbench.research.studies",
    "report": "workbench.research.studies",
    "sample_study": "workbench.research.studies",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Public names, imported when first asked for (PEP 562)."""
    return registry.public_name(globals(), _HOMES, name)


def __dir__() -> list[str]:
    return list(__all__)
