"""The International SCI Core Data Set v3.0 and NINDS names: those that the record has, one row per examination.

The mapping is ``core_data_set.csv`` with the columns :data:`COLUMNS`: each variable with its evidence mark and
where it was seen. A variable that the record does not have is an empty column and is named as missing; a variable
whose name was not seen is not written at all. Nothing is invented and nothing is taken from another field.

References
----------
Biering-Sørensen F, et al. International Spinal Cord Injury Core Data Set (version 3.0). Spinal Cord 2023;61:65–68.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import delimited
from workbench.errors import BadValue
from workbench.outcomes._thresholds import EVIDENCE
from workbench.outcomes.isncsci.classify import NLI_VAC, NONKEY_ZPP, Options, classify
from workbench.outcomes.isncsci.tables import PLACE, RULES
from workbench.study import standard_forms
from workbench.study.changes.entering import holding
from workbench.study.standard_forms import CORE
from workbench.vocabulary import Assessment, Participant, Visit

COLUMNS = ("form", "variable", "label", "values", "holds", "evidence", "source")
FORMS = ("core", "ninds")
FILE = Path(__file__).with_name("core_data_set.csv")
DRAFT = "draft"

GROUPS: dict[str, str] = {
    "ventilator": "ventilator-dependent, any level and grade",
    "D": "AIS D, any level",
    "C1-4 ABC": "C1 to C4, AIS A, B or C",
    "C5-8 ABC": "C5 to C8, AIS A, B or C",
    "T1-S5 ABC": "T1 to S5, AIS A, B or C",
}
"""Reporting groups of the core data set, from memory [M]."""

CONTEXT = (
    *("simulated", "visit", "assessment", "state", "assisted", "device_on", "stimulation_on", "rules"),
    "missing",
)
"""Columns beside the variables: the state of the examination, and what is missing in the row."""
GROUP = "reporting_group_unless_ventilated"
"""Column of the reporting group by level and grade; the record does not state who is ventilated."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One row of the mapping.

    Attributes
    ----------
    form : ``"core"`` or ``"ninds"``.
    variable : column name of the export, ``""`` when no name could be seen.
    label, values : what it is, and what it takes.
    holds : where the record has it (a key of :data:`HOLDS`), ``""`` when it has not.
    evidence, source : mark of certainty, and where it was seen.
    """

    form: str
    variable: str
    label: str
    values: str
    holds: str
    evidence: str
    source: str


@dataclass(frozen=True, slots=True)
class Export:
    """Rows of one form.

    Attributes
    ----------
    columns : in order.
    rows : by column, text; ``""`` where a value is missing.
    missing : variables that the record does not have, by name.
    unnamed : what the record has and the form asks for, without a name that could be seen.
    memory : columns whose place in the form is from memory.
    """

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    missing: tuple[str, ...]
    unnamed: tuple[str, ...]
    memory: tuple[str, ...]

    def csv(self) -> str:
        """The rows as CSV text with a line of column names."""
        return delimited.to_text(self.columns, ([row.get(name, "") for name in self.columns] for row in self.rows))


def reporting_group(nli: str, ais: str, *, ventilator_dependent: bool) -> str:
    """The reporting group of the core data set, one of :data:`GROUPS`; ``""`` when it is not determined.

    Parameters
    ----------
    nli, ais : as classified; several possible values are joined by commas, and tags are ignored.
    ventilator_dependent : at the time of the examination; it comes before level and grade.

    The groups are from memory [M]. AIS E, an intact level and values that are none belong to no group; several
    possible values give a group when each of them gives the same.
    """
    if ventilator_dependent:
        return "ventilator"
    possible = {_group(level, grade) for level in _split(nli) for grade in _split(ais)}
    return possible.pop() if len(possible) == 1 else ""


def _split(text: str) -> list[str]:
    return [value.strip() for value in text.replace("*", "").split(",")]


def _group(level: str, grade: str) -> str:
    rank = PLACE.get(level.replace("-", "_"), PLACE["INT"])
    # An intact level has no group by level; E has none by grade.
    if rank == PLACE["INT"] or grade not in ("A", "B", "C", "D"):
        return ""
    if grade == "D":
        return "D"
    return "C1-4 ABC" if rank <= PLACE["C4"] else "C5-8 ABC" if rank <= PLACE["C8"] else "T1-S5 ABC"


# ----- the mapping


def variables(form: str, *, file: Path = FILE) -> tuple[Variable, ...]:
    """The variables of a form, in their order.

    Raises
    ------
    BadValue
        No such form, or a mapping whose columns, evidence marks, forms or places in the record are wrong.
    """
    if form not in FORMS:
        raise BadValue(f"there is no form {form!r}; they are {', '.join(FORMS)}")
    reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8")), strict=True)
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise BadValue(f"{file.name} must have the columns {', '.join(COLUMNS)}; got {reader.fieldnames}")
    rows = []
    for row in reader:
        line = f"{file.name} line {reader.line_num}"
        if row["form"] not in FORMS or row["evidence"] not in EVIDENCE or row["holds"] not in ("", *HOLDS):
            raise BadValue(f"{line} has a form, evidence mark or place that is none: {row}")
        if not row["label"] or not row["source"]:
            raise BadValue(f"{line} needs a label and a source, got {row}")
        rows.append(Variable(**row))
    names = [entry.variable for entry in rows if entry.form == form and entry.variable]
    # Two variables in one column would overwrite each other without a trace.
    if len(set(names)) != len(names):
        raise BadValue(f"{file.name} names a variable of {form} twice; each column has one name")
    return tuple(entry for entry in rows if entry.form == form)


# ----- the rows


@dataclass(frozen=True, slots=True)
class _Case:
    """A participant with one examination, or with none, and the values of the form of the core data set."""

    participant: Participant
    visit: Visit | None
    exam: Assessment | None
    items: Mapping[str, Any]

    def result(self, name: str) -> str:
        """A stored result, ``""`` without one."""
        classes = (self.exam.score.get("classes") or {}) if self.exam else {}
        return str(classes.get(name, ""))


def core_data_set(
    participants: Iterable[Participant],
    visits: Iterable[Visit],
    assessments: Iterable[Assessment],
    *,
    entered: Iterable[Mapping[str, Any]] = (),
    form: str = "core",
    groups: bool = False,
) -> Export:
    """One row for each closed ISNCSCI examination, and one for each participant without any.

    Parameters
    ----------
    participants, visits, assessments : of the record; assessments of other measures and drafts are left out.
    entered : rows of forms; those of the core data set (``workbench.study.standard_forms``) that hold and are
        complete are used, of each participant the one entered last.
    form : ``"core"`` (International SCI Core Data Set v3.0) or ``"ninds"``.
    groups : add the column :data:`GROUP`; off by default, because the groups are from memory [M].

    Raises
    ------
    BadValue
        No such form.
    """
    form_variables = variables(form)
    named = [variable for variable in form_variables if variable.variable]
    cases = _cases(list(participants), list(visits), assessments, entered)
    group_column = (GROUP,) if groups else ()
    columns = (*(variable.variable for variable in named), *group_column, *CONTEXT)
    rows = [_row(case, named, form) for case in cases]
    empty = {one.variable for one in named if not any(row[one.variable] for row in rows)}
    return Export(
        columns=columns,
        rows=tuple({name: row[name] for name in columns} for row in rows),
        missing=tuple(
            one.variable for one in named if not one.holds or (one.holds in ITEMS and one.variable in empty)
        ),
        unnamed=tuple(variable.label for variable in form_variables if variable.holds and not variable.variable),
        memory=(
            *(variable.variable for variable in named if variable.evidence.startswith("[M")),
            *group_column,
        ),
    )


def _cases(
    participants: Sequence[Participant],
    visits: Sequence[Visit],
    assessments: Iterable[Assessment],
    entered: Iterable[Mapping[str, Any]],
) -> list[_Case]:
    owner = {visit.id: visit.participant_id for visit in visits}
    complete = [row for row in entered if row["name"] == CORE and row["state"] == "complete"]
    values = {owner[row["visit_id"]]: row["values"] for row in holding(complete) if row["visit_id"] in owner}
    exams = [record for record in assessments if record.measure == "isncsci" and record.state != DRAFT]
    cases = []
    for participant in participants:
        own = [
            _Case(participant, visit, exam, values.get(participant.id, {}))
            for visit in visits
            if visit.participant_id == participant.id
            for exam in exams
            if exam.visit_id == visit.id
        ]
        # A participant without an examination is a row too: left out, the cohort would look smaller.
        cases += own or [_Case(participant, None, None, values.get(participant.id, {}))]
    return cases


def _row(case: _Case, named: Sequence[Variable], form: str) -> dict[str, str]:
    levels = _ninds_level if form == "ninds" else str
    row = {}
    for variable in named:
        value = HOLDS[variable.holds](case) if variable.holds else ""
        row[variable.variable] = levels(value) if variable.holds in LEVELS else value
    missing = "; ".join(f"{one.variable}{_why(case, one.holds)}" for one in named if not row[one.variable])
    exam, yes = case.exam, {True: "yes", False: "no"}
    condition = exam.condition if exam else None
    group = reporting_group(case.result("nli"), case.result("ais"), ventilator_dependent=False)
    return row | {
        "simulated": yes[case.participant.simulated],
        "visit": case.visit.name if case.visit else "",
        "assessment": exam.id if exam else "",
        "state": exam.state if exam else "",
        "assisted": yes[condition.assisted] if condition else "",
        "device_on": yes[condition.device_on] if condition else "",
        "stimulation_on": yes[condition.stimulation_on] if condition else "",
        "rules": case.result("rules"),
        GROUP: group,
        "missing": missing,
    }


def _why(case: _Case, holds: str) -> str:
    """Why a value of the form is missing, in brackets; ``""`` where nobody said."""
    value = case.items.get(ITEMS.get(holds, ""))
    return f" ({value['missing']})" if isinstance(value, Mapping) and "missing" in value else ""


def _item(name: str) -> Callable[[_Case], str]:
    """A value of the form as text, ``""`` where it is missing."""

    def told(case: _Case) -> str:
        value = case.items.get(name)
        bare = value.get("value") if isinstance(value, Mapping) else value
        if isinstance(bare, bool):
            return "yes" if bare else "no"
        return "" if bare is None else str(bare)

    return told


def _injury_date(case: _Case) -> str:
    """As the form has it, else as the participant was entered."""
    return _item("injury_date")(case) or case.participant.injured_on


def _ninds_level(text: str) -> str:
    """A level by the permissible values of the NINDS elements; ``""`` for an intact one, whose code was not seen.

    Several possible levels: the letter with 99 when they share it, else X99.
    """
    levels = _split(text)
    if not text or "INT" in levels:
        return ""
    if len(levels) == 1:
        return levels[0].replace("_", "-")
    # The region alone (C, T, L, S) is certain when all possible levels share it.
    letters = {level[0] for level in levels}
    return f"{letters.pop()}99" if len(letters) == 1 else "X99"


def _exam_date(case: _Case) -> str:
    """The day of the examination as it was stated; the date of the visit does not stand in for it."""
    return case.exam.administered_at[:10] if case.exam else ""


def _non_sci(case: _Case) -> str:
    """Whether tagged scores change NLI or AIS: shown by stars in the stored result, otherwise by today's rules."""
    if case.exam is None or not case.result("nli"):
        return ""
    starred = {name for name in ("nli", "ais") if "*" in case.result(name)}
    affected = [name.upper() for name in ("nli", "ais") if name in starred | _affected(case)]
    return " and ".join(affected) or "no"


