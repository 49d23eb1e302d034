"""Type-I error and coverage of the comparisons of two arms, by simulation with a known truth.

Each trial is drawn with a true effect, and the interval of the method is formed with the functions that reports
use: how often it leaves the truth out is the type-I error of the test that belongs to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

from workbench.errors import Refused
from workbench.statistics.gee import gee
from workbench.statistics.linear import ancova, t_test
from workbench.statistics.mmrm import Inference, mmrm
from workbench.statistics.proportions import difference
from workbench.statistics.ranks import rank_sum
from workbench.statistics.survival import cox

Draw = np.random.Generator
Interval = tuple[float, float]
Trial = Callable[[Draw, int], Interval]
NOMINAL, BAND, SIGMAS = 0.05, 0.007, 3.5
"""Of every test; by how much a rate may differ; standard errors of a simulation that may be beyond it."""
FULL = 4_000
"""Trials from which a rate is told to be beyond the band."""
SIZES = (8, 20, 60)
"""Participants an arm."""
EFFECT = 1.0
"""True difference of means, in the unit of the outcome's residual standard deviation."""
VISITS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """A method at a size.

    Attributes
    ----------
    method : in words. size : participants an arm.
    trials, refused : simulated, and how many were refused in a sentence.
    outside : intervals that left the truth out.
    exact : whether the test may be more cautious than its level, but never less.
    """

    method: str
    size: int
    trials: int
    refused: int
    outside: int
    exact: bool

    @property
    def error(self) -> float:
        """Type-I error."""
        return self.outside / max(1, self.trials - self.refused)

    @property
    def verdict(self) -> str:
        """What stands beside the error: missed, or outside the band by no more than chance explains."""
        off = self.error - NOMINAL if self.exact else abs(self.error - NOMINAL)
        if not self.held:
            return " **missed**"
        return f" (beyond ± {100 * BAND:g} %)" if self.trials >= FULL and off > BAND else ""

    @property
    def held(self) -> bool:
        """Within the band, or no further outside it than so many trials may be by chance."""
        n = max(1, self.trials - self.refused)
        room = max(BAND, SIGMAS * sqrt(NOMINAL * (1 - NOMINAL) / n))
        off = self.error - NOMINAL
        return off <= room if self.exact else abs(off) <= room


def simulate(n: int, seed: int, step: Callable[[], object] = lambda: None) -> list[Row]:
    """Simulate every method at every size.

    Parameters
    ----------
    n : trials of each.
    seed : of the draws.
    step : called after each trial.
    """
    rows: list[Row] = []
    for method, exact, trial in _methods():
        for size in SIZES:
            draw, refused, outside = np.random.default_rng([seed, size, len(rows)]), 0, 0
            for _ in range(n):
                try:
                    low, high = trial(draw, size)
                    outside += not low <= EFFECT <= high
                except Refused:
                    refused += 1
                step()
            rows.append(Row(method, size, n, refused, outside, exact))
    return rows


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| method | an arm | type-I error | coverage | refused | trials |", "|---|--:|--:|--:|--:|--:|"]
    for row in rows:
        error, coverage = f"{100 * row.error:.1f} %{row.verdict}", f"{100 * (1 - row.error):.1f} %"
        lines.append(f"| {row.method} | {row.size} | {error} | {coverage} | {row.refused} | {row.trials} |")
    return "\n".join(lines)


def count() -> int:
    """Methods times sizes."""
    return len(SIZES) * sum(1 for _ in _methods())


def _methods() -> Iterator[tuple[str, bool, Trial]]:
    yield "MMRM, unstructured, Kenward–Roger", False, _repeated("unstructured", "kenward-roger")
    yield (
        "MMRM, heterogeneous autoregressive, Kenward–Roger-linear",
        False,
        _repeated("heterogeneous autoregressive", "kenward-roger-linear"),
    )
    yield "ANCOVA", False, _ancova
    yield "t test (Welch)", False, _welch
    yield "rank sum, exact, Hodges–Lehmann", True, _ranks
    yield "GEE, exchangeable, Mancl–DeRouen", False, _gee
    yield "difference of proportions (Miettinen–Nurminen)", False, _proportions
    yield "Cox, Efron", False, _cox


