"""The rows of one analysis: who is in it, which value counts, and what an intercurrent event does to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan
from typing import TYPE_CHECKING, Any

from workbench import analysis as endpoints
from workbench import reading
from workbench.errors import Refused
from workbench.estimation.methods import METHODS
from workbench.estimation.plan import Analysis, Event, Plan
from workbench.messages import Message
from workbench.study.datasets import Datasets, EventRow, SubjectRow, VisitRow

if TYPE_CHECKING:
    from workbench.study.protocol import Protocol
    from workbench.study.record import Study

LEAST = 2
"""Participants with an outcome that each arm needs, below which nothing about its spread is known."""
MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """The outcome of one participant at one visit.

    Attributes
    ----------
    value : number, 0 or 1 of a responder; None where it is missing.
    row : where it comes from; None where the dataset has no such row.
    """

    value: float | None
    row: VisitRow | None


@dataclass(frozen=True, slots=True)
class Selected:
    """What enters one analysis.

    Attributes
    ----------
    analysis, plan : as planned.
    arms : the reference first.
    people : of the population, in the order of the record.
    cells : by participant id and visit.
    baseline : by participant id; NaN where there is none.
    had : participants who had each intercurrent event.
    worst : participants to whom a composite strategy gives the worst outcome.
    events : by participant id, the events that the plan calls by name.
    other : of two states that are compared, cells of the control.
    """

    analysis: Analysis
    plan: Plan
    arms: tuple[str, ...]
    people: tuple[SubjectRow, ...]
    cells: Mapping[tuple[str, str], Cell]
    baseline: Mapping[str, float]
    had: Mapping[str, tuple[str, ...]]
    worst: frozenset[str]
    events: Mapping[str, Sequence[tuple[str, EventRow]]]
    other: Mapping[tuple[str, str], Cell] = field(default_factory=dict)

    def value(self, participant_id: str, visit: str, condition: str) -> float | None:
        """The outcome at a visit under a condition or in a state that is compared; None where there is none.

        Parameters
        ----------
        participant_id, visit : whose, and when.
        condition : of :attr:`workbench.estimation.plan.Analysis.compared`.
        """
        is_control = bool(self.analysis.against) and condition == self.analysis.against
        cells = self.other if is_control else self.cells
        return cells.get((participant_id, visit), Cell(None, None)).value

    def condition(self, person: SubjectRow, visit: str) -> str:
        """The condition of a participant at a visit, by the arm."""
        return self.analysis.conditions[person.arm][self.analysis.visits.index(visit)]

    def columns(self, visits: Sequence[str], *, absent: bool = False) -> dict[str, list[Any]]:
        """Columns of a table with a row a participant and visit.

        Parameters
        ----------
        visits : in order.
        absent : keep rows without an outcome, with NaN in its place.
        """
        rows = [
            (one, visit, cell)
            for one in self.people
            for visit in visits
            for cell in [self.cells.get((one.participant_id, visit), Cell(None, None))]
            if absent or cell.value is not None
        ]
        made: dict[str, list[Any]] = {
            "participant": [one.participant_id for one, _, _ in rows], "arm": [one.arm for one, _, _ in rows],
            "visit": [visit for _, visit, _ in rows],
            "outcome": [nan if cell.value is None else cell.value for _, _, cell in rows],
        }  # fmt: skip
        for name in self.analysis.covariates:
            made[name] = [self.covariate(one, name) for one, _, _ in rows]
        return made

    def covariate(self, person: SubjectRow, name: str) -> Any:
        """A covariate of a participant.

        Parameters
        ----------
        person : who.
        name : as the plan has it.
        """
        if name == "baseline":
            return self.baseline.get(person.participant_id, nan)
        if name.startswith("stratum."):
            return _level(person.stratum, name.partition(".")[2])
        return getattr(person, name)

    def counts(self) -> dict[str, dict[str, int]]:
        """By arm, participants and those with an outcome at the visit of the estimate; by condition, at any."""
        if self.analysis.compared:
            return {one: self._under(one) for one in self.analysis.compared}
        made = {arm: {"participants": 0, "with_outcome": 0} for arm in self.arms}
        for one in self.people:
            made[one.arm]["participants"] += 1
            cell = self.cells.get((one.participant_id, self.analysis.at))
            made[one.arm]["with_outcome"] += cell is not None and cell.value is not None
        return made

    def _under(self, condition: str) -> dict[str, int]:
        had = [
            any(
                self.value(one.participant_id, visit, condition) is not None
                for visit in self.analysis.visits
                if not self.analysis.conditions or self.condition(one, visit) == condition
            )
            for one in self.people
        ]
        return {"participants": len(had), "with_outcome": sum(had)}

    def keys(self) -> tuple[str, ...]:
        """Keys of the rows of the population that gave a value."""
        people = {one.participant_id for one in self.people}
        found = (*self.cells.items(), *self.other.items())
        return tuple(
            cell.row.key for (who, _), cell in found if who in people and cell.row and cell.value is not None
        )


def select(analysis: Analysis, plan: Plan, data: Datasets, *, protocol: Protocol, record: Study) -> Selected:
    """What enters one analysis.

    Parameters
    ----------
    analysis, plan : as planned.
    data : datasets of the snapshot.
    protocol : of the study.
    record : the snapshot, from which responders are judged.

    Raises
    ------
    Refused
        In one sentence, what keeps the analysis from being made.
    """
    people = _people(analysis, data)
    arms = _arms(analysis, plan, protocol, people)
    mine = [row for row in data.visits if is_of(analysis, row, analysis.state)]
    if METHODS[analysis.method].kind != "time" and not mine:
        raise Refused(Message("estimation.no_variable", got=_wanted(analysis), known=_known(data)))
    events = _events(analysis, plan, data)
    had = {
        name: tuple(one.participant for one in people if _first(events, one.participant_id, name))
        for name in analysis.strategies
    }
    cells, baseline = _cells(analysis, mine)
    control = [row for row in data.visits if analysis.against and is_of(analysis, row, analysis.against)]
    other, _ = _cells(analysis, control)
    made = Selected(analysis, plan, arms, people, cells, baseline, had, frozenset(), events, other)
    if analysis.binary:
        made = replace(made, cells=_judged(made, record, baseline_name(plan, protocol)))
    handled = _handled(made)
    return replace(handled, other=_handled(replace(made, cells=other)).cells) if other else handled


def baseline_name(plan: Plan, protocol: Protocol) -> str:
    """Name of the baseline visit: the plan's, else the one that is called so; ``""`` for none."""
    if plan.baseline:
        return plan.baseline
    return next((visit.name for visit in protocol.visits if visit.name.casefold() == "baseline"), "")


