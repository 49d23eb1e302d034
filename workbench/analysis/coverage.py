"""How often printed 95 % intervals contain the truth, by simulation: one row per interval and size.

Every row draws data from a known truth, forms the interval with the function that reports use, and counts. The
own MDC also counts how often an unchanged participant exceeds it upwards, of which 2.5 % are nominal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from workbench.analysis._clusters import clustered
from workbench.analysis._events import share_of_events
from workbench.analysis._exact import Interval, clopper_pearson, poisson_interval, wilson
from workbench.analysis._metrics import auc, kappa
from workbench.analysis._ratios import rate_interval
from workbench.analysis._repeats import Z, mdc_interval, mdc_of, pooled_sem
from workbench.vocabulary import FloatArray

Draw = np.random.Generator
Trial = Callable[[Draw], bool]
"""One simulation: whether the interval contained the truth, or whether chance exceeded the threshold."""
MONTE_CARLO = 3.0
"""Standard errors of the simulation by which a row may miss its nominal value."""


@dataclass(frozen=True, slots=True)
class Row:
    """One interval at one size.

    Attributes
    ----------
    interval, size : labels of what was simulated.
    nominal, simulated : share; of a coverage the least that is allowed, of a false-positive rate the greatest.
    simulations : how many.
    at_most : whether the nominal value is an upper limit.
    """

    interval: str
    size: str
    nominal: float
    simulated: float
    simulations: int
    at_most: bool = False

    @property
    def held(self) -> bool:
        """Whether the simulated share keeps to the nominal one within the error of the simulation."""
        error = MONTE_CARLO * sqrt(self.nominal * (1 - self.nominal) / self.simulations)
        off = self.simulated - self.nominal if self.at_most else self.nominal - self.simulated
        return off <= error


def simulate(*, n: int, seed: int = 1) -> list[Row]:
    """Simulate every interval.

    Parameters
    ----------
    n : simulations of each row.
    seed : of the draws (numpy PCG64).
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    rows = []
    for interval, size, trial in _coverages():
        rows.append(Row(interval, size, 0.95, sum(trial(draw) for _ in range(n)) / n, n))
    for people in (5, 10, 20):
        exceeded = sum(_exceeds_own_mdc(draw, people) for _ in range(n)) / n
        rows.append(Row("own MDC, exceeded upwards", f"{people} people twice", 0.025, exceeded, n, at_most=True))
    return rows


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| interval | size | nominal | simulated | simulations |", "|---|---|--:|--:|--:|"]
    for row in rows:
        sign = "≤" if row.at_most else "≥"
        shares = f"{sign} {100 * row.nominal:g} % | {100 * row.simulated:.1f} %{'' if row.held else ' **missed**'}"
        lines.append(f"| {row.interval} | {row.size} | {shares} | {row.simulations} |")
    return "\n".join(lines)


def _coverages() -> Iterator[tuple[str, str, Trial]]:
    yield "accuracy, recall of a run (Wilson, mean over p)", "15 trials", _share(wilson, 15)
    yield "accuracy, recall of a run (Wilson, mean over p)", "40 trials", _share(wilson, 40)
    yield "responder rate (Clopper–Pearson)", "10 people, p .3", _share(clopper_pearson, 10, p=0.3)
    yield "responder rate (Clopper–Pearson)", "32 people, p .7", _share(clopper_pearson, 32, p=0.7)
    yield "false activations per minute of a run (Poisson)", "2 min, 1 per min", _rate(1, 2.0, 1.0, sd=0.0)
    yield "false activations per minute of a session", "5 runs, rates SD 50 %", _rate(5, 2.0, 2.0, sd=0.5)
    yield "event F1 of a run", "20 trials", _f1(1, 20, sd=0.0)
    yield "event F1 of a session", "2 runs of 20, SD .15", _f1(2, 20, sd=0.15)
    yield "event F1 of a session", "5 runs of 20, SD .15", _f1(5, 20, sd=0.15)
    yield "event F1 of a session", "10 runs of 15, SD .10", _f1(10, 15, sd=0.10)
    yield "share over clusters (sign flips)", "8 runs of 20, SD .10", _sign_flips(8, 20, sd=0.10)
    yield "event precision of a run", "20 trials", _precision(20)
    yield "kappa of a run (Wilson, mean over p)", "40 trials, 2 classes", _kappa(40, 2)
    yield "kappa of a run (Wilson, mean over p)", "60 trials, 4 classes", _kappa(60, 4)
    yield "own MDC (chi-square)", "5 people twice", _mdc(5)
    yield "AUC (Hanley–McNeil)", "30 targets, 150 others, .80", _auc(30, 150, 0.8416)


