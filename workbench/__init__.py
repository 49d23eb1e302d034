"""A Jupyter-first workbench for spinal-cord-injury brain-computer-interface trials.

**acquire** samples, **decode** them into trials, **append** trials and assessments to the study record,
**score** outcome measures, **estimate** what the protocol asked, **report** it. The verbs are imported on
first use, so that a study opens without amplifier software and an amplifier without a database; ``decode``
at once, or the module of that name would take its place.

Research use only; not a medical device.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from workbench.decode import decode

__version__ = "0.1.0"

_VERBS = {
    "acquire": ("workbench.live", "start"),
    "append": ("workbench.study", "append"),
    "score": ("workbench.outcomes", "score"),
    "estimate": ("workbench.analysis", "estimate"),
    "report": ("workbench.reports", "session_report"),
}

__all__ = ["__version__", "acquire", "append", "decode", "estimate", "report", "score"]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        module, attribute = _VERBS[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
