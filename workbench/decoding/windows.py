"""Evidence over windows that follow one another: which of several items was meant. Strict arithmetic."""

from __future__ import annotations

import numpy as np

from workbench.errors import BadValue
from workbench.kernels.evidence import logarithms, softmax
from workbench.messages import Message
from workbench.vocabulary import Evidence


class Windows:
    """Sums the log probabilities of the items over windows, and stops when one item is likely enough.

    Parameters
    ----------
    n_items : items to choose from, 2 or more; as many as the decoder has classes.
    stop : posterior of an item from which it is chosen.
    windows : least and most of them: before the least nothing is chosen, and with the most the likeliest is.

    Attributes
    ----------
    count : windows so far.

    Raises
    ------
    BadValue
        For values outside what is allowed.

    Notes
    -----
    All items are equally likely beforehand and windows count as independent given the item, as with
    :class:`workbench.decoding.flashes.Flashes`.
    """

    def __init__(self, n_items: int, *, stop: float = 0.95, windows: tuple[int, int] = (1, 4)) -> None:
        least, most = windows
        if n_items < 2 or not 1 <= least <= most or not 0 < stop < 1:
            raise BadValue(
                Message("decide.windows", items=str(n_items), least=str(least), most=str(most), stop=str(stop))
            )
        self._sums = np.zeros(n_items)
        self._stop, self._least, self._most = stop, least, most
        self.count = 0

    def add(self, evidence: Evidence) -> None:
        """Add one window; evidence that is not valid, or rejected, counts for nothing.

        Raises
        ------
        BadValue
            For evidence of another number of items.
        """
        if len(evidence.probabilities) != len(self._sums):
            raise BadValue(Message("decide.items", n=len(self._sums), got=len(evidence.probabilities)))
        if not evidence.valid or evidence.rejected:
            return
        logs = np.empty(len(self._sums))
        logarithms(np.array(evidence.probabilities), 1e-300, logs)
        self._sums += logs
        self.count += 1

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
        if self.count >= self._most:
            return best
        return best if self.count >= self._least and p[best] >= self._stop else None

    @property
    def likeliest(self) -> int | None:
        """The item that is chosen when no more windows come, None while there were too few."""
        p = self.probabilities
        return p.index(max(p)) if self.count >= self._least else None
