"""Graphs of hypotheses, against the closed test that they abbreviate, and against two procedures by hand."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from workbench.errors import BadValue
from workbench.statistics.multiplicity import Graph, adjusted

GATE = Graph((0.5, 0.5, 0.0, 0.0), ((0, 0.5, 0.5, 0), (0.5, 0, 0, 0.5), (0, 1, 0, 0), (1, 0, 0, 0)))
"""Two primary hypotheses, each with a secondary one behind it."""


def closed(p, graph):
    """Adjusted by the definition: the largest of all intersections that hold the hypothesis."""
    n, made = len(p), [0.0] * len(p)
    for size in range(1, n + 1):
        for inside in combinations(range(n), size):
            own = graph
            for gone in set(range(n)) - set(inside):
                own = own.without(gone)
            least = min((p[i] / own.weights[i] for i in inside if own.weights[i] > 0), default=1.0)
            for i in inside:
                made[i] = max(made[i], min(1.0, least))
    return made


def test_a_graph_is_the_closed_test_of_its_weighted_bonferroni_tests():
    draw = np.random.default_rng(1)
    for _ in range(50):
        p = list(draw.random(4) ** 3)
        assert adjusted(p, GATE) == pytest.approx(closed(p, GATE))


def test_a_fixed_sequence_and_holm_are_graphs():
    assert adjusted([0.01, 0.2, 0.001], Graph.fixed_sequence(3)) == pytest.approx([0.01, 0.2, 0.2])
    assert adjusted([0.02, 0.01, 0.04], Graph.holm(3)) == pytest.approx([0.04, 0.03, 0.04])
    assert adjusted([0.3], Graph.holm(1)) == pytest.approx([0.3])


def test_a_hypothesis_behind_one_that_was_not_rejected_is_not_reached():
    assert adjusted([0.9, 0.9, 0.0, 0.0], GATE)[2:] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("weights", "rows"),
    [((0.6, 0.6), ((0, 1), (1, 0))), ((0.5, 0.5), ((0, 1.5), (1, 0))), ((0.5, -0.5), ((0, 1), (1, 0))),
     ((0.5, 0.5), ((0, 1),)), ((0.5, 0.5), ((0.5, 0.5), (1, 0)))],
)  # fmt: skip
def test_shares_beyond_the_whole_and_loops_are_refused(weights, rows):
    with pytest.raises(BadValue, match="graph"):
        Graph(weights, rows)
