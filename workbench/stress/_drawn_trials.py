"""Trials that are drawn with a known truth, one function a method: did the interval hold it, did the test reject?

Where interval and test are two sides of one reckoning, the test at the true effect is the one at none. Where they
are not, the test is tried on a second trial without an effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from workbench.analysis import wilson
from workbench.estimation._rerandomising import compared, dealt
from workbench.statistics._estimates import Estimate
from workbench.statistics.adjusted import adjusted_difference
from workbench.statistics.crossover import Crossed, crossover, paired, stepped_wedge
from workbench.statistics.gee import gee
from workbench.statistics.imputation import Plan, reference_based
from workbench.statistics.linear import ancova, t_test
from workbench.statistics.mixed import mixed
from workbench.statistics.mmrm import Inference, mmrm
from workbench.statistics.proportions import difference, stratified_difference
from workbench.statistics.ranks import rank_sum
from workbench.statistics.sequential import boundaries, looked
from workbench.statistics.single_case import Design, Series, single_case
from workbench.statistics.survival import cox, log_rank
from workbench.statistics.tables import cmh, common_odds_ratio
from workbench.study.randomisation import Design as StudyDesign

Draw = np.random.Generator
Floats = npt.NDArray[np.float64]
Found = tuple[bool | None, bool | None]
"""Whether the interval held the truth, whether the test rejected where there is no effect; None without one."""
Trial = Callable[[Draw, int], Found]
EFFECT = 1.0
"""True difference of means, in the unit of the outcome's residual standard deviation."""
VISITS, LEVEL = 4, 0.05
ARMS = (8, 20, 60)
SHARE, RATIO = 0.3, 3.0
"""True difference of proportions, and odds or hazard ratio."""
STRATA = (0.2, 0.45)
"""Proportions of the reference in two strata."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A method and how its trials are drawn.

    Attributes
    ----------
    method : in words. trial : draws and judges one.
    sizes : that are tried. of : what a size counts.
    cautious : whether it may reject less often, and cover more often, than its level says.
    one_in : of how many trials of the others it has one, as each takes long.
    """

    method: str
    trial: Trial
    sizes: tuple[int, ...] = ARMS
    of: str = "an arm"
    cautious: bool = False
    one_in: int = 1


def _both(one: Estimate, truth: float) -> Found:
    held = one.low <= truth <= one.high
    return held, not held


def _arm(n: int) -> npt.NDArray[np.int64]:
    return np.arange(2 * n) % 2


