"""The last two beginnings of a cycle are where a wave goes up through zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests import naive
from workbench.kernels.cycles import last_cycles


def found(wave, threshold):
    out = np.empty(2)
    last_cycles(np.ascontiguousarray(wave, dtype=float), threshold, out)
    return out.tolist()


@given(
    arrays(float, st.integers(0, 40), elements=st.sampled_from([-2.0, -1.0, -0.25, 0.0, 0.5, 3.0])),
    st.sampled_from([0.0, 0.5, 1.5]),
)
def test_the_kernel_equals_its_twin(wave, threshold):
    assert found(wave, threshold) == naive.last_cycles(wave.tolist(), threshold)


def test_a_sine_begins_where_it_is_zero_between_its_samples():
    t = np.arange(100)
    assert found(np.sin(2 * np.pi * (t - 30.4) / 40), 0.5) == pytest.approx([70.4, 30.4], abs=1e-2)


def test_noise_about_zero_begins_no_cycle():
    wave = np.r_[-np.ones(10), np.tile([0.1, -0.1], 10), np.ones(10)]
    assert found(wave, 0.5) == [pytest.approx(9 + 1 / 1.1), -1.0]
