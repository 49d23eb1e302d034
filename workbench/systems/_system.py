"""What a clinical system is: one frozen description that hardware, replay and simulation share."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from workbench import control, decoders, devices, outcomes, paradigms
from workbench.control import ControlLaw, Limits
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.paradigms import Paradigm
from workbench.signals import units
from workbench.study.changes.prices import PriceRule
from workbench.study.forms import Form
from workbench.systems._stimulation import Stimulation
from workbench.vocabulary import PriceItemKind, ReportPart, RunKind, StreamSpec

if TYPE_CHECKING:
    from workbench.recording import RunFile

SIGNAL, MARKERS = "system-signal", "system-markers"
"""source_ids of played streams; the session's id is added so that two sessions never meet."""

InputKind = Literal["ECoG", "EEG", "EMG", "ECAP", "IMU", "force", "respiration", "eyes", "markers", "potential"]
"""What an input measures; a potential is any of ECoG, EEG and EMG."""

KINDS: tuple[InputKind, ...] = get_args(InputKind)

POTENTIALS = ("ECoG", "EEG", "EMG")

PROCEDURES: tuple[RunKind, ...] = get_args(RunKind)
"""What a session of a system may do: the kinds of its runs."""

DECODES_NOTHING: tuple[RunKind, ...] = ("passive", "open_loop", "mapping")
"""Procedures that a task without a decoder may have: calibration, online and sham runs are about one."""

SETTINGS = "effector_settings"
"""Paradigm of mapping runs."""

METRICS = (
    *("f1", "recall", "precision", "false_per_min", "onset_s", "release_s", "held_s", "accuracy"),
    *("time_to_target_s", "path_efficiency", "selections_per_min", "bits_per_min"),
    *("rmse", "r_squared", "in_band"),
)
"""Names of what online runs are judged by, beside outcome measures."""

REPORT_PARTS: tuple[ReportPart, ...] = get_args(ReportPart)

OF_RECORD = ("adverse_events", "implant_days")
"""What the record itself counts, beside forms and online runs."""

EndpointRole = Literal["primary", "secondary", "safety"]
ROLES: tuple[EndpointRole, ...] = get_args(EndpointRole)

_KIND_OF_TYPE: Mapping[str, InputKind] = {
    **dict.fromkeys(("ecog", "ieeg", "seeg"), "ECoG"),
    "eeg": "EEG",
    **dict.fromkeys(("emg", "semg", "hdemg"), "EMG"),
    **dict.fromkeys(("imu", "mocap", "accelerometer", "gyroscope"), "IMU"),
    "ecap": "ECAP",
    "force": "force",
    **dict.fromkeys(("respiration", "breath"), "respiration"),
    **dict.fromkeys(("gaze", "eyes", "eog"), "eyes"),
    **dict.fromkeys(("markers", "marker", "stim", "triggers"), "markers"),
}
"""Content types of streams, in lower case, that say what they measure; any other type says nothing."""


FOLLOWED = ("velocity", "force", "amplitude", "state_level")
"""Kinds of evidence whose value a proportional law follows."""


