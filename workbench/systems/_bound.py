"""A system bound to the streams of one site: the one way for hardware, replay and simulation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as changed
from functools import cached_property
from typing import Any

from workbench import control, decoders, messages, paradigms
from workbench.control import ControlLaw
from workbench.errors import BadValue, Refused, WorkbenchError
from workbench.live.plan import SessionPlan
from workbench.messages import Message
from workbench.stimulation import Setup, definition_of
from workbench.study import Study, utc_now, uuid7
from workbench.systems._register import Provenance, load, provenance
from workbench.systems._stimulation import check_in_force, programme_of, set_up
from workbench.systems._system import SETTINGS, Beside, System, Task, words
from workbench.vocabulary import Session, StreamSpec

AUX = "aux"
"""Role of a stream that is recorded beside the inputs of any system."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the samples of a session come from.

    Attributes
    ----------
    text : in plain words; says what is simulated or replayed.
    simulated : whether the participant is.
    player : ``{"device": name, "options": {…}}`` that plays the contract, None for hardware.
    beside : further players, each of which plays some of its lines; the seed is among their options.
    presenter : device that plays the markers, which the players follow; ``""`` where the player brings its own.
    labels : annotation of the recordings or code of the markers → condition.
    durations : of each run, s of stream time, where recordings fix them.
    notes : what a reader of the recordings should know, one sentence each.
    """

    text: str
    simulated: bool = False
    player: Mapping[str, Any] | None = None
    beside: tuple[Beside, ...] = ()
    presenter: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    durations: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()


ABOUT = ("source", "report")
"""What the record stores with a plan and the engine does not need: the source in words, parts of the report."""

HARDWARE = Source(words("hardware", "硬件"))


@dataclass(frozen=True)
class BoundSystem:
    """A system with its streams: what a session needs except who and where. Made by :func:`bind`.

    Attributes
    ----------
    system, task : what is bound.
    contract : lines in the order of the inputs, then those that are only recorded.
    paradigm_params : the task's, with those that were given.
    decoder_params : for the decoded stream.
    source : where the samples come from.
    trials : planned trials of each run, calibration runs first, the online run last.
    """

    system: System
    task: Task
    contract: tuple[StreamSpec, ...]
    paradigm_params: Mapping[str, Any]
    decoder_params: Mapping[str, Any]
    source: Source
    trials: tuple[int, ...]

    @property
    def signal(self) -> StreamSpec:
        """The stream that is decoded."""
        return self.contract[0]

    @property
    def markers(self) -> StreamSpec | None:
        """The stream that brings the cues; None where the engine presents them."""
        return next((line for line in self.contract if line.role == "markers"), None)

    @property
    def paradigm(self) -> str:
        """Name of the paradigm."""
        return self.task.paradigm

    @property
    def decoder(self) -> str:
        """Name of the decoder."""
        return self.task.decoder

    @property
    def effector(self) -> str | None:
        """Name of the effector profile, None without one."""
        return self.system.effector

    @property
    def key(self) -> str:
        """What tells it from another choice of system and task."""
        return f"{self.system.name} {self.task.name}"

    @cached_property
    def provenance(self) -> Provenance:
        """Which description it follows."""
        return provenance(self.system)

    @property
    def durations(self) -> tuple[float, ...]:
        """Of each run, s of stream time; breaks between cues are drawn, so they are near and not exact."""
        if self.source.durations:
            return self.source.durations
        paradigm = paradigms.from_params(self.paradigm, self.paradigm_params)
        ends = [paradigm.schedule(n, seed=1)[-1] for n in self.trials]
        return tuple(end.at_s + end.duration_s for end in ends)

    def params_of(self, kind: str) -> dict[str, Any]:
        """Parameters of the paradigm for a run of this kind."""
        if kind == "mapping":
            return {"levels": list(self.system.settings)}
        # A sham run looks like an online one.
        return {**self.paradigm_params, **(self.task.online if kind in ("online", "sham") else {})}

    def paradigm_of(self, kind: str) -> str:
        """Name of the paradigm of a run of this kind."""
        return SETTINGS if kind == "mapping" else self.paradigm

    @property
    def flickers(self) -> bool:
        """Whether its light flickers or flashes, so that the participant is asked about seizures first."""
        return paradigms.from_params(self.paradigm, self.paradigm_params).flicker is not None

    @property
    def seconds(self) -> float:
        """Stream time of all runs, s."""
        return sum(self.durations)

    def new_session(
        self,
        study: Study,
        *,
        visit: str,
        operator: str,
        speed: float = 1.0,
        seed: int = 0,
        identity: str = "",
        **entries: Any,
    ) -> SessionPlan:
        """Enter a session of a visit into the record and return its plan.

        Parameters
        ----------
        study, visit, operator : the open record, id of the visit, and who runs the session.
        speed, seed : stream time over real time, and seed of the players; 1 and unused with hardware.
        identity : how the participant was confirmed (``"wristband, 08:58, Lin Q."``), ``""`` for not at all.
        **entries : further entries of the :class:`SessionPlan`, such as ``effector_simulated=False``, ``waived``,
            ``place``, ``script_present``, ``screening`` (:func:`screen`; without it that of the participant's
            last session, where light flickers) or ``stimulation`` (:meth:`set_up`, which is the usual one).

        Raises
        ------
        Refused
            With the ``setup`` of hardware, for a person whose consent the record does not hold; for an effector
            that stimulates, without limits in force, and with a programme that they forbid.
        """
        visit_row, session = study.get("visit", visit), uuid7()
        participant = study.get("participant", visit_row["participant_id"])
        entries = self._checked(study, participant, entries)
        person = participant["pseudonym"]
        contract = self.contract if self.source.player is None else _own(self.contract, session)
        plan = SessionPlan(
            study_folder=str(study.folder),
            study=study.code,
            participant=str(person),
            visit=str(visit_row["name"]),
            session_id=session,
            operator=operator,
            contract=contract,
            effector=self.effector,
            players=self._players(
                contract,
                effector_simulated=bool(entries.get("effector_simulated", True)),
                setup=entries.get("stimulation"),
            ),
            speed=speed,
            seed=seed,
            simulated=self.source.simulated,
            cue_source=self._cue_source,
            labels=self.source.labels,
            law=self.task.law or ControlLaw(),
            limits=self.system.limits,
            system={name: str(value) for name, value in self.provenance.items()} | {"task": self.task.name},
            **entries,
        )
        self._enter(study, plan, visit=visit, identity=identity)
        return plan

    def _enter(self, study: Study, plan: SessionPlan, *, visit: str, identity: str) -> None:
        """Keep the session with its plan and what the engine does not need of it."""
        about = {"source": self.source.text, "report": list(self.system.report)}
        stored = {**json.loads(plan.to_json()), **about}
        study.append(
            Session(
                visit,
                plan.operator,
                id=plan.session_id,
                started=utc_now(),
                simulated=self.source.simulated,
                plan=stored,
                identity=identity,
            )
        )

    def set_up(self, study: Study, participant: str) -> Setup | None:
        """What a session of a participant stimulates with, from the record; None where nothing stimulates.

        Parameters
        ----------
        study : open record. participant : id.

        Raises
        ------
        Refused
            When an electrode of the programme has no limits in force.
        BadValue
            When the study's own programme is none.
        """
        usually = self.system.stimulation
        if usually is None:
            return None
        programme = programme_of(study, self.system.name, usually.programme)
        return set_up(
            study,
            programme,
            lesion=str(study.get("participant", participant)["injury_level"]),
            participant=participant,
        )

    def _checked(self, study: Study, participant: Mapping[str, Any], entries: dict[str, Any]) -> dict[str, Any]:
        """The entries of a plan with its screening and stimulation, before the session is entered."""
        entries = self._screened(study, str(participant["id"])) | entries
        # Whoever no player stands in for is a person at an amplifier, with a set-up or without one.
        if self.source.player is None and (why := consent_refusal(participant)):
            raise Refused(why)
        if self.effector is None:
            return entries
        setup: Setup | None = entries.get("stimulation") or self.set_up(study, str(participant["id"]))
        control.check_stimulation(control.load(self.effector), setup)
        if setup is not None:
            check_in_force(study, setup, simulated=bool(entries.get("effector_simulated", True)))
        return {**entries, "stimulation": setup}

    def _screened(self, study: Study, participant: str) -> dict[str, Any]:
        """The participant's last answer to the question about seizures, where light flickers."""
        return {"screening": screening_of(study, participant)} if self.flickers else {}

    @property
    def _cue_source(self) -> str:
        """Who presents: a stream of markers, else a page where every frame counts, else the engine."""
        if self.markers is not None:
            return "stream"
        return "page" if paradigms.load(self.paradigm).selects else "engine"

    def _players(
        self, contract: Sequence[StreamSpec], *, effector_simulated: bool, setup: Setup | None
    ) -> tuple[Mapping[str, Any], ...]:
        players: list[Mapping[str, Any]] = []
        if self.source.player is not None:
            elsewhere = {role for one in self.source.beside for role in one.roles}
            own = [line for line in contract if line.role not in elsewhere]
            options = {**self.source.player["options"], **_stream_ids(own)}
            markers = next((line for line in contract if line.role == "markers"), None)
            cued = {} if markers is None else {"cue_source_id": markers.source_id}
            if markers is not None:
                options["cue_source_id" if self.source.presenter else "marker_source_id"] = markers.source_id
            players.append({"device": self.source.player["device"], "options": options})
            for one in self.source.beside:
                lines = [next(line for line in contract if line.role == role) for role in one.roles]
                players.append({"device": one.device, "options": {**one.options, **_stream_ids(lines), **cued}})
            if self.source.presenter and markers is not None:
                players.append({"device": self.source.presenter, "options": {"source_id": markers.source_id}})
        if self.effector is not None and effector_simulated:
            # A real stimulator holds its programme already; its hash is compared.
            options = {} if setup is None else {"programme": definition_of(setup)["programme"]["channel"]}
            players.append({"device": f"simulated_{self.effector}", "options": options})
        return tuple(players)