def _share(interval: Callable[[int, int], Interval], n: int, *, p: float | None = None) -> Trial:
    """A binomial share; without ``p`` it is drawn each time, since Wilson's interval covers on average over p."""

    def trial(draw: Draw) -> bool:
        truth = float(draw.uniform(0.05, 0.95)) if p is None else p
        return _contains(interval(int(draw.binomial(n, truth)), n), truth)

    return trial


def _rate(runs: int, minutes: float, rate: float, *, sd: float) -> Trial:
    """A Poisson rate in 1/min whose runs differ by a gamma factor of mean 1 and standard deviation ``sd``."""

    def trial(draw: Draw) -> bool:
        # Shape 1/sd² and scale sd² give a mean of 1.
        factor = draw.gamma(1 / sd**2, sd**2, runs) if sd else np.ones(runs)
        count = draw.poisson(rate * minutes * factor).astype(np.float64)
        alike = poisson_interval(int(count.sum()), exposure=minutes * runs)
        return _contains(rate_interval(count, np.full(runs, minutes), alike=alike), rate)

    return trial


def _f1(runs: int, n: int, *, sd: float, hit: float = 0.8, false: float = 0.2) -> Trial:
    """Runs whose hit rate is drawn from a beta distribution; false activations are Poisson in each trial."""
    # Sum of the two parameters of a beta distribution with this mean and standard deviation.
    spread = hit * (1 - hit) / sd**2 - 1 if sd else 0.0
    # Expected hits, attempts and false activations per trial: F1 = 2 hits / (hits + attempts + false).
    truth = 2 * hit / (hit + 1 + false)

    def trial(draw: Draw) -> bool:
        p = draw.beta(hit * spread, (1 - hit) * spread, runs) if sd else np.full(runs, hit)
        hits = (draw.random((runs, n)) < p[:, None]).astype(np.float64).ravel()
        events = np.asarray(1 + draw.poisson(false, runs * n), dtype=np.float64)
        interval = share_of_events(hits, events, [str(run) for run in range(runs) for _ in range(n)])
        return interval is not None and _contains(Interval(*(2 * q / (1 + q) for q in interval)), truth)

    return trial


def _precision(n: int, *, hit: float = 0.8, false: float = 0.2) -> Trial:
    """Hits among the activations of a run; false activations are Poisson in each trial."""

    def trial(draw: Draw) -> bool:
        hits = (draw.random(n) < hit).astype(np.float64)
        interval = share_of_events(hits, hits + draw.poisson(false, n), [""] * n)
        return interval is None or _contains(interval, hit / (hit + false))

    return trial


def _sign_flips(runs: int, n: int, *, sd: float, share: float = 0.7) -> Trial:
    spread = share * (1 - share) / sd**2 - 1
    names = [str(run) for run in range(runs) for _ in range(n)]

    def trial(draw: Draw) -> bool:
        p = draw.beta(share * spread, (1 - share) * spread, runs)
        result = clustered((draw.random((runs, n)) < p[:, None]).ravel().astype(np.float64), names)
        return result.interval is None or _contains(result.interval, share)

    return trial


def _auc(targets: int, n_others: int, distance: float) -> Trial:
    """Normal evidence of unit variance, the means √2 · ``distance`` apart; Φ(``distance``) is the true area."""
    from statistics import NormalDist

    truth = NormalDist().cdf(distance)
    positive = np.r_[np.ones(targets, dtype=bool), np.zeros(n_others, dtype=bool)]

    def trial(draw: Draw) -> bool:
        evidence: FloatArray = draw.standard_normal(targets + n_others)
        evidence[:targets] += distance * 2**0.5
        return _contains(auc(evidence, positive).interval, truth)

    return trial


def _exceeds_own_mdc(draw: Draw, people: int) -> bool:
    """One unchanged participant against the MDC of that many people measured twice; the true SEM is 1."""
    threshold = mdc_of(*pooled_sem(draw.standard_normal((people, 2)).tolist()))
    before, after = draw.standard_normal(2)
    return bool(after - before >= threshold)


def _mdc(people: int) -> Trial:
    """The interval of the MDC of that many people measured twice; the true SEM is 1."""

    def trial(draw: Draw) -> bool:
        return _contains(mdc_interval(*pooled_sem(draw.standard_normal((people, 2)).tolist())), Z * sqrt(2))

    return trial


def _kappa(n: int, classes: int) -> Trial:
    """Cued trials, equally many of each class, errors spread evenly; the accuracy is drawn again each time."""

    def trial(draw: Draw) -> bool:
        right, chance = float(draw.uniform(0.05, 0.95)), 1 / classes
        cued = np.arange(n) % classes
        decided = np.where(draw.random(n) < right, cued, (cued + draw.integers(1, classes, n)) % classes)
        interval = kappa([str(label) for label in cued], [str(label) for label in decided]).interval
        return interval is not None and _contains(interval, (right - chance) / (1 - chance))

    return trial


def _contains(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high
