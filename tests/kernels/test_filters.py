"""Streaming filters against their twins and against SciPy."""

from __future__ import annotations

import numpy as np
from scipy import signal

from tests import naive
from workbench.kernels.filters import bank, bipolar, cascade, common_average


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


def twice(state):
    return state[:, 0].copy(), state[:, 1].copy()


def test_a_cascade_filters_every_lane_with_its_own_coefficients():
    x = noise(30, 3)
    one, _ = sections(3)
    two, _ = sections(3, low=15.0, high=25.0)
    both = np.concatenate([one, two], axis=2)
    state = noise(4, 12, seed=1).reshape(4, 2, 6)
    first, second = twice(state)
    out = np.empty((30, 6))
    cascade(x, both, first, second, out)
    expected, after = naive.cascade(x, both, state)
    assert np.array_equal(out, expected)
    assert np.array_equal(np.stack([first, second], axis=1), after)


def test_a_bank_gives_the_same_bits_band_after_band():
    x = noise(30, 3)
    one, _ = sections(3)
    two, _ = sections(3, low=15.0, high=25.0)
    state = noise(4, 12, seed=1).reshape(4, 2, 6)
    expected, after = naive.cascade(x, np.concatenate([one, two], axis=2), state)
    first, second = (np.ascontiguousarray(s.reshape(4, 2, 3).transpose(1, 0, 2)) for s in twice(state))
    out = np.empty((30, 2, 3))
    bank(x, np.stack([one[:, :, 0], two[:, :, 0]]), first, second, out)
    assert np.array_equal(out.reshape(30, 6), expected)
    assert np.array_equal(first.transpose(1, 0, 2).reshape(4, 6), after[:, 0])
    assert np.array_equal(second.transpose(1, 0, 2).reshape(4, 6), after[:, 1])


def test_compiled_and_interpreted_give_the_same_bits():
    x = noise(25, 4)
    co, _ = sections(8)
    made = []
    for run in (cascade, python(cascade)):
        first, second, out = np.ones((4, 8)), np.ones((4, 8)), np.empty((25, 8))
        run(x, co, first, second, out)
        made.append((out, first, second))
    assert all(np.array_equal(a, b) for a, b in zip(*made, strict=True))


def test_no_section_copies():
    x, out = noise(5, 2), np.empty((5, 4))
    cascade(x, np.empty((0, 5, 4)), np.empty((0, 4)), np.empty((0, 4)), out)
    assert np.array_equal(out, np.concatenate([x, x], axis=1))


def test_carried_state_makes_chunks_invisible():
    x = noise(60, 2)
    co, sos = sections(2)
    state, out = (np.zeros((4, 2)), np.zeros((4, 2))), np.empty((60, 2))
    for start, stop in ((0, 1), (1, 1), (1, 30), (30, 60)):
        cascade(x[start:stop], co, *state, out[start:stop])
    np.testing.assert_allclose(out, signal.sosfilt(sos, x, axis=0), atol=1e-12)
