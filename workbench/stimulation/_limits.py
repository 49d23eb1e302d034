"""Limits of one electrode model: a versioned file that two people sign, and that nothing overrides in silence.

The file is TOML (docs/stimulation.md). Its hash covers its content and not its layout. A limit beyond the usual
one of its site stands only beside an override that repeats its value and gives a reason.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any, Literal, NamedTuple, get_args

from workbench.errors import BadValue, Refused
from workbench.messages import Message
from workbench.stimulation._findings import Quantity

FORMAT = 1
"""Of the file."""

Site = Literal["epidural", "cortical", "surface"]
"""Where the contacts lie: on the dura of the spinal cord, on or in the brain, on the skin."""

SITES: tuple[Site, ...] = get_args(Site)

SIGNER = "investigator"
"""One of the two who sign limits has this role."""

LEAST_SIGNERS = 2


class Bound(NamedTuple):
    """One limit of the file.

    Attributes
    ----------
    quantity : which value it bounds.
    least : whether it is the least that is allowed, so that a lower one allows more; otherwise it is the most.
    usual : by site, the proposed default beyond which it stands only with an override.
    optional : sites on which the file may leave it out.
    """

    quantity: Quantity
    least: bool = False
    usual: Mapping[str, float] = {}
    optional: tuple[Site, ...] = ()


INNER = {"epidural": 30.0, "cortical": 25.0}
"""Usual charge density on tissue, µC/cm² a phase; a cortical responsive stimulator refuses more than 25."""

BOUNDS: Mapping[str, Bound] = {
    "current_ma": Bound("current"),
    "width_us": Bound("width"),
    "rate_hz": Bound("rate"),
    "charge_uc": Bound("charge"),
    "density_uc_cm2": Bound("density", usual=INNER, optional=("surface",)),
    # 0.1 below the lowest value at which damage was seen.
    "shannon_k": Bound("shannon", usual=dict.fromkeys(INNER, 1.75), optional=("surface",)),
    "rms_ma_cm2": Bound("rms", usual={"surface": 2.0}, optional=("epidural", "cortical")),
    "pulses_per_s": Bound("pulses"),
    "net_dc_na": Bound("net_dc", usual=dict.fromkeys(SITES, 100.0)),
    "slew_ma_s": Bound("slew"),
    "ceiling_step_ma": Bound("ceiling_step", usual={"epidural": 0.1, "cortical": 0.1, "surface": 1.0}),
    "ceiling_rise_per_s": Bound("ceiling_rise", usual=dict.fromkeys(SITES, 0.1)),
    "duty": Bound("duty"),
    "burst_s": Bound("burst"),
    "refractory_s": Bound("refractory", least=True),
    "dose_session_uc": Bound("dose_session"),
    "dose_day_uc": Bound("dose_day"),
    "impedance_most_ohm": Bound("impedance_high"),
    "impedance_least_ohm": Bound("impedance_low", least=True),
    "impedance_change": Bound("impedance_change", usual=dict.fromkeys(SITES, 0.3)),
    "compliance_v": Bound("compliance"),
    "watchdog_s": Bound("watchdog", usual=dict.fromkeys(SITES, 0.25)),
    "delivery_tolerance": Bound("delivered", usual=dict.fromkeys(SITES, 0.1)),
    "temperature_c": Bound("temperature", optional=SITES),
}
"""Every limit, by its name in the file. None may be left out but where it says so."""

SHARES = {"duty": "%", "ceiling_rise_per_s": "%/s", "impedance_change": "%", "delivery_tolerance": "%"}
"""Limits that are a fraction of what they limit, with the unit of the percentage that people are told."""
_MAY_BE_0 = ("refractory_s", "impedance_least_ohm", "net_dc_na")


@dataclass(frozen=True, slots=True)
class Override:
    """A limit beyond the usual one of its site.

    Attributes
    ----------
    limit : its name in the file.
    value : the limit, repeated.
    reason : why, in words.
    """

    limit: str
    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class ElectrodeLimits:
    """Limits of one electrode model. Raises :class:`BadValue` for limits that contradict themselves.

    Attributes
    ----------
    electrode : name of the model.
    version : counts from 1.
    title : what people call it.
    site : where its contacts lie.
    contacts : of one electrode.
    area_cm2 : of one contact, cm².
    limits : by name (:data:`BOUNDS`).
    independent_sources : whether each contact has a current source of its own; otherwise one contact may carry all
        of the current, and is judged so.
    window_s : over which the duty is counted, s.
    verifies_dc : whether a session needs the stimulator's measurement of the direct current.
    replaces : hash of the version before, ``""`` of the first.
    overrides : of limits beyond the usual ones.
    """

    electrode: str
    version: int
    title: str
    site: Site
    contacts: int
    area_cm2: float
    limits: Mapping[str, float]
    independent_sources: bool = False
    window_s: float = 60.0
    verifies_dc: bool = False
    replaces: str = ""
    overrides: tuple[Override, ...] = ()
    sha256: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if problems := self._problems():
            raise BadValue(Message("stimulation.limits_wrong", electrode=repr(self.electrode), problems=problems))
        # What was stored is never believed: the hash is that of what stands here.
        object.__setattr__(self, "sha256", hash_of(self.definition()))

    def __getitem__(self, name: str) -> float | None:
        """A limit by its name in the file; None where the file leaves it out."""
        return self.limits.get(name)

    def definition(self) -> dict[str, Any]:
        """Its content as the file has it."""
        return {
            "format": FORMAT,
            "electrode": self.electrode,
            "version": self.version,
            "title": self.title,
            "site": self.site,
            "contacts": self.contacts,
            "area_cm2": self.area_cm2,
            "independent_sources": self.independent_sources,
            "window_s": self.window_s,
            "verifies_dc": self.verifies_dc,
            "replaces": self.replaces,
            "limits": dict(self.limits),
            "override": [{"limit": o.limit, "value": o.value, "reason": o.reason} for o in self.overrides],
        }

    # ------------------------------------------------------------------------------------- what is wrong
    def _problems(self) -> list[str]:
        """What contradicts itself, one sentence each."""
        return [*self._form(), *self._numbers(), *self._beyond()]

    def _form(self) -> list[str]:
        wrong: list[str] = []
        if not self.electrode.replace("-", "").replace("_", "").isalnum() or not self.title.strip():
            wrong.append(Message("stimulation.limits_name"))
        if self.site not in SITES:
            wrong.append(Message("stimulation.limits_site", allowed=list(SITES), got=repr(self.site)))
        if not _whole(self.version) or not _whole(self.contacts):
            wrong.append(Message("stimulation.limits_count"))
        for name in ("area_cm2", "window_s"):
            if not _positive(getattr(self, name)):
                got = repr(getattr(self, name))
                wrong.append(Message("stimulation.limits_positive", name=name, got=got))
        if (self.version == 1) == bool(self.replaces):
            wrong.append(Message("stimulation.limits_replaces"))
        return wrong

    def _numbers(self) -> list[str]:
        wrong: list[str] = [
            Message("stimulation.limits_unknown", name=name, allowed=list(BOUNDS))
            for name in self.limits
            if name not in BOUNDS
        ]
        for name, bound in BOUNDS.items():
            value = self.limits.get(name)
            if value is None:
                if self.site not in bound.optional:
                    wrong.append(Message("stimulation.limits_missing", name=name, site=self.site))
            elif not _number(value) or value < 0 or (value == 0 and name not in _MAY_BE_0):
                wrong.append(Message("stimulation.limits_positive", name=name, got=repr(value)))
            elif name in SHARES and value > 1:
                wrong.append(Message("stimulation.limits_fraction", name=name, got=f"{value:g}"))
        if not wrong and self.limits["impedance_least_ohm"] >= self.limits["impedance_most_ohm"]:
            wrong.append(Message("stimulation.limits_impedance"))
        if not wrong and self.limits["dose_session_uc"] > self.limits["dose_day_uc"]:
            wrong.append(Message("stimulation.limits_dose"))
        return wrong

    def _beyond(self) -> list[str]:
        """Limits beyond the usual ones without an override, and overrides that belong to no such limit."""
        wrong: list[str] = []
        given = {override.limit: override for override in self.overrides}
        if len(given) != len(self.overrides):
            wrong.append(Message("stimulation.override_twice"))
        for name, bound in BOUNDS.items():
            value, usual, override = self.limits.get(name), bound.usual.get(self.site), given.pop(name, None)
            beyond = _number(value) and usual is not None and value > usual  # type: ignore[operator]
            if beyond and (override is None or override.value != value or not override.reason.strip()):
                wrong.append(
                    Message("stimulation.override_missing", name=name, value=f"{value:g}", usual=f"{usual:g}")
                )
            elif override is not None and not beyond:
                wrong.append(Message("stimulation.override_needless", name=name))
        wrong += [Message("stimulation.override_needless", name=f"{name:.60}") for name in given]
        return wrong


def raised(old: ElectrodeLimits | None, new: ElectrodeLimits) -> tuple[str, ...]:
    """Names of the limits that allow more in a new version, those taken out among them; of a first all."""
    if old is None:
        return tuple(new.limits)
    more = [
        name
        for name, bound in BOUNDS.items()
        if name in old.limits
        and (
            name not in new.limits
            or (new.limits[name] < old.limits[name] if bound.least else new.limits[name] > old.limits[name])
        )
    ]
    more += [
        name
        for name, wider in (
            ("area_cm2", new.area_cm2 > old.area_cm2),
            ("window_s", new.window_s > old.window_s),
            ("independent_sources", new.independent_sources and not old.independent_sources),
            ("verifies_dc", old.verifies_dc and not new.verifies_dc),
        )
        if wider
    ]
    return tuple(more)


def hash_of(definition: Mapping[str, Any]) -> str:
    """SHA-256 of a definition, the same for every layout of its file."""
    canonical = json.dumps(_plain(definition), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain(value: Any) -> Any:
    """Numbers of one kind: 30 and 30.0 are the same limit, and have the same hash."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        if isinstance(value, Mapping):
            return {str(name): _plain(part) for name, part in value.items()}
        return [_plain(part) for part in value] if isinstance(value, list | tuple) else value
    return float(value)


