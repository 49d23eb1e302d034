"""Decoded streams for screens and for arming: the display ring, channel quality, and whether the unit fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import world
from workbench.devices import lsl
from workbench.engine.events import EventLog
from workbench.engine.inlets import Arrival
from workbench.engine.streams import Streams
from workbench.live._display import DisplayWriter
from workbench.messages import Message
from workbench.signals import units
from workbench.signals.quality import ChannelQuality, QualityLimits, QualityMonitor, montage_state

MUSCLE = QualityLimits(rms_check=2000.0, rms_bad=5000.0)
"""Limits of an EMG, which reaches millivolts."""


class SignalMonitor:
    """Display of the signal, and quality of it and of the streams that may be decoded beside it.

    Parameters
    ----------
    streams : of the session.
    events : where an implausible unit is entered.

    Attributes
    ----------
    quality : of each channel of the signal as last assessed, empty before.
    beside : the same of each channel of the other streams, by name of the stream.
    """

    def __init__(self, streams: Streams, *, events: EventLog) -> None:
        self._streams, self._events = streams, events
        self._display: DisplayWriter | None = None
        self._monitor: QualityMonitor | None = None
        self.quality: list[ChannelQuality] = []
        self.beside: dict[str, list[ChannelQuality]] = {}
        self._beside: dict[str, QualityMonitor] = {}
        self._measured: dict[str, NDArray[np.int64]] = {}

    def open(self, display: Path, *, mains_hz: float) -> None:
        """Begin, once the signal stream is connected.

        Parameters
        ----------
        display : file of the display ring.
        mains_hz : frequency of the mains, Hz.
        """
        signal = self._streams.signal
        spec, unit = signal.spec, units.canonical(signal.spec.unit)
        self._display = DisplayWriter(
            display,
            names=spec.measured,
            fs=spec.fs,
            unit=unit,
            speed=signal.speed,
            t0=signal.t0,
            lead_s=lsl.local_clock() - world.clock.monotonic(),
        )
        self._monitor = QualityMonitor(spec.fs, spec.measured, unit=unit, mains_hz=mains_hz)
        for name, stream in self._streams.items():
            line = stream.spec
            aside = line.without
            if aside:
                self._measured[name] = np.setdiff1d(np.arange(len(line.channels)), aside)
            if line.decoded_beside:
                self._beside[name] = QualityMonitor(
                    line.fs,
                    line.measured,
                    unit=units.canonical(line.unit),
                    mains_hz=mains_hz,
                    limits=MUSCLE if line.type.casefold() == "emg" else None,
                )

    def take(self, values: Any, arrival: Arrival) -> None:
        """Scaled samples ``(n_times, n_channels)`` of an arrival of the signal stream."""
        if self._display is None or self._monitor is None:
            return
        signal = self._streams.signal
        values = self._of_measured(signal.spec.name, values)
        # The screen needs some time for each sample; the recording has the stamps as they came.
        stamps = np.where(np.isfinite(arrival.stamps), arrival.stamps, signal.newest)
        self._display.write(values, stamps + signal.offset, local=arrival.local)
        self._monitor.step(np.ascontiguousarray(values, dtype=np.float64))

    def take_beside(self, name: str, values: Any) -> None:
        """Scaled samples ``(n_times, n_channels)`` of another stream; only those that may be decoded count."""
        if name in self._beside:
            values = self._of_measured(name, values)
            self._beside[name].step(np.ascontiguousarray(values, dtype=np.float64))

    def _of_measured(self, name: str, values: Any) -> Any:
        """Values ``(n_times, n_channels)`` of a stream without the channels that are only recorded."""
        return np.take(values, self._measured[name], axis=1) if name in self._measured else values

    def light(self, name: str) -> str | None:
        """``"good"``, ``"check"`` or ``"bad"`` of a stream that is or may be decoded, None for any other."""
        if self._streams[name] is self._streams.signal:
            return montage_state(self.quality)
        return montage_state(self.beside.get(name, [])) if name in self._beside else None

    def assess(self) -> None:
        """Assess the quality again, and compare a declared unit with the amplitude."""
        self.beside = {name: monitor.report() for name, monitor in self._beside.items()}
        if self._monitor is not None:
            self.quality = self._monitor.report()
            self._check_declared_unit()

    @property
    def ok(self) -> bool | None:
        """Whether the montage is good enough to move an effector; None while it is not known.

        A critical stream beside the signal that is bad is as bad as the signal.
        """
        if self._streams.signal.recording_only:
            return False
        if any(self._streams[name].spec.critical and self.light(name) == "bad" for name in self._beside):
            return False
        return montage_state(self.quality) != "bad" if self.quality else None

    def _check_declared_unit(self) -> None:
        """A row once, and an alarm for as long as the unit that an operator declared cannot be."""
        stream, ledger = self._streams.signal, self._events.ledger
        if stream.units.source != "declared" or not self.quality or not units.is_voltage(stream.spec.unit):
            return
        name, unit, by = stream.spec.name, stream.spec.unit, stream.units.by
        problem = units.implausible([channel.rms_uv for channel in self.quality])
        cause = f"unit_implausible:{name}"
        if not problem:
            ledger.alarms.clear(cause)
            return
        if cause not in ledger.alarms:
            self._events.enter(
                "unit_implausible", stream=name, extent=problem,
                consequence=Message("units.declared_wrong", unit=repr(unit), by=by),
                priority="high",
            )  # fmt: skip
        ledger.alarms.raise_alarm(
            cause,
            key="unit_implausible",
            priority="high",
            what=Message("alarm.unit", stream=name, problem=problem),
            means=Message("alarm.unit_means", unit=repr(unit), by=by),
            do=Message("alarm.unit_do"),
        )

    def close(self) -> None:
        """Take the display away."""
        if self._display is not None:
            self._display.close()
