"""Channel statistics against their twin."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests import naive
from workbench.kernels.quality import cosine, mains, statistics


def table(samples, angle):
    held, out = np.empty(samples.T.shape), np.zeros((samples.shape[1], 6))
    statistics(samples, held, out)
    mains(held, cosine(angle), out)
    return out


def test_statistics_equal_their_twin():
    rng = np.random.default_rng(0)
    t = np.arange(80)
    angle = 2 * np.pi * 10 / 80
    x = rng.normal(100, 5, (80, 7))
    x[:, 1] = 3.0
    x[:, 2] = np.clip(x[:, 2], 97, 103)
    x[10:20, 3] = np.nan
    x[:4, 3] = np.inf
    x[:, 4] = 20 * np.sin(angle * t) + rng.normal(0, 1, 80)
    x[:, 5] = np.nan
    x[30:60, 6] = x[30, 6]
    np.testing.assert_allclose(table(x, angle), naive.statistics(x, angle), rtol=1e-9, atol=1e-9)


def test_a_pure_line_is_all_mains_and_noise_is_not():
    t = np.arange(200)
    angle = 2 * np.pi * 50 / 250
    x = np.stack([np.sin(angle * t), np.random.default_rng(1).normal(0, 1, 200)], axis=1)
    share = table(x, angle)[:, 4]
    assert share[0] == pytest.approx(1.0, abs=1e-9)
    assert share[1] < 0.1


def test_the_cosine_is_good_to_a_few_units():
    for angle in np.linspace(0, math.pi, 200):
        assert cosine(angle) == pytest.approx(math.cos(angle), abs=4e-16)