def _stream_ids(lines: Sequence[StreamSpec]) -> dict[str, str]:
    """Options of a player that name its streams: the first by itself, those that are decoded beside it by role."""
    beside = {f"{line.role}_source_id": line.source_id for line in lines[1:] if line.decoded_beside}
    return {"source_id": lines[0].source_id} | beside


def consent_refusal(participant: Mapping[str, Any]) -> Message | None:
    """Why hardware is not connected to a participant, None when it may be: a person's consent must be recorded.

    Parameters
    ----------
    participant : row of the record.
    """
    if participant["simulated"] or str(participant["consent"]).strip():
        return None
    return Message("participant.no_consent", participant=participant["pseudonym"])


def screen(answer: str, *, by: str) -> dict[str, str]:
    """The answer to the question about seizures, as a session's plan takes it: entered by whom, and now.

    Parameters
    ----------
    answer : ``"none"`` (no seizure and no epilepsy ever) or ``"history"`` (one or the other).
    by : who asked and entered it.

    Raises
    ------
    BadValue
        For another answer, or nobody's name.
    """
    if answer not in ("none", "history") or not by.strip():
        raise BadValue(Message("system.screening", got=repr(answer), by=repr(by)))
    return {"answer": answer, "by": by.strip(), "utc": utc_now()}


