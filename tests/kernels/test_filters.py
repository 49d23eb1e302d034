"""Streaming filters against their twins and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from tests import naive
from workbench.kernels.filters import bipolar, cascade, common_average, steady


def python(kernel):
    """The kernel as Python runs it."""
    return getattr(kernel, "py_func", kernel)


def sections(n_lanes, fs=200.0, low=8.0, high=30.0):
    sos = signal.butter(4, (low, high), "bandpass", fs=fs, output="sos")
    return np.repeat(sos[:, [0, 1, 2, 4, 5], None], n_lanes, axis=2).copy(), sos


def noise(n_times, n_channels, seed=0):
    return np.random.default_rng(seed).normal(0, 10, (n_times, n_channels))


def test_bipolar_lanes_are_differences():
    x = noise(20, 4)
    out = np.empty((20, 2))
    bipolar(x, np.array([0, 3]), np.array([1, 2]), out)
    assert np.array_equal(out, naive.bipolar(x, [(0, 1), (3, 2)]))


def test_the_common_average_takes_the_mean_of_each_sample():
    x = noise(20, 5)
    out = np.empty_like(x)
    common_average(x, out)
    np.testing.assert_allclose(out, naive.common_average(x), atol=1e-13)


def test_a_cascade_filters_every_lane_with_its_own_coefficients():
    x = noise(30, 3)
    one, _ = sections(3)
    two, _ = sections(3, low=15.0, high=25.0)
    both = np.concatenate([one, two], axis=2)
    state, out = np.zeros((4, 2, 6)), np.empty((30, 6))
    cascade(x, both, state, out)
    expected, after = naive.cascade(x, both, np.zeros((4, 2, 6)))
    assert np.array_equal(out, expected)
    assert np.array_equal(state, after)


def test_compiled_and_interpreted_give_the_same_bits():
    x = noise(25, 4)
    co, _ = sections(8)
    made = []
    for run in (cascade, python(cascade)):
        state, out = np.ones((4, 2, 8)), np.empty((25, 8))
        run(x, co, state, out)
        made.append((out, state))
    assert np.array_equal(made[0][0], made[1][0])
    assert np.array_equal(made[0][1], made[1][1])


def test_no_section_copies():
    x, out = noise(5, 2), np.empty((5, 4))
    cascade(x, np.empty((0, 5, 4)), np.empty((0, 2, 4)), out)
    assert np.array_equal(out, np.concatenate([x, x], axis=1))


def test_carried_state_makes_chunks_invisible():
    x = noise(60, 2)
    co, sos = sections(2)
    state, out = np.zeros((4, 2, 2)), np.empty((60, 2))
    for first, last in ((0, 1), (1, 1), (1, 30), (30, 60)):
        cascade(x[first:last], co, state, out[first:last])
    np.testing.assert_allclose(out, signal.sosfilt(sos, x, axis=0), atol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_the_steady_state_of_the_first_sample_makes_no_transient(offset):
    co, sos = sections(2)
    rest = np.repeat(signal.sosfilt_zi(sos)[:, :, None], 2, axis=2).copy()
    state, out = np.zeros((4, 2, 2)), np.empty((40, 2))
    steady(np.array([offset, -offset]), rest, state)
    cascade(np.full((40, 2), offset) * [1, -1], co, state, out)
    assert np.abs(out).max() <= 1e-12 * max(offset, 1.0)
