"""Forms of the protocol that no outcome measure is: what was entered, visit after visit."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from workbench.reports._trial_facts import Group
from workbench.reports._trial_say import TrialSay
from workbench.reports.blocks import Block, Cell, Code, Column, Heading, Para, Table, named
from workbench.study.changes.entering import holding
from workbench.study.forms import NUMERIC, Form, Item

Row = Mapping[str, Any]
Kind = tuple[str, ...]
"""Answers to the required choices of a form: they keep apart what is never pooled, as loop closed and open."""


def entered(say: TrialSay) -> list[Block]:
    """One table for each form with its numbers at each visit: the mean over those who have one."""
    t, forms = say.t, _own(say)
    if not forms:
        return []
    blocks: list[Block] = [Heading(t("tr_forms"), name="forms")]
    if say.facts.blinded:
        # Settings, currents and remarks may tell the arm.
        return [*blocks, *say.kept()]
    blocks.append(Para(t("tr_forms_text")))
    return [*blocks, *(block for form in forms for block in _table(say, form))]


def listed(say: TrialSay) -> list[Block]:
    """Every entry that holds, with all its values."""
    t, facts = say.t, say.facts
    visits = {row["id"]: row for row in facts.tables["visit"]}
    columns = (
        Column(t("participant"), 1.0), Column(t("visit"), 1.2), Column(t("tr_col_values"), 4.6),
        Column(t("col_rater"), 1.2), Column(t("tr_col_entry"), 1.5),
    )  # fmt: skip
    blocks: list[Block] = []
    for form in _own(say):
        rows, names = list[tuple[Cell, ...]](), []
        for row in _rows(say, form):
            visit = visits[row["visit_id"]]
            values = t("join").join(_told(item, row) for item in form.items if _bare(row, item) is not None)
            code = Code(say.entry("form", row["id"]))
            rows.append((say.person(visit["participant_id"]), visit["name"], values or "–", row["by"], code))
            names.append(named("form", str(row["id"])))
        if rows:
            blocks.append(Heading(t("tr_list_form", form=form.title), 3, name=named("list", "form", form.name)))
            blocks.append(Table(columns, tuple(rows), t("no_data"), names=tuple(names)))
    return blocks


def _own(say: TrialSay) -> list[Form]:
    """Forms with items of their own; those that are outcome measures are among the outcomes."""
    return [form for form in say.facts.protocol.forms if form.items] if say.facts.protocol else []


def _rows(say: TrialSay, form: Form) -> list[Row]:
    complete = [row for row in say.facts.tables["form"] if row["name"] == form.name and row["state"] == "complete"]
    return holding(complete)


def _table(say: TrialSay, form: Form) -> list[Block]:
    t, found, visits = say.t, _rows(say, form), _visits(say, form)
    numbers = [item for item in form.items if item.kind in NUMERIC]
    rows: list[tuple[Cell, ...]] = []
    for kind in sorted({_kind(form, row) for row in found}):
        own = [row for row in found if _kind(form, row) == kind]
        for item, (group, title) in itertools.product(numbers, _groups(say)):
            cells = [_cell(say, item, own, group, name) for name in visits]
            if any(cells):
                label = " · ".join([*kind, *title, f"{item.label}, {item.unit}" if item.unit else str(item.label)])
                rows.append((label, *(cell or "–" for cell in cells), say.link(named("list", "form", form.name))))
    columns = (
        Column("", 3.0), *(Column(name, 1.0, number=True) for name in visits),
        Column(t("tr_rows"), 0.7, number=True),
    )  # fmt: skip
    return [Heading(form.title, 3), Table(columns, tuple(rows), t("no_data"))] if rows else []


def _visits(say: TrialSay, form: Form) -> list[str]:
    """Visits with an entry, in the order of the protocol; those that no protocol planned come last."""
    name_of = {row["id"]: str(row["name"]) for row in say.facts.tables["visit"]}
    there = {name_of[row["visit_id"]] for row in _rows(say, form)}
    planned = [visit.name for visit in say.facts.protocol.visits] if say.facts.protocol else []
    return [*(name for name in planned if name in there), *sorted(there - set(planned))]


def _groups(say: TrialSay) -> list[tuple[Group, list[str]]]:
    """The arms where they are known, else everybody; the title is none where there is one group."""
    groups = [group for group in say.facts.groups if group.arm] or list(say.facts.groups)
    return [(group, [group.title] if len(groups) > 1 else []) for group in groups]


def _cell(say: TrialSay, item: Item, rows: Sequence[Row], group: Group, visit: str) -> str:
    """The mean of the participants of a group at a visit, each the mean of their entries; ``""`` of nobody."""
    people = {one.id for one in group.people}
    owner = {row["id"]: row["participant_id"] for row in say.facts.tables["visit"] if row["name"] == visit}
    by_person: dict[str, list[float]] = {}
    for row in rows:
        person, value = owner.get(row["visit_id"], ""), _bare(row, item)
        if person in people and value is not None:
            by_person.setdefault(person, []).append(float(value))
    if not by_person:
        return ""
    mean = f"{fmean(map(fmean, by_person.values())):.4g}".replace("-", "\u2212")
    return mean if say.facts.wanted.participant else f"{mean} ({len(by_person)})"


def _kind(form: Form, row: Row) -> Kind:
    return tuple(f"{item.label}: {_bare(row, item) or '–'}" for item in _kept_apart(form))


def _kept_apart(form: Form) -> Iterable[Item]:
    return (item for item in form.items if item.kind == "choice" and item.required)


def _bare(row: Row, item: Item) -> Any:
    value = row["values"].get(item.name)
    if isinstance(value, Mapping):
        return value.get("value")
    return value


def _told(item: Item, row: Row) -> str:
    value = _bare(row, item)
    return f"{item.label}: {value:g} {item.unit}".strip() if item.kind in NUMERIC else f"{item.label}: {value}"