def _repeated(structure: str, inference: Inference) -> Trial:
    lags = np.abs(np.subtract.outer(np.arange(VISITS), np.arange(VISITS)))
    spread = np.linalg.cholesky(0.7**lags)

    def trial(draw: Draw, n: int) -> Interval:
        y = draw.normal(size=(2 * n, VISITS)) @ spread.T
        arm = np.arange(2 * n) % 2
        y[:, -1] += EFFECT * arm
        # A tenth leaves before each visit but the first two, at random.
        gone = np.cumsum(draw.random((2 * n, VISITS)) < [0.0, 0.0, 0.1, 0.1], axis=1) > 0
        table = {
            "id": np.repeat(np.arange(2 * n), VISITS), "arm": np.repeat(np.array(["a", "b"])[arm], VISITS),
            "visit": np.tile([str(j) for j in range(VISITS)], 2 * n), "y": np.where(gone, np.nan, y).ravel(),
        }  # fmt: skip
        fit = mmrm(
            table, outcome="y", terms=("arm", "visit", "arm:visit"), participant="id", visit="visit",
            structure=structure, inference=inference,
        )  # fmt: skip
        one = fit.differences("arm", at={"visit": str(VISITS - 1)})["b", "a"]
        return one.low, one.high

    return trial


def _arms(draw: Draw, n: int) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    arm = np.arange(2 * n) % 2
    return arm, draw.normal(size=2 * n)


def _ancova(draw: Draw, n: int) -> Interval:
    arm, base = _arms(draw, n)
    y = EFFECT * arm + 0.6 * base + draw.normal(size=2 * n)
    table = {"arm": np.array(["a", "b"])[arm], "base": base, "y": y}
    one = ancova(table, outcome="y", terms=("arm", "base")).differences("arm")["b", "a"]
    return one.low, one.high


def _welch(draw: Draw, n: int) -> Interval:
    one = t_test(list(EFFECT + draw.normal(size=n)), list(1.5 * draw.normal(size=n)))
    return one.low, one.high


def _ranks(draw: Draw, n: int) -> Interval:
    one = rank_sum(list(EFFECT + draw.standard_t(4, n)), list(draw.standard_t(4, n)))
    return one.low, one.high


def _gee(draw: Draw, n: int) -> Interval:
    arm, base = _arms(draw, n)
    y = (EFFECT * arm + base)[:, None] + draw.normal(size=(2 * n, VISITS))
    table = {
        "id": np.repeat(np.arange(2 * n), VISITS),
        "arm": np.repeat(np.array(["a", "b"])[arm], VISITS),
        "y": y.ravel(),
    }
    fit = gee(
        table, outcome="y", terms=("arm",), participant="id", family="gaussian", working="exchangeable", small=True
    )
    one = fit.differences("arm")["b", "a"]
    return one.low, one.high


def _proportions(draw: Draw, n: int) -> Interval:
    # The truth is a difference of 0.3 of two proportions that vary from trial to trial, moved to EFFECT.
    low = float(draw.uniform(0.1, 0.6))
    one = difference(int(draw.binomial(n, low + 0.3)), n, int(draw.binomial(n, low)), n)
    return one.low - 0.3 + EFFECT, one.high - 0.3 + EFFECT


def _cox(draw: Draw, n: int) -> Interval:
    arm = np.arange(2 * n) % 2
    times = draw.exponential(np.exp(-EFFECT * arm))
    ends = draw.uniform(0.5, 3.0, 2 * n)
    one = cox(list(np.minimum(times, ends)), list(times <= ends), arm[:, None].astype(np.float64)).estimates[0]
    return one.low, one.high
