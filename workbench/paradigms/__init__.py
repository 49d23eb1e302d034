"""Paradigms: schedule, cues, windows, and the rule from evidence to decision. The folder is the register.

An entry defines ``PARADIGM``, a class whose instances carry parameters only. ``start`` returns the
:class:`Rule` of one run; the rule is pure and counts in samples, so that a run replays bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import registry
from workbench.paradigms._base import Paradigm, PlannedCue, Request, Rule
from workbench.paradigms._choosing import DISTURBED
from workbench.paradigms.effector_settings import REACTION

__all__ = [
    "DISTURBED",
    "REACTION",
    "Paradigm",
    "PlannedCue",
    "Request",
    "Rule",
    "available",
    "from_params",
    "hit_window_s",
    "items",
    "load",
]


def available() -> tuple[str, ...]:
    """Names of the paradigms."""
    return registry.available(__name__)


def load(name: str) -> type[Paradigm]:
    """The paradigm class of that name; call it with its parameters."""
    paradigm: type[Paradigm] = registry.load(__name__, name, "PARADIGM")
    return paradigm


def from_params(name: str, params: Mapping[str, Any]) -> Paradigm:
    """A paradigm from the name and the JSON-able parameters that a recording stores."""
    return load(name)(**params)


def items(name: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """Items of which one is chosen in a run; empty where none are, or where its paradigm is not installed.

    Parameters
    ----------
    name : of the run's paradigm. params : as the run stored them.
    """
    if name not in available() or not load(name).selects:
        return ()
    paradigm = from_params(name, params)
    return paradigm.choices(paradigm.classes)


def hit_window_s(name: str, params: Mapping[str, Any]) -> float | None:
    """How long after a cue an onset is a hit in a run, s; None where each cue is decided once.

    Parameters
    ----------
    name : of the run's paradigm. One that is not installed is judged by the window that most of them store.
    params : as the run stored them.
    """
    if name not in available():
        stored = params.get("onset_window_s")
        return None if stored is None else float(stored)
    paradigm = load(name)
    if not paradigm.hit_window:
        return None
    # A run of a version that had no such parameter yet was judged by what is its default now.
    return float(params.get(paradigm.hit_window, getattr(paradigm, paradigm.hit_window)))
