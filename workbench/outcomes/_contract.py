"""The contract of every outcome measure: definitions with explicit values, and scores with their steps."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Protocol, get_args

from workbench.errors import BadValue
from workbench.html_repr import card
from workbench.messages import Message

Status = Literal["ok", "ND", "censored", "structural", "invalid"]
"""``ND`` not determinable (a missing item), ``censored`` at a cap, ``structural`` never asked by design,
``invalid`` contradicted by another answer."""
OK: Final = "ok"
ND: Final = "ND"
CENSORED: Final = "censored"
STRUCTURAL: Final = "structural"
INVALID: Final = "invalid"
STATUSES: tuple[Status, ...] = get_args(Status)
Direction = Literal["up", "down"]
"""Direction of better."""

Value = int | float | str
"""Value of an item; None instead = missing, which never becomes 0."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item: a choice from an explicit list, or a measured quantity.

    Attributes
    ----------
    code : what is stored.
    label : a short generic descriptor, no licensed wording.
    allowed : the explicit list of values; empty for a measured quantity.
    codes : further values that are text, such as ``"NT"`` or ``"unable"``; they stand for no number.
    low, high : range of a measured quantity, both included.
    unit : of a measured quantity.
    """

    code: str
    label: str
    allowed: tuple[int | float | str, ...] = ()
    codes: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """A scoring decision that the protocol makes, such as a cap or a weighting.

    Attributes
    ----------
    name, label : of the option.
    default : used when it is not given; None = the protocol has to name it where the scorer needs it.
    allowed : the explicit list of values; empty when the scorer itself checks it.
    agree : whether both assessments of a change must have the same value. Every option declares it.
    parts : scores and results that the option affects, by code; empty = all of them.
    required : has no default, and entered values cannot be scored without it, such as a unit.
    """

    name: str
    label: str
    default: Any = None
    allowed: tuple[Any, ...] = ()
    agree: bool = field(kw_only=True)
    parts: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class Subscale:
    """A subscore: its items, its range ``low``–``high`` and, where it has one, its unit.

    ``direction`` of better is that of the measure when it is ``""``. ``least`` is the smallest number of answered
    items from which the published rule forms the score; 0 = all of them, the rule where none is published.
    """

    code: str
    label: str
    items: tuple[str, ...]
    low: float
    high: float
    unit: str = ""
    direction: Direction | Literal[""] = ""
    least: int = 0

    @property
    def min_answered(self) -> int:
        """Number of answered items below which the score is not determinable."""
        return self.least or len(self.items)


@dataclass(frozen=True, slots=True)
class Definition:
    """One measure in one version.

    Attributes
    ----------
    name, version, title : of the measure.
    items, subscales : in order of administration.
    low, high : range of the total; both None when the measure has no total.
    direction : of better, ``"up"`` or ``"down"``.
    sides : ``("left", "right")`` when each side is an administration of its own, else ``("",)``.
    missing : the rule for missing items, one sentence.
    licence : what may be included, one sentence.
    sources : references.
    extras : items that are recorded beside the others and enter no sum.
    options : scoring decisions of the protocol.
    modes : how it can be administered (``"observed"``, ``"interview"``, …); the assessment stores which.
    table : name of the licensed table a user has to supply before scores can be formed; ``""`` = none.
    notes : facts for the reader, each ending in its evidence mark ``[S]``, ``[T]``, ``[M]`` or ``[M?]``.
    domain : chapter of the catalogue.
    conditions : test conditions that both assessments of a change must share: code of an item or extra → the
        value that an empty entry stands for, None = not known. Every measure declares them, ``{}`` for none.
    noted : extras that may differ within a change and are then named beside it, such as the walking aid.
    least : as of :class:`Subscale`, of the total.
    """

    name: str
    version: str
    title: str
    items: tuple[Item, ...]
    subscales: tuple[Subscale, ...]
    low: float | None
    high: float | None
    direction: Direction
    sides: tuple[str, ...]
    missing: str
    licence: str
    sources: tuple[str, ...]
    extras: tuple[Item, ...] = ()
    options: tuple[Option, ...] = ()
    modes: tuple[str, ...] = ()
    table: str = ""
    notes: tuple[str, ...] = ()
    domain: str = ""
    conditions: Mapping[str, Value | None] = field(kw_only=True)
    noted: tuple[str, ...] = ()
    least: int = 0

    def check(self, code: str, value: Any) -> Value | None:
        """The value of one item as scoring takes it; None stays None. Forms call the same rule.

        Raises
        ------
        BadValue
            An item that the definition does not have, or a value that is not allowed.
        """
        return check_value(self.name, self.item(code), value)

    def item(self, code: str) -> Item:
        """The item of that code. Raises BadValue with the known codes."""
        for item in (*self.items, *self.extras):
            if item.code == code:
                return item
        codes = [item.code for item in (*self.items, *self.extras)]
        raise BadValue(
            Message("outcome.no_item", measure=self.name, version=self.version, item=repr(code), allowed=codes)
        )


def check_value(measure: str, item: Item, value: Any) -> Value | None:
    """The value of one item as int, float or text; None stays None.

    Parameters
    ----------
    measure : name, for the error.
    item : whose lists or range apply.
    value : as it was entered.

    Raises
    ------
    BadValue
        A value that is not allowed; the text lists the allowed ones.
    """
    if value is None or (isinstance(value, str) and value in (*item.allowed, *item.codes)):
        return value
    # In Python True is a number; it is not a score.
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if item.allowed:
        if is_number and isinstance(value, numbers.Integral) and int(value) in item.allowed:
            return int(value)
        if is_number and any(isinstance(number, float) and number == value for number in item.allowed):
            return float(value)
        allowed = Message("outcome.one_of", values=[str(value) for value in (*item.allowed, *item.codes)])
    else:
        if is_number and item.low <= value <= item.high:
            # Adding 0.0 turns -0.0 into 0.0, which would print and hash as another value.
            return int(value) if isinstance(value, numbers.Integral) else float(value) + 0.0
        low, high = f"{item.low:g}", f"{item.high:g}"
        allowed = Message("outcome.numbers", low=low, high=high)
        if item.unit:
            allowed = Message("outcome.range", low=low, high=high, unit=item.unit)
        for code in item.codes:
            allowed = Message("outcome.or", first=allowed, second=code)
    raise BadValue(Message("outcome.value", measure=measure, item=item.code, allowed=allowed, value=repr(value)))


@dataclass(frozen=True, slots=True)
class SubScore:
    """A number and its basis.

    Attributes
    ----------
    value : None unless the status is ``"ok"`` or ``"censored"``.
    status : one of :data:`STATUSES`.
    n_items, n_valid : items that enter it, and those with a value.
    rule, rule_source : how it was formed, and the source of the rule.
    implied : codes of the items whose value a protocol rule implied.
    imputed : codes of the missing items that the measure's own rule replaced.
    """

    value: int | float | None
    status: Status
    n_items: int
    n_valid: int
    low: float
    high: float
    rule: str
    rule_source: str
    implied: tuple[str, ...] = ()
    imputed: tuple[str, ...] = ()

    def text(self) -> str:
        """``34 (0 to 57)``, or the status in place of a number, with the items answered where some are missing."""
        value = self.status if self.value is None else f"{self.value:g}"
        answered = "" if self.n_valid == self.n_items else f", {self.n_valid} of {self.n_items} items"
        return f"{value} ({self.low:g} to {self.high:g}{answered})"


@dataclass(frozen=True, slots=True)
class ScorerResult:
    """The result of one measure's scorer, from which :class:`Measure` makes the :class:`Score`.

    ``total`` is None for a measure without one. ``values`` replaces the items that entered when a rule
    changed some, and ``implied`` names them.
    """

    subscores: Mapping[str, SubScore]
    total: SubScore | None = None
    steps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    classes: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Value | None] | None = None
    implied: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one administration; the record stores :meth:`to_json`.

    Attributes
    ----------
    measure, version : of the definition.
    total : the measure's total, None when it has none.
    subscores : by code of the subscale.
    items : values that entered, by code; None = missing.
    administered, implied : codes with a value that was observed, or implied by a protocol rule.
    steps : how the numbers were formed, one sentence each.
    warnings : cautions for the reader.
    alerts : findings that require immediate action, whatever the total.
    options : the protocol's options that were given; the others had the default of the definition.
    classes : results that are not numbers, by name.
    """

    measure: str
    version: str
    total: SubScore | None
    subscores: Mapping[str, SubScore]
    items: Mapping[str, Value | None]
    administered: tuple[str, ...]
    implied: tuple[str, ...]
    steps: tuple[str, ...]
    warnings: tuple[str, ...]
    alerts: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    classes: Mapping[str, Any] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        results = [] if self.total is None else [("total", self.total)]
        results += [(name.replace("_", " "), subscore) for name, subscore in self.subscores.items()]
        return card(
            "Score",
            f"{self.measure} {self.version}",
            [
                *((name, result.text()) for name, result in results),
                *((name, value) for name, value in self.classes.items() if isinstance(value, str)),
            ],
            remarks=[*self.alerts, *self.warnings],
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data: dicts, lists, text, numbers, None; alerts, options and classes only where there are any."""
        plain: dict[str, Any] = plain_data(asdict(self))
        # As in scores stored before these fields existed: scoring again gives equal data.
        return {k: v for k, v in plain.items() if v or k not in ("alerts", "options", "classes")}


class OutcomeMeasure(Protocol):
    """An entry of the register: definitions, the current one first, and a pure scorer."""

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """One of each version, the current one first."""

    @property
    def definition(self) -> Definition:
        """The current version."""

    def score(self, items: Mapping[str, Any], *, version: str = "", **options: Any) -> Score:
        """Score one administration: see :func:`workbench.outcomes.score`."""


def plain_data(value: Any) -> Any:
    """Dicts, lists, text, numbers and None from nested mappings and tuples; a table becomes its label and hash."""
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: plain_data(item) for key, item in value.items()}
    return [plain_data(item) for item in value] if isinstance(value, list | tuple) else value
