"""What a method gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from workbench.estimation.results import EstimateRow, MeanRow
from workbench.messages import Message

Columns = dict[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a method gives: estimates, means, sentences for the reader, and keys of rows beside those selected."""

    estimates: tuple[EstimateRow, ...]
    means: tuple[MeanRow, ...] = ()
    notes: tuple[str | Message, ...] = ()
    rows: tuple[str, ...] = field(default=())
