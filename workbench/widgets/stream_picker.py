"""Finding streams and stating the contract: which streams a session expects, and the role of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import traitlets

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.vocabulary import StreamSpec
from workbench.widgets._base import SYNCED, Panel, compose, styles

ROLES = ("", "signal", "aux", "markers")


class SeenStream(Protocol):
    """The attributes of a stream that this panel uses (``devices.lsl.StreamSeen`` has them)."""

    name: str
    type: str
    source_id: str
    host: str
    uid: str
    fs: float
    n_channels: int
    channels: tuple[str, ...]
    units: tuple[str, ...]
    dtype: str


class StreamPicker(Panel):
    """Lists the available streams and turns a choice into a contract.

    Parameters
    ----------
    discover : called with the seconds to look; returns the streams seen (``devices.lsl.discover``).
    check : called with the contract; raises a :class:`WorkbenchError` that states what does not fit
        (``devices.lsl.resolve`` does). None leaves the check to the start of the session.
    seconds : how long a search looks.

    Traits
    ------
    seen : the streams found, one mapping each, ``not_signal`` saying why one cannot be decoded; chosen : uid →
    ``{"role", "critical", "generated", "unit", "declared_by"}``; verdict : ``{"ok": True}`` once the contract as
    it stands was found to fit, else empty; searched : whether there was a search.
    """

    _esm = compose("parts/dom", "parts/icons", "stream_picker")
    _css = styles("panels")

    seen: traitlets.List[Any] = traitlets.List().tag(**SYNCED)
    chosen = traitlets.Dict().tag(sync=True)
    verdict = traitlets.Dict().tag(sync=True)
    searched = traitlets.Bool(default_value=False).tag(sync=True)

    def __init__(
        self,
        discover: Callable[[float], Sequence[SeenStream]],
        *,
        check: Callable[[Sequence[StreamSpec]], Any] | None = None,
        seconds: float = 2.0,
        **traits: Any,
    ) -> None:
        super().__init__(**traits)
        self._discover = discover
        self._check = check
        self._seconds = seconds
        self._streams: dict[str, SeenStream] = {}
        self._roles: dict[str, _Choice] = {}

    def describe(self) -> tuple[str, list[tuple[str, object]]]:
        """Number of streams, and their roles."""
        return "", [
            ("streams seen", len(self.seen)),
            *((str(role), name) for role, name in self.chosen.items()),
        ]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Search, choose, check."""
        return {"search": self.search, "choose": self.choose, "declare": self.declare, "check": self.check}

    def search(self) -> int:
        """Look for streams; returns how many there are. Choices of streams that are gone are dropped."""
        streams = self._discover(self._seconds)
        self._streams = {stream.uid: stream for stream in streams}
        # By uid, not by name: a stream that was started again is another outlet, and is chosen again.
        self._roles = {uid: role for uid, role in self._roles.items() if uid in self._streams}
        self.seen = [_plain(stream) for stream in streams]
        self.searched = True
        self._tell()
        return len(streams)

    def choose(self, uid: str, role: str, *, critical: bool = True, generate: bool = False) -> None:
        """Give a stream a role in the contract; ``role=""`` takes it out.

        Parameters
        ----------
        uid : of a stream that was found.
        role : ``"signal"``, ``"aux"``, ``"markers"`` or ``""``.
        critical : whether a session cannot do without it.
        generate : confirm that the channels of a stream without labels are named 1, 2, 3 … in their order.

        Raises
        ------
        BadValue
            An unknown stream or role, a second stream with the role ``"signal"``, or one that cannot have the
            role: irregular, without channel labels, with a label twice, or markers of neither text nor codes.
        """
        if uid not in self._streams:
            raise BadValue(Message("picker.not_found", stream=repr(uid)))
        if role not in ROLES:
            raise BadValue(Message("picker.role_unknown", got=repr(role)))
        others = [self._streams[u].name for u, c in self._roles.items() if c.role == "signal" and u != uid]
        if role == "signal" and others:
            raise BadValue(Message("picker.signal_taken", stream=others[0]))
        reason = _unfit(self._streams[uid], role, generate=generate)
        if reason:
            name = repr(self._streams[uid].name)
            raise BadValue(Message("picker.unfit", stream=name, role=role, why=reason))
        before = self._roles.pop(uid, None)
        if role:
            unit, by = ("", "") if before is None else (before.unit, before.declared_by)
            self._roles[uid] = _Choice(role, bool(critical), bool(generate), unit, by)
        self._tell()

    def declare(self, uid: str, unit: str, by: str) -> None:
        """Declare by name the unit of a chosen stream that announces none; an empty ``unit`` takes it back.

        Parameters
        ----------
        uid : of the stream.
        unit : of its samples.
        by : name of the person who declares it.

        Raises
        ------
        BadValue
            A stream that has no role, or a unit without a name.
        """
        if uid not in self._roles:
            raise BadValue(Message("picker.no_role", stream=repr(uid)))
        if unit.strip() and not by.strip():
            raise BadValue(Message("picker.nobody_vouches"))
        declared_by = by.strip() if unit.strip() else ""
        self._roles[uid] = replace(self._roles[uid], unit=unit.strip(), declared_by=declared_by)
        self._tell()

    def check(self) -> None:
        """Compare the contract with the present streams; one that does not fit is refused with a sentence."""
        self.verdict = {}
        if not any(choice.role == "signal" for choice in self._roles.values()):
            raise BadValue(Message("picker.no_signal"))
        if self._check is not None:
            self._check(self.contract)
        self.verdict = {"ok": True}

    @property
    def contract(self) -> tuple[StreamSpec, ...]:
        """The chosen streams as the lines of a contract, the signal first."""
        lines = []
        for uid, choice in self._roles.items():
            stream, role = self._streams[uid], choice.role
            labels = _generated(stream) if choice.generated and not stream.channels else tuple(stream.channels)
            lines.append(
                StreamSpec(
                    name=stream.name,
                    type=stream.type,
                    fs=stream.fs,
                    channels=labels if role != "markers" else (),
                    unit=choice.unit or next((unit for unit in stream.units if unit), "uV"),
                    source_id=stream.source_id,
                    critical=choice.critical,
                    role=role,
                    unit_declared_by=choice.declared_by,
                )
            )
        return tuple(sorted(lines, key=lambda line: ROLES.index(line.role)))

    def _tell(self) -> None:
        self.chosen = {
            uid: {
                "role": choice.role,
                "critical": choice.critical,
                "generated": choice.generated,
                "unit": choice.unit,
                "declared_by": choice.declared_by,
            }
            for uid, choice in self._roles.items()
        }
        self.verdict = {}


