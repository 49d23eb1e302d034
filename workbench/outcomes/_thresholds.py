"""Thresholds of change: one versioned table with citation and evidence, never a constant in code.

``thresholds.csv`` beside this file has the columns :data:`COLUMNS`. A row without a value says that a number
exists or is wanted and that none could be seen; it cannot be chosen. A row that rests on memory (``[M]``), or
whose source does not say which version of the measure it is about (``[V]``), is off: :func:`thresholds` leaves it
out unless it is chosen by its name; one of low confidence (``[M?]``) has no value at all.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import isfinite
from pathlib import Path

from workbench.errors import BadValue, Refused, UnknownName

TABLE_VERSION = "3"
"""Of ``thresholds.csv``: goes up when a value, a population or an evidence mark of a row changes."""
COLUMNS = ("measure", "version", "subscore", "kind", "value", "unit", "population", "citation", "evidence")
KINDS = ("mdc", "mdd", "srd", "mcid", "mid", "mic", "responder", "repeatability", "cutoff")
"""What a row states: detectable change (mdc, mdd, srd, repeatability), important change (mcid, mid, mic), a
responder rule of a trial, or a cut-off of the score itself (which is no change)."""
EVIDENCE = ("[S]", "[T]", "[V]", "[M]", "[M?]")
"""Seen in a source; tested; seen without the version of the measure; from memory; from memory, unsure."""
OFF = ("[V]", "[M]", "[M?]")
"""Evidence that is used only when a row is chosen by its name."""
OWN = "[own]"
"""Evidence of a threshold that a study computed from its own data, or that its protocol states."""
SPINAL = ("sci", "spinal cord", "tetraplegia", "paraplegia")
FILE = Path(__file__).with_name("thresholds.csv")


@dataclass(frozen=True, slots=True)
class Threshold:
    """One row of the table, or one that a study states itself (:func:`own_threshold`).

    Attributes
    ----------
    measure, version, subscore : what it is about; subscore ``"total"`` for the total.
    kind : one of :data:`KINDS`.
    value : size of a change in ``unit`` (``"%"`` = of the baseline); the sign says nothing, the direction of
        better is that of the measure. None where no number could be seen.
    population, citation, evidence : in whom, the source, and how sure it is.
    """

    measure: str
    version: str
    subscore: str
    kind: str
    value: float | None
    unit: str
    population: str
    citation: str
    evidence: str

    @property
    def name(self) -> str:
        """The name by which it is chosen: ``arat:1981:total:mcid:5.7 points:stroke``."""
        value = "null" if self.value is None else f"{self.value:g}"
        parts = (self.measure, self.version, self.subscore, self.kind, f"{value} {self.unit}", self.population)
        return ":".join(parts)

    @property
    def on(self) -> bool:
        """Whether it may be used without being chosen by name: it has a value and was seen."""
        return self.value is not None and self.evidence not in OFF

    @property
    def spinal(self) -> bool:
        """Whether its population has a spinal cord injury."""
        return any(word in self.population.lower() for word in SPINAL)

    @property
    def size(self) -> float:
        """The size of the change, above 0. Raises Refused for a row without a value."""
        if self.value is None:
            raise Refused(
                f"threshold {self.name!r} has no value ({self.citation}); choose another one, or state the "
                "protocol's own with own_threshold"
            )
        return abs(self.value)

    def describe(self) -> str:
        """``MCID 5.7 points (van der Lee 2001 [M]; population stroke, not spinal cord injury)``."""
        where = f"population {self.population}" + ("" if self.spinal else ", not spinal cord injury")
        return f"{self.kind.upper()} {self.size:g} {self.unit} ({self.citation} {self.evidence}; {where})"


def own_threshold(
    measure: str, subscore: str, value: float, *, unit: str, version: str, citation: str, kind: str = "responder"
) -> Threshold:
    """A threshold that the study states itself: its protocol, or its own repeats.

    Parameters
    ----------
    measure, subscore, version : what it is about; subscore ``"total"`` for the total.
    value : size of the change, above 0.
    unit : of the change; ``"%"`` = of the baseline.
    kind : one of :data:`KINDS`.
    citation : its source: protocol and section, analysis plan, or how it was computed.

    Raises
    ------
    BadValue
        A size that is not above 0, an unknown kind, or no citation.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value) or value <= 0:
        raise BadValue(f"a threshold of {measure} must be a number above 0, got {value!r}")
    if not citation.strip():
        raise BadValue(f"a threshold of {measure} needs a citation: the section of the protocol that states it")
    _check_kind(kind, where="own_threshold")
    population = "participants of this study (spinal cord injury)"
    return Threshold(measure, version, subscore, kind, float(value), unit, population, citation, OWN)


