"""Looks, sessions of one participant, crossover, pairs within sessions, stepped wedges."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import stats

from workbench.errors import BadValue, UnknownName
from workbench.statistics._estimates import Estimate
from workbench.statistics.crossover import Crossed, crossover, paired, stepped_wedge
from workbench.statistics.sequential import _up_to, boundaries, exits, looked, spent
from workbench.statistics.single_case import Design, Series, _inverted, single_case


# ------------------------------------------------------------------ looks
@pytest.mark.parametrize(
    ("spending", "printed"),
    [
        # Five even looks at 5 % by the program of Reboussin et al. 2000, doi:10.1016/S0197-2456(00)00057-X.
        ("obrien-fleming", [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
    ],
)
def test_boundaries_of_five_even_looks_are_the_published_ones(spending, printed):
    found = [one.z for one in boundaries([0.2, 0.4, 0.6, 0.8, 1], spending=spending)]
    assert found == pytest.approx(printed, abs=2e-4)


@pytest.mark.parametrize(
    ("looks", "pocock", "obrien"), [(2, 2.178, 1.977), (3, 2.289, 2.004), (4, 2.361, 2.024), (5, 2.413, 2.040)]
)
def test_the_constants_of_jennison_and_turnbull_use_up_the_level(looks, pocock, obrien):
    # Group Sequential Methods 2000, tables 2.1 and 2.3, to the three digits that they print.
    at = [(n + 1) / looks for n in range(looks)]
    assert exits(at, [pocock] * looks).sum() == pytest.approx(0.05, abs=1.1e-4)
    assert exits(at, [obrien / sqrt(t) for t in at]).sum() == pytest.approx(0.05, abs=1.1e-4)


def test_looks_that_spent_the_level_have_used_it_up_and_the_last_one_spends_the_rest():
    made = boundaries([0.3, 0.55, 1], alpha=0.04)
    assert exits([0.3, 0.55, 1], [one.z for one in made]).sum() == pytest.approx(0.04, rel=1e-7)
    assert spent(1.0, alpha=0.04) == pytest.approx(0.04)
    # A trial that ends with less than was planned still has its whole level.
    early = looked([0.3, 0.8], Estimate.of(1.0, 1.0), alpha=0.04, final=True).look
    assert exits([0.3, 0.8], [made[0].z, early.z]).sum() == pytest.approx(0.04, rel=1e-7)


def test_one_look_is_the_fixed_trial_with_its_own_p_and_interval():
    one = Estimate.of(2.2, 1.0, 12)
    found = looked([1.0], one, final=True)
    assert (found.low, found.high, found.p, found.value) == pytest.approx((one.low, one.high, one.p, one.value))


def test_a_trial_that_stops_later_for_the_same_statistic_has_the_larger_p_and_one_that_goes_on_has_none():
    first, second = Estimate.of(3.2, 1.0), Estimate.of(1.0, 1.0)
    stops = looked([0.5], first)
    assert stops.crossed
    assert stops.p == pytest.approx(first.p)
    goes_on = looked([0.5], second)
    assert (goes_on.crossed, goes_on.p, goes_on.value, goes_on.adjusted) == (False, None, None, None)
    last = looked([0.5, 1.0], Estimate.of(2.2, 1.0), final=True)
    assert last.p > Estimate.of(2.2, 1.0).p
    # The stagewise interval leaves 0 out exactly when the stagewise test rejects.
    assert (last.p <= 0.05) is not (last.adjusted[0] <= 0 <= last.adjusted[1])
    assert last.low < last.value < last.high


def test_what_stops_as_far_up_is_what_simulated_trials_do():
    draw, drift, n = np.random.default_rng(4), 1.3, 400_000
    times, bounds = (0.3, 0.7, 1.0), (2.6, 2.3)
    steps = np.diff((0.0, *times))
    sums = np.cumsum(draw.normal(drift * steps, np.sqrt(steps), size=(n, 3)), axis=1) / np.sqrt(times)
    on = np.abs(sums[:, 0]) < bounds[0]
    up = (sums[:, 0] >= bounds[0]) | (on & (sums[:, 1] >= bounds[1]))
    up |= on & (np.abs(sums[:, 1]) < bounds[1]) & (sums[:, 2] >= 1.5)
    assert _up_to(times, bounds, 1.5, drift) == pytest.approx(up.mean(), abs=4 * sqrt(0.25 / n))


@pytest.mark.parametrize("looks", [[], [0.5, 0.5], [0.5, 1.2], [0.0, 1.0], [0.7, 0.3], [float("nan")]])
def test_looks_that_do_not_ascend_are_refused(looks):
    with pytest.raises(BadValue, match="ascending shares of the planned information"):
        boundaries(looks)
    with pytest.raises(BadValue, match="between 0 and 1, got 1"):
        boundaries([1.0], alpha=1)
    with pytest.raises(UnknownName, match="obrien-fleming, pocock"):
        boundaries([1.0], spending="haybittle")


# ------------------------------------------------------------------ sessions of one participant
ABAB = (True,) * 3 + (False,) * 4 + (True,) * 3 + (False,) * 2


@pytest.mark.parametrize(
    ("design", "seen", "count"),
    [
        # Phases of at least 4 in 24 sessions: 165, as Onghena 1992 counts them. Runs of at most 2 in 8: 34.
        (Design("phases", least=4), ((True,) * 6 + (False,) * 6) * 2, 165),
        (Design("alternating", longest=2), (True, False) * 4, 34),
        (Design("complete"), (True, False) * 4, 70),
        (Design("blocks"), (True, False) * 4, 16),
        (Design("blocks", block=4), (True, False) * 4, 36),
    ],
)
def test_every_permitted_assignment_is_dealt_once_and_what_is_drawn_is_one_of_them(design, seen, count):
    every = {tuple(row) for row in design.every(seen).tolist()}
    assert len(every) == design.count(seen) == count
    assert seen in every
    assert all(design.permits(one) for one in every)
    chance = np.random.default_rng(1)
    assert all(tuple(design.draw(seen, chance)) in every for _ in range(20))


def test_complete_randomisation_of_sessions_is_the_permutation_test_of_two_samples():
    values, active = np.random.default_rng(3).normal(size=9), (True, False, False) * 3
    found = single_case([Series(values, active)], Design("complete"))
    on = np.array(active)
    theirs = stats.permutation_test(
        (values[on], values[~on]), lambda a, b, axis: a.mean(axis) - b.mean(axis), n_resamples=np.inf
    )
    assert found.p == pytest.approx(np.mean(np.abs(theirs.null_distribution) >= abs(theirs.statistic) - 1e-12))
    assert (found.value, found.permitted, found.exact) == (pytest.approx(theirs.statistic), 84, True)


@pytest.mark.parametrize("trend", [False, True])
def test_the_interval_ends_where_the_test_begins_to_reject(trend):
    values = np.random.default_rng(5).normal(size=12) + 2 * np.array(ABAB) + 0.1 * np.arange(12)

    def p(shift):
        moved = Series(values - shift * np.array(ABAB), ABAB)
        return single_case([moved], Design("phases", least=2), trend=trend).p

    found = single_case([Series(values, ABAB)], Design("phases", least=2), trend=trend, level=0.8)
    assert p(found.low + 1e-6) > 0.2 >= p(found.low - 1e-6)
    assert p(found.high - 1e-6) > 0.2 >= p(found.high + 1e-6)


def test_too_few_assignments_give_no_interval_and_say_what_p_they_can_give():
    found = single_case([Series(np.arange(6.0) ** 2, (True, False) * 3)], Design("blocks"))
    assert (found.low, found.high, found.least) == (None, None, 0.25)
    assert _inverted(np.ones(1), np.ones(1), 1.0, 1.0, 0.05) == (None, None)


def test_the_test_of_sessions_holds_its_level_whatever_their_autocorrelation():
    draw, n, rejected, design = np.random.default_rng(6), 300, 0, Design("blocks")
    for _ in range(n):
        noise, values = draw.normal(size=16), np.zeros(16)
        for t in range(16):
            values[t] = 0.8 * values[t - 1] * (t > 0) + noise[t]
        active = tuple(design.draw((True, False) * 8, draw))
        rejected += single_case([Series(values, active)], design).p <= 0.05
    assert rejected / n <= 0.05 + 3.5 * sqrt(0.05 * 0.95 / n)


def test_several_participants_are_dealt_together_and_many_assignments_are_drawn():
    draw = np.random.default_rng(7)
    own = [Series(draw.normal(size=8) + 3 * np.array((True, False) * 4), (True, False) * 4) for _ in range(5)]
    two, five = single_case(own[:2], Design("blocks")), single_case(own, Design("blocks"), replications=999)
    assert (two.permitted, two.exact, five.permitted, five.dealt) == (256, True, 16**5, 1000)
    assert five.p < two.p
    assert five.low < 3 < five.high
    assert single_case(own, Design("blocks"), replications=999) == five


def test_sessions_that_no_design_could_have_drawn_are_refused():
    values = np.arange(8.0)
    for design, seen, says in (
        (Design("blocks"), (True,) * 4 + (False,) * 4, r"\(AAAABBBB\) are none that the design blocks permits"),
        (Design("alternating"), (True,) * 4 + (False,) * 4, "alternating permits"),
        (Design("phases", least=5), (True,) * 4 + (False,) * 4, "phases permits"),
        (Design("complete"), (True,) * 8, "complete permits"),
    ):
        with pytest.raises(BadValue, match=says):
            single_case([Series(values, seen)], design)
    with pytest.raises(BadValue, match="even block"):
        Design("blocks", block=3)
    with pytest.raises(BadValue, match="does not vary"):
        single_case([Series(np.ones(8), (True, False) * 4)], Design("blocks"))


# ------------------------------------------------------------------ crossover
COCHRAN = [(30, 14, "A"), (21, 21, "B"), (22, 5, "A"), (13, 22, "B"), (13, 18, "B"), (29, 17, "A"), (7, 16, "B"),
           (12, 14, "A"), (23, 8, "A"), (24, 23, "B")]  # fmt: skip
"""Two machines in turn: Cochran and Cox, Experimental Designs, table 4.10, with its analysis by SAS at
biostat.umn.edu/~john-c/crossover.cochran.lst."""


def crossed(rows):
    table = [
        (f"P{n}", str(k + 1), (first, "AB".replace(first, ""))[k], float(pair[k]))
        for n, (*pair, first) in enumerate(rows)
        for k in (0, 1)
    ]
    return Crossed(*map(list, zip(*table, strict=True)), conditions=("B", "A"), periods=("1", "2"))


def test_a_crossover_trial_is_the_one_that_sas_prints():
    effect = crossover(crossed(COCHRAN)).effect
    assert (effect.value, round(effect.t**2, 2), round(effect.p, 4), round(effect.df)) == (
        pytest.approx(8), 15.22, 0.0045, 8,
    )  # fmt: skip


def test_what_is_carried_over_is_the_difference_of_the_sums_and_adjusting_for_it_leaves_the_first_period():
    found, adjusted = crossover(crossed(COCHRAN)), crossover(crossed(COCHRAN), carried=True)
    sums = {own: [a + b for a, b, first in COCHRAN if first == own] for own in "AB"}
    first = {own: [a for a, _, start in COCHRAN if start == own] for own in "AB"}
    assert found.carried.p == pytest.approx(stats.ttest_ind(sums["A"], sums["B"]).pvalue, rel=1e-6)
    assert adjusted.effect.value == pytest.approx(np.mean(first["A"]) - np.mean(first["B"]))
    assert (found.adjusted, adjusted.adjusted) == (False, True)


def test_who_misses_a_period_counts_with_the_other_and_one_condition_alone_is_refused():
    full, rows = crossed(COCHRAN), crossed(COCHRAN)
    rows.values[3] = np.nan
    assert crossover(rows).model.participants == 10
    assert crossover(rows).effect.se > 0.9 * crossover(full).effect.se
    alone = Crossed(["a", "b"], ["1", "1"], ["A", "A"], [1.0, 2.0], ("B", "A"), ("1",))
    with pytest.raises(BadValue, match="the conditions must be B, A, each with an outcome, got A"):
        crossover(alone)


# ------------------------------------------------------------------ paired within sessions
def test_pairs_in_balanced_sessions_are_the_t_test_of_each_participants_mean():
    draw = np.random.default_rng(9)
    own = draw.normal(1, 1, size=(7, 1)) + draw.normal(size=(7, 4))
    table = {"id": np.repeat(np.arange(7), 4), "s": np.tile(list("abcd"), 7), "d": own.ravel()}
    found = paired(table, difference="d", participant="id", session="s", sessions=tuple("abcd"))
    theirs = stats.ttest_1samp(own.mean(axis=1), 0)
    assert (found.effect.t, found.effect.df, found.effect.p) == pytest.approx((theirs.statistic, 6, theirs.pvalue))
    assert found.by_session["b"].value == pytest.approx(own[:, 1].mean())
    # With a single session it is the paired t test itself.
    once = {name: list(values[::4]) for name, values in table.items()}
    one = paired(once, difference="d", participant="id", session="s", sessions=("a",)).effect
    assert one.p == pytest.approx(stats.ttest_1samp(own[:, 0], 0).pvalue)
    with pytest.raises(BadValue, match="id has 1 values, and at least 2"):
        paired({"id": ["x"], "s": ["a"], "d": [1.0]}, difference="d", participant="id", session="s", sessions="a")


# ------------------------------------------------------------------ stepped wedge
def wedge(draw, *, clusters=6, people=4, periods=4):
    rows = []
    for c in range(clusters):
        shared, starts = draw.normal(), 1 + c * (periods - 1) // clusters
        for i in range(people):
            own = draw.normal()
            for k in range(periods):
                value = shared + own + 0.5 * k + 2.0 * (k >= starts) + draw.normal()
                rows.append((f"{c}.{i}", str(k), "on" if k >= starts else "off", value, f"c{c}"))
    who, period, condition, values, cluster = map(list, zip(*rows, strict=True))
    return Crossed(who, period, condition, values, ("off", "on"), tuple(map(str, range(periods))), cluster)


def test_a_stepped_wedge_is_at_the_top_of_its_likelihood_over_all_rows():
    rows = wedge(np.random.default_rng(2))
    found = stepped_wedge(rows)
    same = [np.equal.outer(own, own) for own in (
        np.array(rows.cluster), np.array([f"{a} {b}" for a, b in zip(rows.cluster, rows.period, strict=True)]),
        np.array(rows.participant), np.arange(len(rows.values)),
    )]  # fmt: skip
    x = np.column_stack(
        [np.array(rows.period) == one for one in rows.periods] + [np.array(rows.condition) == "on"]
    )
    x, y = x.astype(float), np.array(rows.values)

    def deviance(theta):
        v = sum(one * own for one, own in zip(theta, same, strict=True))
        w = np.linalg.inv(v)
        inner = x.T @ w @ x
        beta = np.linalg.solve(inner, x.T @ w @ y)
        rest = y - x @ beta
        fit = rest @ w @ rest + (len(y) - x.shape[1]) * np.log(2 * np.pi)
        return (
            fit + np.linalg.slogdet(v)[1] + np.linalg.slogdet(inner)[1],
            beta[-1],
            sqrt(np.linalg.inv(inner)[-1, -1]),
        )

    theta = np.array(list(found.variances.values()))
    own, effect, se = deviance(theta)
    assert all(deviance(theta + step)[0] > own for step in np.vstack([np.eye(4), -np.eye(4)]) * 0.02)
    plain = stepped_wedge(rows, inference="satterthwaite").effect
    assert (found.effect.value, plain.se) == (pytest.approx(effect, rel=1e-6), pytest.approx(se, rel=1e-6))


def test_a_stepped_wedge_counts_clusters_and_refuses_what_it_cannot_tell():
    rows = wedge(np.random.default_rng(3))
    found = stepped_wedge(rows)
    assert (found.clusters, list(found.variances)) == (
        6, ["cluster", "cluster and period", "participant", "residual"],
    )  # fmt: skip
    assert found.effect.low < 2.0 < found.effect.high
    assert found.effect.df < 30
    one = wedge(np.random.default_rng(3), clusters=2)
    with pytest.raises(BadValue, match="at least 3 clusters of at most 240 rows, got .* 2, 16"):
        stepped_wedge(one)
    together = wedge(np.random.default_rng(3))
    together.condition[:] = ["on" if period in "23" else "off" for period in together.period]
    with pytest.raises(BadValue, match="conditionon cannot be told apart"):
        stepped_wedge(together)
