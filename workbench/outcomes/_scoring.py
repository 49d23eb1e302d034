"""From checked values to scores: shared by the scorers of outcome measures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.outcomes._contract import (
    CENSORED,
    ND,
    OK,
    Definition,
    Score,
    ScorerResult,
    Status,
    Subscale,
    SubScore,
    Value,
    check_value,
    plain_data,
)

Scorer = Callable[[Definition, Mapping[str, Any], Mapping[str, Any]], ScorerResult]
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
        chosen = check_options(definition, options)
        values = check_items(definition, items)
        check_required(definition, chosen, values)
        result = self.scorer(definition, values, chosen)
        # A rule of the protocol, such as that of the ARAT, may have filled in values that nobody entered.
        entered = values if result.values is None else result.values
        return Score(
            measure=definition.name,
            version=definition.version,
            total=result.total,
            subscores=result.subscores,
            items=entered,
            administered=tuple(c for c, v in entered.items() if v is not None and c not in result.implied),
            implied=result.implied,
            steps=result.steps or score_steps(definition, result),
            warnings=result.warnings,
            alerts=result.alerts,
            options={name: plain_data(value) for name, value in chosen.items() if name in options},
            classes=result.classes,
        )


def pick_version(definitions: tuple[Definition, ...], version: str) -> Definition:
    """The definition of that version, the first for ``""``. Raises BadValue with the known versions."""
    for definition in definitions:
        if version in ("", definition.version):
            return definition
    have = [repr(definition.version) for definition in definitions]
    raise BadValue(Message("outcome.other_version", measure=definitions[0].name, have=have, version=repr(version)))


RECORD_OPTIONS = ("typed",)
"""Entries among the options of a stored assessment that are not options of scoring: when each field was typed.
Rescoring gets the stored options as they are."""


def check_options(definition: Definition, options: Mapping[str, Any]) -> dict[str, Any]:
    """Every option of the definition with its value. Raises BadValue for an unknown one or a value not allowed."""
    known = {option.name: option for option in definition.options}
    for name, value in options.items():
        if name in RECORD_OPTIONS:
            continue
        if name not in known:
            have = list(known) or Message("word.none")
            raise BadValue(
                Message(
                    "outcome.no_option",
                    measure=definition.name,
                    version=definition.version,
                    name=repr(name),
                    have=have,
                )
            )
        allowed = known[name].allowed
        # In Python False == 0 and True == 1, so the types must agree as well.
        if allowed and not any(value == choice and type(value) is type(choice) for choice in allowed):
            raise BadValue(
                Message(
                    "outcome.option",
                    measure=definition.name,
                    name=name,
                    allowed=[repr(choice) for choice in allowed],
                    value=repr(value),
                )
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
                Message(
                    "outcome.option_needed",
                    measure=definition.name,
                    name=option.name,
                    label=option.label,
                    allowed=[repr(choice) for choice in option.allowed],
                )
            )


def check_items(definition: Definition, items: Mapping[str, Any]) -> dict[str, Value | None]:
    """Every item and extra of the definition with its value, None where missing or absent.

    Raises
    ------
    BadValue
        An unknown code, or a value outside the item's list or range (True and "2" are not numbers).
    """
    # Otherwise a misspelled code would be an answer that is silently left out.
    for code in items:
        definition.item(code)
    known = (*definition.items, *definition.extras)
    return {item.code: check_value(definition.name, item, items.get(item.code)) for item in known}


def numeric_values(codes: Iterable[str], values: Mapping[str, Value | None]) -> list[int | float]:
    """Numbers among the values of those items, without missing ones and text codes."""
    selected = (values[code] for code in codes)
    return [value for value in selected if isinstance(value, int | float)]


def make_subscore(
    subscale: Subscale,
    values: Mapping[str, Value | None],
    value: float | None,
    *,
    rule: str,
    source: str,
    status: Status | None = None,
    implied: Iterable[str] = (),
    imputed: tuple[str, ...] = (),
) -> SubScore:
    """A subscore with its counts.

    Parameters
    ----------
    subscale : whose items it rests on.
    values : of the items, by code; None = missing.
    value : the number; None when there is none.
    rule, source : how it was formed, and the source of the rule.
    status : None = ``ok`` with a value and ``ND`` without.
    implied : codes of the items whose value a protocol rule implied.
    imputed : codes of the missing items that the measure's own rule replaced.
    """
    marked = set(implied)
    return SubScore(
        value=value,
        status=status or (ND if value is None else OK),
        n_items=len(subscale.items),
        n_valid=len(numeric_values(subscale.items, values)),
        low=subscale.low,
        high=subscale.high,
        rule=rule,
        rule_source=source,
        implied=tuple(code for code in subscale.items if code in marked),
        imputed=imputed,
    )


def sum_subscale(
    subscale: Subscale, values: Mapping[str, Value | None], *, source: str, implied: Iterable[str] = ()
) -> SubScore:
    """Sum of the subscale's items; ND when one is missing or a text code, never prorated.

    Parameters
    ----------
    subscale : whose items are added.
    values : by item code; None = missing.
    source : of the rule.
    implied : codes of the items whose value a protocol rule implied.
    """
    numbers = numeric_values(subscale.items, values)
    complete = len(numbers) == len(subscale.items)
    rule = f"sum of {len(subscale.items)} items; not determinable when one is missing"
    return make_subscore(
        subscale, values, sum(numbers) if complete else None, rule=rule, source=source, implied=implied
    )


def total_subscale(definition: Definition, *, label: str = "Total") -> Subscale:
    """The total as a subscale of every item. Raises BadValue for a measure without a total."""
    if definition.low is None or definition.high is None:
        raise BadValue(f"{definition.name} has no total")
    codes = tuple(item.code for item in definition.items)
    return Subscale("total", label, codes, definition.low, definition.high, least=definition.least)


def score_sums(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    """The scorer of measures whose subscores, and total where they have one, are plain sums of items.

    Parameters
    ----------
    definition : of the measure.
    values : by item code; None = missing.
    options : none enters a sum; here because every scorer takes them.
    """
    source = definition.sources[0]
    subscores = {scale.code: sum_subscale(scale, values, source=source) for scale in definition.subscales}
    total = None if definition.low is None else sum_subscale(total_subscale(definition), values, source=source)
    return ScorerResult(subscores, total)


def score_steps(definition: Definition, result: ScorerResult) -> tuple[str, ...]:
    """One sentence per subscore and one for the total: its value, or what is missing."""
    scored = [
        (scale, result.subscores[scale.code]) for scale in definition.subscales if scale.code in result.subscores
    ]
    if result.total is not None:
        scored.append((total_subscale(definition), result.total))
    return tuple(f"{scale.label}: {score_text(scale, sub)}" for scale, sub in scored)


def score_text(subscale: Subscale, sub: SubScore) -> str:
    """The value of a subscore in words."""
    if sub.value is not None:
        unit = f" {subscale.unit}" if subscale.unit else f" of {sub.high:g}"
        return f"{sub.value:g}{unit}" + (" (censored)" if sub.status == CENSORED else "")
    if sub.status != ND:
        return sub.status
    return f"not determinable, {sub.n_valid} of {sub.n_items} items"
