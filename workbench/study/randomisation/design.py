"""What a protocol says of its randomisation, checked before anything is drawn."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal, Self, get_args

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.chain import canonical, clean_text
from workbench.study.nouns import UNSEEN, told

Kind = Literal["blocks", "simple", "minimisation"]
Measure = Literal["range", "variance"]

KEYS: Mapping[str, tuple[str, ...]] = {
    "blocks": ("kind", "ratio", "blocks", "strata", "slots"),
    "simple": ("kind", "ratio", "strata", "slots"),
    "minimisation": ("kind", "ratio", "strata", "factors", "measure", "p"),
}
"""What a ``[randomisation]`` table may hold, by its kind."""
NEEDED: Mapping[str, tuple[str, ...]] = {
    "blocks": ("blocks", "slots"),
    "simple": ("slots",),
    "minimisation": ("strata",),
}
MOST_ARMS, MOST_WEIGHT, MOST_BLOCKS, LARGEST_BLOCK = 20, 100, 20, 1000
MOST_FACTORS, MOST_LEVELS, LONGEST_NAME = 20, 200, 80
MOST_STRATA, MOST_SLOTS, MOST_IN_ALL = 5000, 10_000, 100_000
"""Strata of a list, slots of a stratum, slots of a list."""


@dataclass(frozen=True, slots=True)
class Design:
    """How participants come to their arms. Made from a protocol's table by :meth:`of`.

    Parameters
    ----------
    kind : ``blocks`` (permuted blocks) or ``simple``, each a list made beforehand; or ``minimisation``.
    ratio : arm → whole weight: ``{"stimulation": 2, "sham": 1}``.
    blocks : sizes of blocks, multiples of the ratio's sum; each block's size is drawn.
    strata : factor → levels; a list has a part for each combination. A minimisation balances these factors.
    slots : of each stratum of a list.
    factors : of a minimisation, factor → weight above 0.
    measure : of a minimisation: imbalance at a level as range or as variance over the arms.
    p : of a minimisation, 0.5 < p ≤ 1: probability of the arm that leaves the least imbalance. At 1 every arm
        that is no tie can be foretold.

    Raises
    ------
    BadValue
        In one sentence for each fault: what is wrong, what is allowed.
    """

    kind: Kind
    ratio: Mapping[str, int]
    blocks: tuple[int, ...] = ()
    strata: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    slots: int = 0
    factors: Mapping[str, float] = field(default_factory=dict)
    measure: Measure = "range"
    p: float = 0.8

    def __post_init__(self) -> None:
        for name in KEYS.get(_word(self.kind), ("kind",)):
            _CHECKS[name](self)
        if self.kind != "minimisation" and self.slots * self._combinations() > MOST_IN_ALL:
            n = f"{self.slots * self._combinations():,}"
            raise BadValue(Message("randomisation.too_many_slots", most=f"{MOST_IN_ALL:,}", n=n))

    @classmethod
    def of(cls, table: Mapping[str, Any], arms: Sequence[str]) -> Self:
        """The design that a ``[randomisation]`` table of plain data says.

        Parameters
        ----------
        table : keys of :data:`KEYS`. Without ``ratio`` all arms are equal, without ``factors`` all factors are.
        arms : of the protocol; the ratio names each.

        Raises
        ------
        BadValue
            For the first fault that is found.
        """
        if not isinstance(table, Mapping):
            raise BadValue(Message("randomisation.no_table", got=type(table).__name__))
        _check_keys(table)
        values = {name: _clean(value) for name, value in table.items()}
        names = _check_arms(arms)
        values.setdefault("ratio", dict.fromkeys(names, 1))
        if values["kind"] == "minimisation" and isinstance(values["strata"], Mapping):
            values.setdefault("factors", dict.fromkeys(values["strata"], 1))
        if not isinstance(values["ratio"], Mapping) or set(values["ratio"]) != set(names):
            raise BadValue(_ratio_fault(values["ratio"], names))
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The table that :meth:`of` reads back."""
        return {name: _plain(getattr(self, name)) for name in KEYS[self.kind]}

    def stratum(self, covariates: Mapping[str, str]) -> str:
        """The stratum of a participant: canonical JSON of factor → level.

        Parameters
        ----------
        covariates : the level of every factor, and nothing else.

        Raises
        ------
        BadValue
            When a factor is missing or unknown, or a level is none of the design's. Nothing was drawn then.
        """
        return canonical(self.levels(covariates))

    def levels(self, covariates: Mapping[str, str]) -> dict[str, str]:
        """The covariates, checked as by :meth:`stratum`, in normal form C.

        Parameters
        ----------
        covariates : the level of every factor, and nothing else.
        """
        if not isinstance(covariates, Mapping):
            raise BadValue(Message("randomisation.covariates", got=told(covariates)))
        if covariates.keys() == self.strata.keys() and all(
            covariates[factor] in allowed for factor, allowed in self.strata.items()
        ):
            return dict(covariates)
        given = {_clean(name): _clean(level) for name, level in covariates.items()}
        for factor, allowed in self.strata.items():
            if factor not in given or given[factor] is None or given[factor] == "":
                raise BadValue(Message("randomisation.missing_level", factor=factor, allowed=list(allowed)))
            if given[factor] not in allowed:
                got = told(given[factor])
                raise BadValue(
                    Message("randomisation.unknown_level", factor=factor, allowed=list(allowed), got=got)
                )
        if unknown := [name for name in given if name not in self.strata]:
            known = sorted(self.strata) or [Message("randomisation.none")]
            raise BadValue(Message("randomisation.unknown_factor", got=told(unknown[0]), known=known))
        return given

    def all_strata(self) -> list[str]:
        """Every stratum, factors and levels in the order of their code points."""
        factors = sorted(self.strata)
        combinations = product(*(sorted(self.strata[factor]) for factor in factors))
        return [canonical(dict(zip(factors, levels))) for levels in combinations]

    def _combinations(self) -> int:
        return math.prod(len(levels) for levels in self.strata.values())