# ------------------------------------------------------------------------------ who
def _people(analysis: Analysis, data: Datasets) -> tuple[SubjectRow, ...]:
    found = tuple(one for one in data.subjects if getattr(one, analysis.population))
    if analysis.population == "pp" and any(one.pp is None for one in data.subjects):
        raise Refused(Message("estimation.pp_concealed"))
    if not found:
        raise Refused(Message("estimation.nobody", population=analysis.population))
    return found


def _arms(
    analysis: Analysis, plan: Plan, protocol: Protocol, people: Sequence[SubjectRow]
) -> tuple[str, ...]:  # fmt: skip
    """Arms of the protocol, the reference first; each must have somebody where they are compared."""
    names = [arm.name for arm in protocol.arms]
    if METHODS[analysis.method].within == "states":
        return tuple(names)
    if len(names) < 2 and METHODS[analysis.method].alone:
        return tuple(names)
    if len(names) < 2:
        raise Refused(Message("estimation.one_arm", arm=names[0]))
    if any(not one.arm for one in people):
        raise Refused(Message("estimation.concealed"))
    if analysis.conditions:
        return tuple(names)
    there = {one.arm for one in people}
    for name in names:
        if name not in there:
            raise Refused(Message("estimation.empty_arm", arm=name))
    return (plan.reference, *(name for name in names if name != plan.reference))


def _level(stratum: str, factor: str) -> str:
    """Level of a factor of the randomisation; ``""`` for somebody who was not randomised."""
    return str(reading.parse_json(stratum, "stratum").get(factor, "")) if stratum else ""


# ------------------------------------------------------------------------------ values
def is_of(analysis: Analysis, row: VisitRow, state: str) -> bool:
    """Whether a row is of the variable and side of an analysis, in a state.

    Parameters
    ----------
    analysis : says which variable and side.
    row : of the dataset.
    state : which device or stimulation was on, such as ``"off"``.
    """
    if row.variable != analysis.variable or row.state != state:
        return False
    if analysis.side == "trained":
        return row.trained
    return row.side == ("" if analysis.side == "none" else analysis.side)


def _wanted(analysis: Analysis) -> str:
    return f"{analysis.variable} {analysis.side} {analysis.state}"


def _known(data: Datasets) -> list[str]:
    names = {f"{row.variable} {row.side or 'none'} {row.state}" for row in data.visits if row.value is not None}
    more = [f"+ {len(names) - MOST_TOLD}"] if len(names) > MOST_TOLD else []
    return [*sorted(names)[:MOST_TOLD], *more] or [Message("word.none")]


def _cells(analysis: Analysis, mine: Sequence[VisitRow]) -> tuple[dict[tuple[str, str], Cell], dict[str, float]]:
    cells: dict[tuple[str, str], Cell] = {}
    baseline: dict[str, float] = {}
    for row in mine:
        if row.baseline is not None:
            baseline[row.participant_id] = row.baseline
        place = (row.participant_id, row.visit)
        if row.visit not in analysis.visits:
            continue
        if place in cells:
            raise Refused(Message("statistics.duplicate", participant=row.participant, visit=row.visit))
        cells[place] = Cell(getattr(row, analysis.outcome), row)
    return cells, baseline


