"""The set-up of a site: which streams feed which roles, and what the operator says that the streams do not say.

It is pure data. The streams are as they were found, the answers are the operator's; together they give the stream
contract of a session. It is saved per site in the study's folder, with a hash that each session's plan repeats.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self, get_args

from workbench import reading, world
from workbench.devices import lsl
from workbench.errors import BadValue
from workbench.hardware.measurement import Measurement
from workbench.hardware.streams import FoundStream
from workbench.messages import Message
from workbench.vocabulary import StreamSpec

FORMAT = 1
FOLDER = "setup"
LARGEST = 4 * 2**20
"""Bytes of the largest set-up that is read; one of 1,000 channels has about 60 kB."""

AUX = "aux"
"""Role of a stream that no input of the system asks for and that is recorded beside the others."""

EffectorKind = Literal["simulated", "real"]
_SITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Waiver:
    """A failed check of a stream that somebody has waived.

    Attributes
    ----------
    check, text : its name, and what it said.
    reason, by, at : why, who, and when (UTC).
    """

    check: str
    text: str
    reason: str
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Connection:
    """One stream in one role, with the operator's answers about it.

    Attributes
    ----------
    role : of an input of the system, or :data:`AUX`.
    stream : as it was found.
    labels : of its channels, in order, where the stream names none; else empty.
    left_out : channels that are recorded and not decoded.
    unit, unit_by : unit declared where the stream announces none that is known, and the name of who declares it.
    reference, ground : electrodes, where the description does not name them.
    codes : code of an integer marker, or text of a text marker → condition.
    measured : what the stream delivered when it was last listened to, None before that.
    waivers : of checks that failed then.
    """

    role: str
    stream: FoundStream
    labels: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    unit: str = ""
    unit_by: str = ""
    reference: str = ""
    ground: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    measured: Measurement | None = None
    waivers: tuple[Waiver, ...] = ()

    @property
    def channels(self) -> tuple[str, ...]:
        """Labels of the channels: those of the stream, else those given here; empty for markers."""
        return () if self.stream.is_markers else self.stream.channels or self.labels

    @property
    def announced_unit(self) -> str:
        """The first unit text that the stream announces, ``""`` for none."""
        return next((unit for unit in self.stream.units if unit), "")

    def spec(self, *, critical: bool) -> StreamSpec:
        """The line of the contract."""
        return StreamSpec(
            name=self.stream.name,
            type=self.stream.type,
            fs=self.stream.fs,
            channels=self.channels,
            unit=self.unit or self.announced_unit,
            source_id=self.stream.source_id,
            critical=critical,
            role=self.role,
            unmeasured=self.left_out,
            unit_declared_by=self.unit_by,
        )


@dataclass(frozen=True, slots=True)
class Setup:
    """What is set up at a site.

    Attributes
    ----------
    site : letters, digits, ``_`` and ``-``; names the file.
    peers : names or addresses of the acquisition computers that are asked beside this one.
    connections : streams in their roles; a role other than :data:`AUX` occurs once.
    waived : role that is not critical → why the session goes without its stream.
    effector : ``"real"`` where the operator says that a real device is attached.
    by, at : who saved it, and when (UTC); empty before that.
    """

    site: str
    peers: tuple[str, ...] = ()
    connections: tuple[Connection, ...] = ()
    waived: Mapping[str, str] = field(default_factory=dict)
    effector: EffectorKind = "simulated"
    by: str = ""
    at: str = ""

    def __post_init__(self) -> None:
        if not _SITE.fullmatch(self.site):
            raise BadValue(Message("setup.site", got=repr(self.site)))
        lsl.check_names(self.peers)
        if self.effector not in get_args(EffectorKind):
            raise BadValue(Message("setup.effector", got=repr(self.effector)))

    def connected(self, role: str) -> Connection | None:
        """What feeds a role, None for nothing."""
        return next((one for one in self.connections if one.role == role), None)

    @property
    def codes(self) -> dict[str, str]:
        """Marker → condition, of all marker streams."""
        return {code: label for one in self.connections for code, label in one.codes.items()}

    def content(self) -> dict[str, Any]:
        """JSON-able, with the hash over all else under ``sha256``; the uid of an outlet is not part of it."""
        plain = json.loads(json.dumps({"workbench_setup": FORMAT, **asdict(self)}))
        for one in plain["connections"]:
            del one["stream"]["uid"]
            # Set-ups from before streams were measured keep their hash.
            for name in ("measured", "waivers"):
                if not one[name]:
                    del one[name]
        return {**plain, "sha256": _hash(plain)}

    @property
    def sha256(self) -> str:
        """Hash of the set-up as it is saved."""
        return str(self.content()["sha256"])

    @classmethod
    def of(cls, content: Any, what: str = "the set-up") -> Self:
        """The set-up that :meth:`content` gave.

        Raises
        ------
        BadValue
            When it is none, is of a newer version, or was changed by hand.
        """
        if not isinstance(content, dict) or "workbench_setup" not in content:
            raise BadValue(Message("setup.not_one", what=what))
        plain = {name: value for name, value in content.items() if name != "sha256"}
        if plain.pop("workbench_setup") != FORMAT:
            raise BadValue(Message("setup.newer", what=what, format=FORMAT))
        # By hand somebody would change a rate or a unit without the checks that stand on the screen.
        if _hash({"workbench_setup": FORMAT, **plain}) != content.get("sha256"):
            raise BadValue(Message("setup.changed", what=what))
        try:
            connections = tuple(_connection(one) for one in plain.pop("connections"))
            return cls(connections=connections, **_tuples(plain))
        except (TypeError, KeyError) as error:
            raise BadValue(Message("setup.not_one", what=what)) from error


def _connection(content: Mapping[str, Any]) -> Connection:
    """The connection of a JSON mapping."""
    measured = content.get("measured")
    more = {
        "stream": FoundStream.of(content["stream"]),
        "measured": Measurement.of(measured) if measured else None,
        "waivers": tuple(Waiver(**one) for one in content.get("waivers", ())),
    }
    return Connection(**_tuples({**content, **more}))


def _tuples(content: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where the nouns have tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in content.items()}


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode("utf-8")).hexdigest()


def save(folder: Path, setup: Setup, *, by: str) -> Setup:
    """Save the set-up of a site into a study's folder, over the one before; returns it with name and time.

    Parameters
    ----------
    folder : of the study.
    setup : to save.
    by : who saves it.
    """
    signed = replace(setup, by=by, at=world.clock.now().isoformat(timespec="seconds"))
    world.disk.mkdir(folder / FOLDER, exist_ok=True)
    text = json.dumps(signed.content(), ensure_ascii=False, indent=1)
    world.disk.save(folder / FOLDER / f"{setup.site}.json", text.encode("utf-8"))
    return signed


def sites(folder: Path) -> tuple[str, ...]:
    """Names of the sites that are saved in a study's folder, sorted."""
    return tuple(sorted(path.stem for path in (folder / FOLDER).glob("*.json") if _SITE.fullmatch(path.stem)))