# ------------------------------------------------------------------------------------ plain data
def _clean(value: Any) -> Any:
    """Texts in normal form C, lists as tuples; what is of another kind is left to the checks."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return tuple(clean_text(part) if isinstance(part, str) else part for part in value)
    if isinstance(value, Mapping):
        return {_clean(name): _clean(part) for name, part in value.items()}
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return list(value) if isinstance(value, tuple) else value


def unordered(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """A design's table without the order of levels and sizes of blocks, which no draw depends on.

    Parameters
    ----------
    table : as :meth:`Design.to_json` gives it.
    """
    try:
        strata = {factor: sorted(levels) for factor, levels in table["strata"].items()}
        return {**table, "strata": strata, "blocks": sorted(table.get("blocks", ()))}
    except (AttributeError, LookupError, TypeError):
        # What a record was changed to, and is no design, equals none.
        return table


def _check_keys(table: Mapping[str, Any]) -> None:
    kind = _word(table.get("kind"))
    if kind not in KEYS:
        raise BadValue(_kind_fault(table.get("kind")))
    every = {name for names in KEYS.values() for name in names}
    for name in table:
        if name not in every:
            raise BadValue(Message("randomisation.unknown_key", got=told(name), allowed=list(KEYS[kind])))
        if name not in KEYS[kind]:
            raise BadValue(Message("randomisation.other_kind", name=name, kind=kind))
    for name in NEEDED[kind]:
        if name not in table:
            raise BadValue(Message("randomisation.needed", name=name, kind=kind))


def _check_arms(arms: Sequence[str]) -> list[str]:
    listed = isinstance(arms, Sequence) and not isinstance(arms, str)
    names = [_clean(arm) for arm in arms] if listed else []
    different = len({repr(name) for name in names}) == len(names)
    if not 2 <= len(names) <= MOST_ARMS or not all(map(is_name, names)) or not different:
        raise BadValue(Message("randomisation.arms", most=MOST_ARMS, longest=LONGEST_NAME, got=told(arms)))
    return names


# ------------------------------------------------------------------------------------ checks
def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _is_whole(value: Any, least: int, most: int) -> bool:
    """Whether a value is an integer between bounds; a truth value is none."""
    return type(value) is int and least <= value <= most


def is_name(value: Any) -> bool:
    """Whether a text shows what it is."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_NAME
        and value == value.strip()
        and not any(unicodedata.category(character) in UNSEEN for character in value)
    )


