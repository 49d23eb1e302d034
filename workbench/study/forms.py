"""Forms of a protocol: their items, and what is wrong or doubtful about entered values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from workbench import messages, outcomes
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.nouns import told
from workbench.study.protocol_reading import day_of, is_integer, is_number, is_text

ItemKind = Literal["integer", "number", "text", "choice", "date", "yes_no"]
ITEM_KINDS: tuple[ItemKind, ...] = get_args(ItemKind)
NUMERIC = ("integer", "number")
"""Kinds of item that have a unit and ranges."""

MissingCode = Literal["not_asked", "not_done", "unknown", "refused", "not_applicable"]
MISSING_CODES: tuple[MissingCode, ...] = get_args(MissingCode)
"""Why a value is missing: ``{"missing": code}`` stands in its place."""


HELP: Mapping[str, str] = {"assisted": "assisted", "device": "device_on", "stimulation": "stimulation_on"}
"""Word of a state → field of the condition under which something is assessed, in the order in which it is said."""
OFF = "off"
"""The state without any help."""


def state_of(condition: Mapping[str, Any]) -> str:
    """The state in which something was assessed: :data:`OFF`, or what was on, such as ``"assisted+device"``.

    Parameters
    ----------
    condition : has the fields of :data:`HELP`.
    """
    return "+".join(word for word, field in HELP.items() if condition[field]) or OFF


def is_state(text: str) -> bool:
    """Whether a text is a state as :func:`state_of` says it."""
    words = text.split("+")
    return text == OFF or words == [word for word in HELP if word in words]


@dataclass(frozen=True, slots=True)
class SoftRange:
    """The range in which a value is expected, both ends included; None for an open end."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong or doubtful about one value.

    Attributes
    ----------
    item : its name.
    text : one sentence.
    """

    item: str
    text: str


Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a form.

    Attributes
    ----------
    name, label : what is stored, and what is asked.
    kind : of its value: a integer, a number, a text, one of ``choices``, an ISO date, or true and false.
    unit : of a number; ``""`` for none.
    least, greatest : of a number, both allowed; None for an open end. Outside them a value is refused.
    choices : of a choice.
    required : whether the form is incomplete without a value or the reason why there is none.
    in_range_query : where a number is expected; outside it the value is taken and a query is due.
    """

    name: str
    label: str
    kind: ItemKind
    unit: str = ""
    least: float | None = None
    greatest: float | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    in_range_query: SoftRange | None = None

    def error(self, value: Any) -> Message | None:
        """Why a value is refused; None for one that is taken.

        Parameters
        ----------
        value : as JSON has it, bare or as ``{"value": …, "unit": …}``; ``{"missing": code}`` for none; None where
            nothing was entered.
        """
        if value is None:
            codes = list(MISSING_CODES)
            return Message("protocol.item_needed", item=self.name, codes=codes) if self.required else None
        if not isinstance(value, Mapping):
            return self._unfit(value) or self._outside(value)
        if set(value) == {"missing"}:
            return _bad_code(self.name, value["missing"])
        if set(value) != {"value", "unit"}:
            return Message("protocol.item_shape", item=self.name, got=told(value))
        bare, unit = value["value"], value["unit"]
        if unit != self.unit:
            unit_here = self.unit or Message("word.none")
            return Message("protocol.item_unit", item=self.name, unit=unit_here, got=told(unit))
        return self._unfit(bare) or self._outside(bare)

    def query(self, value: Any) -> Message | None:
        """What to ask about a value that :meth:`error` takes; None where it is as expected."""
        bare = value.get("value") if isinstance(value, Mapping) else value
        expected = self.in_range_query
        if bare is None or expected is None or _is_within(bare, expected.low, expected.high):
            return None
        return Message(
            "protocol.item_query",
            item=self.name,
            got=quantity(bare, self.unit),
            range=span(expected.low, expected.high, self.unit),
        )

    def _unfit(self, value: Any) -> Message | None:
        """Why a value is not of the item's kind."""
        if self.kind == "choice" and not (isinstance(value, str) and value in self.choices):
            return Message("protocol.item_choice", item=self.name, allowed=self.choices, got=told(value))
        if self.kind != "choice" and not _FITS[self.kind](value):
            return Message("protocol.item_kind", item=self.name, kind=_WORDS[self.kind], got=told(value))
        return None

    def _outside(self, value: Any) -> Message | None:
        """Why a value of the right kind is out of range."""
        if self.kind not in NUMERIC or _is_within(value, self.least, self.greatest):
            return None
        return Message(
            "protocol.item_range",
            item=self.name,
            range=span(self.least, self.greatest, self.unit),
            got=quantity(value, self.unit),
        )


