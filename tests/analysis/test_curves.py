"""The mean of several courses and its interval, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.analysis import mean_course
from workbench.errors import BadValue

NAN = float("nan")


def test_three_courses_by_hand():
    """0.4, 0.5, 0.6: mean 0.5, standard error 0.1/√3, t of 2 degrees of freedom 4.302653."""
    found = mean_course(np.array([[0.4], [0.5], [0.6]]))
    half = 4.302653 * 0.1 / 3**0.5
    assert found.n == 3
    assert (found.mean[0], found.low[0], found.high[0]) == pytest.approx((0.5, 0.5 - half, 0.5 + half), abs=1e-6)


def test_an_interval_does_not_leave_the_scale_and_needs_two_courses():
    found = mean_course(np.array([[0.0, 1.0, NAN], [0.9, 1.0, 0.3], [0.1, 0.2, NAN]]))
    assert found.low[0] == 0.0
    assert found.high[1] == 1.0
    assert (found.mean[2], found.low[2], found.high[2]) == (0.3, None, None)


def test_where_nothing_was_measured_there_is_no_mean():
    found = mean_course(np.array([[0.5, NAN], [0.5, NAN]]))
    assert (found.mean, found.low, found.high) == ((0.5, None), (0.5, None), (0.5, None))
    with pytest.raises(BadValue, match="two dimensions|shape"):
        mean_course(np.array([0.5, 0.5]))