def _names(arm: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    return np.array(["a", "b"])[arm]


# ------------------------------------------------------------------ repeated measures
def _visits(draw: Draw, n: int) -> dict[str, Any]:
    """Four visits, autoregressive; a tenth leaves before each visit but the first two, at random."""
    lags = np.abs(np.subtract.outer(np.arange(VISITS), np.arange(VISITS)))
    y = draw.normal(size=(2 * n, VISITS)) @ np.linalg.cholesky(0.7**lags).T
    arm = _arm(n)
    y[:, -1] += EFFECT * arm
    gone = np.cumsum(draw.random((2 * n, VISITS)) < [0.0, 0.0, 0.1, 0.1], axis=1) > 0
    return {
        "id": np.repeat(np.arange(2 * n), VISITS), "arm": np.repeat(_names(arm), VISITS),
        "visit": np.tile([str(j) for j in range(VISITS)], 2 * n), "y": np.where(gone, np.nan, y).ravel(),
    }  # fmt: skip


TERMS = ("arm", "visit", "arm:visit")
LAST = {"visit": str(VISITS - 1)}


def _mmrm(structure: str, inference: Inference) -> Trial:
    def trial(draw: Draw, n: int) -> Found:
        fit = mmrm(
            _visits(draw, n), outcome="y", terms=TERMS, participant="id", visit="visit", structure=structure,
            inference=inference,
        )  # fmt: skip
        return _both(fit.differences("arm", at=LAST)["b", "a"], EFFECT)

    return trial


def _mean_of_arm(draw: Draw, n: int) -> Found:
    fit = mmrm(_visits(draw, n), outcome="y", terms=TERMS, participant="id", visit="visit")
    one = fit.means("arm", at=LAST)["b",]
    return one.low <= EFFECT <= one.high, None


def _mixed(draw: Draw, n: int) -> Found:
    arm = _arm(n)
    y = draw.normal(size=(2 * n, 1)) + draw.normal(size=(2 * n, VISITS))
    y[:, -1] += EFFECT * arm
    table = {
        "id": np.repeat(np.arange(2 * n), VISITS), "arm": np.repeat(_names(arm), VISITS),
        "visit": np.tile([str(j) for j in range(VISITS)], 2 * n), "y": y.ravel(),
    }  # fmt: skip
    visits = tuple(str(j) for j in range(VISITS))
    # Numbers as names of visits are levels, as in a plan, and no covariate.
    fit = mixed(table, outcome="y", terms=TERMS, participant="id", levels={"visit": visits}).model
    return _both(fit.differences("arm", at=LAST)["b", "a"], EFFECT)


def _imputed(draw: Draw, n: int) -> Found:
    table = _visits(draw, n)
    plan = Plan("y", "id", "visit", "arm", TERMS, (), "a", "missing at random")
    return _both(reference_based(table, plan)[str(VISITS - 1)]["b"], EFFECT)


def _gee(draw: Draw, n: int) -> Found:
    arm = _arm(n)
    y = (EFFECT * arm + draw.normal(size=2 * n))[:, None] + draw.normal(size=(2 * n, VISITS))
    table = {
        "id": np.repeat(np.arange(2 * n), VISITS), "arm": np.repeat(_names(arm), VISITS), "y": y.ravel(),
    }  # fmt: skip
    return _both(_marginal(table, "gaussian"), EFFECT)


def _gee_binary(draw: Draw, n: int) -> Found:
    arm = _arm(n)
    # Two visits whose answers agree with probability a half, and else are drawn again: the margins stay.
    p = 1 / (1 + np.exp(-(log(RATIO) * arm - 0.5)))
    first, second, same = (draw.random(2 * n) for _ in range(3))
    one = first < p
    two = np.where(same < 0.5, one, second < p)
    table = {
        "id": np.repeat(np.arange(2 * n), 2), "arm": np.repeat(_names(arm), 2),
        "y": np.column_stack([one, two]).astype(float).ravel(),
    }  # fmt: skip
    return _both(_marginal(table, "binomial"), log(RATIO))


def _marginal(table: dict[str, Any], family: Literal["gaussian", "binomial"]) -> Estimate:
    """The difference of the arms by a marginal model, with the correction that a report uses."""
    fit = gee(
        table,
        outcome="y",
        terms=("arm",),
        participant="id",
        family=family,
        working="exchangeable",
        small="kauermann-carroll",
    )
    return fit.differences("arm")["b", "a"]


# ------------------------------------------------------------------ one visit
def _ancova(draw: Draw, n: int) -> Found:
    arm, base = _arm(n), draw.normal(size=2 * n)
    y = EFFECT * arm + 0.6 * base + draw.normal(size=2 * n)
    fit = ancova({"arm": _names(arm), "base": base, "y": y}, outcome="y", terms=("arm", "base"))
    return _both(fit.differences("arm")["b", "a"], EFFECT)


def _robust(draw: Draw, n: int) -> Found:
    arm, base = _arm(n), draw.normal(size=2 * n)
    y = EFFECT * arm + 0.6 * base + (1 + 0.5 * arm) * draw.normal(size=2 * n)
    fit = ancova({"arm": _names(arm), "base": base, "y": y}, outcome="y", terms=("arm", "base"), robust=True)
    return _both(fit.differences("arm")["b", "a"], EFFECT)


def _welch(draw: Draw, n: int) -> Found:
    return _both(t_test(list(EFFECT + draw.normal(size=n)), list(1.5 * draw.normal(size=n))), EFFECT)


def _ranks(draw: Draw, n: int) -> Found:
    a, b = draw.standard_t(4, n), draw.standard_t(4, n)
    one = rank_sum(list(EFFECT + a), list(b))
    return one.low <= EFFECT <= one.high, rank_sum(list(a), list(b)).p <= LEVEL


def _proportions(draw: Draw, n: int) -> Found:
    low = float(draw.uniform(0.1, 0.6))
    one = difference(int(draw.binomial(n, low + SHARE)), n, int(draw.binomial(n, low)), n)
    null = np.array([[k, n - k] for k in draw.binomial(n, low, size=2)], dtype=np.float64)
    return one.low <= SHARE <= one.high, _rejects(null[None])


def _rejects(tables: Floats) -> bool:
    """Whether the score test of the strata rejects; answers that are all alike reject nothing."""
    useful = tables[(tables.sum(axis=1) > 0).all(axis=1)]
    return bool(len(useful) and cmh(useful).general.p <= LEVEL)


def _in_strata(draw: Draw, n: int, shift: Callable[[float], float]) -> Floats:
    """Counts ``(strata, 2, 2)`` of arm and reference, responders and others."""
    made = []
    for part, low in zip((n - n // 2, n // 2), STRATA, strict=True):
        counts = draw.binomial(part, [shift(low), low])
        made.append([[k, part - k] for k in counts])
    return np.array(made, dtype=np.float64)


def _stratified(draw: Draw, n: int) -> Found:
    counts = _in_strata(draw, n, lambda low: low + SHARE)
    one = stratified_difference([(int(a), int(a + b), int(c), int(c + d)) for (a, b), (c, d) in counts.tolist()])
    return one.low <= SHARE <= one.high, _rejects(_in_strata(draw, n, lambda low: low))


def _odds(draw: Draw, n: int) -> Found:
    one = common_odds_ratio(_in_strata(draw, n, lambda low: RATIO * low / (1 - low + RATIO * low)))
    return one.low <= RATIO <= one.high, _rejects(_in_strata(draw, n, lambda low: low))


def _adjusted(draw: Draw, n: int) -> Found:
    arm, base = _arm(n), draw.normal(size=2 * n)
    # Linear in the probability, so that the difference is the same whatever the baselines are.
    p = np.clip(0.3 + SHARE * arm + 0.08 * base, 0.02, 0.98)
    table = {
        "id": [str(i) for i in range(2 * n)], "arm": list(_names(arm)), "base": list(base),
        "y": list((draw.random(2 * n) < p).astype(float)),
    }  # fmt: skip
    one = adjusted_difference(
        table, outcome="y", arm="arm", arms=("b", "a"), covariates=("base",), participant="id"
    )
    return _both(one.difference, SHARE)


def _share(draw: Draw, n: int) -> Found:
    p = float(draw.uniform(0.1, 0.9))
    low, high = wilson(int(draw.binomial(n, p)), n)
    return low <= p <= high, None


def _followed(draw: Draw, n: int, ratio: float) -> tuple[list[float], list[bool]]:
    times, ends = draw.exponential(ratio ** -_arm(n).astype(float)), draw.uniform(0.5, 3.0, 2 * n)
    return list(np.minimum(times, ends)), list(times <= ends)


def _hazards(draw: Draw, n: int) -> Found:
    arm = _arm(n)[:, None].astype(np.float64)
    one = cox(*_followed(draw, n, RATIO), arm).estimates[0]
    names = [str(name) for name in _names(_arm(n))]
    return one.low <= log(RATIO) <= one.high, log_rank(*_followed(draw, n, 1.0), names).p <= LEVEL


def _wald(draw: Draw, n: int) -> Found:
    one = cox(*_followed(draw, n, 1.0), _arm(n)[:, None].astype(np.float64)).estimates[0]
    return None, one.p <= LEVEL


# ------------------------------------------------------------------ designs
def _crossed(draw: Draw, n: int) -> Found:
    order, people = _arm(n), draw.normal(size=2 * n)
    y = people[:, None] + 0.5 * np.arange(2) + draw.normal(size=(2 * n, 2))
    active = np.column_stack([order == 1, order == 0])
    y += EFFECT * active
    # A tenth misses the second period.
    y[draw.random(2 * n) < 0.1, 1] = np.nan
    who = [str(i) for i in range(2 * n) for _ in range(2)]
    condition = ["on" if one else "off" for one in active.ravel()]
    rows = Crossed(who, ["1", "2"] * (2 * n), condition, list(y.ravel()), ("off", "on"), ("1", "2"))
    return _both(crossover(rows).effect, EFFECT)


def _paired(draw: Draw, n: int) -> Found:
    d = EFFECT + 0.7 * draw.normal(size=(n, 1)) + draw.normal(size=(n, VISITS))
    d[draw.random((n, VISITS)) < 0.1] = np.nan
    table = {
        "id": np.repeat([str(i) for i in range(n)], VISITS), "s": np.tile([str(j) for j in range(VISITS)], n),
        "d": d.ravel(),
    }  # fmt: skip
    found = paired(table, difference="d", participant="id", session="s", sessions=tuple(map(str, range(VISITS))))
    return _both(found.effect, EFFECT)


def _wedge(draw: Draw, clusters: int) -> Found:
    people, rows = 4, []
    for c in range(clusters):
        shared, begins = 0.5 * draw.normal(), 1 + c * (VISITS - 1) // clusters
        own, at = 0.7 * draw.normal(size=people), 0.3 * draw.normal(size=VISITS)
        y = shared + own[:, None] + at + 0.3 * np.arange(VISITS) + draw.normal(size=(people, VISITS))
        for i in range(people):
            for k in range(VISITS):
                on = k >= begins
                rows.append((f"{c}.{i}", str(k), "on" if on else "off", y[i, k] + EFFECT * on, str(c)))
    who, period, condition, values, cluster = (list(one) for one in zip(*rows, strict=True))
    made = Crossed(who, period, condition, values, ("off", "on"), tuple(map(str, range(VISITS))), cluster)
    return _both(stepped_wedge(made).effect, EFFECT)


def _sessions(kind: Literal["blocks", "phases"]) -> Trial:
    def trial(draw: Draw, n: int) -> Found:
        design = Design(kind, least=4)
        phase = n // 4
        begin = ((True,) * phase + (False,) * phase) * 2 if kind == "phases" else (True, False) * (n // 2)
        active = tuple(design.draw(begin, draw))
        noise, y = draw.normal(size=n), np.zeros(n)
        for t in range(n):
            y[t] = 0.6 * y[t - 1] * (t > 0) + noise[t]
        one = single_case([Series(y + EFFECT * np.array(active), active)], design)
        low, high = one.low, one.high
        held = (low is None or low <= EFFECT) and (high is None or high >= EFFECT)
        return held, not held

    return trial


def _look(kind: Literal["repeated", "stagewise"]) -> Trial:
    def trial(draw: Draw, n: int) -> Found:
        a, b = draw.normal(size=(2, n))
        found = _stopped(a + EFFECT, b)
        low, high = (found.low, found.high) if kind == "repeated" else found.adjusted or (0.0, 0.0)
        return low <= EFFECT <= high, _stopped(a, b).crossed if kind == "stagewise" else None

    return trial


def _stopped(a: Floats, b: Floats) -> Any:
    """The look at half the participants where it crosses, else the last one; t tests."""
    half = len(a) // 2
    first = looked([half / len(a)], t_test(list(a[:half]), list(b[:half]), pooled=True))
    if first.crossed:
        return first
    return looked([half / len(a), 1.0], t_test(list(a), list(b), pooled=True), final=True)


def _planned(draw: Draw, n: int) -> Found:
    """Normal statistics at looks that come when they come: the boundaries alone."""
    times = (*np.sort(draw.uniform(0.1, 0.9, size=2)).round(2), 1.0)
    if min(np.diff((0.0, *times))) < 0.05:
        times = (0.3, 0.6, 1.0)
    steps = np.diff((0.0, *times))
    z = np.cumsum(draw.normal(size=3) * np.sqrt(steps)) / np.sqrt(times)
    bounds = [one.z for one in boundaries(times, spending="pocock")]
    return None, bool((np.abs(z) >= bounds).any())


REDEALT = 199
"""Deals of a re-randomisation: with the one that was seen, 5 % of them are a whole number."""
BY_BLOCKS = StudyDesign("blocks", {"a": 1, "b": 1}, (2, 4), {"site": ("one", "two")}, 200)
BY_MINIMISATION = StudyDesign(
    "minimisation", {"a": 1, "b": 1}, strata={"site": ("one", "two"), "level": ("C5", "C6")},
    factors={"site": 1.0, "level": 1.0},
)  # fmt: skip


def _dealt(design: StudyDesign) -> Trial:
    """People whose outcome depends on site and on when they came, and on no arm; dealt by the design itself."""

    def trial(draw: Draw, n: int) -> Found:
        rows, taken = [], dict[str, int]()
        everybody = [
            {factor: str(draw.choice(allowed)) for factor, allowed in design.strata.items()} for _ in range(2 * n)
        ]
        for k, levels in enumerate(everybody):
            stratum = "" if design.kind == "minimisation" else design.stratum(levels)
            taken[stratum] = taken.get(stratum, 0) + 1
            # Draws of a minimisation have numbers from 0, slots of a list from 1.
            seq = taken[stratum] - (design.kind == "minimisation")
            rows.append({"participant_id": str(k), "stratum": stratum, "seq": seq, "covariates": levels})
        seed, again = (int(one) for one in draw.integers(2**31, size=2))
        (arms,) = dealt([(design, rows)], seed=seed, n=1)
        at = np.array([float(levels["site"] == "two") for levels in everybody])
        y = 2.0 * at + 2.0 * np.arange(2 * n) / n + draw.normal(size=2 * n)
        who = [str(k) for k in range(2 * n)]
        deals = dealt([(design, rows)], seed=again, n=REDEALT)
        return None, compared(y, who, [arms[one] for one in who], ("a", "b"), deals)["b"].p <= LEVEL

    return trial


METHODS: tuple[Drawn, ...] = (
    Drawn("MMRM, unstructured, Kenward–Roger", _mmrm("unstructured", "kenward-roger")),
    Drawn(
        "MMRM, heterogeneous autoregressive, Kenward–Roger-linear",
        _mmrm("heterogeneous autoregressive", "kenward-roger-linear"),
    ),
    Drawn("MMRM, mean of an arm", _mean_of_arm),
    Drawn("mixed model, random intercept, Satterthwaite", _mixed),
    Drawn("imputation at random, jackknife", _imputed, (8, 20), one_in=10),
    Drawn("GEE, exchangeable, Kauermann–Carroll", _gee),
    Drawn("GEE, odds ratio of responders, Kauermann–Carroll", _gee_binary),
    Drawn("ANCOVA", _ancova),
    Drawn("ANCOVA, HC3, unequal variances", _robust),
    Drawn("t test (Welch)", _welch),
    Drawn("rank sum, exact up to 2,000 differences; Hodges–Lehmann", _ranks, cautious=True),
    Drawn("difference of proportions (Miettinen–Nurminen), score test", _proportions),
    Drawn("the same over two strata", _stratified),
    Drawn("common odds ratio over two strata, CMH test", _odds),
    Drawn("difference of proportions adjusted for a covariate", _adjusted),
    Drawn(
        "dealt again by the study's blocks of 2 and 4 at two sites, outcomes with a trend", _dealt(BY_BLOCKS),
        cautious=True,
    ),
    Drawn(
        "dealt again by the study's minimisation over two factors, outcomes with a trend",
        _dealt(BY_MINIMISATION), (8, 20), cautious=True, one_in=10,
    ),
    Drawn("proportion of an arm (Wilson)", _share),
    Drawn("hazard ratio (Cox, Efron), log-rank test", _hazards),
    Drawn("Wald test of Cox's model", _wald),
    Drawn("crossover, Kenward–Roger", _crossed, of="a sequence"),
    Drawn("pairs within sessions, Kenward–Roger", _paired, of="in all"),
    Drawn("stepped wedge, Kenward–Roger", _wedge, (6, 9, 15), of="clusters of 4"),
    Drawn(
        "one participant, blocks of 2 sessions, autocorrelation 0.6", _sessions("blocks"), (12, 20, 28),
        "sessions", cautious=True,
    ),
    Drawn(
        "one participant, ABAB with phases of 4 or more, autocorrelation 0.6", _sessions("phases"), (24, 40),
        "sessions", cautious=True,
    ),
    Drawn("two looks, O'Brien–Fleming, t test; stagewise interval", _look("stagewise")),
    Drawn("two looks, O'Brien–Fleming; repeated interval", _look("repeated"), cautious=True),
    Drawn("three looks when they come, Pocock, normal statistic", _planned, (1,), "–"),
)  # fmt: skip
"""Every method that a report may print, with the design that it is for."""
