"""Finding streams and stating the contract: which streams a session expects, and what each is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import traitlets

from workbench.errors import BadValue
from workbench.vocabulary import StreamSpec
from workbench.widgets._base import Panel, compose, styles

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

    seen: traitlets.List[Any] = traitlets.List().tag(sync=True)
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
            raise BadValue(f"stream {uid!r} was not found in the last search; search again")
        if role not in ROLES:
            raise BadValue(f"role must be one of signal, aux, markers or empty, got {role!r}")
        others = [self._streams[u].name for u, c in self._roles.items() if c.role == "signal" and u != uid]
        if role == "signal" and others:
            raise BadValue(f"a contract has one signal stream, and {others[0]} is it; take that one out first")
        reason = _unfit(self._streams[uid], role, generate=generate)
        if reason:
            raise BadValue(f"{self._streams[uid].name!r} cannot have the role {role}: {reason}")
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
            raise BadValue(f"stream {uid!r} has no role yet; choose one before its unit is declared")
        if unit.strip() and not by.strip():
            raise BadValue("a unit is declared by somebody; give the name of who vouches for it")
        vouching = by.strip() if unit.strip() else ""
        self._roles[uid] = replace(self._roles[uid], unit=unit.strip(), declared_by=vouching)
        self._tell()

    def check(self) -> None:
        """Hold the contract against what is there; one that does not fit is refused in words."""
        self.verdict = {}
        if not any(choice.role == "signal" for choice in self._roles.values()):
            raise BadValue("a contract needs one stream with the role signal; choose which one is decoded")
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


def _unfit(one: SeenStream, role: str, *, generate: bool) -> str:
    """Why a stream cannot have a role, as the session plan and the engine would say it; empty when it can."""
    if role == "markers":
        text = one.dtype == "string" or one.dtype.startswith("int")
        return "" if text else f"it carries {one.dtype} numbers; markers are text or integer codes"
    if role != "signal":
        return ""
    if not one.fs > 0:
        return "it is irregular; a decoded stream has a rate"
    if one.dtype == "string":
        return "it carries text"
    twice = sorted({label for label in one.channels if one.channels.count(label) > 1})
    if twice:
        return f"the channel label {', '.join(map(repr, twice))} occurs more than once; labels are unique"
    if not one.channels and not generate:
        return f"it names no channels; confirm that they are called 1 to {one.n_channels}"
    return ""


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
        "not_signal": _unfit(one, "signal", generate=True),
    }
