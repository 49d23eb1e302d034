"""What a session is: who, which streams, which effector, and who plays what.

The plan is written to the study folder before the engine starts and is stored with every run.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

from workbench.control import ControlLaw, Limits
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.stimulation import Setup, definition_of, setup_of
from workbench.vocabulary import HomeRule, StreamSpec

OWN_NAMES = ("wb-cues", "wb-decisions", "wb-commands", "wb-acks", "wb-status", "wb-watch")
"""Names of the workbench's own LSL streams; nobody else's stream may bear one."""

OUTLETS = {"cues": "wb-cues", "decisions": "wb-decisions"}
"""Purpose → name of the LSL streams that the engine publishes for everybody; the source_id adds the session.
Those between the engine and an effector are named by their pairing."""


PLACES = ("clinic", "lab", "home")
"""Where a session may take place."""

ABSENCE_S = (2.0, 60.0)
"""Shortest and longest absence after which an effector is released, s."""

_SCREENING = {"answer", "by", "utc"}
"""What a plan states of the screening before flickering light."""

DELAY_S = (-1.0, 0.08)
"""Least and greatest delay of a stream behind the signal, s: the signal waits for it no longer than 100 ms."""

_CERTIFICATE = {"driver", "made_at", "sha256"}
"""What a plan states of the effector's certificate of conformance."""

_SYSTEM = {"name", "distribution", "version", "sha256", "task"}
"""What a plan states of the system that it follows."""


