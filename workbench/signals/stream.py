"""The streaming signal: raw samples in, windows of filtered lanes out. The same bits for any chunking."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.kernels.samples import hold
from workbench.messages import Message
from workbench.signals._filter import filters
from workbench.signals._reference import Reference
from workbench.signals.settings import SignalSettings
from workbench.vocabulary import FloatArray


class SignalStream:
    """Reference, notch comb and filter bank with carried state, and a history of filtered samples.

    Parameters
    ----------
    settings : what is done.
    arrays : coefficients, as :func:`workbench.signals.design` returns them.
    fs : rate in Hz.
    n_channels : channels of the raw stream.

    Attributes
    ----------
    n_seen : samples taken so far. n_lanes : bands × derivations, band after band.
    n_window, n_hop, n_settle : window, hop and settling time in samples.

    Notes
    -----
    Filters start in the steady state of their first sample, so an offset makes no transient. They start
    again at the first sample after a gap, and when a channel comes back from being flat or missing for
    longer than ``flat_s``. A value that is not finite is replaced by the last good one of its channel; no
    window that contains one is valid, nor one that began before the filters had settled again.
    """

    def __init__(
        self, settings: SignalSettings, arrays: Mapping[str, FloatArray], *, fs: float, n_channels: int
    ) -> None:
        self.settings, self.fs, self.n_channels = settings, float(fs), int(n_channels)
        self.n_window, self.n_hop = settings.n_window(fs), settings.n_hop(fs)
        self.n_settle = int(arrays["settle"][0])
        self._reference = Reference(settings, self.n_channels)
        self.n_lanes = self._reference.n_out * len(settings.bands)
        self.n_seen = 0
        self._filters = filters(arrays, self._reference.n_out)
        self._held = np.zeros(self.n_channels)
        self._run = np.full(self.n_channels, -1, dtype=np.int64)
        self._counters = np.array([max(2, round(settings.flat_s * fs)), 0, 0], dtype=np.int64)
        self._begins = [0]
        self._size = self.n_window + max(1, round(settings.history_s * fs))
        self._ring = np.zeros((self._size + self.n_window, self.n_lanes))
        # Rows that were never written are not clean.
        self._clean = np.full(self._size, np.iinfo(np.int64).max, dtype=np.int64)
        self._fresh = np.zeros(self._size, dtype=np.int64)

    def step(self, samples: FloatArray) -> None:
        """Take samples.

        Parameters
        ----------
        samples : ``(n_times, n_channels)`` float64, µV, raw. No sample changes nothing.

        Raises
        ------
        BadSignal
            Another number of channels or dimensions than the stream was made for.
        """
        samples = np.ascontiguousarray(samples, dtype=np.float64)
        if samples.ndim != 2 or samples.shape[1] != self.n_channels:
            raise BadSignal(Message("signal.other_channels", channels=self.n_channels, got=str(samples.shape)))
        position = 0
        while position < len(samples):
            # A piece ends with the ring, so that it never wraps.
            room = self._size - self.n_seen % self._size
            self._piece(samples[position : position + room])
            position += room

    def reset(self) -> None:
        """A gap follows: the filters restart at the next sample, and windows across it are not valid."""
        self._run[:] = -1
        self._counters[2] = self.n_seen
        # Gaps older than the history cannot be asked about any more.
        oldest = self.n_seen - self._size
        self._begins = [0, *(begin for begin in self._begins if begin > oldest), self.n_seen]

    def window(self, end: int) -> tuple[FloatArray, bool]:
        """The filtered window that ends before sample ``end``.

        Parameters
        ----------
        end : exclusive end, at most ``n_seen`` and at most ``history_s`` behind it.

        Returns
        -------
        window : ``(n_window, n_lanes)`` float64, µV; a view, good until the next step.
        valid : False when it is incomplete, touches a gap or a flat or missing value, or begins before the
            filters had settled.

        Raises
        ------
        BadValue
            When ``end`` lies outside the history.
        """
        self.check_end(end)
        if end < self.n_window:
            return np.zeros((self.n_window, self.n_lanes)), False
        first = (end - self.n_window) % self._size
        # The settling time starts with the clean stretch; the whole window has to lie after it.
        since = int(self._clean[(end - 1) % self._size])
        return self._ring[first : first + self.n_window], since + self.n_settle <= end - self.n_window

    def complete(self, end: int) -> bool:
        """Whether the window that ends before ``end`` contains only samples since the start or the last gap."""
        return end - self.n_window >= max((begin for begin in self._begins if begin < end), default=0)

    def check_end(self, end: int) -> None:
        """Raise :class:`BadValue` when no window that ends before ``end`` can be given."""
        if not self.has_window(end):
            oldest = max(0, self.n_seen - self._size + self.n_window)
            raise BadValue(Message("signal.window_end", oldest=str(oldest), newest=str(self.n_seen), got=str(end)))

    def has_window(self, end: int) -> bool:
        """Whether ``end`` lies within the history."""
        return max(0, self.n_seen - self._size + self.n_window) <= end <= self.n_seen

    def _piece(self, samples: FloatArray) -> None:
        """Take samples that fit in the ring without wrapping.

        The first ``n_window`` rows of the ring are repeated behind its end, so that every window is contiguous.
        """
        n, at = len(samples), self.n_seen % self._size
        filled, clean = np.empty_like(samples), self._clean[at : at + n]
        n_fresh = hold(
            samples, self._reference.used, self._counters, self._held, self._run, filled, clean, self._fresh
        )
        # With -1 nothing was written: the raw samples are clean and are used as they are.
        lanes = self._reference.step(samples if n_fresh < 0 else filled)
        ring = self._ring[at : at + n]
        first = 0
        # Up to a restart the old state filters; from there on the steady state of that row.
        for start in self._fresh[: max(n_fresh, 0)].tolist():
            self._filter(lanes[first:start], ring[first:start])
            for stage in self._filters:
                stage.start(lanes[start])
            first = start
        self._filter(lanes[first:], ring[first:])
        if at < self.n_window:
            wrapped = ring[: self.n_window - at]
            self._ring[self._size + at : self._size + at + len(wrapped)] = wrapped
        self.n_seen += n

    def _filter(self, lanes: FloatArray, out: FloatArray) -> None:
        for stage in self._filters[:-1]:
            notched = np.empty_like(lanes)
            stage.step(lanes, notched)
            lanes = notched
        self._filters[-1].step(lanes, out)
