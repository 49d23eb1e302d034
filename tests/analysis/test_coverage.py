"""Printed intervals cover as they say; `workbench stress coverage` simulates each of them thousands of times."""

from __future__ import annotations

import pytest

from workbench.analysis import coverage


@pytest.fixture(scope="module")
def rows():
    return coverage.simulate(n=150, seed=2)


@pytest.mark.job
def test_every_printed_interval_covers_and_the_own_mdc_is_exceeded_as_rarely_as_it_says(rows):
    assert [(row.interval, row.size, row.simulated) for row in rows if not row.held] == []
    assert sum(row.at_most for row in rows) == 3


def test_the_intervals_of_the_first_version_would_be_found_out():
    """Resampled trials covered 77 % of F1 at five runs of 20; 1.96 in the MDC gave 5.6 % with 5 people."""
    assert not coverage.Row("event F1", "5 runs", 0.95, 0.77, 300).held
    assert not coverage.Row("own MDC", "5 people", 0.025, 0.056, 4000, at_most=True).held


def test_a_row_that_misses_is_marked_in_the_table(rows):
    lines = coverage.table([coverage.Row("x", "n", 0.95, 0.5, 100), rows[0]]).splitlines()
    assert lines[2] == "| x | n | ≥ 95 % | 50.0 % **missed** | 100 |"
    assert "missed" not in lines[3]