@dataclass(frozen=True, slots=True)
class Form:
    """A form of the protocol: its own items, or an outcome measure of the register.

    Attributes
    ----------
    name, title : what is stored, and what people call it.
    items : in the order in which they are asked; empty where ``measure`` is given.
    measure : name of an outcome measure; ``""`` where ``items`` are given.
    double_entry : whether two people enter it, each without seeing the other's values.
    state : in which it is done (:func:`state_of`): the same test with the system on and off is two forms. ``""``
        for a form that does not say.
    """

    name: str
    title: str
    items: tuple[Item, ...] = ()
    measure: str = ""
    double_entry: bool = False
    state: str = ""

    @property
    def tells_arm(self) -> bool:
        """Whether it is a measure that is asked for under a help that may reveal the arm."""
        return bool(self.measure) and bool({"device", "stimulation"} & set(self.state.split("+")))

    def check(self, values: Mapping[str, Any]) -> tuple[Findings, Findings]:
        """``(errors, queries)`` of the values of one form: errors refuse it, queries are asked afterwards.

        Parameters
        ----------
        values : by name of the item, each as :meth:`Item.error` takes it; an item that is left out counts as None.

        Raises
        ------
        UnknownName
            For an outcome measure that is not installed here.
        """
        if self.measure:
            return self._check_measure(values), ()
        names = [item.name for item in self.items]
        errors = [
            Finding(str(name), Message("protocol.no_item", form=self.name, got=told(name), allowed=names))
            for name in values
            if name not in names
        ]
        queries = []
        for item in self.items:
            value = values.get(item.name)
            if error := item.error(value):
                errors.append(Finding(item.name, error))
            elif query := item.query(value):
                queries.append(Finding(item.name, query))
        return tuple(errors), tuple(queries)

    def _check_measure(self, values: Mapping[str, Any]) -> Findings:
        """The rule by which the measure itself takes a value; scoring decides what a missing one means."""
        definition, found = outcomes.load(self.measure).definition, []
        for name, value in values.items():
            missing = isinstance(value, Mapping) and set(value) == {"missing"}
            error: str | None = _bad_code(str(name), value["missing"]) if missing else None
            try:
                definition.check(name, None if missing else value)
            except BadValue as refused:
                error = messages.of(refused)
            if error:
                found.append(Finding(str(name), error))
        return tuple(found)


def quantity(value: float, unit: str) -> str:
    """A number and its unit as they are read: ``72.5 kg``."""
    return f"{value:.15g} {unit}".rstrip()


def span(low: float | None, high: float | None, unit: str) -> Message:
    """A range in words; at least one of its ends is given.

    Parameters
    ----------
    low, high : the ends; None for an open one.
    unit : of both; ``""`` for none.
    """
    if low is None:
        return Message("protocol.span_most", high=quantity(high or 0.0, unit))
    if high is None:
        return Message("protocol.span_least", low=quantity(low, unit))
    return Message("protocol.span", low=f"{low:.15g}", high=quantity(high, unit))


def _is_within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _bad_code(item: str, code: Any) -> Message | None:
    if isinstance(code, str) and code in MISSING_CODES:
        return None
    return Message("protocol.item_code", item=item, got=told(code), codes=list(MISSING_CODES))


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "integer": is_integer,
    "number": is_number,
    "text": is_text,
    "date": lambda value: isinstance(value, str) and day_of(value) is not None,
    "yes_no": lambda value: isinstance(value, bool),
}
_WORDS: Mapping[str, Message] = {
    "integer": Message("protocol.value_integer"),
    "number": Message("protocol.value_number"),
    "text": Message("protocol.value_text"),
    "date": Message("protocol.value_day"),
    "yes_no": Message("protocol.value_flag"),
}
