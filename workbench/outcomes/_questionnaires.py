"""Shared by the scorers of questionnaires: numbered items, and means of the answered items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.outcomes._contract import Item, Value
from workbench.outcomes._scoring import numeric_values

NA = "NA"
"""The answer that an item does not apply."""
UNKNOWN = "unknown"
YES_NO = ("no", "yes", UNKNOWN)
"""Answers of the basic data sets."""


def numbered_items(
    labels: Sequence[str], allowed: tuple[int | str, ...], *, codes: tuple[str, ...] = ()
) -> tuple[Item, ...]:
    """Items ``q1``, ``q2``, …, all with the same values.

    Parameters
    ----------
    labels : one for each item.
    allowed, codes : as of :class:`Item`.
    """
    return tuple(Item(f"q{number}", text, allowed, codes) for number, text in enumerate(labels, start=1))


def missing_items(codes: Iterable[str], values: Mapping[str, Value | None]) -> tuple[str, ...]:
    """Those of the codes without any answer; a text answer such as ``"NA"`` is an answer."""
    return tuple(code for code in codes if values[code] is None)


def band_of(value: float, bands: Sequence[tuple[float, str]]) -> str:
    """The name of the band that contains a value; each band begins at its number."""
    return [word for least, word in bands if value >= least][-1]


def mean_answered(codes: Iterable[str], values: Mapping[str, Value | None], *, least: int) -> float | None:
    """Mean of the numbers among those items, None when there are too few.

    Parameters
    ----------
    codes : of the items.
    values : by item code; None and text codes are not numbers.
    least : fewest numbers from which a mean is formed, 1 or more.
    """
    answers = numeric_values(codes, values)
    return sum(answers) / len(answers) if len(answers) >= max(least, 1) else None