def words(en: str, zh: str) -> Message:
    """A text of a system's own file in both languages; its English is what the record keeps."""
    return Message("words.own", en=en, zh=zh)


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a system, by its role.

    Attributes
    ----------
    role : of the line of the contract that feeds it: ``"signal"`` is decoded, ``"markers"`` brings the cues.
    kind : what it measures.
    at_least_channels, at_most_channels : decoded channels; 0 for no upper limit.
    at_least_hz, at_most_hz : rate in Hz; 0 for no upper limit. Both are 0 for markers.
    critical : whether a session cannot do without it.
    unit : of its samples; every spelling and prefix of a voltage is one unit. ``""`` for any that is known.
    words : what it is, for the person who connects it.
    """

    role: str
    kind: InputKind
    at_least_channels: int = 1
    at_most_channels: int = 0
    at_least_hz: float = 0.0
    at_most_hz: float = 0.0
    critical: bool = True
    unit: str = "uV"
    words: str = ""

    def __post_init__(self) -> None:
        if not self.role.strip() or self.role == "aux":
            raise BadValue(Message("system.input_role", got=repr(self.role)))
        if self.kind not in KINDS:
            raise BadValue(Message("system.input_kind", role=self.role, allowed=list(KINDS), got=repr(self.kind)))
        for what, least, most in (
            ("channels", self.at_least_channels, self.at_most_channels),
            ("Hz", self.at_least_hz, self.at_most_hz),
        ):
            if not (math.isfinite(least) and least >= 0 and (most == 0 or least <= most < math.inf)):
                raise BadValue(
                    Message("system.input_range", what=what, role=self.role, least=f"{least:g}", most=f"{most:g}")
                )
        if self.kind != "markers" and not self.at_least_hz > 0:
            raise BadValue(Message("system.input_rate", role=self.role, got=f"{self.at_least_hz:g}"))
        if self.unit and not units.is_known(self.unit):
            raise BadValue(Message("system.input_unit", role=self.role, got=repr(self.unit)))

    def refusal(self, spec: StreamSpec) -> str:
        """Why a line of a contract cannot feed this input, one sentence; ``""`` when it can."""
        said = _KIND_OF_TYPE.get(spec.type.strip().casefold(), self.kind)
        if said != self.kind and not (self.kind == "potential" and said in POTENTIALS):
            return Message(
                "input.kind", stream=repr(spec.name), role=self.role, kind=self.kind, got=repr(spec.type)
            )
        if self.kind == "markers":
            return "" if spec.fs == 0 else Message("input.markers", stream=repr(spec.name), got=f"{spec.fs:g}")
        return self._rate(spec) or self._channels(spec) or self._unit(spec)

    def _rate(self, spec: StreamSpec) -> str:
        if not (math.isfinite(spec.fs) and spec.fs > 0):
            return Message("input.impossible_rate", stream=repr(spec.name), got=f"{spec.fs:g}")
        if spec.fs >= self.at_least_hz and (not self.at_most_hz or spec.fs <= self.at_most_hz):
            return ""
        least, most = f"{self.at_least_hz:g}", f"{self.at_most_hz:g}"
        if not self.at_most_hz:
            return Message("input.rate", stream=repr(spec.name), role=self.role, least=least, got=f"{spec.fs:g}")
        return Message(
            "input.rate_between",
            stream=repr(spec.name),
            role=self.role,
            least=least,
            most=most,
            got=f"{spec.fs:g}",
        )

    def _channels(self, spec: StreamSpec) -> str:
        n, least, most = len(spec.measured), self.at_least_channels, self.at_most_channels
        if n >= least and (not most or n <= most):
            return ""
        if not most:
            return Message("input.channels", stream=repr(spec.name), role=self.role, least=least, got=n)
        return Message(
            "input.channels_between", stream=repr(spec.name), role=self.role, least=least, most=most, got=n
        )

    def _unit(self, spec: StreamSpec) -> str:
        if not units.is_known(spec.unit):
            return Message("input.no_unit", stream=repr(spec.name), role=self.role, got=repr(spec.unit))
        if self.unit and not units.same(spec.unit, self.unit):
            return Message(
                "input.unit", stream=repr(spec.name), role=self.role, unit=self.unit, got=repr(spec.unit)
            )
        return ""


def rate_of(spec: StreamSpec) -> dict[str, Any]:
    """Parameters of a decoder that needs nothing of its stream but the rate."""
    return {"fs": spec.fs}


@dataclass(frozen=True, slots=True)
class Task:
    """One way of working with a system: what calibrates it and what is decided online.

    Attributes
    ----------
    name : such as ``"cued"`` or ``"self_paced"``.
    title : in words.
    paradigm, params : name and parameters of calibration runs, and of online runs but for ``online``.
    online : parameters in which online runs differ, such as a free choice where the calibration asked for one.
    decoder, decoder_params : name, and its parameters for the line of the signal; of a decoder of several streams
        (``workbench.decoders.JOINT_RULES``) as :func:`workbench.runs.joint_fitting.fit_joint` takes them. ``""``
        where nothing is decoded, and a schedule alone moves the effector.
    law : how decisions move the effector; None without one.
    trials : usual number of trials of each run, calibration runs first, the online run last; of a task without a
        decoder of each scheduled run.
    """

    name: str
    title: str
    paradigm: str
    decoder: str
    params: Mapping[str, Any] = field(default_factory=dict)
    decoder_params: Callable[[StreamSpec], Mapping[str, Any]] = rate_of
    law: ControlLaw | None = None
    trials: tuple[int, ...] = (16, 15)
    online: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or not self.title.strip():
            raise BadValue(Message("system.task_name", name=repr(self.name), title=repr(str(self.title))))
        if len(self.trials) < self.least_runs or min(self.trials) < 1:
            raise BadValue(Message("system.task_trials", task=self.name, got=str(self.trials)))
        if self.decoder not in ("", *decoders.available(), *decoders.JOINT_RULES):
            raise BadValue(Message("system.task_decoder", task=self.name, decoder=repr(self.decoder)))
        known = paradigms.from_params(self.paradigm, {**self.params, **self.online})
        if self.law is not None:
            self._check_law(self.law, known)

    @property
    def least_runs(self) -> int:
        """Runs that a session of it has at least: a decoder is calibrated in one and decides in another."""
        return 2 if self.decoder else 1

    def _check_law(self, law: ControlLaw, paradigm: Paradigm) -> None:
        if unknown := sorted(set(law.conditions) - set(paradigm.conditions)):
            raise BadValue(
                Message(
                    "system.law_condition",
                    task=self.name,
                    condition=repr(unknown[0]),
                    paradigm=self.paradigm,
                    known=list(paradigm.conditions),
                )
            )
        if (law.law == "proportional") != (paradigm.evidence in FOLLOWED):
            raise BadValue(
                Message(
                    "system.law_continuous",
                    task=self.name,
                    evidence=paradigm.evidence,
                    followed=list(FOLLOWED),
                    got=law.law,
                )
            )
        if bool(law.windows) != (paradigm.evidence == "phase"):
            raise BadValue(
                Message(
                    "system.law_phase",
                    task=self.name,
                    evidence=paradigm.evidence,
                    got=law.law,
                    window=str(law.phase_window or law.blocks or "none"),
                )
            )
        if not paradigm.asynchronous and (law.law != "trigger" or not law.conditions):
            raise BadValue(
                Message(
                    "system.law_cued",
                    task=self.name,
                    got=law.law,
                    conditions=", ".join(law.conditions) or "none",
                )
            )


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit of the protocol: day from the first visit, and the days of its window, both belonging to it.

    ``forms`` names those of the system's forms that it asks for; empty for all of them.
    """

    name: str
    day: int
    earliest: int
    latest: int
    forms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.earliest <= self.day <= self.latest:
            raise BadValue(
                Message(
                    "system.visit",
                    name=repr(self.name),
                    day=self.day,
                    earliest=self.earliest,
                    latest=self.latest,
                )
            )


