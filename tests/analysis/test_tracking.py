"""A force that follows its levels is nearer to them than to the same levels in any other order."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from workbench.analysis import tracking
from workbench.vocabulary import Trial


def trial(index, target, forces, *, outcome="correct"):
    """A trial in which these forces were decoded."""
    forces = np.array(forces)
    result = {
        "target": target,
        "mean": float(forces.mean()),
        "rmse": float(np.sqrt(((forces - target) ** 2).mean())),
        "in_band": float((abs(forces - target) <= 0.1).mean()),
    }
    return Trial(index, f"force_{100 * target:.0f}", 0, 0.0, 100, outcome, result=result)


def run(levels, *, error=0.05, follows=True, seed=0):
    """Trials of these levels; a force that follows nothing stays about their mean."""
    rng, middle = np.random.default_rng(seed), float(np.mean(levels))
    return [trial(k, level, rng.normal(level if follows else middle, error, 20)) for k, level in enumerate(levels)]


LEVELS = [0.3, 0.6, 0.9] * 4


def test_error_and_variance_explained_are_those_of_all_judged_hops():
    rng = np.random.default_rng(1)
    forces = [rng.normal(level, 0.1, 20) for level in LEVELS]
    found = tracking([trial(k, *both) for k, both in enumerate(zip(LEVELS, forces))], seed_of="a")
    off = np.concatenate(forces) - np.repeat(LEVELS, 20)
    assert found.rmse == pytest.approx(np.sqrt((off**2).mean()))
    assert found.r_squared == pytest.approx(1 - (off**2).mean() / np.var(LEVELS))
    assert (found.n, found.levels) == (12, 3)
    assert found.rmse < found.limit
    assert f"RMSE {found.rmse:.3f}" in found.line()


def test_the_limit_is_that_of_all_orders_of_the_levels():
    levels = [0.2, 0.4, 0.6, 0.8, 1.0]
    rng = np.random.default_rng(2)
    forces = [rng.normal(level, 0.2, 30) for level in levels]
    found = tracking([trial(k, *both) for k, both in enumerate(zip(levels, forces))], seed_of="b")
    errors = sorted(
        np.sqrt(np.mean([((own - level) ** 2).mean() for own, level in zip(forces, order)]))
        for order in permutations(levels)
    )
    # The 6 lowest of 120 are 5 %.
    assert errors[3] <= found.limit <= errors[9]


@pytest.mark.job
def test_a_force_that_follows_nothing_stays_within_chance():
    below = [tracking(run(LEVELS, follows=False, seed=s), seed_of=str(s)) for s in range(200)]
    share = np.mean([one.rmse < one.limit for one in below])
    # Binomial about 5 % of 200, at 0.1 %.
    assert share <= 0.105
    assert max(one.r_squared for one in below) < 0.05


def test_what_cannot_be_judged_is_left_out():
    none = tracking([Trial(0, "force_30", 0, 0.0, 9, "missed", result={"rmse": None})], seed_of="c")
    assert (none.n, none.rmse, none.line()) == (
        0,
        None,
        "level tracking: no level was followed with sound evidence",
    )
    alike = tracking(run([0.5] * 4), seed_of="d")
    assert (alike.r_squared, alike.limit) == (None, None)
    excluded = trial(9, 0.3, [5.0], outcome="excluded")
    assert tracking([*run(LEVELS), excluded], seed_of="e") == tracking(run(LEVELS), seed_of="e")
