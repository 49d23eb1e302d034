"""From checked values to scores: what the scorers of outcome measures share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import BadValue
from workbench.outcomes._contract import (
    CENSORED,
    ND,
    OK,
    Definition,
    Score,
    Scored,
    Subscale,
    SubScore,
    Value,
    check_value,
    plain_data,
)

Scorer = Callable[[Definition, Mapping[str, Any], Mapping[str, Any]], Scored]
"""``(definition, checked values by code, options) → Scored``. Pure; the values are complete, None = missing."""


@dataclass(frozen=True, slots=True)
class Measure:
    """An outcome measure made of its definitions and one pure scorer.

    Parameters
    ----------
    definitions : one of each version, the current one first.
    scorer : forms the subscores and the total from checked values.
    """

    definitions: tuple[Definition, ...]
    scorer: Scorer

    @property
    def definition(self) -> Definition:
        """The current version."""
        return self.definitions[0]

    def score(self, items: Mapping[str, Any], *, version: str = "", **options: Any) -> Score:
        """Score one administration.

        Parameters
        ----------
        items : item code → value; None or absent = missing.
        version : the version the items were entered with; ``""`` is the current one.
        options : those of the definition, by name.

        Raises
        ------
        BadValue
            An unknown code, version or option, or a value outside its list or range.
        """
        definition = pick_version(self.definitions, version)
        settled = check_options(definition, options)
        values = check_items(definition, items)
        check_required(definition, settled, values)
        found = self.scorer(definition, values, settled)
        entered = values if found.values is None else found.values
        return Score(
            measure=definition.name,
            version=definition.version,
            total=found.total,
            subscores=found.subscores,
            items=entered,
            administered=tuple(c for c, v in entered.items() if v is not None and c not in found.implied),
            implied=found.implied,
            steps=found.steps or steps_of(definition, found),
            warnings=found.warnings,
            alerts=found.alerts,
            options={name: plain_data(value) for name, value in settled.items() if name in options},
            classes=found.classes,
        )


def pick_version(definitions: tuple[Definition, ...], version: str) -> Definition:
    """The definition of that version, the first for ``""``. Raises BadValue with the versions there are."""
    for definition in definitions:
        if version in ("", definition.version):
            return definition
    have = ", ".join(repr(one.version) for one in definitions)
    raise BadValue(
        f"{definitions[0].name} is scored in version {have}, got items of version {version!r}; "
        "versions are never mixed"
    )


BESIDE = ("typed",)
"""Kept among the options of a stored assessment, which are given back as they are, and no option of scoring: when
each field was typed."""


def check_options(definition: Definition, options: Mapping[str, Any]) -> dict[str, Any]:
    """Every option of the definition with its value. Raises BadValue for an unknown one or a value not allowed."""
    known = {option.name: option for option in definition.options}
    for name, value in options.items():
        if name in BESIDE:
            continue
        if name not in known:
            have = ", ".join(known) or "none"
            raise BadValue(f"{definition.name} {definition.version} has no option {name!r}; it has: {have}")
        allowed = known[name].allowed
        if allowed and not any(value == one and type(value) is type(one) for one in allowed):
            raise BadValue(
                f"{definition.name} option {name} must be one of {', '.join(map(repr, allowed))}, got {value!r}"
            )
    return {name: options.get(name, option.default) for name, option in known.items()}


def check_required(definition: Definition, options: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Refuse to score an entered value while a required option, such as its unit, was not chosen.

    Parameters
    ----------
    definition : of the measure.
    options : every option with its value, None = not given.
    values : every item with its value, None = missing.

    Raises
    ------
    BadValue
        With the option and its allowed values.
    """
    entered = any(values[item.code] is not None for item in definition.items)
    for option in definition.options:
        if entered and option.required and options[option.name] is None:
            raise BadValue(
                f"{definition.name} option {option.name} ({option.words}) is not chosen and has no default; "
                f"choose one of {', '.join(map(repr, option.allowed))}"
            )


def check_items(definition: Definition, items: Mapping[str, Any]) -> dict[str, Value | None]:
    """Every item and extra of the definition with its value, None where missing or absent.

    Raises
    ------
    BadValue
        An unknown code, or a value outside the item's list or range (True and "2" are no numbers).
    """
    for code in items:
        definition.item(code)
    every = (*definition.items, *definition.extras)
    return {item.code: check_value(definition.name, item, items.get(item.code)) for item in every}


def present(codes: Iterable[str], values: Mapping[str, Value | None]) -> list[int | float]:
    """Numbers among the values of those items; a missing one and a text code are none."""
    found = (values[code] for code in codes)
    return [value for value in found if isinstance(value, int | float)]


def sub_score(
    subscale: Subscale,
    values: Mapping[str, Value | None],
    value: float | None,
    *,
    rule: str,
    source: str,
    status: str = "",
    implied: Iterable[str] = (),
    imputed: tuple[str, ...] = (),
) -> SubScore:
    """A subscore with its counts; the status is ``ok`` with a value and ``ND`` without unless it is given."""
    marked = set(implied)
    return SubScore(
        value=value,
        status=status or (ND if value is None else OK),
        n_items=len(subscale.items),
        n_valid=len(present(subscale.items, values)),
        low=subscale.low,
        high=subscale.high,
        rule=rule,
        rule_source=source,
        implied=tuple(code for code in subscale.items if code in marked),
        imputed=imputed,
    )


def add_up(
    subscale: Subscale, values: Mapping[str, Value | None], *, source: str, implied: Iterable[str] = ()
) -> SubScore:
    """Sum of the subscale's items; ND when one is missing or a text code, never prorated."""
    found = present(subscale.items, values)
    complete = len(found) == len(subscale.items)
    rule = f"sum of {len(subscale.items)} items; not determinable when one is missing"
    return sub_score(subscale, values, sum(found) if complete else None, rule=rule, source=source, implied=implied)


def whole(definition: Definition, *, words: str = "Total") -> Subscale:
    """The total as a subscale of every item. Raises BadValue for a measure without a total."""
    if definition.low is None or definition.high is None:
        raise BadValue(f"{definition.name} has no total")
    codes = tuple(item.code for item in definition.items)
    return Subscale("total", words, codes, definition.low, definition.high, least=definition.least)


def sums(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> Scored:
    """The scorer of measures whose subscores, and total where they have one, are plain sums of items."""
    source = definition.sources[0]
    subscores = {one.code: add_up(one, values, source=source) for one in definition.subscales}
    total = None if definition.low is None else add_up(whole(definition), values, source=source)
    return Scored(subscores, total)


def steps_of(definition: Definition, found: Scored) -> tuple[str, ...]:
    """One sentence a subscore and one for the total: its value, and what is missing where there is none."""
    every = [(one, found.subscores[one.code]) for one in definition.subscales if one.code in found.subscores]
    if found.total is not None:
        every.append((whole(definition), found.total))
    return tuple(f"{one.words}: {told(one, sub)}" for one, sub in every)


def told(subscale: Subscale, sub: SubScore) -> str:
    """The value of a subscore in words."""
    if sub.value is not None:
        unit = f" {subscale.unit}" if subscale.unit else f" of {sub.high:g}"
        return f"{sub.value:g}{unit}" + (" (censored)" if sub.status == CENSORED else "")
    if sub.status != ND:
        return sub.status
    return f"not determinable, {sub.n_valid} of {sub.n_items} items"
