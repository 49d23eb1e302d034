"""A device's own counter: what it shows as missing is the same however its samples arrive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.signals.counter import SampleCounter


def missing(counts, cuts=()):
    counter, found = SampleCounter(), []
    edges = sorted({0, len(counts), *cuts})
    for first, last in zip(edges, edges[1:], strict=False):
        found += [(first + row, n) for row, n in counter.missing(np.asarray(counts[first:last], dtype=float))]
    return found


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([7, 8, 9], []),
        ([7, 8, 12, 13], [(2, 3)]),
        ([254, 255, 0, 1], []),
        ([250, 255, 3], [(1, 4), (2, 3)]),
        ([5, np.nan, 7, 8], []),
        ([np.nan, np.nan, 7, 8, 10], [(4, 1)]),
        ([100000, 100001, 50], [(2, -99952)]),
    ],
)
def test_a_step_that_is_not_one_is_a_loss_and_a_counter_that_begins_again_is_none(counts, expected):
    assert missing(counts) == expected


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=60), st.lists(st.booleans(), max_size=60),
    st.lists(st.integers(1, 59), max_size=8),
)  # fmt: skip
def test_any_chunking_finds_the_same_losses(steps, unseen, cuts):
    counts = np.cumsum(steps).astype(float) % 256
    counts[[row for row, gone in enumerate(unseen[: len(steps)]) if gone]] = np.nan
    assert missing(counts, [cut for cut in cuts if cut < len(counts)]) == missing(counts)
