"""Signal quality, for the lights on the screen and for the rule that a bad montage arms nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from workbench.errors import BadSignal, BadValue
from workbench.kernels.quality import N_STATISTICS, combine, gather, turning
from workbench.messages import Message
from workbench.signals import units
from workbench.vocabulary import FloatArray

BLOCKS = 20
"""Blocks of a window. The oldest is forgotten when the next one begins."""


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


class _Statistics(NamedTuple):
    """Of one channel over the window.

    Attributes
    ----------
    missing : share of missing values. still : longest stretch without change, in samples.
    rail : share of values equal to the smallest or the largest one.
    rms : root mean square about the mean, and ``peak`` the largest magnitude, µV.
    line : share of the variance in the mains line, 0–1.
    """

    missing: float
    still: float
    rail: float
    rms: float
    line: float
    peak: float


class QualityMonitor:
    """Judges each channel by the last seconds, of which it keeps statistics and no sample.

    Parameters
    ----------
    fs : rate in Hz.
    channels : names in stream order.
    unit : of the samples, or one per channel, in any spelling. Voltages are scaled to µV and judged by size; other
        channels are judged only by what applies to any unit (missing, flat, mains).
    mains_hz : 50 or 60; 0 turns the rule about mains off.
    window_s : how much signal is judged, s; up to a twentieth less while the newest block is not full.
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
        self._window = max(2, round(window_s * fs))
        self._block = math.ceil(self._window / BLOCKS)
        # One more than a block, which says by how much the line turns from the beginning of one to the next.
        self._waves = np.zeros((self._block + 1, 2))
        if self._mains:
            turning(2.0 * math.pi * self._mains / fs, self._waves)
        self._sums = np.zeros((self._block + 1, 2))
        np.cumsum(self._waves[:-1], axis=0, out=self._sums[1:])
        n_blocks = math.ceil(self._window / self._block)
        self._blocks = np.zeros((n_blocks, len(self.channels), N_STATISTICS))
        self._last = np.zeros((len(self.channels), 2))
        self._seen = 0

    def step(self, samples: FloatArray) -> None:
        """Take raw samples, ``(n_times, n_channels)`` float64, in the unit of the stream."""
        if samples.ndim != 2 or samples.shape[1] != len(self.channels):
            raise BadSignal(Message("signal.shape", channels=len(self.channels), got=str(samples.shape)))
        at = 0
        while at < len(samples):
            number, place = divmod(self._seen, self._block)
            block = self._blocks[number % len(self._blocks)]
            if place == 0:
                block[:] = 0.0
            stop = min(len(samples), at + self._block - place)
            gather(samples[at:stop], self._factors, self._waves[place:], self._last, block)
            self._seen += stop - at
            at = stop

    def reset(self) -> None:
        """Forget all samples taken so far."""
        self._blocks[:], self._last[:], self._seen = 0.0, 0.0, 0

    def report(self) -> list[ChannelQuality]:
        """The light of each channel; empty until a quarter of the window has arrived."""
        if self._seen < max(2, self._window // 4):
            return []
        newest, place = divmod(self._seen - 1, self._block)
        found = np.empty((len(self.channels), len(_Statistics._fields)))
        combine(self._blocks, newest, place + 1, self._block, self._waves[-1], self._sums, found)
        return [self._judge(name, _Statistics(*row)) for name, row in zip(self.channels, found.tolist())]

    def state(self) -> str:
        """The light of the montage now."""
        return montage_state(self.report())

    def _judge(self, name: str, row: _Statistics) -> ChannelQuality:
        state, code = self._fault(name, row) or self._doubt(name, row) or ("good", "good")
        return ChannelQuality(name, state, code, row.rms, row.line)

    def _fault(self, name: str, row: _Statistics) -> tuple[str, str] | None:
        """State and code of a channel with which nothing can be decoded."""
        limits, scaled, rms = self.limits, self._voltage[name], row.rms
        if row.missing > limits.missing_bad:
            return "bad", "nan"
        # A channel at its rail is flat too; the rail is reported, because it says what to do about it.
        on_rail = scaled and row.rail > limits.rail_share and rms > limits.rms_check
        if on_rail or (scaled and self._rail is not None and row.peak >= self._rail):
            return "bad", "rail"
        # Two repeats at least: at low rates a single pair of equal samples is quantisation.
        still = row.still >= max(2.0, limits.flat_s * self.fs)
        if still or (scaled and rms < limits.rms_low):
            return "bad", "flat"
        if scaled and rms > limits.rms_bad:
            return "bad", "amplitude"
        return ("bad", "line_noise") if row.line > limits.line_bad else None

    def _doubt(self, name: str, row: _Statistics) -> tuple[str, str] | None:
        """State and code of a channel that somebody should look at."""
        limits = self.limits
        if row.line > limits.line_check:
            return "check", "line_noise"
        if row.missing > 0.0:
            return "check", "nan"
        return ("check", "amplitude") if self._voltage[name] and row.rms > limits.rms_check else None


def montage_state(channels: Sequence[ChannelQuality]) -> str:
    """``"bad"`` when one is bad, ``"check"`` when one is to be checked or nothing is known, else ``"good"``."""
    states = {channel.state for channel in channels}
    if "bad" in states:
        return "bad"
    return "check" if "check" in states or not states else "good"
