"""A row a participant, visit and variable: value, change from baseline, why it is missing, where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, get_args

from workbench import analysis, outcomes
from workbench.errors import BadValue, WorkbenchError
from workbench.messages import Message
from workbench.study.changes.entering import holding
from workbench.study.datasets._material import LEFT, Material, Row
from workbench.study.datasets._trail import UNKNOWN, Written
from workbench.study.forms import HELP, NUMERIC, OFF, Form
from workbench.study.protocol import Protocol, ProtocolVisit
from workbench.study.windows import window_of
from workbench.vocabulary import Assessment

Missing = Literal["", "not_asked", "not_done", "refused", "not_applicable", "not_determinable"]
MISSING: tuple[Missing, ...] = get_args(Missing)
"""Why a value is missing; ``""`` where it is not. ``not_asked``: the visit was not held yet or did not ask;
``not_done``: it should have been there; ``not_determinable``: it was done, and gives no single value."""
OF_FORMS: Mapping[str, Missing] = {
    "not_asked": "not_asked", "not_done": "not_done", "refused": "refused", "not_applicable": "not_applicable",
    "unknown": "not_determinable",
}  # fmt: skip
"""Code of a form → code of the dataset."""
OF_SCORES: Mapping[str, Missing] = {
    outcomes.ND: "not_determinable", outcomes.INVALID: "not_determinable", outcomes.STRUCTURAL: "not_applicable",
}  # fmt: skip
PLACES = {"before": "before", "within": "within", "after": "after", "open": ""}


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One value of one participant at one visit, or why it is missing.

    Attributes are the columns of the dataset, each explained in :mod:`workbench.study.datasets.dictionary`.
    """

    key: str
    participant: str
    participant_id: str
    arm: str
    simulated: bool
    visit: str
    visit_id: str
    visit_number: int
    planned: str
    day: str
    window: str
    variable: str
    measure: str
    version: str
    part: str
    side: str
    trained: bool
    state: str
    repeat: int
    value: float | None
    text: str
    status: str
    missing: str
    low: float | None
    high: float | None
    is_baseline: bool
    baseline: float | None
    baseline_rule: str
    change: float | None
    improvement: float | None
    change_low: float | None
    change_high: float | None
    change_why: str
    n_items: int
    n_valid: int
    rater: str
    blinded: str
    source_table: str
    source_id: str
    source_version: str
    entry_seq: int | None
    entry_hash: str
    recordings: tuple[str, ...]
    samples: tuple[str, ...]


class _Place(NamedTuple):
    """A visit of a participant: its row, empty where nothing planned it yet, and what the protocol says of it."""

    name: str
    row: Row
    number: int
    planned: ProtocolVisit | None


class _Variable(NamedTuple):
    """What is measured: all but the repeat, which a visit should have once."""

    measure: str
    part: str
    side: str
    state: str


class _Own(NamedTuple):
    """One participant."""

    person: Row
    places: tuple[_Place, ...]
    assessments: Mapping[str, list[Assessment]]
    forms: Mapping[str, list[Row]]
    left: bool


def visits(made: Material) -> tuple[VisitRow, ...]:
    """Every value of every visit, by participant, visit and variable.

    Parameters
    ----------
    made : record, arms and settings.

    Raises
    ------
    BadValue
        When a participant has several baseline records and no rule says which counts.
    """
    rows_of = _by_visit(made)
    everybody = [_own(made, person, rows_of) for person in made.people.values()]
    parts = _parts(everybody)
    rows = [row for own in everybody for row in _of_participant(made, own, parts)]
    if not made.concealed:
        rows += _performance(made, everybody)
    place = {one: n for n, one in enumerate(made.people)}
    # A visit that no protocol planned has the number 0 and stands after those that are.
    return tuple(sorted(rows, key=lambda row: (place[row.participant_id], row.visit_number or 999, row.key)))


# ------------------------------------------------------------------------------ what there is
class _Rows(NamedTuple):
    visits: Mapping[str, list[Row]]
    assessments: Mapping[str, list[Assessment]]
    forms: Mapping[str, list[Row]]
    status: Mapping[str, str]


