"""Forms of the protocol: entered once or by two people, checked, and queried at once where a value is doubtful."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from workbench.errors import BadValue, RecordFault, Refused
from workbench.messages import Message
from workbench.study.applying import Applying, Change
from workbench.study.changes.protocols import enrolment_of, protocol_of
from workbench.study.forms import Findings, Form
from workbench.study.writer import Question, refuse_changed
from workbench.vocabulary import FormState

MOST_TOLD = 20
"""Errors of one form that are told in words."""
ADJUDICATED, ENTRIES = 0, (1, 2)


@dataclass(frozen=True, slots=True)
class SaveForm(Change):
    """The values of a form are entered, or corrected with a reason.

    Attributes
    ----------
    visit_id : at which visit.
    form : its name in the protocol.
    values : by item; ``{"missing": "not_done"}`` where there is none.
    state : a draft is checked too, but what it lacks is no error yet.
    instance : number of the form at this visit.
    entry : 2 for the second person of a form that is entered twice.
    row_version : version that was shown, 0 where there was no such form; any other one in the record is refused.
    """

    visit_id: str
    form: str
    values: Mapping[str, Any]
    state: FormState = "complete"
    instance: int = 1
    entry: int = 1
    row_version: int = 0
    ROLES: ClassVar[tuple[str, ...]] = ("assessor", "therapist", "investigator", "coordinator", "operator")

    def ahead(self) -> tuple[Question, ...]:
        """Visit and entry: what decides whether it comes too late."""
        entry = {"visit_id": self.visit_id, "name": self.form, "instance": self.instance, "entry": self.entry}
        return ("visit", {"id": self.visit_id}), ("form", entry)

    def apply(self, record: Applying) -> str:
        """Keep the values and open a query for each that is doubtful."""
        # Who may see the participant, before anything is told of the form.
        participant_id = record.participant_of("visit", self.visit_id)
        record.refuse_site(participant_id)
        # Then this: of twenty people who save the same form, nineteen hold the record no longer.
        if there := entry_of(record, self.visit_id, self.form, self.instance, self.entry):
            refuse_changed("form", there, self.row_version)
        record.ahead(*_needed(participant_id, there["id"] if there else ""))
        form = form_of(record, participant_id, self.form)
        _refuse_entry(form, self.entry, self.instance)
        queries = _checked(form, self.values, draft=self.state == "draft")
        row_id = _kept(record, participant_id, self, expected=self.row_version)
        if self.state == "complete":
            _ask(record, participant_id, row_id, queries)
        return row_id


def _needed(participant_id: str, row_id: str) -> list[Question]:
    """What every form that is kept asks of the record, so that a server is waited for once."""
    found: list[Question] = [
        ("participant", {"id": participant_id}), ("enrolment", {"participant_id": participant_id}),
        ("lock_event", {}),
    ]  # fmt: skip
    if row_id:
        found += [("form", {"id": row_id}), ("query", {"table_name": "form", "row_id": row_id})]
    return found


@dataclass(frozen=True, slots=True)
class Adjudicate(Change):
    """What holds where two people entered a form: a third looks at every item on which they differ.

    Attributes
    ----------
    visit_id, form, instance : which form.
    values : for each item on which the two entries differ.
    """

    visit_id: str
    form: str
    values: Mapping[str, Any]
    instance: int = 1
    ROLES: ClassVar[tuple[str, ...]] = ("data_manager", "investigator")

    def apply(self, record: Applying) -> str:
        """Keep what holds beside both entries."""
        participant_id = record.participant_of("visit", self.visit_id)
        form = form_of(record, participant_id, self.form)
        first, second = (entry_of(record, self.visit_id, self.form, self.instance, number) for number in ENTRIES)
        if not (first and second and first["state"] == second["state"] == "complete"):
            raise Refused(Message("form.not_twice", form=self.form))
        if record.actor.name in (first["by"], second["by"]):
            raise Refused(Message("form.third", name=record.actor.name))
        differing = differences(first["values"], second["values"])
        if set(self.values) != set(differing):
            raise BadValue(Message("form.differing", items=differing, got=sorted(self.values)))
        agreed = {**first["values"], **self.values}
        queries = _checked(form, agreed, draft=False)
        decided = SaveForm(self.visit_id, self.form, agreed, instance=self.instance, entry=ADJUDICATED)
        row_id = _kept(record, participant_id, decided, expected=None)
        _ask(record, participant_id, row_id, queries)
        return row_id


def differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Items on which two entries of a form differ.

    Parameters
    ----------
    first, second : values by item.
    """
    names = sorted({*first, *second})
    return [name for name in names if first.get(name) != second.get(name)]


