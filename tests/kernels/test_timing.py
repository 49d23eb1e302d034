"""The loop that removes jitter."""

from __future__ import annotations

import numpy as np

from tests import naive
from workbench.kernels.timing import dejitter

GAIN, PERIOD = 0.02, 0.01
CONSTANTS = np.array([GAIN, GAIN**2 / 4, 0.02, 0.95 * PERIOD, 1.05 * PERIOD])


def run(raw, offset=0.0):
    loop, out, missing = np.array([0.0, PERIOD, 0.0]), np.empty_like(raw), np.empty_like(raw)
    n = dejitter(raw, offset, CONSTANTS, loop, out, missing)
    return n, out, missing, loop


def test_the_loop_equals_its_twin():
    rng = np.random.default_rng(0)
    raw = 100 + np.arange(300) * PERIOD * 1.002 + rng.normal(0, 0.002, 300)
    raw[150:] += 0.5
    raw[220:] -= 3.0
    n, out, missing, _ = run(raw)
    expected, jumps = naive.dejitter(raw, PERIOD, GAIN, 0.02, (0.95, 1.05))
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-12)
    assert n == len(jumps) == 2
    assert np.flatnonzero(missing).tolist() == [row for row, _ in jumps] == [150, 220]


def test_the_offset_is_added():
    raw = np.arange(5) * PERIOD
    assert np.array_equal(run(raw, 7.0)[1], run(raw + 7.0)[1])


def test_the_period_stays_within_its_limits():
    raw = np.cumsum(np.full(5000, PERIOD * 1.2))
    *_, loop = run(raw)
    assert loop[1] == CONSTANTS[4]
    raw = np.cumsum(np.full(5000, PERIOD * 0.8))
    *_, loop = run(raw)
    assert loop[1] == CONSTANTS[3]