def _by_visit(made: Material) -> _Rows:
    visits_of: dict[str, list[Row]] = {}
    assessments: dict[str, list[Assessment]] = {}
    forms: dict[str, list[Row]] = {}
    for row in made.record.rows("visit"):
        visits_of.setdefault(row["participant_id"], []).append(row)
    for row in made.record.rows("assessment"):
        # A blinded reader is not told times that only one arm has.
        own = {"since_session_h": None, "washout_h": None, **row}
        assessments.setdefault(row["visit_id"], []).append(analysis.assessment_of(own))
    for held in holding(made.record.rows("form")):
        forms.setdefault(held["visit_id"], []).append(held)
    status = {row["participant_id"]: row["status"] for row in made.record.rows("enrolment")}
    return _Rows(visits_of, assessments, forms, status)


def _own(made: Material, person: Row, rows: _Rows) -> _Own:
    protocol = made.protocol(person["id"])
    planned = {visit.name: (n, visit) for n, visit in enumerate(protocol.visits if protocol else (), start=1)}
    there = {row["name"]: row for row in rows.visits.get(person["id"], ())}
    # Who is in no study is asked for nothing: only what was entered is told.
    asked = planned if person["id"] in made.protocols else {}
    places = [
        _Place(name, there.get(name, {}), *planned.get(name, (0, None)))
        for name in dict.fromkeys((*asked, *there))
    ]
    return _Own(
        person, tuple(places), {one.name: rows.assessments.get(one.row.get("id", ""), []) for one in places},
        {one.name: rows.forms.get(one.row.get("id", ""), []) for one in places},
        rows.status.get(person["id"], "") in LEFT,
    )  # fmt: skip


def _parts(everybody: Iterable[_Own]) -> dict[str, tuple[str, ...]]:
    """Scores that each measure has in this record."""
    found: dict[str, dict[str, None]] = {}
    for own in everybody:
        for records in own.assessments.values():
            for record in records:
                found.setdefault(record.measure, {}).update(dict.fromkeys(analysis.parts_of(record.score)))
    return {measure: tuple(parts) for measure, parts in found.items()}


def state_of(record: Any) -> str:
    """The state of an assessment in one word: ``"off"``, or what was on, worn or different.

    Parameters
    ----------
    record : has the fields of a condition, ``orthosis`` and ``mode``.
    """
    under = record.condition
    on = [word for word, field in HELP.items() if getattr(under, field)]
    on += [f"{name}={value}" for name, value in (("orthosis", record.orthosis), ("mode", record.mode)) if value]
    return "+".join(on) or OFF


def _help_of(state: str) -> str:
    """What was on in a state, whatever was worn and in which mode."""
    return "+".join(word for word in state.split("+") if word in HELP) or OFF


# ------------------------------------------------------------------------------ one participant
def _of_participant(made: Material, own: _Own, parts: Mapping[str, tuple[str, ...]]) -> Iterator[VisitRow]:
    everything = tuple(record for records in own.assessments.values() for record in records)
    bases = _Baselines(made, own)
    for place in own.places:
        seen: set[_Variable] = set()
        for record in own.assessments[place.name]:
            if record.state == "draft":
                continue
            for row in _of_assessment(made, own, place, record, bases):
                seen.add(_Variable(row.measure, row.part, row.side, row.state))
                yield row
        for form in _forms(made, own, place):
            yield from _of_form(made, own, place, form, bases)
            if form.measure and form.measure in outcomes.available():
                yield from _absent(made, own, place, form, everything, parts, seen, bases)


def _start(
    made: Material, own: _Own, place: _Place, variable: _Variable, *, repeat: int = 1, day: str = ""
) -> dict[str, Any]:
    """What every row says, whatever its value; ``missing`` is set by who knows."""
    person, row = own.person, place.row
    window = window_of(row).place(date.fromisoformat(day)) if row and day else "open"
    at = f"{variable.measure}.{variable.part}"
    return {
        "key": "/".join((person["pseudonym"], place.name, at, variable.side or "-", variable.state, str(repeat))),
        "participant": person["pseudonym"], "participant_id": person["id"],
        "arm": made.arms.get(person["id"], ""), "simulated": bool(person["simulated"]),
        "visit": place.name, "visit_id": row.get("id", ""), "visit_number": place.number,
        "planned": str(row.get("planned", ""))[:10], "day": day, "window": PLACES[window],
        "variable": at, "measure": variable.measure, "version": "", "part": variable.part,
        "side": variable.side, "trained": bool(variable.side) and variable.side == person["trained_side"],
        "state": variable.state, "repeat": repeat, "value": None, "text": "", "status": "", "missing": "",
        "low": None, "high": None, "is_baseline": False, "baseline": None, "baseline_rule": "", "change": None,
        "improvement": None, "change_low": None, "change_high": None, "change_why": "", "n_items": 0, "n_valid": 0,
        "rater": "", "blinded": "", "source_table": "", "source_id": "", "source_version": "", "entry_seq": None,
        "entry_hash": "", "recordings": (), "samples": (),
    }  # fmt: skip


