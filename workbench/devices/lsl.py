"""Lab Streaming Layer: outlets, inlets with raw stamps, clock offsets with uncertainty, the stream contract.

Inlets deliver raw stamps (``proc_none``); the offsets that correct them are measured separately and recorded
beside them, so that a correction can always be repeated. pylsl is loaded when it is first needed.

References: https://labstreaminglayer.readthedocs.io (stream header, time synchronisation).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import world
from workbench.devices._base import Device
from workbench.devices._lsl_clock import ClockOffset, ClockProbe, ClockThread
from workbench.devices._lsl_library import (
    Configuration,
    Library,
    check_library,
    check_names,
    configure,
    is_findable,
    library,
    local_clock,
    open_inlet,
    searched_ports,
)
from workbench.devices._lsl_seen import ROOM, StreamSeen, discover, full, header
from workbench.errors import BadSignal, BadValue, StreamFault
from workbench.messages import Message
from workbench.signals.units import StreamUnits
from workbench.vocabulary import FloatArray, StreamSpec

DEVICE = Device("Any amplifier, sensor or effector that speaks Lab Streaming Layer on this computer.")

__all__ = [
    "DEVICE",
    "ClockOffset",
    "Configuration",
    "Inlet",
    "Library",
    "Outlet",
    "StreamSeen",
    "check_library",
    "check_names",
    "configure",
    "connect",
    "discover",
    "local_clock",
    "resolve",
    "watcher",
]

DTYPES = ("float32", "double64", "int32", "string")


class Outlet:
    """Announces one stream and pushes samples or text into it."""

    def __init__(
        self,
        spec: StreamSpec,
        *,
        dtype: str = "",
        desc: Mapping[str, object] | None = None,
        n_channels: int = 0,
        buffer_s: int = 60,
    ) -> None:
        """Announce the stream.

        Parameters
        ----------
        spec : name, type, rate, channels, unit; ``source_id`` must be set, recovery depends on it.
        dtype : ``"float32"``, ``"double64"``, ``"int32"`` or ``"string"``; by default ``"float32"``, and
            ``"string"`` for a stream without channels.
        desc : what the stream says about itself, for example ``speed``, ``t0``, ``simulated``; ``pid`` is added.
        n_channels : only where the channels have no names.
        buffer_s : s kept for a slow receiver.

        Raises
        ------
        BadValue
            For an empty source_id, an unknown dtype, or a name in ``desc`` that is not an XML name.
        StreamFault
            When every port is in use at which others would look for it.

        Notes
        -----
        ``uid`` identifies this outlet, even beside one that claims its name and source_id.
        """
        self.spec = spec
        self.dtype = dtype or ("float32" if spec.channels or n_channels else "string")
        if not spec.source_id:
            raise BadValue(Message("lsl.outlet_source_id", stream=repr(spec.name)))
        if self.dtype not in DTYPES:
            raise BadValue(Message("lsl.dtype", allowed=list(DTYPES), got=repr(dtype)))
        self.n_channels = len(spec.channels) or n_channels or 1
        self._lsl = library()
        info = self._lsl.StreamInfo(
            spec.name, spec.type, self.n_channels, float(spec.fs), self.dtype, spec.source_id
        )
        _describe(info, spec, {"pid": world.computer.pid(), **(desc or {})})
        # Chunk size 0: liblsl sends what each push contains, without holding samples back.
        self._outlet: Any = self._lsl.StreamOutlet(info, 0, buffer_s)
        announced = self._outlet.get_info()
        if not is_findable(announced):
            self._outlet = None
            ports = searched_ports()
            raise StreamFault(Message("lsl.no_port", stream=repr(spec.name), first=ports[0], last=ports[-1]))
        self.uid = str(announced.uid())

    def push(self, values: NDArray[Any], stamps: FloatArray) -> None:
        """Send samples.

        Parameters
        ----------
        values : ``(n_times, n_channels)``, any number type; sent as the dtype of the stream.
        stamps : ``(n_times,)`` float64, LSL time in s of each row, as the source has it.

        Raises
        ------
        BadSignal
            When the shapes do not fit.
        """
        if values.ndim != 2 or values.shape != (len(stamps), self.n_channels):
            raise BadSignal(
                Message(
                    "lsl.samples_shape",
                    stream=repr(self.spec.name),
                    n=len(stamps),
                    channels=self.n_channels,
                    got=str(values.shape),
                )
            )
        if len(stamps):
            self._outlet.push_chunk(values, np.asarray(stamps, dtype=np.float64).tolist())

    def push_text(self, text: str, stamp: float) -> None:
        """Send one text (a marker, a JSON object) with its LSL time in s."""
        self._outlet.push_sample([text], stamp)

    def wait_for_receiver(self, timeout: float) -> bool:
        """Wait at most ``timeout`` s for a receiver; True when there is one."""
        return bool(self._outlet.wait_for_consumers(timeout))

    def has_receiver(self) -> bool:
        """Whether there is a receiver now."""
        return bool(self._outlet.have_consumers())

    def close(self) -> None:
        """Take the stream away. What was pushed and not fetched is lost."""
        self._outlet = None


def _describe(info: Any, spec: StreamSpec, extra: Mapping[str, object]) -> None:
    """Write channels, units and our own element into the stream description."""
    desc = info.desc()
    channels = desc.append_child("channels")
    for label in spec.channels:
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", spec.unit)
        channel.append_child_value("type", spec.type)
    own = desc.append_child(ROOM)
    for key, value in extra.items():
        if not key.isidentifier():
            raise BadValue(Message("lsl.description_key", got=repr(key)))
        own.append_child_value(key, _as_text(value))


def _as_text(value: object) -> str:
    """Numbers so that ``float`` restores them exactly, booleans as true and false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, int | float) else str(value)