def screening_of(study: Study, participant: str) -> dict[str, str]:
    """The last answer of a participant to the question about seizures; empty where nobody asked.

    Parameters
    ----------
    study : open record. participant : id.
    """
    visits = {row["id"] for row in study.rows("visit", participant_id=participant)}
    plans = [row["plan"] for row in study.rows("session") if row["visit_id"] in visits]
    answers = [dict(plan["screening"]) for plan in plans if plan.get("screening")]
    return max(answers, key=lambda answer: str(answer["utc"]), default={})


def _own(contract: Sequence[StreamSpec], session: str) -> tuple[StreamSpec, ...]:
    """The contract with source_ids that belong to one session."""
    return tuple(changed(line, source_id=f"{line.source_id}-{session}") for line in contract)


def bind(
    system: System,
    contract: Sequence[StreamSpec],
    *,
    task: str = "",
    source: Source = HARDWARE,
    params: Mapping[str, Any] | None = None,
    trials: tuple[int, ...] = (),
) -> BoundSystem:
    """Check a contract against a system, and give what a session with it needs.

    Parameters
    ----------
    system : of the register, or made by a caller.
    contract : its streams; a line feeds the input of its role, and ``"aux"`` is recorded beside them.
    task : name of the task, ``""`` for the usual one.
    source : who plays the streams; hardware unless it is said.
    params : parameters of the paradigm in place of the task's.
    trials : planned trials of each run in place of the task's.

    Raises
    ------
    BadValue
        An unknown or doubled role, an input without a stream, a stream that cannot feed its input, parameters that
        the paradigm refuses, or a decoder that does not fit the decoded stream. One sentence; nothing was started.
    """
    chosen = system.task(task)
    lines = _by_role(system, contract)
    paradigm = paradigms.from_params(chosen.paradigm, {**chosen.params, **(params or {})})
    counts = trials or chosen.trials
    if len(counts) < chosen.least_runs or min(counts) < 1:
        raise BadValue(Message("system.trials", got=", ".join(map(str, counts))))
    if "markers" not in lines and not source.durations:
        # Only the schedule names what a cue of the engine may be called.
        paradigm.schedule(1, seed=1)
    decoder_params = dict(chosen.decoder_params(lines["signal"])) if chosen.decoder else {}
    if chosen.decoder in decoders.JOINT_RULES:
        for role, member in decoder_params["members"].items():
            line = lines.get(role)
            if "channels" in member:
                line = _picked(role, member["channels"], lines["signal"])
            if line is None:
                raise BadValue(
                    Message("system.no_stream", role=role, kind=system.input(role).kind, system=system.name)
                )
            params_of = {"fs": line.fs, **member.get("params", {})}
            gates = chosen.decoder == "gating" and role != "signal"
            allowed = tuple(decoders.GATES_OF) if gates else (paradigm.evidence,)
            _check_decoder(member["decoder"], line, params_of, paradigm=chosen.paradigm, allowed=allowed)
    elif chosen.decoder:
        allowed = (paradigm.evidence,)
        _check_decoder(chosen.decoder, lines["signal"], decoder_params, paradigm=chosen.paradigm, allowed=allowed)
    beside = [line for line in contract if line.role == AUX]
    ordered = [lines[one.role] for one in system.inputs if one.role in lines]
    ordered.sort(key=lambda line: line.role != "signal")
    return BoundSystem(
        system, chosen, (*ordered, *beside), paradigm.params(), decoder_params, source=source, trials=tuple(counts)
    )


