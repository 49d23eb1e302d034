"""Items and values of forms as plain text, alike for forms with items of their own and for outcome measures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from workbench import outcomes
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.forms import Form, Item
from workbench.study.nouns import told

_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,20}\.?\d{0,400}|\.\d{1,400})", re.ASCII)
TRUTH = {"true": True, "1": True, "false": False, "0": False}


def items_of(form: Form) -> tuple[Item, ...]:
    """The items of a form; those of an outcome measure as choices, numbers and texts.

    Raises
    ------
    UnknownName
        For an outcome measure that is not installed here.
    """
    if not form.measure:
        return form.items
    definition = outcomes.load(form.measure).definition
    return tuple(_item_of(item) for item in (*definition.items, *definition.extras))


def _item_of(item: outcomes.Item) -> Item:
    if item.allowed:
        choices = tuple(str(value) for value in (*item.allowed, *item.codes))
        return Item(item.code, item.label, "choice", choices=choices)
    # A quantity that may also be a word such as "unable" is no number to other systems.
    if item.codes:
        return Item(item.code, item.label, "text")
    return Item(item.code, item.label, "number", unit=item.unit, least=item.low, greatest=item.high)


def number_text(value: float) -> str:
    """A number in digits, exactly: no exponent, as a decimal number of XML Schema has it."""
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")


def value_text(value: Any) -> tuple[str, str]:
    """``(text, code)`` of a value: its text, or why there is none; both ``""`` where nothing was entered."""
    if isinstance(value, Mapping):
        return ("", str(value["missing"])) if "missing" in value else value_text(value.get("value"))
    if value is None:
        return "", ""
    if isinstance(value, bool):
        return ("true" if value else "false"), ""
    return (number_text(value) if isinstance(value, int | float) else str(value)), ""


def text_value(form: Form, item: Item, text: str) -> Any:
    """The value that a text stands for, as :meth:`workbench.study.forms.Form.check` takes it.

    Parameters
    ----------
    form : that it is entered in.
    item : of :func:`items_of`.
    text : as :func:`value_text` gives it; not empty.

    Raises
    ------
    BadValue
        For a text that is no value of the item's kind; ranges and choices are the form's to check.
    """
    if form.measure:
        return _measured(form, item.name, text)
    if item.kind == "yes_no" and text.lower() in TRUTH:
        return TRUTH[text.lower()]
    if item.kind in ("text", "choice", "date"):
        return text
    number = _number(text)
    # What is no number is left for the form to refuse, in its own words.
    return text if number is None else number


def _measured(form: Form, name: str, text: str) -> Any:
    """A value of an outcome measure, whose choices may be numbers."""
    item = outcomes.load(form.measure).definition.item(name)
    for value in (*item.allowed, *item.codes):
        if str(value) == text:
            return value
    number = _number(text)
    if number is None:
        allowed = [str(value) for value in (*item.allowed, *item.codes)] or Message("protocol.value_number")
        raise BadValue(Message("protocol.item_choice", item=name, allowed=allowed, got=told(text)))
    return number


def _number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else None