@dataclass(frozen=True, slots=True)
class _Choice:
    """The choice for a stream: role, critical, generated labels, declared unit and by whom."""

    role: str
    critical: bool
    generated: bool = False
    unit: str = ""
    declared_by: str = ""


def _generated(stream: SeenStream) -> tuple[str, ...]:
    """Labels for a stream that has none."""
    return tuple(str(place + 1) for place in range(stream.n_channels))


def _unfit(stream: SeenStream, role: str, *, generate: bool) -> Message | None:
    """Why a stream cannot have a role, as the session plan and the engine would state it; None when it can."""
    if role == "markers":
        text = stream.dtype == "string" or stream.dtype.startswith("int")
        return None if text else Message("stream.no_markers", dtype=stream.dtype)
    if role != "signal":
        return None
    if not stream.fs > 0:
        return Message("picker.irregular")
    if stream.dtype == "string":
        return Message("picker.text")
    twice = sorted({label for label in stream.channels if stream.channels.count(label) > 1})
    if twice:
        return Message("picker.labels_twice", labels=[repr(label) for label in twice])
    if not stream.channels and not generate:
        return Message("picker.no_labels", n=stream.n_channels)
    return None


def _plain(stream: SeenStream) -> dict[str, Any]:
    return {
        "uid": stream.uid,
        "name": stream.name,
        "type": stream.type,
        "source_id": stream.source_id,
        "host": stream.host,
        "fs": stream.fs,
        "n_channels": stream.n_channels,
        "channels": list(stream.channels),
        "units": list(dict.fromkeys(unit for unit in stream.units if unit)),
        "not_signal": _unfit(stream, "signal", generate=True) or "",
    }