def form_of(record: Applying, participant_id: str, name: str) -> Form:
    """A form of the participant's protocol. Raises UnknownName.

    Parameters
    ----------
    record : while a change is made.
    participant_id, name : whose, and which form.
    """
    return protocol_of(record, participant_id).form(name)


def entry_of(record: Applying, visit_id: str, form: str, instance: int, entry: int) -> dict[str, Any] | None:
    """One entry of a form, None when there is none.

    Parameters
    ----------
    record : while a change is made.
    visit_id, form, instance, entry : which.
    """
    rows = record.rows("form", visit_id=visit_id, name=form, instance=instance, entry=entry)
    return rows[0] if rows else None


def holding(forms: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of every form the entry that holds: what was adjudicated, else the first.

    Parameters
    ----------
    forms : rows of ``form``.
    """
    held: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for row in sorted(forms, key=lambda row: int(row["entry"])):
        held.setdefault((row["visit_id"], row["name"], row["instance"]), row)
    return list(held.values())


def _refuse_entry(form: Form, entry: int, instance: int) -> None:
    allowed = ENTRIES if form.double_entry else (1,)
    if entry not in allowed:
        raise BadValue(
            Message("form.entry", form=form.name, allowed=[str(number) for number in allowed], got=entry)
        )
    if instance < 1:
        raise BadValue(Message("form.instance", got=instance))


def _checked(form: Form, values: Mapping[str, Any], *, draft: bool) -> Findings:
    """What to ask about values that are taken. Raises BadValue with all errors."""
    errors, queries = form.check(values)
    # What a draft lacks is entered later; what stands in it must be right.
    wrong = [error for error in errors if not draft or values.get(error.item) is not None]
    if wrong:
        texts = [error.text for error in wrong[:MOST_TOLD]]
        raise BadValue(Message("form.errors", form=form.name, n=len(wrong), errors=texts))
    return queries


def _kept(record: Applying, participant_id: str, entered: SaveForm, *, expected: int | None) -> str:
    """The row of an entry, new or changed from the version that was expected; None is any."""
    version = record.row("protocol_version", enrolment_of(record, participant_id)["protocol_version_id"])
    row = entry_of(record, entered.visit_id, entered.form, entered.instance, entered.entry)
    now = {
        "values": dict(entered.values), "state": entered.state, "protocol_sha256": version["sha256"],
        "by": record.actor.name, "utc": record.utc,
    }  # fmt: skip
    _refuse_other(record, participant_id, row, entered)
    if row is None and expected:
        raise RecordFault(
            Message(
                "form.not_there",
                form=entered.form,
                instance=entered.instance,
                entry=entered.entry,
                got=expected,
            )
        )
    if row is None:
        return record.insert(
            "form",
            visit_id=entered.visit_id,
            name=entered.form,
            instance=entered.instance,
            entry=entered.entry,
            **now,
        )
    # A draft is finished without a reason; what was complete is corrected with one.
    follows = Message("form.goes_on") if row["state"] == "draft" else ""
    record.amend("form", row["id"], now, follows=follows, expected=expected)
    return str(row["id"])


def _refuse_other(record: Applying, participant_id: str, row: Mapping[str, Any] | None, entered: SaveForm) -> None:
    """Of a form that is entered twice, neither person writes into the other's entry, nor makes both."""
    if entered.entry not in ENTRIES or not form_of(record, participant_id, entered.form).double_entry:
        return
    if row is not None and row["by"] != record.actor.name:
        raise Refused(Message("form.others", by=row["by"]))
    (number,) = set(ENTRIES) - {entered.entry}
    other = entry_of(record, entered.visit_id, entered.form, entered.instance, number)
    if other is not None and other["by"] == record.actor.name:
        raise Refused(Message("form.both", name=record.actor.name, entry=number))


def _ask(record: Applying, participant_id: str, row_id: str, doubtful: Findings) -> None:
    """A query for each doubtful value that was not asked about yet."""
    asked = {row["text"] for row in record.rows("query", table_name="form", row_id=row_id)}
    for finding in doubtful:
        if str(finding.text) not in asked:
            record.insert(
                "query", participant_id=participant_id, table_name="form", row_id=row_id, field=finding.item,
                automatic=True, text=finding.text,
            )  # fmt: skip
