"""Streams that are visible on LSL: their descriptions, read once, without the wrapper's types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.devices._lsl_library import library
from workbench.errors import RecordingFault
from workbench.messages import Message
from workbench.recording.xml import from_xml

ROOM = "workbench"
"""Element of the stream description with what our own outlets say about themselves."""

LARGEST_HEADER = 262_144
"""Longest stream header that is kept, characters; 1,000 channels with positions take about half of it."""

FORMATS = {0: "undefined", 1: "float32", 2: "double64", 3: "string", 4: "int32", 5: "int16", 6: "int8", 7: "int64"}


@dataclass(frozen=True, slots=True)
class StreamSeen:
    """One stream as its outlet announces it.

    Attributes
    ----------
    name, type, source_id, host, uid, session_id : from the stream header; ``uid`` differs for every outlet.
    fs : nominal rate in Hz, 0 for an irregular stream.
    n_channels, dtype : number of channels; ``"float32"``, ``"double64"``, ``"string"``, ``"int32"`` …
    channels, units : from the description; empty when it names none, or when it was not read.
    extra : what a workbench outlet says about itself (``speed``, ``t0``, ``simulated``, ``pid`` …), as text.
    header : the whole header as nested mappings, as LabRecorder stores it; empty when it was not read or is larger
        than ``LARGEST_HEADER``.
    """

    name: str
    type: str
    source_id: str
    host: str
    uid: str
    session_id: str
    fs: float
    n_channels: int
    dtype: str
    channels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    extra: Mapping[str, str] = field(default_factory=dict)
    header: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def speed(self) -> float:
        """Stream seconds per second; 1 unless the description says otherwise."""
        return float(self.extra.get("speed", 1.0))

    @property
    def t0(self) -> float:
        """LSL time in s at which stream time and clock agree; 0 where ``speed`` is 1."""
        return float(self.extra.get("t0", 0.0))

    @property
    def simulated(self) -> bool:
        """True when the outlet says that its data are simulated or replayed."""
        return self.extra.get("simulated", "false") == "true"

    def words(self) -> Message:
        """One phrase that identifies this stream."""
        return Message(
            "stream.described",
            name=repr(self.name),
            type=repr(self.type),
            source_id=repr(self.source_id),
            channels=self.n_channels,
            rate=rate(self.fs),
            host=self.host,
            pid=self.extra.get("pid") or Message("stream.pid_not_stated"),
        )


def rate(fs: float) -> Message:
    """A rate in Hz for a reader."""
    return Message("amount.hz", n=f"{fs:g}") if fs else Message("stream.irregular")


def header(info: Any) -> StreamSeen:
    """Header of a stream, without its description."""
    return StreamSeen(
        name=info.name(),
        type=info.type(),
        source_id=info.source_id(),
        host=info.hostname(),
        uid=info.uid(),
        session_id=info.session_id(),
        fs=float(info.nominal_srate()),
        n_channels=int(info.channel_count()),
        dtype=FORMATS[int(info.channel_format())],
    )


def full(info: Any) -> StreamSeen:
    """Header and description; ``info`` must be a full one (from an inlet)."""
    short = header(info)
    desc = info.desc()
    labels, units = [], []
    channel = desc.child("channels").child("channel")
    while not channel.empty():
        labels.append(channel.child_value("label"))
        units.append(channel.child_value("unit"))
        channel = channel.next_sibling("channel")
    extra = {}
    item = desc.child(ROOM).first_child()
    while not item.empty():
        extra[item.name()] = item.child_value()
        item = item.next_sibling()
    return replace(
        short,
        channels=tuple(labels) if any(labels) else (),
        units=tuple(units) if any(units) else (),
        extra=extra,
        header=_whole(info),
    )


def _whole(info: Any) -> dict[str, Any]:
    """The header of a stream as nested mappings, empty where it cannot be kept."""
    text = str(info.as_xml())
    if len(text) > LARGEST_HEADER:
        return {}
    try:
        return from_xml(text)
    except RecordingFault:
        return {}


def described(info: Any, *, timeout: float = 1.0) -> StreamSeen:
    """The stream with its description; only its header when it does not answer within ``timeout`` s."""
    try:
        return full(library().StreamInlet(info, max_buflen=1, recover=False).info(timeout))
    except RuntimeError:
        return header(info)


def discover(timeout: float = 1.0, *, describe: bool = True) -> list[StreamSeen]:
    """Every stream that can be seen now, sorted by name and source_id.

    Parameters
    ----------
    timeout : s to listen; below 0.6 s some may be missed.
    describe : read the descriptions too (channels, units), which opens a connection to each.
    """
    infos = library().resolve_streams(timeout)
    seen = [described(info) if describe else header(info) for info in infos]
    return sorted(seen, key=lambda s: (s.name, s.source_id, s.uid))
