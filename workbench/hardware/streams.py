"""A stream as its source describes itself: what can be known of an amplifier before anybody answers a question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from workbench.devices.lsl import StreamSeen
from workbench.recording.xml import several

INTEGERS = ("int8", "int16", "int32", "int64")
"""Formats of marker streams that carry codes."""


@dataclass(frozen=True, slots=True)
class FoundStream:
    """One stream of the network, or as it was when a set-up was saved.

    Attributes
    ----------
    name, type, source_id, host : as its outlet announces them.
    fs, dtype, n_channels : nominal rate in Hz, 0 for an irregular stream; sample format; number of channels.
    channels, units : label and unit text of each channel, empty where the description names none.
    manufacturer, model, reference, ground : from the description (XDF meta-data), ``""`` where it says nothing.
    impedances : in kΩ, one for each channel, as the description has them; empty where it has none.
    uid : of the outlet, ``""`` for a stream that is not there now; never saved.
    """

    name: str
    type: str
    source_id: str = ""
    host: str = ""
    fs: float = 0.0
    dtype: str = "float32"
    n_channels: int = 1
    channels: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    manufacturer: str = ""
    model: str = ""
    reference: str = ""
    ground: str = ""
    impedances: tuple[float, ...] = ()
    uid: str = ""

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """The stream of a JSON mapping, where tuples are lists."""
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in content.items()}
        return cls(**plain)

    @property
    def is_markers(self) -> bool:
        """Whether it can carry cues: texts or integer codes, irregular, in one channel."""
        return self.fs == 0 and self.n_channels == 1 and self.dtype in ("string", *INTEGERS)

    @property
    def has_codes(self) -> bool:
        """Whether its markers are integer codes, which mean nothing before somebody maps them."""
        return self.is_markers and self.dtype in INTEGERS


def describe(seen: StreamSeen) -> FoundStream:
    """What a stream that was discovered says of itself."""
    description = _mapping(seen.header.get("desc"))
    acquisition, reference = _mapping(description.get("acquisition")), _mapping(description.get("reference"))
    channels = [_mapping(one) for one in several(_mapping(description.get("channels")).get("channel"))]
    return FoundStream(
        name=seen.name,
        type=seen.type,
        source_id=seen.source_id,
        host=seen.host,
        fs=seen.fs,
        dtype=seen.dtype,
        n_channels=seen.n_channels,
        channels=seen.channels,
        units=seen.units,
        manufacturer=_text(acquisition.get("manufacturer") or description.get("manufacturer")),
        model=_text(acquisition.get("model")),
        reference=_text(reference.get("label")),
        ground=_text(_mapping(description.get("ground")).get("label") or description.get("ground")),
        impedances=_impedances(channels, seen.n_channels),
        uid=seen.uid,
    )


def _impedances(channels: Sequence[Mapping[str, Any]], n_channels: int) -> tuple[float, ...]:
    """All of them in kΩ, or none: a list with holes would shift every value behind the first hole."""
    try:
        values = tuple(float(_text(channel.get("impedance"))) for channel in channels)
    except ValueError:
        return ()
    return values if len(values) == n_channels and all(map(math.isfinite, values)) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""
