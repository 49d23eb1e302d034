"""Finding streams and stating the contract: which streams a session expects, and what each is for."""

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
    """What this panel needs of a stream that was found (``devices.lsl.StreamSeen`` has it)."""

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
    """Lists the streams that are there and turns a choice into a contract.

    Parameters
    ----------
    discover : called with the seconds to look; returns the streams seen (``devices.lsl.discover``).
    check : called with the contract; raises a :class:`WorkbenchError` that says what does not fit
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
        """Streams that were seen, and their roles."""
        return "", [
            ("streams seen", len(self.seen)),
            *((str(role), name) for role, name in self.chosen.items()),
        ]

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Search, choose, check."""
        return {"search": self.search, "choose": self.choose, "declare": self.declare, "check": self.check}

    def search(self) -> int:
        """Look for streams; the number found. Choices of streams that are gone are dropped."""
        found = self._discover(self._seconds)
        self._streams = {one.uid: one for one in found}
        self._roles = {uid: role for uid, role in self._roles.items() if uid in self._streams}
        self.seen = [_plain(one) for one in found]
        self.searched = True
        self._tell()
        return len(found)

    def choose(self, uid: str, role: str, *, critical: bool = True, generate: bool = False) -> None:
        """Give a stream a role in the contract; ``role=""`` takes it out.

        Parameters
        ----------
        uid : of a stream that was found.
        role : ``"signal"``, ``"aux"``, ``"markers"`` or ``""``.
        critical : whether a session goes without it.
        generate : confirm that the channels of a stream that names none are called 1, 2, 3 … in their order.

        Raises
        ------
        BadValue
            An unknown stream or role, a second stream with the role ``"signal"``, or one that cannot have the
            role: irregular, without channel labels, with a label twice, or markers that are no text and no codes.
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
        """Vouch by name for the unit of a chosen stream that announces none; an empty ``unit`` takes it back.

        Parameters
        ----------
        uid : of the stream.
        unit : what its samples are in.
        by : who says so.

        Raises
        ------
        BadValue
            A stream that has no role, or a unit without a name.
        """
        if uid not in self._roles:
            raise BadValue(Message("picker.no_role", stream=repr(uid)))
        if unit.strip() and not by.strip():
            raise BadValue(Message("picker.nobody_vouches"))
        vouching = by.strip() if unit.strip() else ""
        self._roles[uid] = replace(self._roles[uid], unit=unit.strip(), declared_by=vouching)
        self._tell()

    def check(self) -> None:
        """Hold the contract against what is there; one that does not fit is refused in words."""
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
            one, role = self._streams[uid], choice.role
            labels = _generated(one) if choice.generated and not one.channels else tuple(one.channels)
            lines.append(
                StreamSpec(
                    name=one.name,
                    type=one.type,
                    fs=one.fs,
                    channels=labels if role != "markers" else (),
                    unit=choice.unit or next((unit for unit in one.units if unit), "uV"),
                    source_id=one.source_id,
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
    """What was chosen for a stream: role, critical, labels made up, unit declared and by whom."""

    role: str
    critical: bool
    generated: bool = False
    unit: str = ""
    declared_by: str = ""


def _generated(one: SeenStream) -> tuple[str, ...]:
    """Labels of a stream that names none."""
    return tuple(str(place + 1) for place in range(one.n_channels))


def _unfit(one: SeenStream, role: str, *, generate: bool) -> Message | None:
    """Why a stream cannot have a role, as the session plan and the engine would say it; None when it can."""
    if role == "markers":
        text = one.dtype == "string" or one.dtype.startswith("int")
        return None if text else Message("stream.no_markers", dtype=one.dtype)
    if role != "signal":
        return None
    if not one.fs > 0:
        return Message("picker.irregular")
    if one.dtype == "string":
        return Message("picker.text")
    twice = sorted({label for label in one.channels if one.channels.count(label) > 1})
    if twice:
        return Message("picker.labels_twice", labels=[repr(label) for label in twice])
    if not one.channels and not generate:
        return Message("picker.no_labels", n=one.n_channels)
    return None


def _plain(one: SeenStream) -> dict[str, Any]:
    return {
        "uid": one.uid,
        "name": one.name,
        "type": one.type,
        "source_id": one.source_id,
        "host": one.host,
        "fs": one.fs,
        "n_channels": one.n_channels,
        "channels": list(one.channels),
        "units": list(dict.fromkeys(unit for unit in one.units if unit)),
        "not_signal": _unfit(one, "signal", generate=True) or "",
    }
