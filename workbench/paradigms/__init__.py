"""Paradigms: schedule, cues, windows, and the rule from evidence to decision. The folder is the register.

An entry defines ``PARADIGM``, a class whose instances carry parameters only. ``start`` returns the
:class:`Rule` of one run; the rule is pure and counts in samples, so that a run replays bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench import registry
from workbench.paradigms._base import Paradigm, PlannedCue, Request, Rule

__all__ = ["Paradigm", "PlannedCue", "Request", "Rule", "available", "from_params", "load"]


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