# ------------------------------------------------------------------------------------------ the file
def parse_limits(text: str, *, file: str) -> ElectrodeLimits:
    """The limits of the text of a file.

    Parameters
    ----------
    text : TOML.
    file : what people call the file.

    Raises
    ------
    BadValue
        When it is none of limits; the sentence lists everything that is wrong.
    """
    try:
        definition = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadValue(Message("stimulation.no_toml", file=file, why=str(error))) from error
    return from_definition(definition)


_KNOWN = frozenset(f.name for f in fields(ElectrodeLimits)) - {"sha256", "overrides"} | {"format", "override"}


def from_definition(definition: Mapping[str, Any]) -> ElectrodeLimits:
    """The limits of a definition (:meth:`ElectrodeLimits.definition`).

    Raises
    ------
    BadValue
        When a part is missing, unknown or of another type, and for limits that contradict themselves.
    """
    known = sorted(_KNOWN)
    if unknown := sorted(str(name) for name in definition if name not in _KNOWN):
        raise BadValue(Message("stimulation.limits_unknown", name=f"{unknown[0]:.60}", allowed=known))
    if definition.get("format") != FORMAT:
        raise BadValue(Message("stimulation.limits_format", n=FORMAT, got=f"{definition.get('format')!r:.60}"))
    texts = ("electrode", "title", "site")
    needed: tuple[tuple[str, type | tuple[type, ...]], ...] = (
        *((name, str) for name in texts),
        ("version", int),
        ("contacts", int),
        ("area_cm2", (int, float)),
        ("limits", Mapping),
    )
    others: tuple[tuple[str, type | tuple[type, ...]], ...] = (
        ("independent_sources", bool),
        ("window_s", (int, float)),
        ("verifies_dc", bool),
        ("replaces", str),
        ("override", list),
    )
    for name, kind in needed + others:
        given = definition.get(name)
        if given is None and (name, kind) in others:
            continue
        if not isinstance(given, kind) or (isinstance(given, bool) and kind is not bool):
            raise BadValue(Message("stimulation.limits_part", name=name, got=f"{given!r:.60}"))
    parts = {name: definition[name] for name, _ in needed + others if name in definition and name != "override"}
    return ElectrodeLimits(**parts, overrides=tuple(_override(one) for one in definition.get("override", ())))