class Inlet:
    """Receives one stream, with the stamps exactly as its source gave them.

    Attributes
    ----------
    spec : the line of the contract it fulfils.
    seen : what the outlet announced.
    notes : sentences about what the outlet did not announce and was taken from the contract.
    units : what its samples are multiplied by, and who stated it.
    """

    def __init__(
        self,
        spec: StreamSpec,
        info: Any,
        *,
        seen: StreamSeen | None = None,
        notes: Sequence[str] = (),
        units: StreamUnits | None = None,
        buffer_s: int = 360,
        timeout: float = 5.0,
    ) -> None:
        """Connect; samples are buffered from now on. Use :func:`resolve` rather than this.

        Parameters
        ----------
        spec : the line of the contract.
        info : the stream's ``pylsl.StreamInfo``.
        seen : its header, where it was read already.
        notes : remarks from matching it with the contract.
        units : how its samples are scaled; by default as ``spec`` says.
        buffer_s : samples that liblsl keeps, s.
        timeout : s within which the outlet has to answer.

        Raises
        ------
        StreamFault
            When the outlet does not answer within ``timeout`` s.
        """
        self._lsl = library()
        self.spec = spec
        self.notes = tuple(notes)
        self._inlet: Any
        try:
            self._inlet, described = open_inlet(info, timeout=timeout, buffer_s=buffer_s)
        except RuntimeError as error:
            sentence = Message("stream.no_answer", stream=repr(spec.name), n=f"{timeout:g}")
            raise StreamFault(sentence) from error
        self.seen = full(described) if seen is None else seen
        self._probe = ClockProbe(self._inlet)
        self._lock = world.clock.lock()
        self._clock: ClockThread | None = None
        self.is_text = self.seen.dtype == "string"
        self.units = units or StreamUnits(self.seen.units, np.ones(self.seen.n_channels), "recorded")

    def pull(self, timeout: float = 0.5, *, max_samples: int = 4096) -> tuple[Any, FloatArray]:
        """Wait for at least one sample and return all that have arrived.

        Parameters
        ----------
        timeout : s to wait for the first sample.
        max_samples : most samples at once.

        Returns
        -------
        values : ``(n_times, n_channels)`` in the dtype of the stream, or a list of ``n_times`` texts.
        stamps : ``(n_times,)`` float64, s, raw. Both are empty when nothing came.

        Raises
        ------
        StreamFault
            When the outlet is gone. An inlet is bound to one outlet; another one needs another inlet.
        """
        try:
            values, stamps = self._inlet.pull_chunk(timeout, max_samples, min_samples=1, as_numpy=True)
        except self._lsl.util.LostError as error:
            sentence = Message("stream.outlet_gone", stream=repr(self.spec.name), uid=self.seen.uid[:8])
            raise StreamFault(sentence) from error
        if self.is_text:
            texts = [bytes(v).decode("utf-8", errors="replace") for v in values[:, 0]] if len(stamps) else []
            return texts, stamps
        return values.reshape(len(stamps), self.seen.n_channels), stamps

    def clock(
        self,
        on_offset: Callable[[ClockOffset], None],
        *,
        every: float = 5.0,
        spawn: world.Spawn = world.start_thread,
        name: str = "lsl-clock",
    ) -> None:
        """Measure the clock offset on a thread and pass each new measurement on.

        After a timeout nothing is passed on: the last value is never given again as if it were new.

        Parameters
        ----------
        on_offset : takes each measurement, on that thread.
        every : s between two measurements.
        spawn, name : start the thread under this name; the engine hands in its supervisor.
        """
        with self._lock:
            if self._clock is not None:
                self._clock.close()
            self._clock = ClockThread(self._probe, on_offset, every=every, spawn=spawn, name=name)

    def offset(self, timeout: float = 3.0) -> ClockOffset | None:
        """One new measurement of the clock offset, or None when there is none within ``timeout`` s."""
        return self._probe.measure(timeout)

    def close(self) -> None:
        """End the clock thread and disconnect. Not while another thread is in :meth:`pull`."""
        with self._lock:
            if self._clock is not None:
                self._clock.close()
                self._clock = None
        if self._inlet is not None:
            self._inlet.close_stream()
            self._inlet = None


