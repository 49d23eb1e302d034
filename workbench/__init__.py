"""A Jupyter-first workbench for spinal-cord-injury brain-computer-interface trials.

**acquire** samples, **decode** them into trials, **append** trials and assessments to the study record,
**score** outcome measures, **estimate** what the protocol asked, **report** it.

For whoever reads and compares: ``open_study`` (its tables are DataFrames), ``RunFile`` (a recording, also as
``mne.io.Raw`` and ``mne.Epochs``), ``fit`` and ``evaluate`` a decoder on own epochs, and ``plot``. ``set_up``
connects the amplifier and the effector of a site to a session.

Names are imported on first use, so that a study opens without amplifier software and an amplifier without a
database; ``decode`` at once, or the module of that name would take its place.

Research use only; not a medical device.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from workbench.decode import decode

if TYPE_CHECKING:
    from workbench.analysis import estimate
    from workbench.dashboard import set_up
    from workbench.live import start as acquire
    from workbench.outcomes import score
    from workbench.recording import RunFile
    from workbench.research import plot
    from workbench.research.learning import Evaluation, evaluate, fit
    from workbench.research.studies import open_study, report, sample_protocol, sample_study
    from workbench.study import Study, append

__version__ = "0.1.0"

_HOMES = {
    "acquire": ("workbench.live", "start"),
    "append": ("workbench.study", "append"),
    "score": ("workbench.outcomes", "score"),
    "estimate": ("workbench.analysis", "estimate"),
    "report": ("workbench.research.studies", "report"),
    "open_study": ("workbench.research.studies", "open_study"),
    "sample_protocol": ("workbench.research.studies", "sample_protocol"),
    "sample_study": ("workbench.research.studies", "sample_study"),
    "fit": ("workbench.research.learning", "fit"),
    "evaluate": ("workbench.research.learning", "evaluate"),
    "Evaluation": ("workbench.research.learning", "Evaluation"),
    "RunFile": ("workbench.recording", "RunFile"),
    "Study": ("workbench.study", "Study"),
    "plot": ("workbench.research.plot", ""),
    "set_up": ("workbench.dashboard", "set_up"),
}
"""Public name → module and name there; the module itself where that is empty."""

__all__ = [
    "Evaluation",
    "RunFile",
    "Study",
    "__version__",
    "acquire",
    "append",
    "decode",
    "estimate",
    "evaluate",
    "fit",
    "open_study",
    "plot",
    "report",
    "sample_protocol",
    "sample_study",
    "score",
    "set_up",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module, attribute = _HOMES[name]
        found = import_module(module)
        return getattr(found, attribute) if attribute else found
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
