"""The study record: schema, one write path, audit chain, verification.

``Study.create`` and ``Study.open`` give the record of a study folder; ``append`` is the one way in.
A study opens without amplifier software: this room needs SQLAlchemy and nothing else of the stack.
"""

from __future__ import annotations

from workbench.study.clock import utc_now, uuid7
from workbench.study.nouns import Noun
from workbench.study.record import Study
from workbench.study.verification import Verification, verify

__all__ = ["Noun", "Study", "Verification", "append", "utc_now", "uuid7", "verify"]


def append(study: Study, noun: Noun, *, reason: str = "", run_id: str = "") -> str:
    """Append one noun to a study record: see :meth:`Study.append`. Returns its id."""
    return study.append(noun, reason=reason, run_id=run_id)