@dataclass(frozen=True, slots=True)
class PlannedEndpoint:
    """An endpoint of a system's protocol, as the draft of one states it.

    Attributes
    ----------
    name, title : short name, and what people call it.
    role : what it decides.
    measured_by : names of the system's endpoints and forms, and of :data:`OF_RECORD`.
    variable : what is estimated, in words. summary : how it is summed up, ``""`` where the site decides.
    """

    name: str
    title: str
    role: EndpointRole
    measured_by: tuple[str, ...]
    variable: str
    summary: str = ""

    def __post_init__(self) -> None:
        if not (self.name.isidentifier() and self.title.strip() and self.variable.strip() and self.measured_by):
            raise BadValue(Message("system.endpoint", name=repr(self.name)))
        if self.role not in ROLES:
            raise BadValue(
                Message("system.endpoint_role", name=self.name, allowed=list(ROLES), got=repr(self.role))
            )


@dataclass(frozen=True, slots=True)
class PriceItem:
    """A price item by which work with a system may be charged; prices and codes are of a site's own document.

    Attributes
    ----------
    name, title : official name as the price documents print it, and what it is.
    kind : as the record keeps it. per : what one charge is for, in words.
    rules : that were found, each with its source.
    """

    name: str
    title: str
    kind: PriceItemKind
    per: str
    rules: tuple[PriceRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """A further player of a simulation, which follows the cues of the first and begins with it.

    Attributes
    ----------
    device, options : player and its options; the seed is added, that of the first.
    roles : of the streams that it plays; its option ``source_id`` names the first of them.
    """

    device: str
    options: Mapping[str, Any]
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Simulator:
    """Who plays the inputs of a system where nobody is connected.

    Attributes
    ----------
    device, options : player and its options; the seed is added.
    contract : the streams that are played.
    source : what is simulated, in plain words, for screen, record and report.
    presenter : player that shows what the cues say and sends their markers, which the others then follow;
        ``""`` where the engine gives the cues.
    beside : further players of one person, each with streams of its own.
    """

    device: str
    options: Mapping[str, Any]
    contract: tuple[StreamSpec, ...]
    source: str
    presenter: str = ""
    beside: tuple[Beside, ...] = ()

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of all players that bring signals."""
        return (self.device, *(one.device for one in self.beside))


@dataclass(frozen=True)
class System:
    """Everything about a clinical system but who, where, and which hardware. Raises :class:`BadValue`.

    Attributes
    ----------
    name, title : name of its file, and what people call it.
    inputs : by role; exactly one has the role ``"signal"``.
    tasks : ways of working with it, the usual one first.
    procedures : kinds of run that it offers, in the order in which they are offered.
    stimulation : programme, of an effector that stimulates; None for any other.
    settings : levels of its effector, fractions 0–1, that a mapping run steps through; none without such a run.
    published : what its makers have not published or what is only simulated, in words.
    effector, limits : name of the profile that it moves, None without one; limits narrower than the profile's.
    checks : what the operator looks at before arming, beside the conditions that the controller itself checks.
    visits : of the protocol.
    endpoints : names of outcome measures and of :data:`METRICS`. forms : measures that its visits ask for first.
    own_forms : forms that no outcome measure is, and measures in a state of help that their form names.
    planned : endpoints as a protocol states them, one of them primary; none where ``endpoints`` says enough.
    price_items : by which work with it may be charged.
    not_supplied : what nobody published, one sentence each. out_of_scope : what it leaves out, and why.
    report : what its report shows beside its results, of :data:`REPORT_PARTS`.
    simulator : who plays it; None where only recordings or hardware do.
    figures : what a recorded run of it is judged by where nothing is decoded, one line each; None for no more than
        what was given.
    entries : what a recorded run enters into forms of its own, as name of the form and values by item; None for
        nothing.
    """

    name: str
    title: str
    inputs: tuple[Input, ...]
    tasks: tuple[Task, ...]
    procedures: tuple[RunKind, ...]
    published: str
    effector: str | None = None
    limits: Limits | None = None
    stimulation: Stimulation | None = None
    settings: tuple[float | tuple[float, ...], ...] = ()
    checks: tuple[str, ...] = ()
    visits: tuple[PlannedVisit, ...] = ()
    endpoints: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    own_forms: tuple[Form, ...] = ()
    planned: tuple[PlannedEndpoint, ...] = ()
    price_items: tuple[PriceItem, ...] = ()
    not_supplied: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    report: tuple[ReportPart, ...] = REPORT_PARTS
    simulator: Simulator | None = None
    figures: Callable[[RunFile], tuple[str, ...]] | None = None
    entries: Callable[[RunFile], tuple[tuple[str, Mapping[str, Any]], ...]] | None = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or not self.title.strip() or not self.published.strip():
            raise BadValue(Message("system.name", got=repr(self.name)))
        self._check_inputs()
        self._check_names()
        self._check_planned()
        self._check_effector()

    def input(self, role: str) -> Input:
        """The input of that role. Raises BadValue with the roles there are."""
        for one in self.inputs:
            if one.role == role:
                return one
        raise BadValue(
            Message("system.role", role=repr(role), system=self.name, allowed=[one.role for one in self.inputs])
        )

    def task(self, name: str = "") -> Task:
        """The task of that name, the usual one for ``""``. Raises BadValue with the tasks there are."""
        if not name:
            return self.tasks[0]
        for one in self.tasks:
            if one.name == name:
                return one
        raise BadValue(
            Message("system.task", task=repr(name), system=self.name, allowed=[one.name for one in self.tasks])
        )

    def _check_inputs(self) -> None:
        roles = [one.role for one in self.inputs]
        if len(set(roles)) != len(roles) or roles.count("signal") != 1:
            raise BadValue(Message("system.inputs", system=self.name, got=", ".join(roles) or "none"))

    def _check_names(self) -> None:
        tasks, visits = [one.name for one in self.tasks], [one.name for one in self.visits]
        forms, planned = [one.name for one in self.own_forms], [one.name for one in self.planned]
        lists = {"tasks": tasks, "visits": visits, "own_forms": [*self.forms, *forms], "planned": planned}
        for what, names in lists.items():
            if len(set(names)) != len(names) or (what == "tasks" and not names):
                raise BadValue(
                    Message("system.names", what=what, system=self.name, got=", ".join(names) or "none")
                )
        measures = outcomes.available()
        for what, given, known in (
            ("procedures", self.procedures, PROCEDURES),
            ("endpoints", self.endpoints, (*METRICS, *measures)),
            ("forms", self.forms, measures),
            ("report", self.report, REPORT_PARTS),
        ):
            if unknown := [name for name in given if name not in known]:
                raise BadValue(
                    Message(
                        "system.not_among", what=what, system=self.name, got=repr(unknown[0]), allowed=list(known)
                    )
                )
        if self.simulator is not None:
            self._check_players(self.simulator)

    def _check_players(self, simulator: Simulator) -> None:
        """Each player is there, and each further one plays streams of its own, none of them the signal."""
        for device in simulator.devices:
            if device not in devices.available():
                raise BadValue(Message("system.device", system=self.name, got=repr(device)))
        lines = [line.role for line in simulator.contract if line.decoded_beside]
        played = [role for one in simulator.beside for role in one.roles]
        empty = any(not one.roles for one in simulator.beside)
        if empty or len(set(played)) != len(played) or not set(played) <= set(lines):
            raise BadValue(Message("system.beside", system=self.name, got=", ".join(played) or "none"))

    def _check_planned(self) -> None:
        """Visits ask for forms that there are, endpoints rest on what is measured, and one of them is primary."""
        forms = self.asked_forms
        measured = (*forms, *self.endpoints, *OF_RECORD)
        asked = [name for visit in self.visits for name in visit.forms]
        rests = [name for one in self.planned for name in one.measured_by]
        for what, given, known in (("visits", asked, forms), ("planned", rests, measured)):
            if unknown := [name for name in given if name not in known]:
                raise BadValue(
                    Message(
                        "system.not_among", what=what, system=self.name, got=repr(unknown[0]), allowed=list(known)
                    )
                )
        primary = sum(one.role == "primary" for one in self.planned)
        if self.planned and primary != 1:
            raise BadValue(Message("system.primary", system=self.name, got=primary))

    @property
    def asked_forms(self) -> tuple[str, ...]:
        """Names of the forms that it asks for: outcome measures, then those of its own."""
        measures = dict.fromkeys(name for name in (*self.forms, *self.endpoints) if name in outcomes.available())
        return (*measures, *(one.name for one in self.own_forms))

    def _check_effector(self) -> None:
        laws = [one.law for one in self.tasks]
        if (self.effector is None) != (None in laws) or (self.effector is None and any(laws)):
            raise BadValue(Message("system.laws", system=self.name))
        self._check_procedures()
        if self.effector is None:
            return
        profile = control.load(self.effector)
        if profile.stimulates != (self.stimulation is not None):
            raise BadValue(Message("system.stimulation", system=self.name, effector=self.effector))
        limits = control.check_limits(self.limits or control.profile_limits(profile), profile)
        for law in laws:
            if law is not None:
                control.check_law(law, limits, profile)

    def _check_procedures(self) -> None:
        """Each procedure has what it needs: an effector, an unguided law, settings, a decoder."""
        moved = [kind for kind in self.procedures if kind in control.SCHEDULED]
        # A task whose law is guided has no such run, which the engine says where one is asked for.
        if moved and not any(one.law is not None and not one.law.guided for one in self.tasks):
            raise BadValue(Message("system.procedure", system=self.name, procedure=moved[0]))
        decoded = [kind for kind in self.procedures if kind not in DECODES_NOTHING]
        if decoded and (bare := [one.name for one in self.tasks if not one.decoder]):
            raise BadValue(Message("system.no_decoder", system=self.name, task=bare[0], procedure=decoded[0]))
        if ("mapping" in moved) != bool(self.settings):
            raise BadValue(Message("system.settings", system=self.name, got=str(self.settings or "none")))
        if self.settings:
            paradigms.from_params(SETTINGS, {"levels": list(self.settings)})
