"""Columns of a table as arrays: numbers with NaN where nothing is, labels as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.errors import BadValue, UnknownName
from workbench.messages import Message

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Columns = Mapping[str, Sequence[Any] | npt.NDArray[Any]]
"""A table: column name → values, all of one length; ``dict(frame)`` of a pandas frame is one."""
ABSENT = ("", "NA", "nan", "NaN", ".", "None")
"""What a cell of text holds where nothing is."""


def chosen(what: str, got: str, known: Iterable[str]) -> None:
    """Refuse a choice that there is not.

    Parameters
    ----------
    what : is chosen, for the sentence.
    got : choice.
    known : all there are.

    Raises
    ------
    UnknownName
        With those there are.
    """
    allowed = list(known)
    if got not in allowed:
        raise UnknownName(Message("statistics.choice", what=what, got=f"{got!r:.60}", known=allowed))


def column(table: Columns, name: str) -> Sequence[Any]:
    """The values of a column. Raises UnknownName with the columns there are."""
    if name not in table:
        raise UnknownName(Message("statistics.column", name=name, known=[str(one) for one in table]))
    values = list(table[name])
    if not values:
        raise BadValue(Message("statistics.empty"))
    return values


def picked(table: Columns, names: Iterable[str], rows: Ints) -> dict[str, list[Any]]:
    """Some rows of some columns.

    Parameters
    ----------
    table : all of them.
    names : of the columns.
    rows : ``(n,)`` places.
    """
    made = {}
    for name in names:
        values = column(table, name)
        made[name] = [values[i] for i in rows]
    return made


def numbers(table: Columns, name: str) -> Floats:
    """A column as numbers, NaN where a cell is absent.

    Raises
    ------
    BadValue
        For a cell that is neither a finite number nor absent.
    """
    return np.array([_number(value, name) for value in column(table, name)], dtype=np.float64)


def labels(table: Columns, name: str) -> list[str]:
    """A column as text. Raises BadValue where a cell is absent."""
    made = ["" if value is None else str(value) for value in column(table, name)]
    if any(one in ABSENT for one in made):
        raise BadValue(Message("statistics.label_absent", name=name))
    return made


def is_numeric(table: Columns, name: str) -> bool:
    """Whether every cell of a column is a number or absent, and one is a number."""
    try:
        return bool(np.isfinite(numbers(table, name)).any())
    except BadValue:
        return False


def finite(values: Sequence[float] | Floats, name: str, *, least: int) -> Floats:
    """Values as an array.

    Parameters
    ----------
    values : ``(n,)``.
    name : of them, for the sentence.
    least : how many are needed.

    Raises
    ------
    BadValue
        For fewer than ``least``, or one that is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) < least:
        raise BadValue(Message("statistics.few", name=name, got=int(array.size), least=least))
    if not np.isfinite(array).all():
        raise BadValue(Message("statistics.not_finite", name=name))
    return array


def _number(value: Any, name: str) -> float:
    if value is None or (isinstance(value, str) and value.strip() in ABSENT):
        return np.nan
    try:
        made = float(value)
    except (TypeError, ValueError):
        raise BadValue(Message("statistics.number", name=name, got=f"{value!r:.60}")) from None
    if np.isinf(made):
        raise BadValue(Message("statistics.number", name=name, got=str(made)))
    return made
