"""The energy of a wave grows with its amplitude and its frequency."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests import naive
from workbench.kernels.activity import teager_kaiser


def found(window):
    out = np.full(window.shape[1], np.nan)
    teager_kaiser(np.ascontiguousarray(window, dtype=float), out)
    return out.tolist()


@given(arrays(float, st.tuples(st.integers(0, 12), st.integers(1, 3)), elements=st.floats(-1e3, 1e3)))
def test_the_kernel_equals_its_twin(window):
    expected = naive.teager_kaiser(window.tolist()) if len(window) else [0.0] * window.shape[1]
    assert found(window) == pytest.approx(expected, rel=1e-12, abs=1e-6)


@pytest.mark.parametrize(("size", "hz"), [(1.0, 20.0), (3.0, 20.0), (1.0, 80.0)])
def test_the_energy_of_a_sine_is_that_of_its_amplitude_and_frequency(size, hz):
    turn = 2 * np.pi * hz / 1000.0
    wave = size * np.sin(turn * np.arange(500))
    assert found(wave[:, None]) == pytest.approx([(size * np.sin(turn)) ** 2], rel=1e-9)
