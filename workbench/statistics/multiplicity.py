"""Several hypotheses at one level: graphs of Bonferroni tests, of which a fixed sequence and Holm's are two.

Reference, from memory: Bretz, Maurer, Brannath and Posch 2009.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite
from typing import Self

from workbench.errors import BadValue
from workbench.messages import Message

ROOM = 1e-9
"""By which a sum of shares may exceed 1 through rounding."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph of hypotheses.

    Attributes
    ----------
    weights : ``(n,)`` shares of the level that each begins with, at most 1 together.
    transitions : ``(n, n)``; of the share of a hypothesis that is rejected, row i gives each other one its part.
    """

    weights: tuple[float, ...]
    transitions: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        n = len(self.weights)
        rows = (self.weights, *self.transitions)
        square = len(self.transitions) == n and all(len(row) == n for row in self.transitions)
        shares = square and all(isfinite(one) and one >= 0 for row in rows for one in row)
        if not shares or any(sum(row) > 1 + ROOM for row in rows):
            raise BadValue(Message("statistics.graph", n=n))
        if any(self.transitions[i][i] for i in range(n)):
            raise BadValue(Message("statistics.graph_loop"))

    @classmethod
    def fixed_sequence(cls, n: int) -> Self:
        """Each hypothesis is tested at the full level once the one before it was rejected."""
        rows = tuple(tuple(float(j == i + 1) for j in range(n)) for i in range(n))
        return cls(tuple(float(i == 0) for i in range(n)), rows)

    @classmethod
    def holm(cls, n: int) -> Self:
        """Holm's step-down procedure: all begin alike, and share what a rejected one had."""
        rows = tuple(tuple(float(i != j) / max(1, n - 1) for j in range(n)) for i in range(n))
        return cls((1 / n,) * n, rows)

    def without(self, gone: int) -> Graph:
        """The graph once a hypothesis was rejected: its share goes on, and so do the ways through it."""
        n, weights, rows = len(self.weights), list(self.weights), [list(row) for row in self.transitions]
        for i in range(n):
            weights[i] = 0.0 if i == gone else weights[i] + self.weights[gone] * self.transitions[gone][i]
            there_and_back = self.transitions[i][gone] * self.transitions[gone][i]
            for j in range(n):
                if gone in (i, j) or i == j or there_and_back >= 1:
                    rows[i][j] = 0.0
                else:
                    through = self.transitions[i][j] + self.transitions[i][gone] * self.transitions[gone][j]
                    rows[i][j] = through / (1 - there_and_back)
        return Graph(tuple(min(1.0, one) for one in weights), tuple(tuple(row) for row in rows))


def adjusted(p: Sequence[float], graph: Graph) -> list[float]:
    """Probabilities that are compared with the whole level: at most it, and the hypothesis is rejected.

    Parameters
    ----------
    p : ``(n,)`` of the single tests, in the order of the graph.
    graph : of the same n hypotheses.

    Raises
    ------
    BadValue
        For another number of hypotheses, or a probability that is none.
    """
    if len(p) != len(graph.weights) or not all(0 <= one <= 1 for one in p):
        raise BadValue(Message("statistics.graph", n=len(graph.weights)))
    left, highest, made, now = set(range(len(p))), 0.0, [1.0] * len(p), graph
    while left:
        ratios = {i: p[i] / now.weights[i] if now.weights[i] > 0 else inf for i in left}
        first = min(sorted(ratios), key=lambda i: ratios[i])
        if ratios[first] == inf:
            break
        highest = max(highest, min(1.0, ratios[first]))
        made[first] = highest
        left.remove(first)
        now = now.without(first)
    return made
