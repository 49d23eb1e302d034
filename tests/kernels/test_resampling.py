"""The polyphase sums against zeros in between and the whole filter."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench.kernels.resampling import polyphase


def python(kernel):
    """The kernel as Python runs it."""
    return getattr(kernel, "py_func", kernel)


def case(up, n_taps=5, n_channels=3):
    """Rows of which the first ``n_taps - 1`` are the first sample, held; taps, oldest sample first."""
    rng = np.random.default_rng(up)
    samples, taps = rng.normal(50, 10, (23, n_channels)), rng.normal(0, 1, (up, n_taps))
    return np.concatenate([np.repeat(samples[:1], n_taps - 1, axis=0), samples]), taps


@pytest.mark.parametrize(("up", "down"), [(1, 1), (1, 4), (3, 1), (5, 3), (4, 9), (2, 60)])
@pytest.mark.parametrize("n_taps", [1, 5])
def test_it_is_the_whole_filter_over_zeros_in_between(up, down, n_taps):
    rows, taps = case(up, n_taps)
    out = np.empty((-(-23 * up // down), 3))
    polyphase(rows, taps, (n_taps - 1) * up, down, out)
    expected = naive.resampled(rows[n_taps - 1 :], taps[:, ::-1].T.ravel(), up, down)
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-11)


def test_each_sum_runs_from_the_oldest_sample_to_the_newest():
    rows, taps = case(4)
    out = np.empty((30, 3))
    polyphase(rows, taps, 17, 3, out)
    for k in range(30):
        row, phase = divmod(17 + 3 * k, 4)
        for channel in range(3):
            total = 0.0
            for i in range(5):
                total = total + taps[phase, i] * rows[row - 4 + i, channel]
            assert out[k, channel] == total


def test_compiled_and_interpreted_give_the_same_bits():
    rows, taps = case(5)
    made = []
    for run in (polyphase, python(polyphase)):
        out = np.empty((20, 3))
        run(rows, taps, 21, 4, out)
        made.append(out)
    assert np.array_equal(*made)