def load(folder: Path, site: str) -> Setup | None:
    """The set-up of a site, None where none is saved; :class:`BadValue` for one that cannot be used."""
    path = folder / FOLDER / f"{Setup(site).site}.json"
    if not reading.is_there(path, Message("file.noun_setup")):
        return None
    named = Message("file.named", what=Message("file.noun_setup"), path=path.name)
    content = reading.parse_json(reading.read_text(path, Message("file.noun_setup"), largest=LARGEST), named)
    return Setup.of(content, named)


def with_found(setup: Setup, found: Sequence[FoundStream]) -> Setup:
    """The set-up with its streams as they are now; one that is not there keeps what was known, without a uid.

    A stream is the same when name, type and source_id are; where no such one is there, the only one of that name
    and type, so that another device is noticed as another source_id and not as a loss.
    """
    taken: set[str] = set()
    connections = []
    for one in setup.connections:
        alike = [s for s in found if (s.name, s.type) == (one.stream.name, one.stream.type) and s.uid not in taken]
        same = [s for s in alike if s.source_id == one.stream.source_id] or alike
        now = same[0] if len(same) == 1 else replace(one.stream, uid="")
        taken.add(now.uid)
        connections.append(replace(one, stream=now))
    return replace(setup, connections=tuple(connections))