def thresholds(
    measure: str, version: str, *, subscore: str = "", include_off: bool = False
) -> tuple[Threshold, ...]:
    """Rows of a measure in one version that may be used.

    Parameters
    ----------
    measure, version : of the definition.
    subscore : ``"total"`` or a subscore code; ``""`` = all.
    include_off : also rows from memory and rows without a value, for display only.
    """
    return tuple(
        row
        for row in table()
        if (row.measure, row.version) == (measure, version)
        and subscore in ("", row.subscore)
        and (include_off or row.on)
    )


def threshold(name: str) -> Threshold:
    """The row of that name; a row from memory can be chosen only in this way.

    Raises
    ------
    UnknownName
        No such row; the text lists the rows of the measure.
    Refused
        The row has no value.
    """
    row = next((row for row in table() if row.name == name), None)
    if row is None:
        measure = name.split(":")[0]
        have = "; ".join(row.name for row in table() if row.measure == measure) or "none"
        raise UnknownName(f"the table of thresholds has no row {name!r}; of {measure} it has: {have}")
    # A row without a value cannot be used for anything: its size raises.
    _ = row.size
    return row


@cache
def table() -> tuple[Threshold, ...]:
    """The whole table of the product, read and checked once."""
    return read_thresholds(FILE)


@cache
def table_sha256() -> str:
    """SHA-256 of the bytes of ``thresholds.csv``, stored beside every flag that depends on it."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()


def read_thresholds(path: Path) -> tuple[Threshold, ...]:
    """Read a table of thresholds.

    Raises
    ------
    BadValue
        Wrong columns, an empty cell other than the value, an unknown kind or evidence mark, a value that is
        not a number other than 0, or two rows of one name; the text names the line.
    """
    reader = csv.reader(io.StringIO(path.read_text(encoding="utf-8")), strict=True)
    head = next(reader, [])
    if tuple(head) != COLUMNS:
        raise BadValue(f"{path.name} must have the columns {', '.join(COLUMNS)}; got {', '.join(head) or 'none'}")
    rows = tuple(_row(cells, where=f"{path.name} line {reader.line_num}") for cells in reader)
    _refuse_twins(path.name, rows)
    return rows


def _row(cells: list[str], *, where: str) -> Threshold:
    if len(cells) != len(COLUMNS):
        raise BadValue(f"{where} must have {len(COLUMNS)} cells, got {len(cells)}")
    row = dict(zip(COLUMNS, (cell.strip() for cell in cells), strict=True))
    for name, cell in row.items():
        if not cell and name != "value":
            raise BadValue(f"{where} has an empty {name}; only the value may be empty")
    row["kind"] = row["kind"].lower()
    _check_kind(row["kind"], where=where)
    if row["evidence"] not in EVIDENCE:
        raise BadValue(f"{where} has evidence {row['evidence']!r}; allowed are {', '.join(EVIDENCE)}")
    # An unsure number would be quoted as soon as it appeared in the table.
    if row["evidence"] == "[M?]" and row["value"]:
        raise BadValue(
            f"{where} has value {row['value']!r} with evidence [M?]; such a row ships empty until it is seen"
        )
    return Threshold(
        measure=row["measure"],
        version=row["version"],
        subscore=row["subscore"],
        kind=row["kind"],
        value=_value(row["value"], where=where),
        unit=row["unit"],
        population=row["population"],
        citation=row["citation"],
        evidence=row["evidence"],
    )


def _check_kind(kind: str, *, where: str) -> None:
    if kind not in KINDS:
        raise BadValue(f"{where} has kind {kind!r}; allowed are {', '.join(KINDS)}")


def _value(text: str, *, where: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        # Refused below with the same sentence as 0.
        value = 0.0
    if not isfinite(value) or value == 0:
        raise BadValue(f"{where} has value {text!r}; a threshold is a number other than 0, or empty")
    return value


def _refuse_twins(name: str, rows: Iterable[Threshold]) -> None:
    seen: set[str] = set()
    for row in rows:
        if row.name in seen:
            raise BadValue(f"{name} has two rows named {row.name!r}; tell them apart by value or population")
        seen.add(row.name)
