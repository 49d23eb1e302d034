"""A mixed model of a balanced trial is its analysis of variance, which holds the level."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.statistics.mixed import mixed

VISITS = 4


def reckoned(y, arm):
    """Difference of the arms at the last visit, its standard error and degrees of freedom, of trials at once.

    ``y`` is ``(n_trials, n_people, n_visits)`` without a gap, with as many people in either arm. The variance of
    an arm's mean at a visit is a sum of the mean squares between people and within them; its degrees of freedom
    are Satterthwaite's (1946, doi:10.2307/3002019).
    """
    n = y.shape[1] // 2
    arms = [y[:, arm == one] for one in (0, 1)]
    own = [of_arm.mean(axis=2, keepdims=True) for of_arm in arms]
    between, within = (
        sum((left**2).sum(axis=(1, 2)) for left in lefts)
        for lefts in (
            [mean - mean.mean(axis=1, keepdims=True) for mean in own],
            [
                of_arm - of_arm.mean(axis=1, keepdims=True) - mean + mean.mean(axis=1, keepdims=True)
                for of_arm, mean in zip(arms, own, strict=True)
            ],
        )
    )
    freely, inner = 2 * n - 2, (2 * n - 2) * (VISITS - 1)
    one, other = VISITS * between / freely, (VISITS - 1) * within / inner
    df = (one + other) ** 2 / (one**2 / freely + other**2 / inner)
    first, last = (of_arm[:, :, -1].mean(axis=1) for of_arm in arms)
    return last - first, np.sqrt((one + other) / VISITS * 2 / n), df


def drawn(draw, trials, n):
    """Trials with a random intercept as large as the noise, and no effect."""
    return draw.normal(size=(trials, 2 * n, 1)) + draw.normal(size=(trials, 2 * n, VISITS)), np.arange(2 * n) % 2


@pytest.mark.parametrize("n", [8, 20, 60])
def test_estimate_error_and_degrees_of_freedom_are_those_of_the_analysis_of_variance(n):
    visits = tuple(str(visit) for visit in range(VISITS))
    (y,), arm = drawn(np.random.default_rng(n), 1, n)
    table = {
        "id": np.repeat(np.arange(2 * n), VISITS),
        "arm": np.repeat(np.array(["a", "b"])[arm], VISITS),
        "visit": np.tile(visits, 2 * n),
        "y": y.ravel(),
    }
    fit = mixed(
        table, outcome="y", terms=("arm", "visit", "arm:visit"), participant="id", levels={"visit": visits}
    )
    got = fit.model.differences("arm", at={"visit": visits[-1]})["b", "a"]
    assert (got.value, got.se, got.df) == pytest.approx(
        [float(one[0]) for one in reckoned(y[None], arm)], rel=1e-9
    )


@pytest.mark.release
@pytest.mark.parametrize("n", [8, 20, 60])
def test_such_a_test_rejects_five_in_a_hundred_of_a_hundred_thousand_trials_without_an_effect(n):
    draw, rejected, trials = np.random.default_rng(1000 + n), 0, 100_000
    for _ in range(trials // 2000):
        difference, error, df = reckoned(*drawn(draw, 2000, n))
        rejected += int((np.abs(difference) > error * stats.t.ppf(0.975, df)).sum())
    # Six standard errors of such a count.
    assert abs(rejected / trials - 0.05) < 6 * np.sqrt(0.05 * 0.95 / trials)
