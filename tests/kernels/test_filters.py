"""Streaming filters against their twins and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from tests import naive
from workbench.kernels import generate
from workbench.kernels.filters import bank, bipolar, cascade, common_average, laplacian


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


@pytest.mark.parametrize("n_times", [1, 3, 4, 5, 20])
def test_the_common_average_takes_the_mean_of_each_sample(n_times):
    x = noise(n_times, 5)
    out = np.empty_like(x)
    common_average(x, out)
    np.testing.assert_allclose(out, naive.common_average(x), atol=1e-13)


def packed(state):
    """``(n_sections, 2, n_lanes)`` as the kernels keep it: state, even or odd, pair, lane."""
    padded = np.concatenate([state, np.zeros((len(state) % 2, *state.shape[1:]))])
    return np.ascontiguousarray(padded.reshape(-1, 2, 2, state.shape[2]).transpose(2, 1, 0, 3))


def unpacked(state, n_sections):
    return state.transpose(2, 1, 0, 3).reshape(-1, 2, state.shape[3])[:n_sections]


def case(n_sections):
    """Two bands over three inputs, as lanes, and states."""
    one, _ = sections(3)
    two, _ = sections(3, low=15.0, high=25.0)
    both = np.concatenate([one, two], axis=2)[:n_sections]
    return noise(31, 3), both, noise(n_sections, 12, seed=1).reshape(n_sections, 2, 6)


@pytest.mark.parametrize("n_sections", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("n_times", [0, 1, 2, 31])
def test_a_cascade_filters_every_lane_with_its_own_coefficients(n_sections, n_times):
    x, both, before = case(n_sections)
    state, out = packed(before), np.empty((n_times, 6))
    cascade(x[:n_times], np.ascontiguousarray(both), state, out)
    expected, after = naive.cascade(x[:n_times], both, before)
    assert np.array_equal(out, expected)
    assert np.array_equal(unpacked(state, n_sections), after)


@pytest.mark.parametrize("n_sections", [1, 2, 3, 4])
def test_a_bank_gives_the_same_bits_band_after_band(n_sections):
    x, both, before = case(n_sections)
    expected, after = naive.cascade(x, both, before)
    state = np.ascontiguousarray(packed(before).reshape(2, 2, -1, 2, 3).transpose(0, 1, 3, 2, 4))
    out = np.empty((31, 2, 3))
    bank(x, np.ascontiguousarray(both[:, :, [0, 3]].transpose(2, 0, 1)), state, out)
    assert np.array_equal(out.reshape(31, 6), expected)
    lanes = np.ascontiguousarray(state.transpose(0, 1, 3, 2, 4)).reshape(2, 2, -1, 6)
    assert np.array_equal(unpacked(lanes, n_sections), after)


def test_compiled_and_interpreted_give_the_same_bits():
    x, both, before = case(3)
    made = []
    for run in (cascade, python(cascade)):
        state, out = packed(before), np.empty((31, 6))
        run(x, both, state, out)
        made.append((out, state))
    assert all(np.array_equal(a, b) for a, b in zip(*made, strict=True))


def test_carried_state_makes_chunks_invisible():
    x = noise(60, 2)
    co, sos = sections(2)
    state, out = packed(np.zeros((4, 2, 2))), np.empty((60, 2))
    whole, at_once = packed(np.zeros((4, 2, 2))), np.empty((60, 2))
    for start, stop in ((0, 1), (1, 1), (1, 30), (30, 60)):
        cascade(x[start:stop], co, state, out[start:stop])
    cascade(x, co, whole, at_once)
    assert np.array_equal(out, at_once)
    assert np.array_equal(state, whole)
    np.testing.assert_allclose(out, signal.sosfilt(sos, x, axis=0), atol=1e-12)


def test_the_committed_sections_are_those_that_the_generator_writes(tmp_path, monkeypatch):
    assert generate.FILE.read_text(encoding="utf-8") == generate.source()
    monkeypatch.setattr(generate, "FILE", tmp_path / "sections.py")
    generate.main()
    assert (tmp_path / "sections.py").read_text(encoding="utf-8") == generate.source()


def test_a_small_laplacian_takes_the_mean_of_the_neighbours_away():
    x = noise(20, 5)
    lists = {0: [1, 2], 3: [0, 2, 4], 4: [3]}
    first = np.cumsum([0, *map(len, lists.values())])
    out = np.empty((20, 3))
    laplacian(x, np.array([*lists]), first, np.concatenate([*lists.values()]), out)
    np.testing.assert_allclose(out, naive.laplacian(x, lists), atol=1e-13)