def _written(written: Written) -> dict[str, Any]:
    return {"entry_seq": written.seq, "entry_hash": written.hash}


def _of_assessment(
    made: Material, own: _Own, place: _Place, record: Assessment, bases: _Baselines
) -> Iterator[VisitRow]:
    day = record.administered_at[:10] or str(place.row["started"])[:10]
    source = {
        "version": record.version, "rater": record.rater, "blinded": record.blinded, "source_table": "assessment",
        "source_id": record.id, "source_version": record.version,
        **_written(made.trail.of_row("assessment", record.id)),
    }  # fmt: skip
    for part in analysis.parts_of(record.score):
        variable = _Variable(record.measure, part, record.side, state_of(record))
        stored = analysis.reading(record, part)
        row = _start(made, own, place, variable, repeat=record.repeat, day=day) | source
        row |= {"status": stored.status, "n_items": stored.n_items, "n_valid": stored.n_valid}
        row |= {"missing": OF_SCORES.get(stored.status, "" if stored.value is not None else "not_determinable")}
        if not row["missing"]:
            row["value"] = stored.value
        yield VisitRow(**row | _range(record, part) | bases.compared(place, record, variable))
    for name, value in (record.score.get("classes") or {}).items():
        if isinstance(value, str) and name != "rules":
            variable = _Variable(record.measure, name, record.side, state_of(record))
            row = _start(made, own, place, variable, repeat=record.repeat, day=day) | source
            # Several possible levels are stored joined by commas.
            several = "," in value
            row |= {"text": value, "status": outcomes.ND if several else outcomes.OK}
            yield VisitRow(**row | {"missing": "not_determinable" if several else ""})


def _range(record: Assessment, part: str) -> dict[str, float | None]:
    """Least and greatest value that the score can have; None where nothing bounds it."""
    try:
        found = analysis.possible(record, part)
    except WorkbenchError:
        return {"low": None, "high": None}
    return {"low": found.low, "high": found.high}


# ------------------------------------------------------------------------------ what is not there
def _forms(made: Material, own: _Own, place: _Place) -> tuple[Form, ...]:
    """Forms that the protocol asks for at a visit."""
    protocol = made.protocol(own.person["id"])
    if place.planned is None or protocol is None or own.person["id"] not in made.protocols:
        return ()
    forms = (protocol.form(name) for name in place.planned.forms)
    # A concealed record has nothing that was assessed with the device on: that it lacks it says nothing.
    return tuple(form for form in forms if not (made.concealed and form.tells_arm))


def _absent(
    made: Material, own: _Own, place: _Place, form: Form, everything: Sequence[Assessment],
    parts: Mapping[str, tuple[str, ...]], seen: set[_Variable], bases: _Baselines,
) -> Iterator[VisitRow]:  # fmt: skip
    """Scores that the visit asks for and does not have: in the form's state, else in each that is seen of them."""
    records = [record for record in everything if record.measure == form.measure and record.state != "draft"]
    states = _states(made.protocol(own.person["id"]), form, [state_of(record) for record in records])
    sides = dict.fromkeys(record.side for record in records) or dict.fromkeys(_sides(own, form.measure))
    entered = [row for row in own.forms[place.name] if row["name"] == form.name]
    why = _code_of_form(entered[0]["values"]) if entered else ""
    for part in parts.get(form.measure, ()) or _parts_of(form.measure):
        for side in sides:
            for state in states:
                variable = _Variable(form.measure, part, side, state)
                if variable not in seen:
                    row = _start(made, own, place, variable) | {"missing": why or _not_there(own, place)}
                    yield VisitRow(**row | bases.alone(variable))