@dataclass(frozen=True)
class SessionPlan:
    """One session of one participant.

    Parameters
    ----------
    study_folder : folder of the study; recordings, decoders and the engine's own files live in it.
    study, participant, visit, operator : as people name them; shown on the screen and stored with each run.
    session_id : id of the session in the study record, unique.
    contract : the expected streams; exactly one has the role ``"signal"``, and no role of one that is decoded
        beside it comes twice.
    effector : name of the effector profile, None for a session without one.
    effector_simulated : whether the device behind it is simulated; shown on every screen.
    players : ``{"device": name, "options": {…}}`` each; started by the engine, stopped with it. Options
        that name the session's own streams may be left out (``engine/players.py``).
    speed : stream seconds per second, 1 for real hardware.
    seed : seeds the players.
    simulated : whether the signals are simulated or replayed.
    cue_source : ``"engine"`` (the engine presents the schedule by sample count), ``"stream"`` (cues are markers of
        the contract's ``"markers"`` stream, aligned by stamp) or ``"page"`` (a page of the session presents them).
    labels : marker text, or code of an integer marker stream as text → condition, for ``cue_source="stream"``.
    waived : name of a non-critical stream → reason for going without.
    resolve_s : s to look for the streams.
    transport : ``"ipc"``, ``"tcp"`` (CURVE-encrypted, loopback) or ``"auto"``.
    reserve_mb : free disk space in MB below which a run is ended cleanly.
    mains_hz : mains frequency for the line-noise light, Hz.
    place : where it takes place, one of :data:`PLACES`.
    home : the rule for use at home, as the protocol in force has it; None elsewhere, and at home where there is
        none: then nothing is armed.
    absence_s : s without an operator's visible page after which the effector is released, 2 to 60.
    script_present : whether a script stands in for somebody; for a simulated effector only.
    peers : names or addresses of acquisition computers that are asked for streams beside this one.
    setup : the set-up of the site as it was saved, with its ``sha256``; empty where nothing was connected.
    consent : version of the participant's consent that the record holds, ``""`` for none.
    law, limits : how decisions move the effector, and limits narrower than its profile's, None for the profile's.
    system : the description that the session follows (``name, distribution, version, sha256``) and its ``task``;
        empty for a plan that somebody wrote by hand.
    certificate : what the certificate of conformance of a real effector says of the driver that was tested
        (``driver, made_at, sha256``): with another driver nothing is armed. Empty without one.
    screening : answer to the question about seizures that is asked before light flickers: ``answer``
        (``"none"`` or ``"history"``), ``by`` whom it was given, and ``utc``; empty where nobody was asked.
    stimulation : programme, signed limits and person, of an effector that stimulates; None for any other. The
        charge of the day that it states is a least amount: the engine counts that of the study's recordings.
    """

    study_folder: str
    study: str
    participant: str
    visit: str
    session_id: str
    operator: str
    contract: tuple[StreamSpec, ...]
    effector: str | None = None
    effector_simulated: bool = True
    players: tuple[Mapping[str, Any], ...] = ()
    speed: float = 1.0
    seed: int = 0
    simulated: bool = False
    cue_source: str = "engine"
    labels: Mapping[str, str] = field(default_factory=dict)
    waived: Mapping[str, str] = field(default_factory=dict)
    resolve_s: float = 10.0
    transport: str = "auto"
    reserve_mb: float = 200.0
    mains_hz: float = 50.0
    place: str = "clinic"
    home: HomeRule | None = None
    absence_s: float = 20.0
    script_present: bool = False
    peers: tuple[str, ...] = ()
    setup: Mapping[str, Any] = field(default_factory=dict)
    consent: str = ""
    law: ControlLaw = ControlLaw()
    limits: Limits | None = None
    system: Mapping[str, str] = field(default_factory=dict)
    certificate: Mapping[str, str] = field(default_factory=dict)
    screening: Mapping[str, str] = field(default_factory=dict)
    stimulation: Setup | None = None

    def __post_init__(self) -> None:
        # Absolute, because the engine runs in another folder than the notebook that made the plan.
        object.__setattr__(self, "study_folder", str(Path(self.study_folder).absolute()))
        object.__setattr__(self, "contract", tuple(self.contract))
        object.__setattr__(self, "players", tuple(self.players))
        object.__setattr__(self, "peers", tuple(self.peers))
        _check(self)

    @property
    def signal(self) -> StreamSpec:
        """The decoded stream whose samples count time."""
        return next(spec for spec in self.contract if spec.role == "signal")

    @property
    def beside(self) -> tuple[StreamSpec, ...]:
        """Streams that a decoder may name among its inputs, beside the signal."""
        return tuple(spec for spec in self.contract if spec.decoded_beside)

    @property
    def consent_missing(self) -> bool:
        """Whether somebody is connected whose consent the record does not hold."""
        return bool(self.setup) and not self.consent.strip()

    @property
    def waived_checks(self) -> list[tuple[str, dict[str, str]]]:
        """Name of a stream with a waiver of a check that failed at set-up (``check, text, reason, by, at``)."""
        connections = self.setup.get("connections", ())
        return [(one["stream"]["name"], waiver) for one in connections for waiver in one.get("waivers", ())]

    def source_id(self, purpose: str) -> str:
        """source_id of one of the session's own LSL streams; ``purpose`` is a key of :data:`OUTLETS`."""
        if purpose not in OUTLETS:
            raise BadValue(Message("plan.purpose", purposes=list(OUTLETS), got=repr(purpose)))
        return f"{OUTLETS[purpose]}-{self.session_id}"

    def to_json(self) -> str:
        """Text of the plan; :meth:`from_json` gives the same plan back."""
        plain = asdict(replace(self, stimulation=None))
        stimulation = None if self.stimulation is None else definition_of(self.stimulation)
        return json.dumps({**plain, "stimulation": stimulation}, ensure_ascii=False, indent=1, default=dict)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The plan of a JSON text; :class:`BadValue` when it is not one."""
        try:
            content = json.loads(text)
            known = {f.name for f in fields(cls)}
            unknown = sorted(set(content) - known)
            # Not ignored: a misspelt safety setting would silently take its default.
            if unknown:
                raise BadValue(Message("plan.unknown_entry", entry=repr(unknown[0]), known=sorted(known)))
            contract = tuple(_spec(spec) for spec in content.pop("contract"))
            law = ControlLaw(**content.pop("law", {}))
            limits = content.pop("limits", None)
            stimulation = content.pop("stimulation", None)
            home = content.pop("home", None)
            return cls(
                contract=contract,
                law=law,
                limits=None if limits is None else Limits(**limits),
                stimulation=None if stimulation is None else setup_of(stimulation),
                home=None if home is None else HomeRule(**home),
                **content,
            )
        except BadValue:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadValue(Message("plan.not_one", why=str(error))) from error


def home_sha256(rule: HomeRule | None) -> str:
    """SHA-256 of a rule for use at home, by which a grant names it; ``""`` of none.

    Parameters
    ----------
    rule : of a plan or a protocol.
    """
    return "" if rule is None else rule.sha256


def _spec(content: dict[str, Any]) -> StreamSpec:
    """One line of the contract."""
    return StreamSpec(**{**content, "channels": tuple(content.get("channels", ()))})


def _check(plan: SessionPlan) -> None:
    """Raise :class:`BadValue` for a plan that contradicts itself."""
    for name in ("session_id", "operator", "participant", "study", "visit"):
        if not str(getattr(plan, name)).strip():
            raise BadValue(Message("plan.empty", name=name))
    signals = [spec.name for spec in plan.contract if spec.role == "signal"]
    if len(signals) != 1:
        raise BadValue(Message("plan.one_signal", n=len(signals), got=str(signals)))
    for spec in plan.contract:
        # The engine would take its own outlet for an input, and answer itself.
        if spec.name in OWN_NAMES:
            raise BadValue(Message("plan.own_name", stream=repr(spec.name), names=list(OWN_NAMES)))
    if not plan.signal.critical or not plan.signal.channels or not plan.signal.fs > 0:
        raise BadValue(Message("plan.signal", stream=repr(plan.signal.name)))
    _check_beside(plan)
    if not (math.isfinite(plan.speed) and 0 < plan.speed <= 100):
        raise BadValue(Message("plan.speed", got=str(plan.speed)))
    if plan.cue_source not in ("engine", "stream", "page"):
        raise BadValue(Message("plan.cue_source", got=repr(plan.cue_source)))
    if plan.cue_source == "stream" and not any(spec.role == "markers" for spec in plan.contract):
        raise BadValue(Message("plan.no_markers"))
    if plan.transport not in ("auto", "ipc", "tcp"):
        raise BadValue(Message("plan.transport", got=repr(plan.transport)))
    _check_presence(plan)
    _check_setup(plan)
    _check_system(plan.system)
    if plan.certificate and set(plan.certificate) != _CERTIFICATE:
        raise BadValue(Message("plan.certificate", needed=sorted(_CERTIFICATE), got=sorted(plan.certificate)))
    _check_screening(plan.screening)


def _check_setup(plan: SessionPlan) -> None:
    """Raise :class:`BadValue` for a set-up without its hash, or a waiver without a reason."""
    if plan.setup and not isinstance(plan.setup.get("sha256"), str):
        raise BadValue(Message("plan.setup"))
    for stream, reason in plan.waived.items():
        if not str(reason).strip():
            raise BadValue(Message("plan.waiver", stream=repr(stream)))


def _check_beside(plan: SessionPlan) -> None:
    """Raise :class:`BadValue` for a stream that could not be decoded beside the signal."""
    roles = [spec.role for spec in plan.beside]
    for spec in plan.beside:
        name = repr(spec.name)
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", spec.role) or roles.count(spec.role) > 1:
            raise BadValue(Message("plan.role", stream=name, got=repr(spec.role)))
        if not spec.fs > 0 or not spec.measured:
            raise BadValue(Message("plan.beside", stream=name))
    for spec in plan.contract:
        shortest, longest = DELAY_S if spec.decoded_beside else (0.0, 0.0)
        if not (math.isfinite(spec.delay_s) and shortest <= spec.delay_s <= longest):
            raise BadValue(
                Message(
                    "plan.delay",
                    stream=repr(spec.name),
                    least=f"{DELAY_S[0]:g}",
                    most=f"{DELAY_S[1]:g}",
                    got=str(spec.delay_s),
                )
            )


def _check_system(system: Mapping[str, str]) -> None:
    """Raise :class:`BadValue` unless a plan states all of its system, or nothing."""
    if system and (set(system) != _SYSTEM or not all(isinstance(value, str) for value in system.values())):
        raise BadValue(Message("plan.system", got=str(dict(system))))


def _check_screening(screening: Mapping[str, str]) -> None:
    """Raise :class:`BadValue` unless a plan states all of the screening, or nothing."""
    if not screening:
        return
    stated = set(screening) == _SCREENING and all(str(value).strip() for value in screening.values())
    if not stated or screening["answer"] not in ("none", "history"):
        raise BadValue(Message("plan.screening", got=str(dict(screening))))


def _check_presence(plan: SessionPlan) -> None:
    """Raise :class:`BadValue` where the plan leaves nobody to watch an effector."""
    if plan.place not in PLACES:
        raise BadValue(Message("plan.place", places=list(PLACES), got=repr(plan.place)))
    shortest, longest = ABSENCE_S
    if not (math.isfinite(plan.absence_s) and shortest <= plan.absence_s <= longest):
        got = str(plan.absence_s)
        raise BadValue(Message("plan.absence", least=f"{shortest:g}", most=f"{longest:g}", got=got))
    if plan.home is not None and plan.place != "home":
        raise BadValue(Message("plan.home_elsewhere", place=repr(plan.place)))
    if plan.script_present and plan.effector is not None and not plan.effector_simulated:
        raise BadValue(Message("plan.script"))
