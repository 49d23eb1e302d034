"""Windows that begin at a fixed time after an event: what decoders of evoked responses share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.decoders._base import WindowDecoder, check_lead_in
from workbench.errors import BadSignal, BadValue
from workbench.vocabulary import FloatArray


class TimeLocked(WindowDecoder):
    """A decoder of windows that begin at a fixed time after an event: one window an epoch.

    ``latency_s`` is the time from the event to the start of the window. In an epoch the event is at the end of the
    lead-in; in a stream the window of an event at sample ``n`` ends at ``n + round(latency_s · fs) + window``.
    """

    latency_s: float

    def _window_s(self, epochs: FloatArray, lead_in: float) -> float | None:
        check_lead_in(lead_in, epochs.shape[2] / self.fs)
        return super()._window_s(epochs, self._start_s(epochs, lead_in))

    def _epoch_summaries(self, epochs: FloatArray, lead_in: float) -> tuple[FloatArray, NDArray[np.int64]]:
        check_lead_in(lead_in, epochs.shape[2] / self.fs)
        start = self._start_s(epochs, lead_in)
        end = round(start * self.fs) + self.settings.n_window(self.fs)
        return super()._epoch_summaries(epochs[:, :, :end], start)

    def _start_s(self, epochs: FloatArray, lead_in: float) -> float:
        """Start of the window in the epoch, s, in whole samples."""
        if not 0 <= self.latency_s < np.inf:
            raise BadValue(f"latency_s must be 0 or more, got {self.latency_s}")
        start = round(lead_in * self.fs) + round(self.latency_s * self.fs)
        if start >= epochs.shape[2]:
            raise BadSignal(
                f"epochs of {epochs.shape[2] / self.fs:g} s end before the latency of {self.latency_s:g} s after "
                f"a lead-in of {lead_in:g} s; cut longer epochs or set latency_s"
            )
        return start / self.fs
