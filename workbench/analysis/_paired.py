"""Two ways of judging the same trials, compared trial by trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.analysis._exact import Interval, binomial_tail, wilson
from workbench.errors import BadValue
from workbench.messages import Message

ALPHA = 0.05
"""Probability below which a difference is called one."""


@dataclass(frozen=True, slots=True)
class Paired:
    """The same trials judged twice.

    Attributes
    ----------
    n : trials. first, second : right in each. first_interval, second_interval : Wilson, 95 %.
    only_first, only_second : right in one and wrong in the other.
    p : exact two-sided probability of so uneven a split of those, if neither were better (McNemar 1947,
        doi:10.1007/BF02295996).
    """

    n: int
    first: int
    second: int
    first_interval: Interval
    second_interval: Interval
    only_first: int
    only_second: int
    p: float

    @property
    def verdict(self) -> Literal["better", "no different", "worse"]:
        """The first beside the second."""
        if self.p >= ALPHA:
            return "no different"
        return "better" if self.only_first > self.only_second else "worse"

    def line(self) -> str:
        """In words."""
        return (
            f"{self.verdict}: {self.first} and {self.second} of {self.n} right, {self.only_first} and "
            f"{self.only_second} of them in one alone, p = {self.p:.3f}"
        )


def paired(first: Sequence[bool], second: Sequence[bool]) -> Paired:
    """Compare whether each trial was right.

    Parameters
    ----------
    first, second : ``(n,)`` in the same order of trials, n above 0.

    Raises
    ------
    BadValue
        For no trials, or different numbers of them.
    """
    if len(first) != len(second) or not len(first):
        raise BadValue(Message("rate.paired", first=len(first), second=len(second)))
    n, right, other = len(first), sum(map(bool, first)), sum(map(bool, second))
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    uneven = binomial_tail(max(only_first, only_second), only_first + only_second, p=0.5)
    return Paired(
        n, right, other, wilson(right, n), wilson(other, n), only_first, only_second, min(1.0, 2.0 * uneven)
    )
