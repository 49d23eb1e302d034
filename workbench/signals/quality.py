"""Signal quality, for the lights on the screen and for the rule that a bad montage arms nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.kernels.quality import LINE, MISSING, PEAK, RAIL, RMS, STILL, cosine, mains, statistics
from workbench.messages import Message
from workbench.signals import units
from workbench.vocabulary import FloatArray

TOGETHER = 8
"""Channels that are judged together: a line of the processor's cache holds one sample of each."""


@dataclass(frozen=True, slots=True)
class ChannelQuality:
    """One channel's light.

    Attributes
    ----------
    name : of the channel.
    state : ``"good"``, ``"check"`` or ``"bad"``.
    code : the reason: ``"good"``, ``"nan"``, ``"flat"``, ``"rail"``, ``"line_noise"``, ``"amplitude"``.
    rms_uv : root mean square about the mean, µV; of a channel that is not a voltage in its own unit.
    line_ratio : share of the variance in the mains line, 0–1.
    """

    name: str
    state: str
    code: str
    rms_uv: float
    line_ratio: float


@dataclass(frozen=True)
class QualityLimits:
    """Limits beyond which a channel is to be checked or is bad. The defaults are proposals.

    Attributes
    ----------
    flat_s : a channel without change for this long is flat, s. rail_share : share of values at the extremes.
    line_check, line_bad : share of the variance in the mains line.
    rms_check, rms_bad : root mean square in µV; only for voltages. rms_low : below it a channel is flat, µV.
    missing_bad : share of missing values.
    """

    flat_s: float = 0.1
    rail_share: float = 0.05
    line_check: float = 0.5
    line_bad: float = 0.9
    rms_check: float = 200.0
    rms_bad: float = 1000.0
    rms_low: float = 0.05
    missing_bad: float = 0.01


class QualityMonitor:
    """Keeps the last seconds of raw samples and judges each channel.

    Parameters
    ----------
    fs : rate in Hz.
    channels : names in stream order.
    unit : of the samples, or one per channel, in any spelling. Voltages are scaled to µV and judged by size; other
        channels are judged only by what applies to any unit (missing, flat, mains).
    mains_hz : 50 or 60; 0 turns the rule about mains off.
    window_s : how much signal is judged, s.
    rail_uv : magnitude of the amplifier's rail, or None when it is not known.
    limits : thresholds.
    """

    def __init__(
        self,
        fs: float,
        channels: Sequence[str],
        *,
        unit: str | Sequence[str] = "uV",
        mains_hz: float = 50.0,
        window_s: float = 2.0,
        rail_uv: float | None = None,
        limits: QualityLimits | None = None,
    ) -> None:
        if not 0 < fs < float("inf") or not 0 < window_s < float("inf"):
            raise BadValue(Message("signal.quality_window", fs=str(fs), window=str(window_s)))
        self.fs, self.channels = float(fs), tuple(channels)
        texts = [unit] * len(self.channels) if isinstance(unit, str) else list(unit)
        if len(texts) != len(self.channels):
            raise BadValue(Message("signal.units", n=len(self.channels), got=len(texts)))
        self._factors = np.array([units.parse(text).factor for text in texts])
        self._voltage = dict(zip(self.channels, map(units.is_voltage, texts)))
        self.limits = limits or QualityLimits()
        # A line at or above half the rate is aliased and cannot be distinguished from the signal.
        self._mains = mains_hz if 0 < mains_hz < fs / 2 else 0.0
        self._rail = rail_uv
        self._ring = np.zeros((max(2, round(window_s * fs)), len(self.channels)))
        self._seen = 0

    def step(self, samples: FloatArray) -> None:
        """Take raw samples, ``(n_times, n_channels)`` float64, in the unit of the stream."""
        if samples.ndim != 2 or samples.shape[1] != len(self.channels):
            raise BadSignal(Message("signal.shape", channels=len(self.channels), got=str(samples.shape)))
        size = len(self._ring)
        # Of a chunk longer than the ring only the end is kept, but every sample moves the position.
        tail = samples[-size:]
        first = (self._seen + len(samples) - len(tail)) % size
        head = min(len(tail), size - first)
        self._ring[first : first + head] = tail[:head]
        self._ring[: len(tail) - head] = tail[head:]
        self._seen += len(samples)

    def reset(self) -> None:
        """Forget all samples taken so far."""
        self._seen = 0

    def report(self) -> list[ChannelQuality]:
        """The light of each channel; empty until a quarter of the window has arrived."""
        size = len(self._ring)
        if self._seen < max(2, size // 4):
            return []
        # Until the ring is full, its samples lie in order; then the oldest follow the position.
        length, oldest = min(self._seen, size), 0 if self._seen < size else self._seen % size
        table = np.zeros((len(self.channels), 6))
        # A few channels at a time: copies of hundreds at a high rate are hundreds of megabytes, and reading one
        # channel across them took half of the engine's time.
        for at in range(0, len(self.channels), TOGETHER):
            some = slice(at, min(at + TOGETHER, len(self.channels)))
            window = np.empty((length, some.stop - at))
            window[: length - oldest] = self._ring[oldest:length, some]
            window[length - oldest :] = self._ring[:oldest, some]
            window *= self._factors[some]
            filled = np.empty((some.stop - at, length))
            statistics(window, filled, table[some])
            if self._mains:
                mains(filled, cosine(2 * math.pi * self._mains / self.fs), table[some])
        return [self._judge(name, row) for name, row in zip(self.channels, table.tolist())]

    def state(self) -> str:
        """The light of the montage now."""
        return montage_state(self.report())

    def _judge(self, name: str, row: list[float]) -> ChannelQuality:
        state, code = self._fault(name, row) or self._doubt(name, row) or ("good", "good")
        return ChannelQuality(name, state, code, row[RMS], row[LINE])

    def _fault(self, name: str, row: list[float]) -> tuple[str, str] | None:
        """State and code of a channel with which nothing can be decoded."""
        limits, scaled, rms = self.limits, self._voltage[name], row[RMS]
        if row[MISSING] > limits.missing_bad:
            return "bad", "nan"
        # A channel at its rail is flat too; the rail is reported, because it says what to do about it.
        on_rail = scaled and row[RAIL] > limits.rail_share and rms > limits.rms_check
        if on_rail or (scaled and self._rail is not None and row[PEAK] >= self._rail):
            return "bad", "rail"
        # Two repeats at least: at low rates a single pair of equal samples is quantisation.
        still = row[STILL] >= max(2.0, limits.flat_s * self.fs)
        if still or (scaled and rms < limits.rms_low):
            return "bad", "flat"
        if scaled and rms > limits.rms_bad:
            return "bad", "amplitude"
        return ("bad", "line_noise") if row[LINE] > limits.line_bad else None

    def _doubt(self, name: str, row: list[float]) -> tuple[str, str] | None:
        """State and code of a channel that somebody should look at."""
        limits = self.limits
        if row[LINE] > limits.line_check:
            return "check", "line_noise"
        if row[MISSING] > 0.0:
            return "check", "nan"
        return ("check", "amplitude") if self._voltage[name] and row[RMS] > limits.rms_check else None


def montage_state(channels: Sequence[ChannelQuality]) -> str:
    """``"bad"`` when one is bad, ``"check"`` when one is to be checked or nothing is known, else ``"good"``."""
    states = {channel.state for channel in channels}
    if "bad" in states:
        return "bad"
    return "check" if "check" in states or not states else "good"