def _states(protocol: Protocol | None, form: Form, there: Sequence[str]) -> list[str]:
    """States in which a form of a measure is asked for: its own, with what is worn beside it, else all others."""
    known = [one for one in there if protocol is None or protocol.takes(form, _help_of(one))]
    # Where it was only ever assessed with something worn, or in a mode, it is expected so.
    own = [] if form.state and known else [form.state or OFF]
    return list(dict.fromkeys([*own, *known]))


def _sides(own: _Own, measure: str) -> tuple[str, ...]:
    """Sides that somebody is asked for of whom nothing was assessed."""
    sides = outcomes.load(measure).definition.sides
    own_side = own.person["trained_side"]
    return (own_side,) if own_side in sides and own_side else sides


def _parts_of(measure: str) -> tuple[str, ...]:
    definition = outcomes.load(measure).definition
    total = () if definition.low is None else ("total",)
    return (*total, *(scale.code for scale in definition.subscales if scale.code != "total"))


def _not_there(own: _Own, place: _Place) -> Missing:
    status = str(place.row.get("status", ""))
    if status == "not_applicable":
        return "not_applicable"
    # Who left was to be seen at the visits that follow, and was not.
    held = status in ("done", "missed", "unscheduled") or bool(place.row.get("started"))
    return "not_done" if held or own.left else "not_asked"


def _code_of_form(values: Mapping[str, Any]) -> Missing | str:
    """The one reason that stands in the place of every value of a form; ``""`` where there is none."""
    codes = {str(value.get("missing", "")) if isinstance(value, Mapping) else "" for value in values.values()}
    return OF_FORMS.get(codes.pop(), "") if len(codes) == 1 else ""


# ------------------------------------------------------------------------------ values of forms
def _of_form(made: Material, own: _Own, place: _Place, form: Form, bases: _Baselines) -> Iterator[VisitRow]:
    """Numbers of a form with items of its own."""
    items = [item for item in form.items if item.kind in NUMERIC]
    entered = [row for row in own.forms[place.name] if row["name"] == form.name and row["state"] == "complete"]
    for item in items:
        variable = _Variable(form.name, item.name, "", form.state or OFF)
        for row in entered:
            yield _value(made, own, place, variable, row)
        if not entered:
            yield VisitRow(**_start(made, own, place, variable) | {"missing": _not_there(own, place)})


def _value(made: Material, own: _Own, place: _Place, variable: _Variable, row: Row) -> VisitRow:
    value = row["values"].get(variable.part)
    bare = value.get("value") if isinstance(value, Mapping) else value
    code = str(value.get("missing", "")) if isinstance(value, Mapping) else ""
    number = float(bare) if isinstance(bare, int | float) and not isinstance(bare, bool) else None
    day = str(place.row["started"])[:10]
    made_row = _start(made, own, place, variable, repeat=int(row["instance"]), day=day) | {
        "value": number, "low": number, "high": number, "status": outcomes.OK if number is not None else "",
        "missing": "" if number is not None else OF_FORMS.get(code, "not_done"),
        "source_table": "form", "source_id": row["id"], "source_version": row.get("protocol_sha256", ""),
        **_written(made.trail.of_row("form", row["id"])),
    }  # fmt: skip
    return VisitRow(**made_row)


# ------------------------------------------------------------------------------ the baseline
class _Baselines:
    """Baseline records of a participant, found once for each variable.

    Parameters
    ----------
    made : with the baseline visit and its rule.
    own : the participant.
    """

    def __init__(self, made: Material, own: _Own) -> None:
        self._rule, self._name = made.settings.baseline_rule, made.baseline
        self._who = own.person["pseudonym"]
        self._records = [one for one in own.assessments.get(self._name, ()) if one.state != "draft"]
        self._number = next((place.number for place in own.places if place.name == self._name), 0)
        self._found: dict[_Variable, tuple[tuple[Assessment, ...], str]] = {}

    def of(self, variable: _Variable) -> tuple[tuple[Assessment, ...], str]:
        """Records that count, and how they were named; empty without any.

        Raises
        ------
        BadValue
            Several, and no rule.
        """
        if variable not in self._found:
            own = [one for one in self._records if self._is(one, variable)]
            # A rule that names no order is not needed for one record.
            try:
                self._found[variable] = (
                    analysis.pick_baseline(own, rule=self._rule if len(own) > 1 else "") if own else ((), "")
                )
            except BadValue as error:
                raise BadValue(Message("dataset.baseline_rule", participant=self._who, why=str(error))) from error
        return self._found[variable]

    @staticmethod
    def _is(record: Assessment, variable: _Variable) -> bool:
        same = (record.measure, record.side, state_of(record)) == (variable.measure, variable.side, variable.state)
        return same and variable.part in analysis.parts_of(record.score)

    def alone(self, variable: _Variable) -> dict[str, Any]:
        """The baseline beside a value that is missing."""
        records, rule = self.of(variable)
        return {"baseline": _mean(records, variable.part), "baseline_rule": rule}

    def compared(self, place: _Place, record: Assessment, variable: _Variable) -> dict[str, Any]:
        """Baseline and change of an assessment; of one before the baseline only the flag.

        Parameters
        ----------
        place, record, variable : visit, assessment and what is compared.
        """
        if not self._name:
            return {}
        records, rule = self.of(variable)
        row = {"baseline": _mean(records, variable.part), "baseline_rule": rule}
        if place.name == self._name:
            return row | {"is_baseline": record in records}
        # What came before the baseline, such as a screening, has no change from it.
        if not records or (place.number and place.number < self._number):
            return row
        return row | _change(records, rule, record, variable.part)


