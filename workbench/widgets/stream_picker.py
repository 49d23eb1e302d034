"""Finding streams and stating the contract: which streams a session expects, and what each is for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    seen : the streams found, one mapping each; chosen : uid → ``{"role", "critical"}``; verdict : ``{"ok": True}``
    once the contract as it stands was found to fit, else empty; searched : whether there was a search.
    """

    _esm = compose("parts/dom", "parts/icons", "stream_picker")
    _css = styles("panels")

    seen = traitlets.List().tag(sync=True)
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
        self._roles: dict[str, tuple[str, bool]] = {}

    def requests(self) -> Mapping[str, Callable[..., Any]]:
        """Search, choose, check."""
        return {"search": self.search, "choose": self.choose, "check": self.check}

    def search(self) -> int:
        """Look for streams; the number found. Choices of streams that are gone are dropped."""
        found = self._discover(self._seconds)
        self._streams = {one.uid: one for one in found}
        self._roles = {uid: role for uid, role in self._roles.items() if uid in self._streams}
        self.seen = [_plain(one) for one in found]
        self.searched = True
        self._tell()
        return len(found)

    def choose(self, uid: str, role: str, *, critical: bool = True) -> None:
        """Give a stream a role in the contract; ``role=""`` takes it out.

        Raises
        ------
        BadValue
            An unknown stream or role, or a second stream with the role ``"signal"``.
        """
        if uid not in self._streams:
            raise BadValue(f"stream {uid!r} was not found in the last search; search again")
        if role not in ROLES:
            raise BadValue(f"role must be one of signal, aux, markers or empty, got {role!r}")
        others = [self._streams[u].name for u, (r, _) in self._roles.items() if r == "signal" and u != uid]
        if role == "signal" and others:
            raise BadValue(f"a contract has one signal stream, and {others[0]} is it; take that one out first")
        self._roles.pop(uid, None)
        if role:
            self._roles[uid] = (role, bool(critical))
        self._tell()

    def check(self) -> None:
        """Hold the contract against what is there; one that does not fit is refused in words."""
        self.verdict = {}
        if not any(role == "signal" for role, _ in self._roles.values()):
            raise BadValue("a contract needs one stream with the role signal; choose which one is decoded")
        if self._check is not None:
            self._check(self.contract)
        self.verdict = {"ok": True}

    @property
    def contract(self) -> tuple[StreamSpec, ...]:
        """The chosen streams as the lines of a contract, the signal first."""
        lines = []
        for uid, (role, critical) in self._roles.items():
            one = self._streams[uid]
            lines.append(
                StreamSpec(
                    name=one.name,
                    type=one.type,
                    fs=one.fs,
                    channels=tuple(one.channels) if role != "markers" else (),
                    unit=one.units[0] if one.units else "uV",
                    source_id=one.source_id,
                    critical=critical,
                    role=role,
                )
            )
        return tuple(sorted(lines, key=lambda line: ROLES.index(line.role)))

    def _tell(self) -> None:
        self.chosen = {uid: {"role": role, "critical": critical} for uid, (role, critical) in self._roles.items()}
        self.verdict = {}


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
    }