def _override(given: object) -> Override:
    """One override of a file."""
    if (
        not isinstance(given, Mapping)
        or set(given) != {"limit", "value", "reason"}
        or not isinstance(given["limit"], str)
        or not isinstance(given["reason"], str)
        or not _number(given["value"])
    ):
        raise BadValue(Message("stimulation.override_form", got=f"{given!r:.120}"))
    return Override(given["limit"], given["value"], given["reason"])


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _positive(value: object) -> bool:
    return _number(value) and value > 0  # type: ignore[operator]


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


# ---------------------------------------------------------------------------------------- signatures
@dataclass(frozen=True, slots=True)
class Signature:
    """One signature on limits. Whoever makes this object has verified it.

    Attributes
    ----------
    person : id of who signed.
    role : in which they signed.
    signed_at : UTC, ISO 8601.
    sha256 : of what was signed.
    """

    person: str
    role: str
    signed_at: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SignedLimits:
    """Limits with the signatures that put them into force.

    Raises
    ------
    Refused
        When fewer than two people, or no investigator, signed exactly these limits.
    """

    limits: ElectrodeLimits
    signatures: tuple[Signature, ...]

    def __post_init__(self) -> None:
        check_signatures(self.limits, self.signatures)


def check_signatures(limits: ElectrodeLimits, signatures: Sequence[Signature]) -> None:
    """Refuse limits that two different people, an investigator among them, have not signed as they stand.

    Parameters
    ----------
    limits : what was signed.
    signatures : verified ones.

    Raises
    ------
    Refused
        The text says what is missing.
    """
    valid = [one for one in signatures if one.sha256 == limits.sha256 and one.person.strip()]
    people = {one.person for one in valid}
    if len(people) < LEAST_SIGNERS or SIGNER not in {one.role for one in valid}:
        raise Refused(
            Message(
                "stimulation.not_signed",
                electrode=limits.electrode,
                version=limits.version,
                hash=limits.sha256[:12],
                n=len(people),
                needed=LEAST_SIGNERS,
                role=SIGNER,
            )
        )