def connect(source_id: str, *, timeout: float = 10.0) -> Inlet:
    """Open the one stream with that source_id, whatever its name, rate and channels.

    Raises
    ------
    StreamFault
        When it is not found within ``timeout`` s.
    """
    infos = library().resolve_byprop("source_id", source_id, 1, timeout)
    if not infos:
        raise StreamFault(Message("stream.no_source", source_id=repr(source_id), n=f"{timeout:g}"))
    seen = header(infos[0])
    role = "markers" if seen.dtype == "string" else "signal"
    return Inlet(StreamSpec(seen.name, seen.type, seen.fs, source_id=source_id, role=role), infos[0])


def watcher() -> Callable[[], list[StreamSeen]]:
    """Listen from now on; the returned function gives the headers of all present streams.

    A stream that ended is listed for 2 s more.
    """
    resolver = library().ContinuousResolver(forget_after=2.0)
    return lambda: [header(info) for info in resolver.results()]


def resolve(
    contract: Sequence[StreamSpec], *, timeout: float = 10.0, waived: Sequence[str] = (), settle: float = 0.6
) -> dict[str, Inlet]:
    """Find and open every stream of the contract, or say everything that is wrong with it at once.

    Parameters
    ----------
    contract : the streams the session expects; names are unique.
    timeout : s to look for them.
    waived : names of non-critical streams to go without when they are missing or wrong.
    settle : s to continue looking after the last was found, so that a duplicate is seen.

    Returns
    -------
    Inlets by name of the contract, opened; a waived stream that is missing has none.

    Raises
    ------
    BadValue
        When a critical stream is waived, a waived name is not in the contract, or a name occurs twice.
    StreamFault
        Streams missing (with those seen instead), duplicated (naming both), or with another type, rate,
        channels or unit than the contract states. One sentence per problem, one line per sentence.
    """
    from workbench.devices import _lsl_contract

    if not math.isfinite(timeout) or timeout <= 0:
        raise BadValue(Message("lsl.timeout", got=str(timeout)))
    matched = _lsl_contract.match(contract, timeout=timeout, waived=waived, settle=settle)
    inlets: dict[str, Inlet] = {}
    try:
        for spec, info, seen, notes, units in matched:
            inlets[spec.name] = Inlet(spec, info, seen=seen, notes=notes, units=units)
    # All or none: an inlet that stays open would buffer samples that nobody pulls.
    except StreamFault:
        for inlet in inlets.values():
            inlet.close()
        raise
    return inlets