def _kind_fault(got: Any) -> Message:
    return Message("randomisation.kind", allowed=list(KEYS), got=told(got))


def _ratio_fault(got: Any, arms: Sequence[str]) -> Message:
    return Message("randomisation.ratio", most=MOST_WEIGHT, arms=list(arms), got=told(got))


def _check_kind(design: Design) -> None:
    if _word(design.kind) not in KEYS:
        raise BadValue(_kind_fault(design.kind))


def _check_ratio(design: Design) -> None:
    ratio: Any = design.ratio
    if not isinstance(ratio, Mapping) or not all(_is_whole(weight, 1, MOST_WEIGHT) for weight in ratio.values()):
        raise BadValue(_ratio_fault(ratio, [str(arm) for arm in ratio] if isinstance(ratio, Mapping) else []))
    _check_arms(list(ratio))


def _check_blocks(design: Design) -> None:
    sizes: Any = design.blocks
    once = sum(design.ratio.values())
    fits = isinstance(sizes, tuple) and all(
        _is_whole(size, 1, LARGEST_BLOCK) and size % once == 0 for size in sizes
    )
    if not fits or not 1 <= len(sizes) <= MOST_BLOCKS or len(set(sizes)) < len(sizes):
        raise BadValue(
            Message("randomisation.blocks", n=MOST_BLOCKS, once=once, most=LARGEST_BLOCK, got=told(sizes))
        )


def _check_strata(design: Design) -> None:
    strata: Any = design.strata
    if not isinstance(strata, Mapping) or len(strata) > MOST_FACTORS or not all(map(is_name, strata)):
        raise BadValue(Message("randomisation.strata", most=MOST_FACTORS, longest=LONGEST_NAME, got=told(strata)))
    for factor, levels in strata.items():
        named = isinstance(levels, tuple) and all(map(is_name, levels))
        if not named or not 1 <= len(levels) <= MOST_LEVELS or len(set(levels)) < len(levels):
            got = told(levels)
            raise BadValue(
                Message("randomisation.levels", factor=factor, most=MOST_LEVELS, longest=LONGEST_NAME, got=got)
            )
    # A minimisation keeps no list, so that its combinations need not be counted.
    if design.kind != "minimisation" and design._combinations() > MOST_STRATA:
        raise BadValue(
            Message("randomisation.too_many_strata", most=f"{MOST_STRATA:,}", n=f"{design._combinations():,}")
        )


def _check_slots(design: Design) -> None:
    if not _is_whole(design.slots, 1, MOST_SLOTS):
        raise BadValue(Message("randomisation.slots", most=f"{MOST_SLOTS:,}", got=told(design.slots)))


def _check_factors(design: Design) -> None:
    factors: Any = design.factors
    named = isinstance(factors, Mapping) and set(factors) == set(design.strata) and len(factors) > 0
    if not named or not all(_is_number(weight) and 0 < weight <= MOST_WEIGHT for weight in factors.values()):
        known = sorted(design.strata) or [Message("randomisation.none")]
        raise BadValue(Message("randomisation.factors", known=known, most=MOST_WEIGHT, got=told(factors)))


def _check_measure(design: Design) -> None:
    if design.measure not in get_args(Measure):
        allowed = list(get_args(Measure))
        raise BadValue(Message("randomisation.measure", allowed=allowed, got=told(design.measure)))


def _check_p(design: Design) -> None:
    if not (_is_number(design.p) and 0.5 < design.p <= 1):
        raise BadValue(Message("randomisation.p", got=told(design.p)))


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


_CHECKS: Mapping[str, Callable[[Design], None]] = {
    "kind": _check_kind,
    "ratio": _check_ratio,
    "blocks": _check_blocks,
    "strata": _check_strata,
    "slots": _check_slots,
    "factors": _check_factors,
    "measure": _check_measure,
    "p": _check_p,
}
