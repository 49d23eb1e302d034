"""The study record: schema, one write path, audit chain, keys, verification.

``Study.create`` and ``Study.open`` give the record of a study folder; ``append`` is the one way in.
A study opens without amplifier software: this room needs SQLAlchemy and nothing else of the stack.
Names are loaded on first use, so that ``workbench.study.keys`` can be imported without SQLAlchemy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.study.clock import utc_now, uuid7
    from workbench.study.nouns import Noun
    from workbench.study.people import Confirmation, Signer
    from workbench.study.record import Study
    from workbench.study.verification import Verification, verify

__all__ = [
    "Confirmation", "Noun", "Signer", "Study", "Verification", "append", "utc_now", "uuid7", "verify",
]  # fmt: skip

_HOME = {
    "Confirmation": "people",
    "Noun": "nouns",
    "Signer": "people",
    "Study": "record",
    "Verification": "verification",
    "utc_now": "clock",
    "uuid7": "clock",
    "verify": "verification",
}


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOME:
        raise AttributeError(f"module 'workbench.study' has no attribute {name!r}")
    return getattr(import_module(f"workbench.study.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Every public name."""
    return sorted(__all__)


def append(study: Study, noun: Noun, *, reason: str = "", run_id: str = "") -> str:
    """Append one noun to a study record: see :meth:`Study.append`. Returns its id.

    Parameters
    ----------
    study : the open record.
    noun : what is appended.
    reason, run_id : as in :meth:`Study.append`.
    """
    return study.append(noun, reason=reason, run_id=run_id)