def simulate(system: System, *, task: str = "", seed: int = 1, trials: tuple[int, ...] = ()) -> BoundSystem:
    """A system with its simulator.

    Parameters
    ----------
    system : with a simulator.
    task : name of the task, ``""`` for the usual one.
    seed : of the simulated participant.
    trials : planned trials of each run in place of the task's.

    Raises
    ------
    BadValue
        When the system has no simulator, or as :func:`bind`.
    """
    simulator = system.simulator
    if simulator is None:
        raise BadValue(Message("system.no_simulator", system=system.name))
    source = Source(
        simulator.source,
        simulated=True,
        player={"device": simulator.device, "options": {**simulator.options, "seed": seed}},
        beside=tuple(changed(one, options={**one.options, "seed": seed}) for one in simulator.beside),
        presenter=simulator.presenter,
    )
    return bind(system, simulator.contract, task=task, source=source, trials=trials)


def bound_in(stored: Mapping[str, Any]) -> BoundSystem:
    """The system that a session follows, from the plan that the record stores of it.

    Raises
    ------
    BadValue
        When the plan names no system, or the system no longer takes its streams.
    UnknownName
        When the system is not installed.
    """
    plan = SessionPlan.from_json(json.dumps({name: value for name, value in stored.items() if name not in ABOUT}))
    if not plan.system:
        raise BadValue(Message("system.none_in_plan", session=plan.session_id))
    system, task = load(plan.system["name"]), plan.system["task"]
    if plan.simulated:
        return simulate(system, task=task)
    return bind(system, plan.contract, task=task, source=Source(str(stored.get("source", "")), labels=plan.labels))


def _by_role(system: System, contract: Sequence[StreamSpec]) -> dict[str, StreamSpec]:
    """Role → line, each checked against its input."""
    lines: dict[str, StreamSpec] = {}
    for line in contract:
        if line.role == AUX:
            continue
        expected = system.input(line.role)
        if line.role in lines:
            first = lines[line.role].name
            raise BadValue(Message("system.role_twice", role=line.role, first=first, second=line.name))
        if refusal := expected.refusal(line):
            raise BadValue(refusal)
        lines[line.role] = line
    for expected in system.inputs:
        if expected.critical and expected.role not in lines:
            raise BadValue(Message("system.no_stream", role=expected.role, kind=expected.kind, system=system.name))
    return lines


def _picked(role: str, names: Sequence[str], signal: StreamSpec) -> StreamSpec:
    """The signal with the channels alone that a role reads of it."""
    if not set(names) <= set(signal.measured):
        allowed = list(signal.measured)
        raise BadValue(Message("fit.channels_of_signal", role=repr(role), channels=allowed, got=list(names)))
    return changed(signal, channels=tuple(names), unmeasured=())


def _check_decoder(
    name: str, line: StreamSpec, params: Mapping[str, Any], *, paradigm: str, allowed: Sequence[str]
) -> None:
    """Raise BadValue unless the decoder can be made for this stream and gives evidence that is taken of it.

    Parameters
    ----------
    name, params : the decoder.
    line : of the contract, its stream.
    paradigm : name.
    allowed : kinds of evidence.
    """
    kind = decoders.load(name)
    try:
        if unknown := sorted(set(params) - set(kind.parameter_names())):
            raise BadValue(Message("system.no_parameter", name=repr(unknown[0])))
        decoder = kind(**params)
        decoder.check_stream(len(line.measured))
        got = decoder.evidence_type.kind
        if got not in allowed:
            raise BadValue(
                Message("engine.decoder_of_other_evidence", paradigm=paradigm, wanted=list(allowed), got=got)
            )
    except WorkbenchError as error:
        raise BadValue(
            Message("system.decoder", decoder=name, stream=repr(line.name), why=messages.of(error))
        ) from error
