"""The datasets that a trial is analysed from: a row a participant, a row a value of a visit, a row an event.

They are made from the record, or from a snapshot of it, and never edited. Every value says where it comes from:
row and entry of the record, rater, version of the form, recordings and samples. What is missing has a code of
:data:`MISSING` and stays missing. Whoever may not learn the arms gets the same tables without them and without the
rows that could tell an arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from workbench.errors import UnknownName
from workbench.messages import Message
from workbench.study.datasets._material import Material, Settings, material
from workbench.study.datasets._trail import Trail
from workbench.study.datasets.dictionary import MEANINGS
from workbench.study.datasets.events import EVENT_KINDS, EventRow, events
from workbench.study.datasets.subjects import POPULATIONS, SubjectRow, subjects
from workbench.study.datasets.visits import MISSING, VisitRow, visits

if TYPE_CHECKING:
    from workbench.study.record import Study

__all__ = [
    "EVENT_KINDS", "MISSING", "NAMES", "POPULATIONS", "ColumnRow", "Datasets", "EventRow", "Material", "Settings",
    "SubjectRow", "Trail", "VisitRow", "datasets", "dictionary", "material", "rows_of",
]  # fmt: skip

NAMES = ("subjects", "visits", "events", "dictionary")
"""What :meth:`workbench.study.Study.analysis` can be asked for."""


@dataclass(frozen=True, slots=True)
class Datasets:
    """The three datasets of one record at one moment.

    Attributes
    ----------
    subjects, visits, events : their rows.
    concealed : whether arms, and what may tell them, were kept out.
    """

    subjects: tuple[SubjectRow, ...]
    visits: tuple[VisitRow, ...]
    events: tuple[EventRow, ...]
    concealed: bool


@dataclass(frozen=True, slots=True)
class ColumnRow:
    """A column of a dataset: its name, type, and what it says."""

    dataset: str
    column: str
    type: str
    meaning: str


def datasets(
    study: Study, *, arms: Mapping[str, str] | None = None, settings: Settings | None = None,
    trail: Trail | None = None, blinded: bool = False,
) -> Datasets:  # fmt: skip
    """The datasets of a study or of a snapshot of it.

    Parameters
    ----------
    study : open record, or a snapshot that was opened.
    arms : arm by participant id, as :func:`workbench.study.allocations.arms` gives it to who may learn it; None
        for a reader to whom no arm is told.
    settings : baseline visit and rule, deviations that end the per-protocol population.
    trail : entries of the chain by row; a snapshot holds none, so that it is read from its study.
    blinded : without arms, keep what may tell one out also where nobody was granted a role as blinded.

    Raises
    ------
    BadValue
        No such baseline visit; several baseline records and no rule which counts.
    """
    made = material(study, arms=arms, settings=settings or Settings(), trail=trail, blinded=blinded)
    values = visits(made)
    return Datasets(subjects(made, values), values, events(made), made.concealed)


def dictionary() -> tuple[ColumnRow, ...]:
    """Every column of every dataset."""
    rows: Mapping[str, type] = {"subjects": SubjectRow, "visits": VisitRow, "events": EventRow}
    return tuple(
        ColumnRow(name, one.name, str(one.type), MEANINGS[name][one.name])
        for name, kind in rows.items()
        for one in fields(kind)
    )


def rows_of(name: str, made: Callable[[], Datasets]) -> tuple[type, Sequence[object]]:
    """Type and rows of a dataset, which is made where it is asked for.

    Parameters
    ----------
    name : of :data:`NAMES`.
    made : makes the datasets.

    Raises
    ------
    UnknownName
        With those there are.
    """
    if name == "dictionary":
        return ColumnRow, dictionary()
    kinds: Mapping[str, type] = {"subjects": SubjectRow, "visits": VisitRow, "events": EventRow}
    if name not in kinds:
        raise UnknownName(Message("dataset.unknown", got=f"{name!r:.60}", known=list(NAMES)))
    return kinds[name], getattr(made(), name)
