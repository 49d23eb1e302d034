"""The reference: the derivations of the channels that are filtered."""

from __future__ import annotations

import numpy as np

from workbench.kernels.filters import bipolar, common_average, laplacian
from workbench.signals.settings import SignalSettings
from workbench.vocabulary import FloatArray


class Reference:
    """Derivations of the channels according to the settings.

    Parameters
    ----------
    settings : whose reference, pairs and neighbours are used.
    n_channels : channels of the raw stream.

    Attributes
    ----------
    n_out : derivations. used : ``(n_channels,)`` uint8, 1 where a derivation needs the channel.
    """

    def __init__(self, settings: SignalSettings, n_channels: int) -> None:
        self._kind = settings.reference
        self.n_out = settings.n_derivations(n_channels)
        groups = settings.pairs or settings.neighbours
        # A bipolar pair is a centre with a single neighbour, so both references share these arrays.
        self._plus = np.array([group[0] for group in groups], dtype=np.int64)
        self._minus = np.array([i for group in groups for i in group[1:]], dtype=np.int64)
        self._first = np.cumsum([0, *(len(group) - 1 for group in groups)], dtype=np.int64)
        self.used = np.ones(n_channels, dtype=np.uint8)
        if groups:
            # Channels outside every derivation may be flat or missing without making a window invalid.
            self.used[:] = 0
            self.used[self._plus] = 1
            self.used[self._minus] = 1

    def step(self, samples: FloatArray) -> FloatArray:
        """``(n_times, n_out)`` float64, µV, from ``(n_times, n_channels)`` float64, µV."""
        if self._kind == "none":
            return samples
        out = np.empty((len(samples), self.n_out))
        if self._kind == "car":
            common_average(samples, out)
        elif self._kind == "bipolar":
            bipolar(samples, self._plus, self._minus, out)
        else:
            laplacian(samples, self._plus, self._first, self._minus, out)
        return out
