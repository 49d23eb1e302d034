"""Statistics of a block of samples against their twin."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench.kernels.quality import N_STATISTICS, combine, gather, turning

ANGLES = 2 * np.pi * 10 / 80 * np.arange(80)
WAVES = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def hostile():
    """``(80, 8)``: noise, a constant, limits that are reached, values that are missing, a line, a plateau."""
    rng = np.random.default_rng(0)
    x = rng.normal(100, 5, (80, 8))
    x[:, 1] = 3.0
    x[:, 2] = np.clip(x[:, 2], 97, 103)
    x[10:20, 3], x[:4, 3] = np.nan, np.inf
    x[:, 4] = 20 * np.sin(ANGLES) + rng.normal(0, 1, 80)
    x[:, 5] = np.nan
    x[30:60, 6] = x[30, 6]
    x[:25, 7], x[60:, 7] = x[0, 7], x[59, 7]
    return x


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("cuts", [(), (1, 2, 40), range(1, 80)])
def test_a_block_equals_its_twin_however_it_is_cut(known, cuts):
    x = hostile()
    last = np.stack([x[0] if known else np.zeros(8), np.full(8, float(known))], axis=1)
    last[~np.isfinite(last[:, 0]), 0] = 100.0
    befores = [value if known else None for value in last[:, 0]]
    block = np.zeros((8, N_STATISTICS))
    for first, stop in zip([0, *cuts], [*cuts, 80], strict=True):
        gather(x[first:stop], np.ones(8), WAVES[first:], last, block)
    twin = [naive.gathered(column, before, WAVES) for column, before in zip(x.T, befores, strict=True)]
    np.testing.assert_allclose(block, twin, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n", [7, 20, 45, 61, 80])
def test_blocks_make_the_statistics_that_their_samples_have(n):
    x, n_block, angle = hostile()[:n], 20, 2 * np.pi * 10 / 80
    x[:4, 3] = 100.0  # what has no good value before it is left out of a block, but not of the line's time
    sums = np.concatenate([np.zeros((1, 2)), np.cumsum(WAVES[:n_block], axis=0)])
    ring, last, out = np.zeros((3, 8, N_STATISTICS)), np.zeros((8, 2)), np.empty((8, 6))
    for first in range(0, n, n_block):
        block = ring[first // n_block % 3]
        block[:] = 0.0
        gather(x[first : first + n_block], np.ones(8), WAVES, last, block)
    newest, place = divmod(n - 1, n_block)
    combine(ring, newest, place + 1, n_block, WAVES[n_block], sums, out)
    twin = [naive.combined(column, n_block * max(0, newest - 2), angle) for column in x.T]
    np.testing.assert_allclose(out, twin, rtol=1e-9, atol=1e-9)


def test_each_channel_has_a_factor_to_the_unit_that_it_is_judged_in():
    x, block = np.array([[1e-6, 2.0], [3e-6, 4.0], [2e3, 2e3]]), np.zeros((2, N_STATISTICS))
    gather(x, np.array([1e6, 1.0]), WAVES, np.zeros((2, 2)), block)
    # 2 kV are missing, 2 mV are not.
    np.testing.assert_allclose(block[:, [0, 1, 5, 6]], [[1, 3, 1, 3], [0, 3, 2, 2000]])


@pytest.mark.parametrize("angle", [1e-4, 0.5, 1.3, 2.2, 3.1])
def test_the_line_turns_by_its_angle(angle):
    out = np.zeros((3000, 2))
    turning(angle, out)
    angles = angle * np.arange(3000)
    np.testing.assert_allclose(out, np.stack([np.cos(angles), np.sin(angles)], axis=1), rtol=0.0, atol=1e-8)
