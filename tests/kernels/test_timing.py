"""The loop that removes jitter."""

from __future__ import annotations

import numpy as np
import pytest

from tests import naive
from workbench.kernels.timing import AGE, KNOWN, LOST, ROW, USUAL, dejitter, follow, tally
from workbench.kernels.timing import PERIOD as PERIOD_AT

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


FOLLOWED = {
    "complete bursts": lambda rng, n: np.repeat(rng.exponential(0.02, n // 10), 10),
    "noise": lambda rng, n: rng.normal(0.0, 0.004, n),
    "a loss": lambda rng, n: rng.normal(0.0, 0.002, n) + 0.3 * (np.arange(n) >= n // 2),
    "set back": lambda rng, n: rng.normal(0.0, 0.002, n) - 5.0 * (np.arange(n) >= n // 2),
    "back and forth": lambda rng, n: np.repeat(rng.choice([-0.2, 0.0, 0.2], n // 50), 50),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_the_loop_that_separates_jitter_from_loss_equals_its_twin(name):
    n, confirm = 1500, 100
    raw = 100 + np.arange(n) * PERIOD * 1.001 + FOLLOWED[name](np.random.default_rng(4), n)
    constants = np.array([GAIN, GAIN**2 / 4, 0.02, 0.95 * PERIOD, 1.05 * PERIOD, 1.0, confirm, 100, 0.001])
    loop, out, missing, late = np.zeros(15), np.empty(n), np.empty(n), np.empty(n)
    loop[PERIOD_AT] = PERIOD
    jumps = follow(raw, constants, loop, out, missing, late)
    twin = naive.Follower(
        PERIOD, GAIN, 0.02, limits=(0.95, 1.05), jitter=1.0, confirm=confirm, first=100, step=0.001
    )
    made = [twin.take(float(now)) for now in raw]
    np.testing.assert_allclose(out, [stamp for stamp, _ in made], rtol=0, atol=1e-9)
    np.testing.assert_allclose(missing, [jump for _, jump in made], rtol=0, atol=1e-9)
    assert jumps == sum(jump != 0.0 for _, jump in made)
    np.testing.assert_allclose(late, raw - out, rtol=0, atol=0)


def test_a_jump_that_is_known_beforehand_needs_no_candidate_and_counted_loss_only_where_the_stamps_say_so():
    constants = np.array([GAIN, GAIN**2 / 4, 0.02, 0.95 * PERIOD, 1.05 * PERIOD, 1.0, 100, 100, 0.001])
    for index, moved in ((KNOWN, 0.3), (LOST, 0.3), (LOST, 0.0)):
        loop = np.zeros(15)
        loop[PERIOD_AT] = PERIOD
        before = 100 + np.arange(400) * PERIOD
        follow(before, constants, loop, *(np.empty(400) for _ in range(3)))
        loop[index] = 0.3
        after = before[-1] + moved + np.arange(1, 4) * PERIOD
        out, missing, late = np.empty(3), np.empty(3), np.empty(3)
        assert follow(after, constants, loop, out, missing, late) == (moved > 0)
        np.testing.assert_allclose(out, after, rtol=0, atol=1e-6)
        np.testing.assert_allclose(missing, [moved, 0.0, 0.0], rtol=0, atol=1e-9)


def test_a_burst_after_a_long_even_stretch_begins_the_count_of_bursts_again():
    constants = np.array([GAIN, GAIN**2 / 4, 0.02, 0.95 * PERIOD, 1.05 * PERIOD, 1.0, 10, 10, 0.001])
    raw = 100 + np.arange(200) * PERIOD
    raw[150:] += 0.005
    loop, others = np.zeros(15), [np.empty(200) for _ in range(3)]
    loop[PERIOD_AT] = PERIOD
    follow(raw[:150], constants, loop, *(one[:150] for one in others))
    follow(raw[150:], constants, loop, *(one[:50] for one in others))
    assert loop[USUAL] == 0.0
    assert loop[ROW] == 0.0


def test_a_stamp_that_is_not_finite_moves_the_loop_by_a_period():
    constants = np.array([GAIN, GAIN**2 / 4, 0.02, 0.95 * PERIOD, 1.05 * PERIOD, 1.0, 100, 100, 0.001])
    loop, raw = np.zeros(15), np.array([np.nan, 5.0, 5.01, np.inf, 5.03])
    loop[PERIOD_AT] = PERIOD
    out, missing, late = np.empty(5), np.empty(5), np.empty(5)
    assert follow(raw, constants, loop, out, missing, late) == 0
    np.testing.assert_allclose(out, [0.0, 5.0, 5.01, 5.02, 5.03], atol=1e-9)
    assert late[3] == 0.0
    assert loop[AGE] > 0


def test_each_received_stamp_is_counted_in_the_bin_of_its_jitter():
    rng = np.random.default_rng(3)
    edges = np.concatenate([[0.0], 1e-5 * 1.1 ** np.arange(20)])
    jitter = np.concatenate([rng.normal(0, 3e-5, 50), edges, -edges, [0.0, -0.0, 1.0, 9.0]])
    stamps = np.arange(len(jitter), dtype=float)
    stamps[[3, -1]] = np.nan, np.inf
    counts = np.ones(len(edges), dtype=np.int64)
    largest = tally(stamps, jitter, edges, counts)
    sizes = [abs(size) for stamp, size in zip(stamps, jitter, strict=True) if np.isfinite(stamp)]
    expected = [1 + sum(low <= size < high for size in sizes) for low, high in zip(edges, [*edges[1:], np.inf])]
    assert counts.tolist() == expected
    assert largest == max(sizes) == 1.0
    assert tally(stamps[:0], jitter[:0], edges, counts) == 0.0
    assert counts.tolist() == expected