def _mean(records: Sequence[Assessment], part: str) -> float | None:
    """Mean of the baseline records; None where one of them is not a number."""
    try:
        values = [analysis.number_of(record, part) for record in records]
    except WorkbenchError:
        return None
    return sum(values) / len(values) if values else None


def _change(records: Sequence[Assessment], rule: str, record: Assessment, part: str) -> dict[str, Any]:
    own = rule if rule in ("first", "last") or len(records) == 1 else "mean"
    try:
        found = analysis.change(records, record, part=part, baseline_rule="" if len(records) == 1 else own)
    except WorkbenchError as error:
        return _open_change(records, record, part) | {"change_why": str(error)}
    return {
        "change": found.value, "improvement": found.improvement, "change_low": found.value,
        "change_high": found.value,
    }  # fmt: skip


def _open_change(records: Sequence[Assessment], record: Assessment, part: str) -> dict[str, Any]:
    """Bounds of a change of which a score is not a single number."""
    try:
        before = [analysis.possible(one, part) for one in records]
        after = analysis.possible(record, part)
    except WorkbenchError:
        return {}
    n = len(before)
    first = sum(one.low for one in before) / n, sum(one.high for one in before) / n
    return {"change_low": after.low - first[1], "change_high": after.high - first[0]}


# ------------------------------------------------------------------------------ performance
def _performance(made: Material, everybody: Sequence[_Own]) -> Iterator[VisitRow]:
    """What online runs give, with their recordings and the samples between their first and last trial."""
    people = {own.person["pseudonym"]: own for own in everybody}
    ranges = _sample_ranges(made)
    for found in analysis.outcomes_table(made.record).where(measure="performance"):
        own = people[found.participant]
        place = next(one for one in own.places if one.row.get("id") == found.visit_id)
        on = "device" if found.device_on else "off"
        variable = _Variable(found.measure, found.subscore, "", on)
        row = _start(made, own, place, variable, day=found.day)
        first = made.trail.of_row("run", found.run_ids[0]) if found.run_ids else UNKNOWN
        yield VisitRow(
            **row
            | {
                "key": f"{row['key']}/{found.day or '-'}/{found.version}", "version": found.version,
                "value": found.value, "low": found.value, "high": found.value, "status": found.status,
                "missing": "" if found.value is not None else "not_determinable", "n_items": found.n,
                "n_valid": found.n_valid, "source_table": "run", "source_id": " ".join(found.run_ids),
                "recordings": found.recordings,
                "samples": tuple(ranges.get(one, "") for one in found.recordings), **_written(first),
            }
        )  # fmt: skip


def _sample_ranges(made: Material) -> dict[str, str]:
    """First and last sample of the trials of each recording, ``"1200-84000"``; all of it without trials."""
    spans: dict[str, list[int]] = {}
    for trial in made.record.rows("trial"):
        span = spans.setdefault(trial["run_id"], [trial["cue_sample"], trial["end_sample"]])
        span[:] = [min(span[0], trial["cue_sample"]), max(span[1], trial["end_sample"])]
    found = {}
    for row in made.record.rows("recording"):
        first, last = spans.get(row["run_id"], [0, max(0, int(row["n_samples"]) - 1)])
        found[row["sha256"]] = f"{first}-{last}"
    return found
