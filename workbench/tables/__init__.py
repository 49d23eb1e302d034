"""The study record as pandas DataFrames: one table per noun, joined to participant, visit and session.

Each table begins with the columns ``participant`` (pseudonym), ``visit`` (name) and ``session`` (1-based within
the visit, in order of entry), where the noun belongs to one; then come its own fields under the names of
:mod:`workbench.vocabulary`, ``simulated``, and the ids by which tables join. Times of UTC are timestamps, ``NaT``
where not stated. A table without rows still has its columns and their types.

``Study`` has a method for each, so that nobody has to import this room. :func:`of_dataclass` makes a table of what
``analysis`` computes from a record.
"""

from __future__ import annotations

from workbench.tables._frames import (
    Record,
    adverse_events,
    assessments,
    decoders,
    ledger,
    of_columns,
    of_dataclass,
    participants,
    recordings,
    runs,
    sessions,
    trials,
    visits,
)

__all__ = [
    "Record",
    "adverse_events",
    "assessments",
    "decoders",
    "ledger",
    "of_columns",
    "of_dataclass",
    "participants",
    "recordings",
    "runs",
    "sessions",
    "trials",
    "visits",
]
