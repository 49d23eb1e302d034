"""Evidence over flashes: which of several items was meant, when single flashes say little. Strict arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from workbench.errors import BadValue
from workbench.kernels.evidence import logarithms, softmax
from workbench.kernels.scores import log_odds
from workbench.messages import Message
from workbench.vocabulary import Evidence, FloatArray


class Flashes:
    """Sums the log odds of flashes over the items that flashed, and stops when one item is likely enough.

    Parameters
    ----------
    n_items : items to choose from, 2 or more.
    log_prior : log share of target and of other flashes in what the decoder was fitted on, as its ``log_prior_``;
        it is subtracted from the log odds of every flash.
    target : index of the target class in the decoder's probabilities.
    stop : posterior of an item from which it is chosen.
    repetitions : least and most flashes of an item: before every item has had the least nothing is chosen, and
        with the most the likeliest is, however sure.

    Attributes
    ----------
    counts : flashes of each item so far.

    Raises
    ------
    BadValue
        For values outside what is allowed.

    Notes
    -----
    With flashes independent given the item that was meant, its log posterior is the sum of the log likelihood
    ratios of its flashes, up to a constant. Throckmorton et al. 2013, IEEE Transactions on Neural Systems and
    Rehabilitation Engineering 21, 508–517.
    """

    def __init__(
        self,
        n_items: int,
        *,
        log_prior: Sequence[float] | FloatArray,
        target: int,
        stop: float = 0.95,
        repetitions: tuple[int, int] = (3, 12),
    ) -> None:
        least, most = repetitions
        if n_items < 2 or not 1 <= least <= most or not 0 < stop < 1:
            raise BadValue(
                Message("decide.flashes", items=str(n_items), least=str(least), most=str(most), stop=str(stop))
            )
        if len(log_prior) != 2 or target not in (0, 1):
            raise BadValue(Message("decide.flash_classes", n=len(log_prior), target=target))
        prior = [float(value) for value in log_prior]
        self._prior, self._target = prior[target] - prior[1 - target], target
        self._stop, self._least, self._most = stop, least, most
        self._sums = np.zeros(n_items)
        self.counts = [0] * n_items

    def add(self, items: Iterable[int], evidence: Evidence) -> None:
        """Add one flash of ``items``; evidence that is not valid, or rejected, counts for nothing.

        Raises
        ------
        BadValue
            For an item that is not there, or evidence of more than two classes.
        """
        flashed = sorted(set(items))
        if not flashed or not 0 <= flashed[0] <= flashed[-1] < len(self.counts):
            raise BadValue(Message("decide.flashed", last=len(self.counts) - 1, got=str(flashed)))
        if len(evidence.probabilities) != 2:
            raise BadValue(Message("decide.flash_evidence", n=len(evidence.probabilities)))
        if not evidence.valid or evidence.rejected:
            return
        odds = _odds(evidence.probabilities) if self._target == 1 else -_odds(evidence.probabilities)
        for item in flashed:
            # Less the prior of the training set, which would otherwise count again with each flash.
            self._sums[item] += odds - self._prior
            self.counts[item] += 1

    @property
    def probabilities(self) -> tuple[float, ...]:
        """Posterior of each item."""
        out = np.empty_like(self._sums)
        softmax(self._sums, out)
        return tuple(out.tolist())

    @property
    def chosen(self) -> int | None:
        """The chosen item, None while there is none."""
        p = self.probabilities
        best = p.index(max(p))
        # The item that flashed least decides: none is chosen before all have had as many chances.
        if min(self.counts) >= self._most:
            return best
        return best if min(self.counts) >= self._least and p[best] >= self._stop else None

    @property
    def likeliest(self) -> int | None:
        """The item that is chosen when no more flashes come, None while an item had too few."""
        p = self.probabilities
        return p.index(max(p)) if min(self.counts) >= self._least else None

    def reset(self) -> None:
        """Begin the next choice."""
        self._sums[:] = 0.0
        self.counts = [0] * len(self.counts)


def _odds(probabilities: tuple[float, ...]) -> float:
    """Log odds of the second of two classes; probabilities below 1e-300 count as that."""
    from_p, out = np.empty(2), np.empty(2)
    logarithms(np.array(probabilities), 1e-300, from_p)
    log_odds(from_p, out)
    return float(out[1])
