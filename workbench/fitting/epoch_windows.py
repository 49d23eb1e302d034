"""Positions of the windows of an epoch, and the windows themselves, filtered as the stream filters them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.signals import SignalStream
from workbench.signals.epoching import rows
from workbench.vocabulary import FloatArray

SHORTEST_S = 0.25
"""A default window is cut to the epoch down to this length, s."""


@dataclass(frozen=True)
class EpochWindows:
    """Positions of the windows of an epoch: one at every hop, or the one that is locked to an event.

    Parameters
    ----------
    fs : rate in Hz.
    n_times : samples of an epoch.
    lead_in : s at the start of the epoch that only warms the filters up.
    latency_s : None for windows at every hop; else the time from the event, which is at the end of the lead-in, to
        the start of the one window of the epoch, s.

    Raises
    ------
    BadValue
        A lead-in that does not fit in the epoch, or a latency below 0.
    BadSignal
        An epoch that ends before its window begins.
    """

    fs: float
    n_times: int
    lead_in: float
    latency_s: float | None = None

    def __post_init__(self) -> None:
        epoch_s = self.n_times / self.fs
        if not 0 <= self.lead_in < epoch_s:
            raise BadValue(Message("fit.lead_in", epoch=f"{epoch_s:g}", got=f"{self.lead_in:g}"))
        if self.latency_s is None:
            return
        if not 0 <= self.latency_s < float("inf"):
            raise BadValue(Message("fit.latency", got=str(self.latency_s)))
        if self.first >= self.n_times:
            raise BadSignal(
                Message(
                    "fit.epochs_end_early",
                    epoch=f"{epoch_s:g}",
                    latency=f"{self.latency_s:g}",
                    lead_in=f"{self.lead_in:g}",
                )
            )

    @property
    def first(self) -> int:
        """Sample at which the first window begins."""
        # Rounded separately, as in a stream, where the event has a sample of its own.
        return round(self.lead_in * self.fs) + round((self.latency_s or 0.0) * self.fs)

    @property
    def room_s(self) -> float:
        """Time from the start of the first window to the end of the epoch, s."""
        start = self.lead_in if self.latency_s is None else self.first / self.fs
        return self.n_times / self.fs - start

    def shortened(self, default_s: float) -> float | None:
        """Length, s, to which a default window of ``default_s`` s is cut; None where it fits or gets too short."""
        return self.room_s if SHORTEST_S <= self.room_s < default_s else None

    def windows(self, stream: SignalStream, epoch: FloatArray) -> Iterator[FloatArray]:
        """Filtered windows ``(n_window, n_lanes)`` float64, µV, of a raw epoch ``(n_channels, n_times)``.

        Each is valid until the next is taken. ``stream`` is reset first.

        Raises
        ------
        BadSignal
            When the epoch is too short for a window.
        """
        end = self.first + stream.n_window
        if self.n_times < end:
            raise BadSignal(
                Message(
                    "fit.epochs_short",
                    n=self.n_times,
                    seconds=f"{self.n_times / self.fs:g}",
                    lead_in=f"{self.first / self.fs:g}",
                    window=f"{stream.n_window / self.fs:g}",
                    needed=end,
                )
            )
        stream.reset()
        samples, position = rows(epoch), 0
        last = end if self.latency_s is not None else self.n_times
        while end <= last:
            stream.step(samples[position:end])
            yield stream.window(stream.n_seen)[0]
            position, end = end, end + stream.n_hop
