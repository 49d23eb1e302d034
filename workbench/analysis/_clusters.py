"""Intervals and chance limits that allow for the correlation of trials of one run, or one person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from workbench.analysis._exact import Interval
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray

EXACT_BELOW = 10
"""With fewer clusters every sign pattern is tried; with more, :data:`DRAWS` are drawn."""
DRAWS = 9999


@dataclass(frozen=True, slots=True)
class Clustered:
    """A mean over clusters of unequal size, and its interval.

    Attributes
    ----------
    value : share over all trials. interval : 95 %, None where the clusters do not show one.
    clusters : how many. n : trials. method : as text. why : why there is no interval, else ``""``.
    """

    value: float
    interval: Interval | None
    clusters: int
    n: int
    method: str
    why: str = ""

    def line(self) -> str:
        """One sentence with n, clusters and interval."""
        interval = (
            f"no 95 % interval, {self.why}"
            if self.interval is None
            else f"95 % CI {self.interval[0]:.3f}–{self.interval[1]:.3f}"
        )
        return f"{self.value:.3f} ({interval}, {self.method}; {self.n} trials in {self.clusters} clusters)"


def clustered(right: Sequence[bool] | FloatArray, groups: Sequence[str], *, seed: int = 1) -> Clustered:
    """Interval of a share of right trials when trials of a group are correlated.

    Parameters
    ----------
    right : ``(n,)`` bool or float64, outcome of each trial, or any value in 0–1.
    groups : ``(n,)`` run or participant of each.
    seed : of the draws, used from :data:`EXACT_BELOW` clusters on.

    Returns
    -------
    Clustered
        The interval contains every share that a sign-flip test of the cluster totals does not refuse at 5 %:
        all 2^k patterns below :data:`EXACT_BELOW` clusters, :data:`DRAWS` above. With fewer than 6 clusters no
        pattern is rarer than 5 % on two sides, so there is no interval; neither is there one when every cluster
        has the same share, because flipping their signs cannot show any spread. The test takes deviations of a
        cluster as symmetric about the share.

    Raises
    ------
    BadValue
        Without a trial, lengths that differ, or a value that is not in 0–1.
    """
    values, names = np.asarray(right, dtype=np.float64), list(dict.fromkeys(groups))
    if len(values) != len(groups) or not len(values):
        raise BadValue(Message("rate.clusters", n=len(values), clusters=len(groups)))
    in_range = (values >= 0) & (values <= 1)
    if not in_range.all():
        raise BadValue(Message("rate.right_or_wrong", got=str(values[~in_range][0])))
    labels = np.array(groups)
    sums = np.array([values[labels == name].sum() for name in names])
    sizes = np.array([(labels == name).sum() for name in names], dtype=np.float64)
    mean, k = float(sums.sum() / sizes.sum()), len(names)
    exact = k < EXACT_BELOW
    method = f"sign flips of clusters, {'exact' if exact else f'{DRAWS} draws, seed {seed}'}"
    alike = k > 1 and np.ptp(sums / sizes) < 1e-12
    if k < 6 or alike:
        reason = "all clusters have the same share" if alike else "fewer than 6 clusters cannot show one"
        return Clustered(mean, None, k, len(values), method, reason)
    signs = (
        np.array(list(product((-1.0, 1.0), repeat=k)))
        if exact
        else np.random.Generator(np.random.PCG64(seed)).choice((-1.0, 1.0), (DRAWS, k))
    )

    def refused(share: float) -> bool:
        deviations = sums - share * sizes
        observed = abs(deviations.sum())
        # With a tolerance: patterns that give the same sum in exact arithmetic count as equally far.
        as_far = int((np.abs(signs @ deviations) >= observed - 1e-12).sum())
        # Drawn patterns do not include the observed one, which always counts (Phipson and Smyth 2010).
        p = as_far / len(signs) if exact else (as_far + 1) / (len(signs) + 1)
        return p <= 0.05

    return Clustered(mean, Interval(_edge(refused, mean, 0.0), _edge(refused, mean, 1.0)), k, len(values), method)


def _edge(refused: Callable[[float], bool], inside: float, outside: float) -> float:
    """The edge of the refused shares between the mean and an end of the range, by bisection."""
    if not refused(outside):
        return outside
    # Fifty halvings of a range of at most 1 reach the precision of a double.
    for _ in range(50):
        middle = 0.5 * (inside + outside)
        if refused(middle):
            outside = middle
        else:
            inside = middle
    return inside


@dataclass(frozen=True, slots=True)
class Permuted:
    """What guessing reaches when whole blocks are permuted: the 95 % limit and how often chance was as good.

    ``blocks`` were permuted ``permutations`` times.
    """

    observed: float
    limit: float
    p: float
    permutations: int
    blocks: int

    def line(self) -> str:
        """One sentence with the limit and the number of permutations."""
        return (
            f"{self.observed:.3f} (95 % chance limit {self.limit:.3f}, p = {self.p:.4f}, "
            f"{self.permutations} block permutations of {self.blocks} blocks)"
        )


def block_permutation(
    statistic: Callable[[Sequence[int]], float], n_blocks: int, *, permutations: int = 999, seed: int = 1
) -> Permuted:
    """Chance limit of asynchronous control: cues and signals are matched block by block at random.

    Parameters
    ----------
    statistic : of an order of blocks, such as the event F1 when block ``order[i]`` of the decisions is judged
        by the cues of block ``i``; called with ``0, 1, … n_blocks − 1`` for what was observed.
    n_blocks : blocks, each long enough that decisions of one do not depend on another. At least 5.
    permutations, seed : how many orders are drawn, and from which seed; the observed one counts among them.

    Raises
    ------
    BadValue
        With fewer than 5 blocks or 19 permutations: no p of 5 % can be reached; or when the statistic is no
        number for some order.
    """
    if n_blocks < 5 or permutations < 19:
        raise BadValue(Message("rate.permutations", blocks=str(n_blocks), permutations=str(permutations)))
    draw = np.random.Generator(np.random.PCG64(seed))
    observed = statistic(range(n_blocks))
    values = np.array([observed, *(statistic(draw.permutation(n_blocks).tolist()) for _ in range(permutations))])
    if not np.isfinite(values).all():
        raise BadValue(Message("rate.statistic", got=str(values[~np.isfinite(values)][0])))
    # The observed order is among them, so p is never 0.
    p = float((values >= observed - 1e-12).mean())
    return Permuted(observed, float(np.quantile(values, 0.95, method="higher")), p, permutations, n_blocks)
