"""What every outcome measure is: a definition with explicit value lists, and a pure scorer with steps."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from workbench.errors import BadValue

OK, ND, CENSORED, STRUCTURAL, INVALID = "ok", "ND", "censored", "structural", "invalid"
STATUSES = (OK, ND, CENSORED, STRUCTURAL, INVALID)
"""``ND`` not determinable (a missing item), ``censored`` at a cap, ``structural`` never asked by design."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item.

    Attributes
    ----------
    code : what is stored.
    words : a short generic descriptor, no licensed wording.
    allowed : the explicit list of values.
    codes : further values that are text, such as ``"NT"``; a sum with one is not determinable.
    """

    code: str
    words: str
    allowed: tuple[int, ...]
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscale:
    """A subscore: which items enter it, and its range ``low``–``high``."""

    code: str
    words: str
    items: tuple[str, ...]
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Definition:
    """One measure in one version.

    Attributes
    ----------
    name, version, title : of the measure.
    items, subscales : in order of administration.
    low, high : range of the total.
    direction : of better, ``"up"`` or ``"down"``.
    sides : ``("left", "right")`` when each side is an administration of its own, else ``("",)``.
    missing : the rule for missing items, one sentence.
    licence : what may be held, one sentence.
    sources : references.
    extras : items that are recorded beside the others and enter no sum.
    """

    name: str
    version: str
    title: str
    items: tuple[Item, ...]
    subscales: tuple[Subscale, ...]
    low: int
    high: int
    direction: str
    sides: tuple[str, ...]
    missing: str
    licence: str
    sources: tuple[str, ...]
    extras: tuple[Item, ...] = ()

    def item(self, code: str) -> Item:
        """The item of that code. Raises BadValue with the codes there are."""
        for item in (*self.items, *self.extras):
            if item.code == code:
                return item
        codes = ", ".join(item.code for item in (*self.items, *self.extras))
        raise BadValue(f"{self.name} {self.version} has no item {code!r}; allowed: {codes}")


@dataclass(frozen=True, slots=True)
class SubScore:
    """A number and what it rests on.

    Attributes
    ----------
    value : None unless the status is ``"ok"`` or ``"censored"``.
    status : one of :data:`STATUSES`.
    n_items, n_valid : items that enter it, and those with a value.
    implied : codes of the items whose value a protocol rule implied.
    rule, rule_source : how it was formed, and where that stands.
    """

    value: int | float | None
    status: str
    n_items: int
    n_valid: int
    low: int
    high: int
    rule: str
    rule_source: str
    implied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer returns; :meth:`to_json` is what the record stores.

    Attributes
    ----------
    measure, version : of the definition.
    total : the measure's total.
    subscores : by code of the subscale.
    items : values that entered, by code; None = missing.
    administered, implied : codes with a value that was observed, or implied by a protocol rule.
    steps : how the numbers came about, one sentence each.
    warnings : what a reader has to know.
    classes : results that are no numbers, by name; empty for most measures and then not stored.
    """

    measure: str
    version: str
    total: SubScore
    subscores: Mapping[str, SubScore]
    items: Mapping[str, int | str | None]
    administered: tuple[str, ...]
    implied: tuple[str, ...]
    steps: tuple[str, ...]
    warnings: tuple[str, ...]
    classes: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data: dicts, lists, text, numbers, None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain if plain["classes"] else {key: value for key, value in plain.items() if key != "classes"}


class OutcomeMeasure(Protocol):
    """An entry of the register: a definition and a pure scorer."""

    @property
    def definition(self) -> Definition:
        """Items, ranges, direction, missing rule, licence, version."""

    def score(self, items: Mapping[str, Any], *, implied: Iterable[str] = (), skip_rule: bool = False) -> Score:
        """Score one administration: see :func:`workbench.outcomes.score`."""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def check_items(definition: Definition, items: Mapping[str, Any]) -> dict[str, int | None]:
    """Every item of the definition with its value as int, None where missing or absent.

    Raises
    ------
    BadValue
        An unknown code, or a value outside the item's list (True, 2.0 and "2" are no values).
    """
    for code in items:
        definition.item(code)
    return {item.code: _value(definition, item, items.get(item.code)) for item in definition.items}


def _value(definition: Definition, item: Item, value: Any) -> int | None:
    if value is None:
        return None
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or int(value) not in item.allowed:
        allowed = ", ".join(str(number) for number in item.allowed)
        raise BadValue(
            f"{definition.name} item {item.code} must be one of {allowed}, got {value!r}; empty when missing"
        )
    return int(value)


def add_up(
    subscale: Subscale, values: Mapping[str, int | None], *, implied: Iterable[str], rule_source: str
) -> SubScore:
    """Sum of the subscale's items; ND when one is missing, never prorated."""
    present = [value for code in subscale.items if (value := values[code]) is not None]
    complete = len(present) == len(subscale.items)
    return SubScore(
        value=sum(present) if complete else None,
        status=OK if complete else ND,
        n_items=len(subscale.items),
        n_valid=len(present),
        low=subscale.low,
        high=subscale.high,
        rule=f"sum of {len(subscale.items)} items; not determinable when one is missing",
        rule_source=rule_source,
        implied=tuple(code for code in subscale.items if code in set(implied)),
    )