# ------------------------------------------------------------------------------ responders
def _judged(made: Selected, record: Study, baseline: str) -> dict[tuple[str, str], Cell]:
    """Whether each participant responded, over all values that the scores can have."""
    analysis = made.analysis
    if analysis.threshold is None:
        raise Refused(Message("estimation.no_threshold", variable=analysis.variable))
    measure, _, part = analysis.variable.partition(".")
    histories = {one.participant: one for one in endpoints.histories(record)}
    cells = {}
    for person in made.people:
        side = {"trained": person.trained_side, "none": ""}.get(analysis.side, analysis.side)
        component = endpoints.Component(
            measure, part, analysis.threshold, side=side, under=_under(analysis.state), across=_across(analysis)
        )
        for visit in analysis.visits:
            (judgement,) = endpoints.judge(
                component, histories[person.participant], visit=visit, ref_visit=baseline,
                baseline_rule=made.plan.baseline_rule,
            )  # fmt: skip
            place = (person.participant_id, visit)
            verdict = judgement.responded
            cells[place] = Cell(
                None if verdict is None else float(verdict), made.cells.get(place, Cell(None, None)).row
            )
    return cells


def _across(analysis: Analysis) -> dict[str, tuple[Any, Any]]:
    """What differs between the baseline and the visit by the plan's own word; nothing else may."""
    if not analysis.baseline_state:
        return {}
    before, after = _under(analysis.baseline_state), _under(analysis.state)
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def _under(state: str) -> dict[str, Any]:
    """Fields of an assessment in a state."""
    words = state.split("+")
    named = dict(word.split("=", 1) for word in words if "=" in word)
    return {
        "assisted": "assisted" in words, "device_on": "device" in words, "stimulation_on": "stimulation" in words,
        "orthosis": named.get("orthosis", ""), "mode": named.get("mode", ""),
    }  # fmt: skip


# ------------------------------------------------------------------------------ intercurrent events
def _events(analysis: Analysis, plan: Plan, data: Datasets) -> dict[str, list[tuple[str, EventRow]]]:
    """Events that the plan calls by name, by participant id, oldest first."""
    wanted: dict[str, Event] = {one.name: one for one in plan.events}
    found: dict[str, list[tuple[str, EventRow]]] = {}
    for row in data.events:
        for name, event in wanted.items():
            named = name in (*analysis.strategies, analysis.event)
            fits = row.kind == event.kind and (not event.names or row.name in event.names)
            # An explantation bears the name that the protocol gives it.
            if named and fits and row.intercurrent in ("", name):
                found.setdefault(row.participant_id, []).append((name, row))
    return found


def _first(events: Mapping[str, Sequence[tuple[str, EventRow]]], person: str, name: str) -> EventRow | None:
    return min((row for own, row in events.get(person, ()) if own == name), key=lambda row: row.on, default=None)


def _handled(made: Selected) -> Selected:
    """The values once every intercurrent event was handled as the estimand says."""
    cells, worst = dict(made.cells), set[str]()
    for name, handling in made.analysis.strategies.items():
        if handling == "principal stratum":
            raise Refused(Message("estimation.principal", event=name))
        if handling == "treatment policy":
            continue
        for person in made.people:
            row = _first(made.events, person.participant_id, name)
            if row is None:
                continue
            if not row.on:
                raise Refused(Message("estimation.event_day", event=name, participant=person.participant))
            _one(made, cells, worst, person.participant_id, name, row.on)
    return replace(made, cells=cells, worst=frozenset(worst))


def _one(
    made: Selected, cells: dict[tuple[str, str], Cell], worst: set[str], person: str, name: str, on: str
) -> None:
    """Handle one event of one participant."""
    analysis = made.analysis
    handling, repeated = analysis.strategies[name], METHODS[analysis.method].repeated
    after = [visit for visit in analysis.visits if _is_after(cells.get((person, visit)), on)]
    if handling == "composite":
        if not after:
            return
        if analysis.binary:
            for visit in after:
                cells[person, visit] = Cell(0.0, cells.get((person, visit), Cell(None, None)).row)
        elif analysis.method == "rank_sum":
            if analysis.at in after:
                # A value that was seen all the same counts no longer.
                cells[person, analysis.at] = Cell(None, None)
                worst.add(person)
        else:
            raise Refused(Message("estimation.composite", event=name, method=analysis.method))
        return
    if handling == "while on treatment" and repeated:
        raise Refused(Message("estimation.on_treatment", event=name, method=analysis.method))
    before = [visit for visit in analysis.visits if visit not in after]
    for visit in after:
        cells[person, visit] = Cell(None, None)
    if handling == "while on treatment" and analysis.at in after:
        cells[person, analysis.at] = next(
            (
                cells[person, visit]
                for visit in reversed(before)
                if (person, visit) in cells and cells[person, visit].value is not None
            ),
            Cell(None, None),
        )


def _is_after(cell: Cell | None, on: str) -> bool:
    """Whether a visit comes after an event; one that was not held counts by its planned day, or as after it."""
    day = (cell.row.day or cell.row.planned) if cell and cell.row else ""
    return not day or day >= on