def _affected(case: _Case) -> set[str]:
    """Results that tags change without a star, when the stored result is of today's rules."""
    from workbench.outcomes.isncsci import exam_of

    # Results of another rule book cannot be reproduced, so only their stars count.
    if case.exam is None or case.result("rules") != RULES:
        return set()
    options = case.exam.options
    readings = Options(options.get("nli_vac", NLI_VAC[0]), options.get("nonkey_zpp", NONKEY_ZPP[0]))
    return set(classify(exam_of(case.exam.items), options=readings).affected)


def _stored(name: str) -> Callable[[_Case], str]:
    return lambda case: case.result(name)


ITEMS = {f"form.{item.name}": item.name for item in standard_forms.load(standard_forms.CORE).items}
"""Items of the form of the core data set, by the place that the mapping gives them."""
LEVELS = ("nli", "sensory_right", "sensory_left", "motor_right", "motor_left")
HOLDS: dict[str, Callable[[_Case], Any]] = {
    "participant": lambda case: case.participant.pseudonym,
    "exam_date": _exam_date,
    "ais": _stored("ais"),
    "non_sci": _non_sci,
    **{name: _stored(name) for name in LEVELS},
    **{place: _item(name) for place, name in ITEMS.items()},
    "form.injury_date": _injury_date,
}
"""What the record has: name → the value of a case as text, ``""`` when it is missing."""
